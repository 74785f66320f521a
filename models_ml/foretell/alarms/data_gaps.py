"""Gaps in the data: which snapshots hold one in their windows, and what is said of it.

A tracker that breaks and a shop that shuts look like users who do nothing. The days and hours are
found by foretell.alarms.usual_volume.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa

from foretell.alarms.alarms import Alarm, replace_alarms
from foretell.alarms.outcome_days import HOURS
from foretell.alarms.usual_volume import MIN_MISSING, Gap, find_gaps, find_outages
from foretell.warehouse.base import Warehouse

KIND, OUTAGE = "data_gap", "outage"
REPORTED_HOURS = 7 * HOURS  # after its end for which an outage of hours is reported
MAX_TYPES = 50  # event types that are checked, by volume
FEATURE_DAYS = 56
LABEL_SHARE = 0.15  # of a window's usual events that a gap must take from it to bias its labels
KEEP_SNAPSHOTS, KEEP_POSITIVES = 2, 0.3  # at least so many, and so great a share, must be left


# What was found in a warehouse, beside what it was found by: asked for each prediction, twice.
_found: WeakKeyDictionary[Warehouse, tuple[tuple[Any, ...], list[Gap]]] = WeakKeyDictionary()


def read_gaps(warehouse: Warehouse) -> list[Gap]:
    """Return the gaps in all events together, and in event types where the whole has none.

    Args:
        warehouse: Open; before the first build it has none.
    """
    needed = {"volume_event_days", "stg_event_hours", "stg_as_of", "hourly_user_events"}
    if not needed <= warehouse.table_names():
        return []
    (state,) = warehouse.rows(
        """
        select
            (select max(as_of_hour) from stg_as_of) as as_of_hour,
            (select max(counted_in) from stg_event_hours) as in_hours,
            (select max(counted_in) from volume_event_days) as in_days
        """
    )
    key = tuple(state.values())
    if state["as_of_hour"] is None:
        return []
    if warehouse not in _found or _found[warehouse][0] != key:
        _found[warehouse] = key, _read_gaps(warehouse)
    return _found[warehouse][1]


def _read_gaps(warehouse: Warehouse) -> list[Gap]:
    names = [
        row["event_name"]
        for row in warehouse.rows(
            f"""
            select event_name, sum(n_events) as n_events from volume_event_days
            where property is null and event_name is not null
            group by event_name order by n_events desc, event_name limit {MAX_TYPES}
            """
        )
    ]
    if not names:
        return []
    listed = ", ".join("?" for _ in names)
    # Of all events together (a NULL in place of the name), then of these types.
    daily = f"""
        with days as (
            select event_name, event_day, n_events from volume_event_days
            where property is null and event_name is not null
            and event_day < (select floor(as_of_hour / 24) from stg_as_of)
        )
        select case when 1 = 0 then '' end as event_name, event_day as place,
            cast(sum(n_events) as bigint) as n_events
        from days
        group by event_day
        union all
        select event_name, event_day, cast(sum(n_events) as bigint)
        from days
        where event_name in ({listed})
        group by event_name, event_day
        """
    hourly = f"""
        select case when 1 = 0 then '' end as event_name, event_hour as place, n_events
        from stg_event_hours
        where event_hour < (select as_of_hour from stg_as_of)
        union all
        select counters.event_name, counted.event_hour, cast(sum(counted.n_events) as bigint)
        from hourly_user_events as counted
        inner join hourly_counters as counters
            on counted.counter_id = counters.counter_id and counters.kind = 'event'
        where counters.event_name in ({listed})
        and counted.event_hour < (select as_of_hour from stg_as_of)
        group by counters.event_name, counted.event_hour
        """
    gaps: list[Gap] = []
    for sql, find in ((daily, find_gaps), (hourly, find_outages)):
        for name, first, counts in _counts(warehouse.table(sql, names)):
            gaps += [
                gap for gap in find(counts, first, name)
                if not any(
                    _overlap(gap, other) for other in gaps if other.event_name in (None, name)
                )
            ]  # fmt: skip
    return gaps


def _counts(rows: pa.Table) -> Iterator[tuple[str | None, int, np.ndarray]]:
    """Yield name, first place and counts of each series, that of all events (None) first.

    All are as long as that one: they begin and end with the events, not with their type.
    """
    if not rows.num_rows:
        return
    names = rows["event_name"].combine_chunks().dictionary_encode()
    of_name = names.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(int)
    place = rows["place"].to_numpy().astype(int)
    n_events = rows["n_events"].to_numpy()
    first = int(place.min())
    for number in range(-1, len(names.dictionary)):
        own = of_name == number
        counts = np.zeros(int(place.max()) - first + 1)
        counts[place[own] - first] = n_events[own]
        yield None if number < 0 else names.dictionary[number].as_py(), first, counts


def _overlap(one: Gap, other: Gap) -> bool:
    return one.first_hour < other.end_hour and other.first_hour < one.end_hour


@dataclass(frozen=True)
class Chosen:
    """Which snapshots do not teach because of gaps.

    Attributes:
        left_out: Their hours.
        gaps: Those that touch a window of a snapshot, or of now.
        words: What follows from it for the prediction; empty if no window holds a gap.
    """

    left_out: frozenset[int] = frozenset()
    gaps: tuple[Gap, ...] = ()
    words: str = ""


def choose_snapshots(
    gaps: Sequence[Gap],
    positives: Mapping[int, int],
    horizon_hours: int,
    as_of_hour: int,
    own_events: Collection[str] = (),
) -> Chosen:
    """Return which snapshots to leave out: gaps in their label windows, or in their features.

    Snapshots with a gap among their features stay where the features of now hold it too: they are
    like those that will be scored. Nothing is left out that would leave too few.

    Args:
        gaps: Of the data.
        positives: Number of positives by snapshot (as_of_hour).
        horizon_hours: Length of a label's window.
        as_of_hour: Now.
        own_events: Event types that the outcome counts: gaps of other types bias no label.
    """
    hours = sorted(positives)
    label = {
        hour
        for hour in hours
        for gap in gaps
        if (gap.event_name is None or gap.event_name in own_events)
        and _biases(gap, hour, horizon_hours)
    }
    seen = {hour: _in_features(gaps, hour) for hour in hours}
    of_now = _in_features(gaps, as_of_hour)
    feature = {hour for hour in hours if seen[hour] - of_now}
    touching = tuple(
        gap for gap in gaps
        if gap in of_now or any(gap in seen[hour] for hour in hours)
        or any(_biases(gap, hour, horizon_hours) for hour in hours)
    )  # fmt: skip
    if not touching:
        return Chosen()
    for left_out in (label | feature, label):
        kept = [hour for hour in hours if hour not in left_out]
        is_enough = len(kept) >= min(KEEP_SNAPSHOTS, len(hours)) and sum(
            positives[hour] for hour in kept
        ) >= KEEP_POSITIVES * sum(positives.values())
        if left_out and is_enough:
            words = f"{len(left_out)} of {len(hours)} snapshots are left out, their windows hold it"
            return Chosen(frozenset(left_out), touching, words + _of_now(of_now))
    if label | feature:
        words = (
            f"{len(label | feature)} of {len(hours)} snapshots hold it in their windows, but "
            "without them too few would be left: rates may be learned too low"
        )
        return Chosen(frozenset(), touching, words + _of_now(of_now))
    return Chosen(frozenset(), touching, _of_now(of_now).lstrip("; "))


def _biases(gap: Gap, hour: int, horizon_hours: int) -> bool:
    """Whether a gap takes too much from the label window after an hour."""
    missing_hours = HOURS * gap.missing_in(hour, hour + horizon_hours)
    return missing_hours >= LABEL_SHARE * horizon_hours


def _of_now(of_now: Collection[Gap]) -> str:
    return "; what is known of users now holds it too" if of_now else ""


def _in_features(gaps: Sequence[Gap], hour: int) -> set[Gap]:
    """Return the gaps that take more than three days' events from the features as of an hour."""
    start = hour - HOURS * FEATURE_DAYS
    return {gap for gap in gaps if gap.missing_in(start, hour) >= MIN_MISSING}


