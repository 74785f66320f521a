"""Days and hours with far fewer events than usual, after which they are back.

Each day is held beside the same weekday of the weeks before, each hour beside the same hour of the
week, so that no weekend and no night is a gap; growth and decline move what is usual; and a level
that does not come back is a change of the world, not a gap, unless it lasts until now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from foretell.alarms.outcome_days import HOURS, plain

LOW = 0.65  # share of the usual events below which a day may be in a gap
LOW_SIGMA = 2.5  # and standard deviations of usual days by which it is below
MAX_SIGMA = 0.9  # of days that differ more nothing is usual: 2.5 of them reach a tenth of it
LOW_IN_ALL = 0.6  # share of the usual events of a whole gap
BACK = 0.75  # share of them at which it has ended
N_WEEKS = 5  # of the same weekday that say what is usual
MIN_WEEKS = 2
MIN_USUAL = 30.0  # events a day: of fewer, chance makes low days
MIN_DAYS, MIN_MISSING = 5, 3.0  # days a gap lasts, and days' worth of events that it lacks
# Shorter ones only with almost no events, where no other day was so low: it never shut.
SHORT_MISSING, SHORT_LEFT, NEVER_SO_LOW = 1.5, 0.1, 0.3
MAX_DAYS, NEW_LEVEL = 56, 0.8  # a level is the usual one if so many days, nearly all, had it
N_SIGMA = 6.0  # standard deviations of usual days, over a whole gap
WEEK = 7 * HOURS
MIN_HOURS, MAX_HOURS = 3, 120  # that an outage lasts; longer ones are gaps of days
MIN_OUTAGE = 100.0  # events that would have been usual: one user's session is a dozen of them
OUTAGE_WEEKS = 3  # of the same hour that say what is usual, at least
MAX_OF_HOUR = 0.05  # share of a week's events in one hour; it is 0.006 if all are alike


@dataclass(frozen=True)
class Gap:
    """A run of days, or of hours, with few events.

    Attributes:
        first, last: Days (or hours) since 1970-01-01 UTC, both in it.
        shares: Events of each over the usual ones of its weekday (or hour of the week).
        n_events: Events in it.
        n_usual: Events that would have been usual.
        event_name: Of which type; None: of all together.
        is_over: Whether the events are back.
        n_hours: Of one share: 24, or 1.
    """

    first: int
    last: int
    shares: tuple[float, ...]
    n_events: int
    n_usual: float
    event_name: str | None = None
    is_over: bool = True
    n_hours: int = HOURS

    @property
    def first_hour(self) -> int:
        """The hour with which it begins, hours since 1970-01-01 UTC."""
        return self.n_hours * self.first

    @property
    def end_hour(self) -> int:
        """The hour after it."""
        return self.n_hours * (self.last + 1)

    @property
    def missing(self) -> float:
        """How many usual days' events it lacks."""
        return float(sum(1 - share for share in self.shares)) * self.n_hours / HOURS

    def missing_in(self, from_hour: int, to_hour: int) -> float:
        """Return how many usual days' events a window [from_hour, to_hour) lacks because of it."""
        total = 0.0
        for place, share in enumerate(self.shares):
            start = self.n_hours * (self.first + place)
            inside = max(0, min(to_hour, start + self.n_hours) - max(from_hour, start))
            total += (1 - share) * inside / HOURS
        return total

    @property
    def words(self) -> str:
        """When and how deep it is, as a part of a sentence."""
        what = f"events {plain(self.event_name)}" if self.event_name is not None else "events"
        until = "" if self.is_over else ", and they are not back yet"
        if self.n_hours == HOURS:
            first, last = _time(self.first_hour)[:10], _time(self.end_hour - 1)[:10]
        else:
            first, last = _time(self.first_hour), f"{_time(self.end_hour)} UTC"
        return (
            f"from {first} to {last} there were {self.n_events:,} "
            f"{what} where {self.n_usual:,.0f} would be usual ({self.n_events / self.n_usual:.0%})"
            f"{until}"
        )


