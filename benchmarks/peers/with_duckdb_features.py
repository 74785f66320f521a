"""Foretell's way, second step: counts from the hourly rollup, one block of users after another."""

from __future__ import annotations

import duckdb

from benchmarks.peers.task import N_WEEKS, Task, read_task
from benchmarks.peers.with_duckdb_rollup import ROLLUP, SETTINGS

HOURS_PER_WEEK = 168
N_KEYS = 2**63
ROWS_PER_BLOCK = 1_500_000  # as rows_per_block in dbt_project.yml
WEEKS = f"""
    select
        user_key,
        counter_id,
        cast(($as_of_hour - 1 - event_hour) // {HOURS_PER_WEEK} as tinyint) as week,
        cast(sum(n) as integer) as n
    from hourly
    where
        user_key between $first_key and $last_key
        and event_hour >= $as_of_hour - {N_WEEKS * HOURS_PER_WEEK}
        and event_hour < $as_of_hour
    group by all
"""
NAMED = f"""
    select users.user_id, counters.event_name, weeks.week, weeks.n
    from ({WEEKS}) as weeks
    inner join users
        on weeks.user_key = users.user_key
        and users.user_key between $first_key and $last_key
    inner join counters on weeks.counter_id = counters.counter_id
"""


def count(task: Task, sql: str) -> None:
    """Write what a query counts, one file per block of users.

    Args:
        task: What to count and where to write it.
        sql: WEEKS or NAMED.
    """
    connection = duckdb.connect(task.folder.parent / "duckdb_rollup" / ROLLUP, read_only=True)
    connection.execute(SETTINGS)
    (as_of_hour,) = connection.execute(
        "select epoch_us($1) // 3600000000", [task.as_of]
    ).fetchall()[0]
    ((n_rows,),) = connection.execute("select count(*) from hourly").fetchall()
    n_blocks = -(-n_rows // ROWS_PER_BLOCK)
    for block in range(n_blocks):
        connection.execute(
            f"copy ({sql}) to '{task.counts}/block_{block:05}.parquet' (format parquet)",
            {
                "as_of_hour": as_of_hour,
                "first_key": N_KEYS * block // n_blocks,
                "last_key": N_KEYS * (block + 1) // n_blocks - 1,
            },
        )


if __name__ == "__main__":
    count(read_task("duckdb"), NAMED)
