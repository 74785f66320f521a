"""The floor: one group by over the raw events in DuckDB."""

from __future__ import annotations

import duckdb

from benchmarks.peers.task import WEEK_US, Task, read_task


def count(task: Task) -> None:
    """Group the raw events by user, event type and week."""
    connection = duckdb.connect(config={"temp_directory": f"{task.folder}/spill"})
    connection.execute("set threads = 2; set preserve_insertion_order = false")
    connection.execute(
        f"""
        copy (
            select
                user_id,
                event_name,
                cast(
                    (epoch_us($as_of) - 1 - epoch_us(event_time)) // {WEEK_US} as tinyint
                ) as week,
                cast(count(*) as integer) as n
            from read_parquet($events)
            where event_time >= $first_at and event_time < $as_of
            group by all
        ) to '{task.counts}/counts.parquet' (format parquet)
        """,
        {"events": task.files, "as_of": task.as_of, "first_at": task.first_at},
    )


if __name__ == "__main__":
    count(read_task("duckdb"))
