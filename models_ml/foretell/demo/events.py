"""The demo: a shop's raw events with the dirt of real life, and the true probabilities apart.

demo_behaviour draws who is active, buys and upgrades on which day, and knows the probabilities;
demo_sessions makes events of it, demo_properties makes text of those, and this file adds the dirt.
Dirt only adds rows or delays their receipt, so it never touches the truth.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from foretell.demo.behaviour import (
    HORIZONS,
    ActiveDays,
    People,
    draw_first_states,
    draw_people,
    live,
    realised_outcomes,
    true_probabilities,
)
from foretell.demo.properties import draw_profiles, random_ids, text_columns, time_text, user_names
from foretell.demo.sessions import DAY_MS, KIND, Events, draw_events, draw_visitors
from foretell.errors import ForetellError

COLUMNS = ("event_id", "user_id", "device_id", "event_name", "event_time", "received_at",
           "event_properties", "user_properties")  # fmt: skip
DUPLICATE_SHARE, LATE_SHARE, UNUSABLE_SHARE, VISITOR_SHARE = 0.015, 0.02, 0.001, 0.01
MINUTE_MS = 60_000
# The events end this long after as_of, so that as_of is where the last full hour ends.
TAIL_MS = 30 * MINUTE_MS
# The file was exported this long after as_of: nothing was received later.
EXPORT_MS = TAIL_MS + 5 * MINUTE_MS
LONG_VALUE = 10_000
N_LONG_VALUES = 3
FUTURE_DAYS, N_WRONG_CLOCKS = 40, 5


@dataclass(frozen=True)
class DemoSettings:
    """What to simulate.

    Attributes:
        users: Number of users, including those who sign up along the way.
        weeks: Weeks of history before as_of.
        seed: The same seed gives the same events.
        start: First moment of the history: a Monday at midnight, ISO, UTC.
    """

    users: int = 20_000
    weeks: int = 20
    seed: int = 7
    start: str = "2026-01-05T00:00:00"


@dataclass(frozen=True)
class DemoSummary:
    """What was made. Times are naive UTC.

    Attributes:
        n_events: Rows in all.
        n_users: Users who were logged in at least once.
        n_duplicates: Rows sent again.
        n_late: Rows received one to five days after they happened (their re-sent copies apart).
        n_anonymous: Usable rows with a device but no user.
        n_unusable: Extra rows that a pipeline must refuse, wrong clocks included.
        first_time: First usable event_time.
        last_time: Last usable event_time.
        as_of: start + weeks; true probabilities and outcomes count from here.
    """

    n_events: int
    n_users: int
    n_duplicates: int
    n_late: int
    n_anonymous: int
    n_unusable: int
    first_time: datetime
    last_time: datetime
    as_of: datetime


@dataclass(frozen=True)
class DemoData:
    """Raw events (all text, by received_at), the truth per user and prediction, and the counts."""

    events: pa.Table
    truth: pa.Table
    summary: DemoSummary


@dataclass(frozen=True)
class Lives:
    """Who does what: before as_of, the states at as_of (shape (n_users,)), and from as_of on."""

    people: People
    past: ActiveDays
    state: np.ndarray
    future: ActiveDays


def simulate(settings: DemoSettings) -> DemoData:
    """Simulate events and true probabilities, in memory; the same settings give the same data.

    Raises:
        ForetellError: If users or weeks are below 1, or start is not a Monday at midnight.
    """
    start, n_days = _checked_start(settings), 7 * settings.weeks
    surface, dirt = _surface(settings), np.random.default_rng([settings.seed, 2])
    lives = draw_lives(settings)
    events = draw_clean_events(settings, lives, surface)
    events = events + _visitors(settings.users, n_days, surface)
    events = events[events.time_ms < n_days * DAY_MS + TAIL_MS]
    raw, summary = _raw_export(events, n_days, start, surface, dirt)
    outcomes = realised_outcomes(lives.future, settings.users, n_days)
    truth = _truth(lives, outcomes, events, n_days, summary.as_of)
    return DemoData(raw, truth, summary)


def draw_lives(settings: DemoSettings) -> Lives:
    """Draw who does what on which day; the same settings give the same lives."""
    n_days, rng = 7 * settings.weeks, np.random.default_rng([settings.seed, 0])
    people = draw_people(settings.users, n_days, rng)
    past, state = live(people, draw_first_states(people, rng), range(n_days), rng)
    future, _ = live(people, state, range(n_days, n_days + max(HORIZONS.values())), rng)
    return Lives(people, past, state, future)


def draw_clean_events(
    settings: DemoSettings, lives: Lives, rng: np.random.Generator | None = None
) -> Events:
    """Draw the events of users before the end of the as_of day; the same settings, the same events.

    Args:
        settings: Of the simulation.
        lives: Drawn with these settings.
        rng: Of what users leave behind, if more is to be drawn with it.
    """
    today = lives.future[lives.future.day == 7 * settings.weeks]  # its first hour is in the file
    return draw_events(lives.people, lives.past + today, rng or _surface(settings))


def write_demo_events(folder: Path, settings: DemoSettings) -> DemoSummary:
    """Simulate and write folder/events.parquet and, apart, folder/truth/truth.parquet.

    Safe to repeat: each file is written under another name and then put in place.

    Raises:
        ForetellError: As `simulate`.
    """
    data = simulate(settings)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    _write(data.events, folder / "events.parquet")
    _write(data.truth, folder / "truth/truth.parquet")
    return data.summary


def _surface(settings: DemoSettings) -> np.random.Generator:
    """Return the source of randomness of what users leave behind."""
    return np.random.default_rng([settings.seed, 1])


def _checked_start(settings: DemoSettings) -> np.datetime64:
    for name in ("users", "weeks"):
        if getattr(settings, name) < 1:
            raise ForetellError(f"{name}={getattr(settings, name)}: at least 1 is needed")
    try:
        start = datetime.fromisoformat(settings.start)
    except ValueError:
        raise ForetellError(f"start={settings.start!r} is not an ISO time") from None
    if start.tzinfo or start.weekday() or start.time() != datetime.min.time():
        raise ForetellError(f"start={settings.start!r} is not a Monday at midnight (naive, UTC)")
    return np.datetime64(start, "ms")


def _visitors(n_users: int, n_days: int, rng: np.random.Generator) -> Events:
    """Draw visitors who never log in; the last comes just after as_of, so that its hour is seen."""
    n_visitors = max(2, round(n_users * VISITOR_SHARE))
    start_ms = rng.integers(0, n_days * DAY_MS - 10 * MINUTE_MS, n_visitors)
    start_ms[-1] = n_days * DAY_MS + 5 * MINUTE_MS
    return draw_visitors(n_users, n_visitors, start_ms, rng)


def _truth(
    lives: Lives,
    outcomes: dict[str, np.ndarray],
    events: Events,
    n_days: int,
    as_of: datetime,
) -> pa.Table:
    """Return p_true and outcome of everybody signed up at as_of, one row per (prediction, user)."""
    is_user = lives.people.signup_day < 0
    was_known = events.user[~events.is_anonymous & (events.time_ms < n_days * DAY_MS)]
    is_user[was_known] = True
    number = np.flatnonzero(is_user)
    p_true = true_probabilities(lives.people[number], lives.state[number], n_days)
    user_id = user_names(len(is_user)).take(pa.array(number))
    parts = [
        pa.table(
            {
                "user_id": user_id,
                "prediction": pa.array([name] * number.size, pa.string()),
                "as_of": pa.array([as_of] * number.size, pa.timestamp("us")),
                "p_true": p_true[name],
                "outcome": outcomes[name][number],
            }
        )
        for name in HORIZONS
    ]
    return pa.concat_tables(parts).combine_chunks()


def _raw_export(
    events: Events,
    n_days: int,
    start: np.datetime64,
    surface: np.random.Generator,
    dirt: np.random.Generator,
) -> tuple[pa.Table, DemoSummary]:
    """Turn clean events into raw rows with dirt, in the order of receipt."""
    n_events, export_ms = events.kind.size, n_days * DAY_MS + EXPORT_MS
    profiles = draw_profiles(int(events.user.max()) + 1, n_days, surface)
    clean = pa.table(text_columns(events, profiles, start, surface))
    clean = _with_long_values(clean, np.flatnonzero(events.kind == KIND["page_view"]), dirt)
    is_late = (dirt.random(n_events) < LATE_SHARE) & (events.time_ms < export_ms - 5 * DAY_MS)
    received_ms = events.time_ms + _delays(is_late, dirt)

    again = dirt.choice(n_events, round(DUPLICATE_SHARE * n_events), replace=False)
    again_ms = received_ms[again] + dirt.integers(1, 360 * MINUTE_MS, again.size)
    broken = dirt.choice(n_events, max(12, round(UNUSABLE_SHARE * n_events)), replace=False)
    far = time_text(received_ms[broken] + FUTURE_DAYS * DAY_MS, start)
    broken_rows = _broken(clean.take(broken), far, random_ids(broken.size, dirt))

    all_ms = np.concatenate([received_ms, np.minimum(again_ms, export_ms), received_ms[broken]])
    order = np.argsort(all_ms, kind="stable")
    rows = pa.concat_tables([clean, clean.take(again), broken_rows]).combine_chunks().take(order)
    rows = rows.append_column("received_at", time_text(all_ms[order], start)).select(COLUMNS)
    return rows, DemoSummary(
        n_events=len(rows),
        n_users=np.unique(events.user[~events.is_anonymous]).size,
        n_duplicates=again.size,
        n_late=int(is_late.sum()),
        n_anonymous=int(events.is_anonymous.sum() + events.is_anonymous[again].sum()),
        n_unusable=broken.size,
        first_time=_moment(start, events.time_ms.min()),
        last_time=_moment(start, events.time_ms.max()),
        as_of=_moment(start, n_days * DAY_MS),
    )


def _delays(is_late: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw milliseconds from event to receipt: seconds, or one to five days where late."""
    usual = np.minimum(200 + rng.lognormal(7.5, 1.2, is_late.size), 4 * MINUTE_MS)
    late = rng.uniform(DAY_MS, 5 * DAY_MS, is_late.size)
    return np.where(is_late, late, usual).astype(np.int64)


