"""On which days the outcome of a prediction occurred, and what began when it ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from foretell.markdown_text import UNSEEN
from foretell.warehouse.base import Warehouse

HOURS = 24
SEEN_SHARE = 0.2  # of the usual events: on days with fewer silence means nothing
USUAL_OF = ((14, 15), (56, 1))  # days before and after a day, whose median is usual of it


@dataclass(frozen=True)
class OutcomeDays:
    """How often an outcome occurred on each day before as_of.

    Attributes:
        first_day: Of the events, days since 1970-01-01 UTC.
        sightings: Identities' hours with it, per day from first_day to the day of as_of, shape
            (n_days,).
        n_events: Events (or changes) of it, per day.
        volume: Events of any kind, per day; 0 on that of as_of, which is not over.
        as_of_hour: The hour as of which was counted, hours since 1970-01-01 UTC.
        first_hour, last_hour: Of the first and the last sighting; None if it never occurred.
        horizon_days: Of the prediction.
        name: What is counted, for people.
    """

    first_day: int
    sightings: np.ndarray
    n_events: np.ndarray
    volume: np.ndarray
    as_of_hour: int
    first_hour: int | None
    last_hour: int | None
    horizon_days: int
    name: str = "the outcome"

    @cached_property
    def seen(self) -> np.ndarray:
        """Days with enough events of any kind to tell a silence of the outcome, bool."""
        volume = self.volume.astype(float)
        usual = [
            max(np.median(volume[max(0, day - span) : day + after]) for span, after in USUAL_OF)
            for day in range(len(volume))
        ]
        return (volume > 0) & (volume >= SEEN_SHARE * np.array(usual))


@dataclass(frozen=True)
class Newcomer:
    """What began when an outcome ended: perhaps its new name.

    Attributes:
        name: Event type, or property and value, for people.
        day: Of its first event, days since 1970-01-01 UTC.
        per_day: Its events a day since then.
        is_value: Whether it is a value of the outcome's own property.
    """

    name: str
    day: int
    per_day: float
    is_value: bool = False


def read_days(warehouse: Warehouse, prediction: str) -> OutcomeDays | None:
    """Return on which days the outcome of a prediction occurred; None if that was never counted."""
    if not {"cohort_outcome_days", "volume_event_days"} <= warehouse.table_names():
        return None
    (counted,) = warehouse.rows("select max(as_of_hour) as as_of_hour from cohort_outcome_days")
    if counted["as_of_hour"] is None:
        return None
    as_of_hour = int(counted["as_of_hour"])
    rows = warehouse.rows(
        """
        select event_day, n_sightings, n_events, first_hour, last_hour
        from cohort_outcome_days where prediction = ?
        """,
        [prediction],
    )
    all_events = warehouse.rows(
        """
        select event_day, cast(sum(n_events) as bigint) as n_events
        from volume_event_days where property is null and event_name is not null and event_day < ?
        group by event_day
        """,
        [as_of_hour // HOURS],
    )
    definition = warehouse.rows(
        "select horizon_days from prediction_definitions where prediction = ?", [prediction]
    )
    if not all_events or not definition:
        return None
    first_day = min(row["event_day"] for row in [*all_events, *rows])
    n_days = as_of_hour // HOURS - first_day + 1
    if n_days < 1:
        return None
    return OutcomeDays(
        first_day=first_day,
        sightings=_by_day(rows, "n_sightings", first_day, n_days),
        n_events=_by_day(rows, "n_events", first_day, n_days),
        volume=_by_day(all_events, "n_events", first_day, n_days),
        as_of_hour=as_of_hour,
        first_hour=min((row["first_hour"] for row in rows), default=None),
        last_hour=max((row["last_hour"] for row in rows), default=None),
        horizon_days=int(definition[0]["horizon_days"]),
        name=_name(warehouse, prediction),
    )


def read_parts(warehouse: Warehouse, prediction: str, whole: OutcomeDays) -> list[OutcomeDays]:
    """Return the days of each event type of an outcome that names several, whatever its filters.

    Args:
        warehouse: Built.
        prediction: Whose outcome.
        whole: What read_days returned of it.
    """
    rows = warehouse.rows(
        """
        select days.event_name, days.event_day, cast(sum(days.n_events) as bigint) as n_events
        from volume_event_days as days
        inner join (
            select distinct events.event_name
            from prediction_conditions as conditions
            inner join prediction_condition_events as events
                on conditions.condition_id = events.condition_id
            where conditions.prediction = ? and conditions.role = 'outcome'
        ) as named on days.event_name = named.event_name
        where days.property is null and days.event_day < ?
        group by days.event_name, days.event_day
        order by days.event_name, days.event_day
        """,
        [prediction, whole.as_of_hour // HOURS],
    )
    by_name: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_name.setdefault(row["event_name"], []).append(row)
    parts = []
    for name, own in by_name.items() if len(by_name) > 1 else ():
        counts = _by_day(own, "n_events", whole.first_day, len(whole.volume))
        first, last = own[0]["event_day"] * HOURS, own[-1]["event_day"] * HOURS + HOURS - 1
        parts.append(
            replace(
                whole,
                sightings=counts,
                n_events=counts,
                first_hour=first,
                last_hour=last,
                name=plain(name),
            )
        )
    return parts


def _by_day(rows: list[dict[str, Any]], column: str, first_day: int, n_days: int) -> np.ndarray:
    counts = np.zeros(n_days, dtype=np.int64)
    for row in rows:
        if 0 <= row["event_day"] - first_day < n_days:
            counts[row["event_day"] - first_day] += int(row[column])
    return counts


def _name(warehouse: Warehouse, prediction: str) -> str:
    """Return what the outcome counts, for people: names of events, or of properties."""
    rows = warehouse.rows(
        """
        select distinct events.event_name as name
        from prediction_conditions as conditions
        inner join prediction_condition_events as events
            on conditions.condition_id = events.condition_id
        where conditions.prediction = ? and conditions.role = 'outcome'
        and events.event_name is not null
        order by name
        """,
        [prediction],
    )
    filters = warehouse.rows(
        """
        select distinct filters.property as name, filters.value
        from prediction_conditions as conditions
        inner join prediction_condition_filters as filters
            on conditions.condition_id = filters.condition_id
        where conditions.prediction = ? and conditions.role = 'outcome'
        and filters.value is not null
        order by name, value
        """,
        [prediction],
    )
    events = " or ".join(plain(row["name"]) for row in rows[:3])
    values = " or ".join(f"{plain(row['name'])} = {plain(row['value'])}" for row in filters[:3])
    return " with ".join(part for part in (events, values) if part) or "any event"


def plain(name: object) -> str:
    """Return a name from the data for a sentence: in quotation marks, on one line, not endless."""
    text = UNSEEN.sub(" ", str(name)).strip()
    return f"“{text[:60]}{'…' if len(text) > 60 else ''}”"


def read_newcomers(warehouse: Warehouse, prediction: str, day: int) -> list[Newcomer]:
    """Return event types, and values of the outcome's own properties, that began when it ended.

    Args:
        warehouse: Built.
        prediction: Whose outcome ended.
        day: When, days since 1970-01-01 UTC.
    """
    rows = warehouse.rows(
        """
        with outcome as (
            select condition_id from prediction_conditions
            where prediction = ? and role = 'outcome'
        ),
        events as (
            select distinct event_name from prediction_condition_events
            where condition_id in (select condition_id from outcome)
        ),
        filters as (
            select distinct property, value from prediction_condition_filters
            where condition_id in (select condition_id from outcome)
        ),
        -- What ended was a value of a user property: no event takes its place.
        counted as (
            select
                days.event_name, days.property, days.value,
                min(days.event_day) as first_day,
                cast(sum(days.n_events) as bigint) as n_events,
                cast(sum(case when days.event_day < ? then days.n_events else 0 end) as bigint)
                    as n_before
            from volume_event_days as days
            where days.event_day < ? and days.event_name is not null
            and exists (select 1 from events)
            and (
                days.property is null
                or (
                    days.event_name in (select event_name from events)
                    and days.property in (select property from filters)
                    and days.value is not null
                )
            )
            group by days.event_name, days.property, days.value
        )
        select counted.*, named.event_name is not null as is_own_event,
            filters.property is not null as is_own_value
        from counted
        left join events as named
            on counted.event_name = named.event_name and counted.property is null
        left join filters
            on counted.property = filters.property and counted.value = filters.value
        where counted.first_day >= ? or counted.n_before <= 0.02 * counted.n_events
        """,
        [prediction, day - 3, _as_of_day(warehouse), day - 3],
    )
    as_of_day = _as_of_day(warehouse)
    found = []
    for row in rows:
        if row["is_own_event"] or row["is_own_value"]:
            continue
        began = max(int(row["first_day"]), day - 3)
        name = plain(row["event_name"])
        if row["property"] is not None:
            name += f" with {plain(row['property'])} = {plain(row['value'])}"
        per_day = (row["n_events"] - row["n_before"]) / max(1, as_of_day - began)
        found.append(Newcomer(name, began, float(per_day), row["property"] is not None))
    return found


def _as_of_day(warehouse: Warehouse) -> int:
    (row,) = warehouse.rows("select max(as_of_hour) as as_of_hour from cohort_outcome_days")
    return int(row["as_of_hour"]) // HOURS
