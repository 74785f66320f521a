"""Gaps in the data: days with far fewer events than usual, after which they are back.

A tracker that breaks and a shop that shuts look like users who do nothing. Each day is held beside
the same weekday of the weeks before, so that no weekend is a gap; growth and decline move what is
usual; and a level that does not come back is a change of the world, not a gap, unless it lasts
until now.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from models_ml.alarms import Alarm, replace_alarms
from models_ml.outcome_days import HOURS, plain
from models_ml.warehouse import Warehouse

KIND = "data_gap"
LOW = 0.65  # share of the usual events below which a day may be in a gap
LOW_SIGMA = 2.5  # and standard deviations of usual days by which it is below
MAX_SIGMA = 0.9  # of days that differ more nothing is usual: 2.5 of them reach a tenth of it
LOW_IN_ALL = 0.6  # share of the usual events of a whole gap
BACK = 0.75  # share of them at which it has ended
N_WEEKS = 5  # of the same weekday that say what is usual
MIN_WEEKS = 2
MIN_USUAL = 30.0  # events a day: of fewer, chance makes low days
MIN_DAYS, MIN_MISSING = 5, 3.0  # days a gap lasts, and days' worth of events that it lacks
# Shorter ones only where next to nothing came, and no other day was ever so low: nobody ever shut.
SHORT_MISSING, SHORT_LEFT, NEVER_SO_LOW = 1.5, 0.1, 0.3
MAX_DAYS, NEW_LEVEL = 56, 0.8  # a level is the usual one if so many days, nearly all, had it
N_SIGMA = 6.0  # standard deviations of usual days, over a whole gap
MAX_TYPES = 50  # event types looked at, by volume
FEATURE_DAYS = 56
LABEL_SHARE = 0.15  # of a window's usual events that a gap must take from it to bias its labels
KEEP_SNAPSHOTS, KEEP_POSITIVES = 2, 0.3  # at least so many, and so great a share, must be left


@dataclass(frozen=True)
class Gap:
    """A run of days with few events.

    Attributes:
        first_day, last_day: Days since 1970-01-01 UTC, both in it.
        shares: Events of each day over the usual ones of its weekday.
        n_events: Events in it.
        n_usual: Events that would have been usual.
        event_name: Of which type; None: of all together.
        is_over: Whether the events are back.
    """

    first_day: int
    last_day: int
    shares: tuple[float, ...]
    n_events: int
    n_usual: float
    event_name: str | None = None
    is_over: bool = True

    @property
    def missing(self) -> float:
        """How many usual days' events it lacks."""
        return float(sum(1 - share for share in self.shares))

    def missing_in(self, from_hour: int, to_hour: int) -> float:
        """Return how many usual days' events a window [from_hour, to_hour) lacks because of it."""
        total = 0.0
        for place, share in enumerate(self.shares):
            start = HOURS * (self.first_day + place)
            inside = max(0, min(to_hour, start + HOURS) - max(from_hour, start))
            total += (1 - share) * inside / HOURS
        return total

    @property
    def words(self) -> str:
        """Where and how deep it is, in words."""
        what = f"events {plain(self.event_name)}" if self.event_name is not None else "events"
        until = "" if self.is_over else ", and they are not back yet"
        return (
            f"from {_date(self.first_day)} to {_date(self.last_day)} there were {self.n_events:,} "
            f"{what} where {self.n_usual:,.0f} would be usual ({self.n_events / self.n_usual:.0%})"
            f"{until}"
        )


def find_gaps(counts: np.ndarray, first_day: int, event_name: str | None = None) -> list[Gap]:
    """Return the gaps in a daily count.

    Args:
        counts: Events per day, shape (n_days,); the last day is a whole one.
        first_day: Of the first, days since 1970-01-01 UTC.
        event_name: Whose count it is; of one type an end that lasts is not told here
            (outcome_life does).
    """
    counts = np.asarray(counts, dtype=float)
    if counts.max(initial=0) < MIN_USUAL:
        return []
    logs = np.log((counts + 0.5) / (usual_counts(counts, 0.0) + 0.5))
    logs = logs[~np.isnan(logs)]
    if len(logs) < 14:
        return []
    sigma = 1.4826 * float(np.median(np.abs(logs - np.median(logs))))
    if sigma > MAX_SIGMA:
        return []
    low = min(LOW, float(np.exp(-LOW_SIGMA * sigma)))
    usual = usual_counts(counts, low)
    known = ~np.isnan(usual) & (usual >= MIN_USUAL)
    is_low = _is_low(counts, usual, low)
    logs = np.log((counts + 0.5) / (usual + 0.5))
    found = []
    for first, last in _runs(is_low):
        days = np.arange(first, last + 1)[known[first : last + 1]]
        shares = np.ones(last - first + 1)
        shares[days - first] = np.clip(counts[days] / usual[days], 0, 1)
        noise = max(sigma, float(np.sqrt(1 / usual[days].mean())))
        depth = -logs[days].clip(-3, 0).sum() / (noise * np.sqrt(len(days)))
        gap = Gap(
            first_day + first, first_day + last, tuple(shares.tolist()),
            int(counts[days].sum()), float(usual[days].sum()), event_name,
            is_over=_is_back(counts, usual, last),
        )  # fmt: skip
        is_open = last >= len(counts) - 2 and event_name is None
        is_deep = depth >= N_SIGMA and gap.n_events <= LOW_IN_ALL * gap.n_usual
        is_told = is_deep and len(shares) <= NEW_LEVEL * MAX_DAYS and (gap.is_over or is_open)
        is_long = len(shares) >= MIN_DAYS and gap.missing >= MIN_MISSING
        if is_told and (is_long or _is_unheard_of(gap, counts, usual, known, first, last)):
            found.append(gap)
    return found


