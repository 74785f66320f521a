"""Foretell's way, first step: all raw events as an hourly rollup in a DuckDB file.

Keyed by a number made of the user id, event types as numbers, sorted by user: as Foretell's
hourly_user_events. All of history goes in, not only the eight weeks that this as_of needs.
"""

from __future__ import annotations

import os

import duckdb

from benchmarks.peers.task import Task, read_task

ROLLUP = "rollup.duckdb"
SETTINGS = f"""
    set threads = 2;
    set preserve_insertion_order = false;
    set memory_limit = '{os.environ.get("FORETELL_MEMORY_LIMIT") or "50%"}';
"""
SQL = """
    create table counters as
    select cast(row_number() over (order by event_name) as smallint) as counter_id, event_name
    from (select distinct event_name from read_parquet(getvariable('events')));

    create table users as
    select hash(user_id) >> 1 as user_key, user_id
    from (select distinct user_id from read_parquet(getvariable('events')))
    order by user_key;

    create table hourly as
    select
        hash(events.user_id) >> 1 as user_key,
        cast(epoch_us(events.event_time) // 3600000000 as integer) as event_hour,
        counters.counter_id,
        cast(count(*) as integer) as n
    from read_parquet(getvariable('events')) as events
    inner join counters on events.event_name = counters.event_name
    group by all
    order by user_key, event_hour, counter_id;
"""


def roll_up(task: Task) -> None:
    """Write the rollup and the ids behind its numbers."""
    connection = duckdb.connect(task.folder / ROLLUP)
    connection.execute(SETTINGS)
    connection.execute("set variable events = $events", {"events": task.files})
    connection.execute(SQL)


if __name__ == "__main__":
    roll_up(read_task("duckdb"))
