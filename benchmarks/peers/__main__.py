"""Time the same feature work by several tools, each in a process of its own, results compared.

    python -m benchmarks.peers --events 10_000_000 [--tools foretell pandas polars ...]
        [--python PATH] [--python-pandas2 PATH] [--max-seconds 600] [--folder DIR]

The work: events per user, event type and rolling week, eight weeks back (benchmarks/peers/task.py),
from the Parquet files of benchmarks/speed/generate.py to Parquet. The floor and Foretell's two
steps run with this Python; the peers are no dependencies of the project, so with one that has them:

    python -m venv PEERS && PEERS/bin/pip install -r benchmarks/peers/requirements.txt
    python -m venv PANDAS2 && PANDAS2/bin/pip install -r benchmarks/peers/requirements_pandas2.txt

The second is for featuretools and getML, which do not work with pandas 3. Spark needs Java 17.
Linux only. Seconds and memory are of whole processes, imports and start-up included: memory is the
largest of any one process of a tool. No table if any result differs from the floor's in any row.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks.peers.task import EDGES, N_WEEKS
from benchmarks.peers.with_duckdb_rollup import ROLLUP
from benchmarks.speed.__main__ import EVENTS_PER_USER, Cost, measure
from benchmarks.speed.generate import generate
from foretell.project import PACKAGE

HOURS_BEFORE_END = 25  # as in benchmarks/speed: there are events that must not be seen
# An event just before, at and just after each end of a week; made-up events hardly ever are there.
EDGE_EVENTS = f"""
    copy (
        select
            cast(null as varchar) as event_id,
            'edge_' || weeks.range as user_id,
            'purchase' as event_name,
            cast($as_of as timestamp) - to_days(cast(7 * weeks.range as integer))
            + to_microseconds(offsets.range) as event_time,
            cast(null as varchar) as event_properties
        from range({N_WEEKS + 1}) as weeks, range(-1, 2) as offsets
    ) to '{{path}}' (format parquet)
"""
# Steps of each tool that can be requested: name in the table and script.
STEPS = {
    "floor": {"DuckDB: floor": "duckdb_floor"},
    "foretell": {
        "Foretell's way: rollup": "duckdb_rollup",
        "Foretell's way: features from the rollup": "duckdb_features",
        "Foretell's way: the same without names": "duckdb_numbers",
    },
    "pandas": {"pandas": "pandas"},
    "polars": {"Polars": "polars"},
    "spark": {"Spark": "spark"},
    "featuretools": {"featuretools": "featuretools"},
    "getml": {"getML Community": "getml"},
}
VERSIONS = re.compile(r"^versions: (.*)$", re.MULTILINE)
COUNTS = """
    select
        cast(user_id as varchar) as user_id,
        cast(event_name as varchar) as event_name,
        cast(week as bigint) as week,
        cast(n as bigint) as n
    from read_parquet('{folder}/counts/*.parquet')
"""
# What Foretell stores is keyed by numbers; that it is the same is seen by their names.
NUMBERED = """
    select users.user_id, counters.event_name, counts.week, counts.n
    from read_parquet('{folder}/counts/*.parquet') as counts
    inner join rollup.users as users on counts.user_key = users.user_key
    inner join rollup.counters as counters on counts.counter_id = counters.counter_id