def gap_alarms(prediction: str, chosen: Chosen) -> list[Alarm]:
    """Return one sentence about the gaps that matter to a prediction, the widest of them named."""
    if not chosen.words:
        return []
    widest = max(chosen.gaps, key=lambda gap: gap.n_usual - gap.n_events)
    more = f" (and {len(chosen.gaps) - 1} more)" if len(chosen.gaps) > 1 else ""
    return [Alarm(KIND, f"{widest.words}{more}: {chosen.words}", prediction)]


def snapshots_without_gaps(warehouse: Warehouse, prediction: str, since_hour: int = 0) -> Chosen:
    """Return which snapshots of a prediction do not teach.

    Args:
        warehouse: Built.
        prediction: Which.
        since_hour: Snapshots before this do not teach anyway (outcome_life).
    """
    gaps = read_gaps(warehouse)
    if not gaps or not warehouse.has_table("labels_rates"):
        return Chosen()
    rows = warehouse.rows(
        "select as_of, n_positives from labels_rates where prediction = ? and purpose = 'training'",
        [prediction],
    )
    positives = {hour_of(row["as_of"]): int(row["n_positives"]) for row in rows}
    (asked,) = warehouse.rows(
        "select horizon_hours, (select as_of_hour from stg_as_of) as as_of_hour "
        "from prediction_definitions where prediction = ?",
        [prediction],
    )
    own = warehouse.rows(
        """
        select distinct events.event_name
        from prediction_conditions as conditions
        inner join prediction_condition_events as events
            on conditions.condition_id = events.condition_id
        where conditions.prediction = ? and conditions.role = 'outcome'
        """,
        [prediction],
    )
    return choose_snapshots(
        gaps,
        {hour: n for hour, n in positives.items() if hour >= since_hour},
        int(asked["horizon_hours"]),
        int(asked["as_of_hour"]),
        {row["event_name"] for row in own if row["event_name"] is not None},
    )