def find_gaps(counts: np.ndarray, first_day: int, event_name: str | None = None) -> list[Gap]:
    """Return the gaps in a daily count.

    Args:
        counts: Events per day, shape (n_days,); the last day is a whole one.
        first_day: Of the first, days since 1970-01-01 UTC.
        event_name: Whose count it is; of one type an end that lasts is not reported here
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


def find_outages(counts: np.ndarray, first_hour: int, event_name: str | None = None) -> list[Gap]:
    """Return the hours with almost no events, where no other hours were ever so low.

    What is usual of an hour is the median of the same hour of up to five weeks before. Only where
    something comes on every day of the week, and no hour of the week has too much of it (a
    newsletter that comes a day later is no outage). What is not over may only be late.

    Args:
        counts: Events per hour, shape (n_hours,); the last hour is a whole one.
        first_hour: Of the first, hours since 1970-01-01 UTC.
        event_name: Whose count it is; None: of all together.
    """
    counts = np.asarray(counts, dtype=float)
    usual = _usual_of_hours(counts)
    known = ~np.isnan(usual)
    if known.sum() < OUTAGE_WEEKS * WEEK or not _is_even(usual[known][-WEEK:]):
        return []
    expected = np.where(known, usual, 0)
    is_low = known & (expected > 0) & (counts <= SHORT_LEFT * expected)
    total = np.concatenate([[0], np.cumsum(np.where(known, counts, 0))])
    total_usual = np.concatenate([[0], np.cumsum(expected)])
    found: list[Gap] = []
    for first, last in _runs(is_low):
        length = last - first + 1
        n_usual = total_usual[last + 1] - total_usual[first]
        n_events = total[last + 1] - total[first]
        is_over = last < len(counts) - 1
        is_deep = n_usual >= MIN_OUTAGE and n_events <= SHORT_LEFT * n_usual
        if not (MIN_HOURS <= length <= MAX_HOURS and is_deep and is_over):
            continue
        # All other times of that length in which as much would have been usual.
        of_length = total_usual[length:] - total_usual[:-length]
        starts = np.flatnonzero(of_length >= max(MIN_USUAL, n_usual / 2))
        starts = starts[(starts > last) | (starts + length <= first)]
        shares = (total[starts + length] - total[starts]) / of_length[starts]
        if len(starts) and shares.min() > NEVER_SO_LOW:
            inside = slice(first, last + 1)
            found.append(
                Gap(
                    first_hour + first, first_hour + last,
                    tuple((counts[inside] / np.maximum(expected[inside], 1)).clip(0, 1).tolist()),
                    int(n_events), float(n_usual), event_name, n_hours=1,
                )
            )  # fmt: skip
    return found


def _usual_of_hours(counts: np.ndarray) -> np.ndarray:
    """Return the median of the same hour of the weeks before; nan where too few are known."""
    n_weeks = -(-len(counts) // WEEK)
    padded = np.full(n_weeks * WEEK, np.nan)
    # From the end: the newest week is a whole one.
    padded[n_weeks * WEEK - len(counts) :] = counts
    weeks = padded.reshape(n_weeks, WEEK)
    usual = np.full((n_weeks, WEEK), np.nan)
    for week in range(OUTAGE_WEEKS, n_weeks):
        before = weeks[max(0, week - N_WEEKS) : week]
        is_known = (~np.isnan(before)).sum(axis=0) >= OUTAGE_WEEKS
        usual[week, is_known] = np.nanmedian(before[:, is_known], axis=0)
    return usual.reshape(-1)[n_weeks * WEEK - len(counts) :]


def _is_even(usual: np.ndarray) -> bool:
    """Whether something is usual on every day of a week, and no hour has too much of it."""
    days = usual.reshape(-1, HOURS).sum(axis=1)
    return bool(days.min() >= MIN_USUAL and usual.max() <= MAX_OF_HOUR * usual.sum())


def _time(hour: int) -> str:
    return f"{datetime.fromtimestamp(3600 * hour, UTC):%Y-%m-%d %H:%M}"
