"""Events by the million, written by DuckDB in a day at a time: the same seed gives the same events.

Users and event types are skewed, days and hours have seasons, users come and go, and who buys often
shows it: a model has something to find. One Parquet file per day, of the last two days per hour, as
exports arrive.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

FIRST_DAY = "2026-01-05"
DAYS_BY_HOUR = 2
EVENT_TYPES = 40
SESSION = 4  # events of a session: one user, half an hour
USER_SKEW = 2.0  # user = n_users * u ** skew: the busiest of a million users has 1 event in 1,000


@dataclass(frozen=True)
class Generated:
    """What was written.

    Attributes:
        events: Glob of the Parquet files.
        as_of: First hour after the last event, ISO, UTC.
        n_events: Rows written.
    """

    events: str
    as_of: str
    n_events: int


def generate(
    folder: Path, n_events: int, n_users: int, days: int = 84, with_properties: bool = False
) -> Generated:
    """Write n_events events of n_users users over so many days into a folder.

    Args:
        folder: Made if absent; files that are there already are kept.
        n_events: Rows in all, about.
        n_users: Users that could act.
        days: Length of history.
        with_properties: Give each event six properties as JSON text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute("set threads = 2; set preserve_insertion_order = false")
    weights = [(1.0, 1.05, 1.1, 1.05, 1.15, 0.8, 0.7)[day % 7] for day in range(days)]
    written = 0
    for day in range(days):
        n_rows = round(n_events * weights[day] / sum(weights))
        path = folder / f"day={day:03}.parquet"
        hours = [folder / f"day={day:03}-hour={hour:02}.parquet" for hour in range(24)]
        is_by_hour = day >= days - DAYS_BY_HOUR
        if not (hours[-1] if is_by_hour else path).exists():
            part = path.with_suffix(".part")
            if not path.exists():
                select = _day(day, n_rows, written, n_users, with_properties)
                connection.execute(f"copy ({select}) to '{part}' (format parquet)")
                part.rename(path)
            if is_by_hour:
                for hour, file in enumerate(hours):
                    connection.execute(
                        f"copy (select * from '{path}' where hour(event_time) = {hour}) "
                        f"to '{file}' (format parquet)"
                    )
                path.unlink()
        written += n_rows
    (as_of,) = connection.execute(
        "select cast(cast(? as timestamp) + to_days(?) as varchar)", [FIRST_DAY, days]
    ).fetchall()[0]
    return Generated(f"{folder}/*.parquet", as_of, written)


def arrive(folder: Path, until: datetime) -> str:
    """Link the files that are complete by then into the folder `arrived`; return their glob."""
    arrived = folder / "arrived"
    arrived.mkdir(exist_ok=True)
    for file in sorted(folder.glob("day=*.parquet")):
        numbers = [int(number) for number in re.findall(r"\d+", file.stem)]
        day, hours = numbers[0], numbers[1] + 1 if len(numbers) > 1 else 24
        link = arrived / file.name
        if datetime.fromisoformat(FIRST_DAY) + timedelta(days=day, hours=hours) <= until:
            link.unlink(missing_ok=True)
            link.symlink_to(file)
    return f"{arrived}/*.parquet"


def _day(day: int, n_rows: int, first_row: int, n_users: int, with_properties: bool) -> str:
    """Return the query of one day; draws are hashes of the row's number, so nothing is random."""
    properties = (
        """json_object(
            'plan', ['free', 'basic', 'pro'][1 + d5 % 3], 'country', 'c' || (d5 // 3 % 20),
            'device', ['ios', 'android', 'web'][1 + d5 // 60 % 3], 'page', 'p' || (d5 // 180 % 500),
            'amount', d5 // 7 % 10000 / 100, 'experiment', 'x' || (d5 // 11 % 8))"""
        if with_properties
        else "cast(null as varchar)"
    )
    session = f"range // {SESSION}"
    return f"""
        with rows as (
            select
                range as n,
                range // {SESSION} as session,
                {_draw(1, session)} as d1, {_draw(2)} as d2, {_draw(3, session)} as d3,
                {_draw(4)} as d4,
                cast(hash(range * 8 + 5) // 2 as bigint) as d5
            from range({first_row}, {first_row + n_rows})
        ),
        users as (select *, cast(floor({n_users} * d1 ** {USER_SKEW}) as bigint) as u from rows),
        -- A user's life ends some day; then somebody else acts instead.
        lives as (
            select *, case
                when {_is_over("u", day)} then hash(session * 8 + 6) % {n_users} else u
            end as second from users
        ),
        actors as (
            select *, case
                when {_is_over("second", day)} then hash(session * 8 + 7) % {n_users} else second
            end as actor from lives
        ),
        typed as (
            select *, case
                when d2 < 0.04 * (hash(actor * 2 + 1) % 1000 / 1000.0) ** 3 then 'purchase'
                else 'event_' || lpad(cast(cast(floor({EVENT_TYPES - 1}
                    * (0.3 * d2 + 0.7 * d2 ** (1 + 4 * (hash(actor * 2 + 1) % 1000 / 1000.0)))
                ) as integer) as varchar), 2, '0')
            end as event_name from actors
        )
        select
            cast(null as varchar) as event_id,
            'u' || actor as user_id,
            event_name,
            cast('{FIRST_DAY}' as timestamp) + to_days({day}) + to_microseconds(
                cast(
                    (84600 * (0.25 * d3 + 0.75 * (1 - (1 - d3) ** 0.6)) + 1800 * d4) * 1000000
                    as bigint
                )
            ) as event_time,
            {properties} as event_properties
        from typed
    """


def _is_over(user: str, day: int) -> str:
    return f"{day} > 20 + 200 * (hash({user} * 2) % 1000 / 1000.0)"


def _draw(number: int, of: str = "range") -> str:
    # One hash of one number: hashes of (row, salt) pairs are correlated in DuckDB 2.0.
    return f"hash(({of}) * 8 + {number}) / 18446744073709551616.0"