def raise_gap_alarms(warehouse: Warehouse, prediction: str, chosen: Chosen) -> None:
    """Write what gaps mean for a prediction in place of what was said before."""
    if warehouse.has_table("alarms"):
        (now,) = warehouse.rows("select as_of from stg_as_of") or [{"as_of": None}]
        replace_alarms(
            warehouse, [KIND], gap_alarms(prediction, chosen), now["as_of"], [prediction]
        )


def outage_alarms(warehouse: Warehouse) -> list[Alarm]:
    """Return one sentence about outages of hours in the last week; the widest is named."""
    gaps = [gap for gap in read_gaps(warehouse) if gap.n_hours == 1]
    if not gaps:
        return []
    (now,) = warehouse.rows("select as_of_hour from stg_as_of")
    gaps = [gap for gap in gaps if gap.end_hour > int(now["as_of_hour"]) - REPORTED_HOURS]
    if not gaps:
        return []
    widest = max(gaps, key=lambda gap: gap.n_usual - gap.n_events)
    more = f" (and {len(gaps) - 1} more outages)" if len(gaps) > 1 else ""
    return [Alarm(OUTAGE, f"{widest.words}{more}: what users did then is not known")]


def raise_outage_alarms(warehouse: Warehouse) -> None:
    """Write what was found of outages in place of what was said before."""
    if warehouse.has_table("alarms"):
        (now,) = warehouse.rows("select as_of from stg_as_of") or [{"as_of": None}]
        replace_alarms(warehouse, [OUTAGE], outage_alarms(warehouse), now["as_of"])


def hour_of(moment: datetime) -> int:
    """Return a naive UTC moment as whole hours since 1970-01-01."""
    return int(moment.replace(tzinfo=UTC).timestamp()) // 3600
