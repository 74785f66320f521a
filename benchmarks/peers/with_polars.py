"""Polars, lazy, on its streaming engine."""

from __future__ import annotations

import polars as pl

from benchmarks.peers.task import COLUMNS, WEEK_US, Task, read_task


def count(task: Task) -> None:
    """Group the events of the eight weeks by user, event type and week."""
    age_us = (pl.lit(task.as_of) - pl.col("event_time")).dt.total_microseconds()
    (
        pl.scan_parquet(task.files, hive_partitioning=False)
        .select(COLUMNS)
        .filter(pl.col("event_time").is_between(task.first_at, task.as_of, closed="left"))
        .group_by("user_id", "event_name", ((age_us - 1) // WEEK_US).cast(pl.Int8).alias("week"))
        .agg(pl.len().alias("n"))
        .sink_parquet(task.counts / "counts.parquet", engine="streaming")
    )


if __name__ == "__main__":
    count(read_task("polars"))