def usual_counts(counts: np.ndarray, low: float) -> np.ndarray:
    """Return what is usual of each day: the median of its weekday in the weeks before.

    Args:
        counts: Events per day, shape (n_days,).
        low: Share of the usual events below which a day says nothing of what is usual.

    Returns:
        float64, shape (n_days,); nan where too few days are known.
    """
    usual = np.full(len(counts), np.nan)
    is_low = np.zeros(len(counts), dtype=bool)
    oldest = 0
    for day in range(len(counts)):
        if is_low[max(oldest, day - MAX_DAYS) : day].sum() > NEW_LEVEL * MAX_DAYS:
            oldest = day - MAX_DAYS  # it is no gap: what is usual has changed
            is_low[oldest:] = False
        weeks = range(day - 7, max(oldest, day - MAX_DAYS - 7 * N_WEEKS) - 1, -7)
        before = [week for week in weeks if not is_low[week]][:N_WEEKS]
        if len(before) >= MIN_WEEKS:
            # Of a level that falls the newest weeks say more than the middle of five.
            newest = counts[before[:MIN_WEEKS]].mean()
            usual[day] = min(np.median(counts[before]), newest)
            is_low[day] = _is_low(counts[day], usual[day], low)
    return usual


def _is_low(counts: np.ndarray, usual: np.ndarray, low: float) -> np.ndarray:
    return (usual >= MIN_USUAL) & (counts < low * usual)


def _runs(is_low: np.ndarray) -> list[tuple[int, int]]:
    """Return first and last day of each run of low days; single days between two do not end one."""
    runs: list[tuple[int, int]] = []
    for day in np.flatnonzero(is_low).tolist():
        if runs and day - runs[-1][1] <= 2:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def _is_back(counts: np.ndarray, usual: np.ndarray, last: int) -> bool:
    after = slice(last + 1, last + 8)
    shares = counts[after] / np.maximum(usual[after], 1)
    shares = shares[usual[after] >= MIN_USUAL]
    return len(shares) >= 2 and bool(np.median(shares) >= BACK)


def _is_unheard_of(
    gap: Gap, counts: np.ndarray, usual: np.ndarray, known: np.ndarray, first: int, last: int
) -> bool:
    """Whether a short gap is deep, and no other day of what is known was ever so low."""
    others = known.copy()
    others[first : last + 1] = False
    lowest = (counts[others] / usual[others]).min(initial=1.0)
    every_day = bool((usual[~np.isnan(usual)] >= MIN_USUAL).all())
    is_deep = gap.n_events <= SHORT_LEFT * gap.n_usual
    return every_day and is_deep and gap.missing >= SHORT_MISSING and lowest > NEVER_SO_LOW


def read_gaps(warehouse: Warehouse) -> list[Gap]:
    """Return the gaps in all events together, and in event types where the whole has none.

    Args:
        warehouse: Built; one of an older version has none.
    """
    if not {"stg_event_days", "stg_as_of"} <= warehouse.table_names():
        return []
    rows = warehouse.rows(
        """
        select event_name, event_day, cast(sum(n_events) as bigint) as n_events
        from stg_event_days
        where property is null and event_name in (
            select event_name from stg_event_days
            where property is null and event_name is not null
            group by event_name order by sum(n_events) desc, event_name limit 50
        )
        and event_day < (select floor(as_of_hour / 24) from stg_as_of)
        group by event_name, event_day
        """
    )
    totals = warehouse.rows(
        """
        select event_day, cast(sum(n_events) as bigint) as n_events
        from stg_event_days
        where property is null and event_name is not null
        and event_day < (select floor(as_of_hour / 24) from stg_as_of)
        group by event_day
        """
    )
    if not totals:
        return []
    first = min(row["event_day"] for row in totals)
    n_days = max(row["event_day"] for row in totals) - first + 1
    whole = np.zeros(n_days)
    for row in totals:
        whole[row["event_day"] - first] += row["n_events"]
    by_type: dict[str, np.ndarray] = {}
    for row in rows:
        counts = by_type.setdefault(row["event_name"], np.zeros(n_days))
        counts[row["event_day"] - first] += row["n_events"]
    gaps = find_gaps(whole, first)
    for name in sorted(by_type):
        for gap in find_gaps(by_type[name], first, name):
            if not any(_share_days(gap, other) for other in gaps if other.event_name is None):
                gaps.append(gap)
    return gaps


def _share_days(one: Gap, other: Gap) -> bool:
    return one.first_day <= other.last_day and other.first_day <= one.last_day


@dataclass(frozen=True)
class Chosen:
    """Which snapshots do not teach because of gaps.

    Attributes:
        left_out: Their hours.
        gaps: Those that touch a window of a snapshot, or of now.
        words: What follows from it for the prediction; empty if no window is touched.
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


def hour_of(moment: datetime) -> int:
    """Return a naive UTC moment as whole hours since 1970-01-01."""
    return int(moment.replace(tzinfo=UTC).timestamp()) // 3600


def _date(day: int) -> str:
    return f"{datetime.fromtimestamp(86_400 * day, UTC):%Y-%m-%d}"
