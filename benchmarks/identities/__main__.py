"""Time the resolution of identities and compare it with networkx.

    python -m benchmarks.identities [--users 1_000_000] [--merges 1_500_000] [--devices 500_000]

Each user has one event, and so has each device before its user logs in on it; merges lie within
groups of eight users, but for one chain of 10,000 users and one cycle of 100, at random hours of a
year. The time of each dbt model is printed. The owner of every identity, now and half a year
ago, is compared with networkx.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from foretell.project import PACKAGE
from tests.random_events import standing_for

CHAIN, CYCLE, GROUP = 10_000, 100, 8
AS_OF = "2026-01-01"
console = Console(width=100)

MERGES = """
    create table merges as
    select 'u' || previous as previous_id, 'u' || next as user_id,
        timestamp '2025-01-01' + interval '1' hour * (hash(number || ' hour') % 8759) as event_time
    from (
        select i as number, i as previous, i + 1 as next from range($chain - 1) as chain (i)
        union all
        select i, i, $chain + (i - $chain + 1) % $cycle
        from range($chain, $chain + $cycle) as cycle (i)
        union all
        select i, a, case when a = b then a // $size * $size + (a + 1) % $size else b end
        from (
            select i, a, a // $size * $size + hash(i || ' to') % $size as b
            from (
                select i, $first + hash(i || ' group') % ($users - $first) // $size * $size
                    + hash(i || ' from') % $size as a
                from range($chain + $cycle, $merges + 1) as merges (i)
            )
        )
    )
"""
EVENTS = """
    copy (
        select null as event_id, user_id, null as device_id, 'merge' as event_name, event_time,
            previous_id
        from merges
        union all
        select null, 'u' || i, case when i < $devices then 'd' || i end, 'open',
            timestamp '2025-01-02' + interval '1' hour * (i % 8000), null
        from range($users) as users (i)
        union all
        select null, null, 'd' || i, 'visit', timestamp '2025-01-01', null
        from range($devices) as devices (i)
    ) to '$path' (format parquet)
"""


def generate(path: Path, users: int, merges: int, devices: int) -> list[tuple[str, str, int]]:
    """Write the events and return the merges: previous id, user id, hour since 1970."""
    first = (CHAIN + CYCLE + GROUP - 1) // GROUP * GROUP
    values = {
        "chain": CHAIN, "cycle": CYCLE, "first": first, "size": GROUP, "users": users,
        "merges": merges, "devices": devices, "path": str(path).replace("'", "''"),
    }  # fmt: skip
    connection = duckdb.connect()
    for sql in (MERGES, EVENTS):
        for name, value in values.items():
            sql = sql.replace(f"${name}", str(value))
        connection.execute(sql)
    return connection.execute(
        "select previous_id, user_id, epoch(event_time)::bigint // 3600 from merges"
    ).fetchall()


def expected(merges: list[tuple[str, str, int]], as_of_hour: int) -> dict[str, str]:
    """Return whom each merged user belongs to as of an hour, by networkx."""
    return standing_for((previous, user) for previous, user, hour in merges if hour < as_of_hour)


def resolve(events: Path, warehouse: Path) -> dict[str, float]:
    """Build identities in a process of its own; return the seconds of each model."""
    target = warehouse.parent / "target"
    subprocess.run(
        [Path(sys.executable).with_name("dbt"), "run", "--select", "+stg_identity_map",
         "--target-path", target, "--quiet"],
        cwd=PACKAGE, check=True,
        env={**os.environ, "FORETELL_EVENTS": str(events), "FORETELL_WAREHOUSE": str(warehouse),
             "FORETELL_AS_OF": AS_OF, "FORETELL_PREDICTIONS": ""},
    )  # fmt: skip
    results = json.loads((target / "run_results.json").read_text())["results"]
    return {each["unique_id"].split(".")[-1]: each["execution_time"] for each in results}


def main() -> None:
    """Generate, resolve, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--merges", type=int, default=1_500_000)
    parser.add_argument("--devices", type=int, default=500_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        events, warehouse = Path(folder, "events.parquet"), Path(folder, "warehouse.duckdb")
        merges = generate(events, arguments.users, arguments.merges, arguments.devices)
        started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = resolve(events, warehouse)
        elapsed, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        table = Table("model", "seconds")
        for name, taken in seconds.items():
            table.add_row(name, f"{taken:.1f}")
        console.print(table)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        console.print(
            f"all, with staging and dbt's start: {elapsed:.0f} s, {cpu:.0f} CPU s, "
            f"{after.ru_maxrss / 2**20:.2f} GiB"
        )
        connection = duckdb.connect(str(warehouse), read_only=True)
        (now,) = connection.execute("select as_of_hour from foretell_internal.stg_as_of").fetchone()
        for as_of_hour in (now, now - 24 * 182):
            found = dict(
                connection.execute(
                    "select identities.user_id, users.user_id"
                    " from foretell_internal.stg_identity_map as map"
                    " join foretell_internal.stg_identities as identities using (identity_key)"
                    " join foretell_internal.stg_identities as users"
                    " on map.user_key = users.identity_key"
                    " where identities.is_user and valid_from_hour <= $1 and valid_to_hour > $1",
                    [as_of_hour],
                ).fetchall()
            )
            belongs = expected(merges, as_of_hour)
            wrong = [name for name, user in found.items() if user != belongs.get(name, name)]
            console.print(
                f"as of {(now - as_of_hour) // 24} days ago: {len(found):,} users, "
                f"{len(belongs):,} merged into {len(set(belongs.values())):,}, {len(wrong)} wrong"
            )
            if wrong:
                raise SystemExit(f"for instance {wrong[0]}: {found[wrong[0]]}")


if __name__ == "__main__":
    main()