"""
console = Console(width=120)


@dataclass(frozen=True)
class Run:
    """One line of the table.

    Attributes:
        cost: What the process took until it ended.
        ending: How it ended: finished, failed, did not finish.
        rows: Rows of its result, if it has one.
    """

    cost: Cost
    ending: str
    rows: int | None = None

    @property
    def is_finished(self) -> bool:
        """Return whether it ended without an error."""
        return self.ending == "finished"

    @property
    def versions(self) -> str:
        """Return the versions that the script printed."""
        match = VERSIONS.search(self.cost.output)
        return match[1] if match else "unknown: a package is not installed"


def main() -> None:
    """Run the tools named by the arguments and print their table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    peers = [tool for tool in STEPS if tool != "floor"]
    parser.add_argument("--events", type=lambda text: int(float(text)), default=1_000_000)
    parser.add_argument("--tools", nargs="+", choices=peers, default=peers)
    parser.add_argument("--python", default=sys.executable, help="has requirements.txt")
    parser.add_argument("--python-pandas2", help="has requirements_pandas2.txt; default: --python")
    parser.add_argument("--max-seconds", type=float, default=600, help="a process is ended then")
    parser.add_argument("--folder", type=Path, default=PACKAGE / "warehouse/speed")
    arguments = parser.parse_args()
    events_folder = arguments.folder.resolve() / str(arguments.events)
    made = generate(events_folder, arguments.events, arguments.events // EVENTS_PER_USER)
    as_of = datetime.fromisoformat(made.as_of) - timedelta(hours=HOURS_BEFORE_END)
    pythons = dict.fromkeys(STEPS, arguments.python) | dict.fromkeys(
        ("featuretools", "getml"), arguments.python_pandas2 or arguments.python
    )
    pythons |= dict.fromkeys(("floor", "foretell"), sys.executable)
    work = events_folder / "peers"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    duckdb.execute(EDGE_EVENTS.format(path=work / EDGES), {"as_of": as_of})
    runs: list[Run] = []
    for tool in ["floor", *arguments.tools]:
        for step, script in STEPS[tool].items():
            command = [pythons[tool], "-m", f"benchmarks.peers.with_{script}"]
            command += [made.events, as_of.isoformat(), str(work / script)]
            runs.append(run_step(step, command, work / script, arguments.max_seconds))
            if not runs[0].is_finished:
                raise SystemExit(f"the floor {runs[0].ending}:\n{runs[0].cost.output[-3000:]}")
    shutil.rmtree(work)
    _show(runs, made.n_events)


def run_step(step: str, command: list[str], folder: Path, max_seconds: float) -> Run:
    """Run one script in its new folder and compare its counts with the floor's.

    Raises:
        SystemExit: If it finished with other counts than the floor.
    """
    folder.mkdir()
    limited = [sys.executable, "-m", "benchmarks.peers.limited", str(max_seconds)]
    cost = measure(step, [*limited, *command], {})
    ending = cost.output.splitlines()[-1]
    floor = folder.parent / "duckdb_floor"
    if ending != "finished" or not (folder / "counts").exists():
        return Run(cost, ending)
    rows = compare(folder, floor)
    if folder != floor:
        shutil.rmtree(folder)
    return Run(cost, ending, rows)


def compare(folder: Path, floor: Path) -> int:
    """Return the number of counts in a folder, which are those in the floor's, in any order.

    The floor's rows are distinct; so if none of them is missing and there are as many, all are
    the same. Week by week, since memory is finite.

    Raises:
        SystemExit: If they are not.
    """
    connection = duckdb.connect(config={"temp_directory": f"{folder}/spill"})
    counts, expected = COUNTS.format(folder=folder), COUNTS.format(folder=floor)
    if folder.name == "duckdb_numbers":
        connection.execute(f"attach '{folder.parent}/duckdb_rollup/{ROLLUP}' as rollup (read_only)")
        counts = NUMBERED.format(folder=folder)
    rows, n_expected = (
        connection.execute(f"select count(*) from ({query})").fetchall()[0][0]
        for query in (counts, expected)
    )
    for week in range(N_WEEKS):
        missing = connection.execute(
            f"select * from ({expected}) where week = $week"
            f" except select * from ({counts}) where week = $week limit 3",
            {"week": week},
        ).fetchall()
        if missing:
            raise SystemExit(f"{folder.name}: no table, since it has no such rows: {missing}")
    if rows != n_expected:
        raise SystemExit(f"{folder.name}: no table, since it has {rows} rows, not {n_expected}")
    return int(rows)


def _show(runs: list[Run], n_events: int) -> None:
    table = Table(title=f"{n_events:,} events")
    for heading in ("tool", "seconds", "CPU s", "x floor", "peak GiB", "rows", "result"):
        table.add_column(heading, justify="left" if heading in ("tool", "result") else "right")
    for run in with_sums(runs):
        more = "> " if run.ending.startswith("did not") else ""
        table.add_row(
            run.cost.step,
            f"{more}{run.cost.seconds:.1f}",
            f"{more}{run.cost.cpu:.1f}",
            f"{more}{run.cost.cpu / runs[0].cost.cpu:.1f}",
            f"{more}{run.cost.gib:.2f}",
            "" if run.rows is None else f"{run.rows:,}",
            run.ending if not run.is_finished else "" if run.rows is None else "equal",
        )
    console.print(table)
    for run in runs:
        console.print(f"{run.cost.step}: {run.versions}", highlight=False)
        if run.ending.startswith("failed"):
            lines = [line for line in run.cost.output.splitlines()[:-1] if line.strip()]
            console.print("\n".join(f"    {line}" for line in lines[-5:]), markup=False)


def with_sums(runs: list[Run]) -> list[Run]:
    """Return the lines with one more behind Foretell's two: raw events to features in all."""
    lines: list[Run] = []
    for run in runs:
        lines.append(run)
        if run.cost.step == "Foretell's way: features from the rollup":
            rollup, features = lines[-2:]
            cost = Cost(
                "Foretell's way: both",
                rollup.cost.seconds + features.cost.seconds,
                rollup.cost.cpu + features.cost.cpu,
                max(rollup.cost.gib, features.cost.gib),
                "",
            )
            ending = features.ending if rollup.is_finished else rollup.ending
            lines.append(Run(cost, ending, features.rows))
    return lines


if __name__ == "__main__":
    main()