def _with_long_values(
    table: pa.Table, candidates: np.ndarray, rng: np.random.Generator
) -> pa.Table:
    """Give a few of the candidate rows a property of 10,000 characters."""
    is_long = np.zeros(len(table), dtype=bool)
    is_long[rng.choice(candidates, min(N_LONG_VALUES, candidates.size), replace=False)] = True
    long_text = json.dumps({"page": "home", "referrer": "x" * LONG_VALUE})
    column = table.column_names.index("event_properties")
    values = pc.replace_with_mask(
        table.column(column), is_long, pa.array([long_text] * is_long.sum())
    )
    return table.set_column(column, "event_properties", values)


def _broken(table: pa.Table, far_times: pa.Array, fresh_ids: pa.Array) -> pa.Table:
    """Break copies of good rows, each in one of six ways, under event ids of their own."""
    rows = table.to_pylist()
    for number, (row, far, event_id) in enumerate(
        zip(rows, far_times.to_pylist(), fresh_ids.to_pylist(), strict=True)
    ):
        ways = (
            {"event_time": "yesterday"},
            {"event_time": "0000-13-45"},
            {"event_name": None},
            {"user_id": None, "device_id": None},
            {"event_properties": row["event_properties"][:-3]},
        )
        is_far = number < N_WRONG_CLOCKS
        row.update({"event_time": far} if is_far else ways[number % len(ways)], event_id=event_id)
    return pa.Table.from_pylist(rows, schema=table.schema)


def _moment(start: np.datetime64, time_ms: int) -> datetime:
    moment: datetime = (start + np.timedelta64(int(time_ms), "ms")).astype(datetime)
    return moment


def _write(table: pa.Table, path: Path) -> None:
    unfinished = path.with_name(path.name + ".unfinished")
    pq.write_table(table, unfinished, compression="zstd", row_group_size=200_000)
    os.replace(unfinished, path)
