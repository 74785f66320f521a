"""Since when there has been an outcome, and until when (launched, renamed, switched off).

Weeks before an outcome existed teach that nobody does it; after it was renamed, that nobody does
it any more. Both look like rates. Here the days on which the outcome occurred decide: a silence
counts only where the outcome's own rhythm makes it implausible, so that a rare outcome is no
launch and a pause like those before is no end.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from scipy.special import gammaln

from foretell.alarms.outcome_days import (
    HOURS,
    Newcomer,
    OutcomeDays,
    read_days,
    read_newcomers,
    read_parts,
)
from foretell.warehouse.base import Warehouse

MIN_DAYS_BEFORE = 14  # of silence: before that there is no snapshot (min_history_days)
MIN_EXPECTED = 20.0  # sightings that the silence before should have had
BY_CHANCE_BEGAN, BY_CHANCE_GONE = 1e-6, 1e-4  # probability of the silence from which it is believed
GAPS_BEFORE, GAPS_SINCE = 3, 2  # times the longest gap that a silence before, or since, must last
RHYTHM_DAYS = 90  # before the last sighting: how often it occurred lately
FIRST_DAYS = 28  # whose rate and rhythm the silence before is held beside
TRICKLE = 0.05  # share of its rate that old versions of an app may go on sending
STRAY = 0.02  # share of its rate that tests may have sent before
LIKE_VOLUME = 3.0  # a new name has between a third and three times the volume of the old one
MIN_SILENT_DAYS = 3


@dataclass(frozen=True)
class Beginning:
    """An outcome that began later than the events.

    Attributes:
        hour: Of its first sighting, hours since 1970-01-01 UTC.
        n_days_before: Days with events before it.
        n_days_since: Days from it to as_of.
        n_sightings: Since then.
    """

    hour: int
    n_days_before: int
    n_days_since: int
    n_sightings: int


@dataclass(frozen=True)
class End:
    """An outcome that is silent longer than its rhythm explains.

    Attributes:
        hour: Of its last sighting (or of its fall), hours since 1970-01-01 UTC.
        silent_days: From then to as_of, rounded.
        n_active: Days with it among the last n_days days before.
        n_days: How many those are.
        per_day: Its events a day in them.
        longest_gap: Of its gaps before, days.
        trickle_per_day: Events a day that still come; 0 if none.
        newcomer: What began then with a like volume, if anything did.
        is_sure: Whether no prediction of it may go on.
    """

    hour: int
    silent_days: int
    n_active: int
    n_days: int
    per_day: float
    longest_gap: int
    trickle_per_day: float = 0.0
    newcomer: Newcomer | None = None
    is_sure: bool = True

    @property
    def date(self) -> str:
        """The day of the last sighting, or of the fall, UTC."""
        return date_of(self.hour)


@dataclass(frozen=True)
class Life:
    """What is known of an outcome's beginning and end; None where there is nothing to say.

    parts: of several events that it names, those that were renamed; it goes on without them.
    """

    name: str = "the outcome"
    began: Beginning | None = None
    ended: End | None = None
    parts: tuple[tuple[str, End], ...] = ()

    @property
    def since_hour(self) -> int:
        """The first hour as of which a snapshot may be used for training; 0: any."""
        return self.began.hour if self.began else 0

    @property
    def since(self) -> datetime:
        """The same moment, naive UTC."""
        return datetime.fromtimestamp(3600 * self.since_hour, UTC).replace(tzinfo=None)

    @property
    def is_gone(self) -> bool:
        """Whether no prediction of it may go on."""
        return self.ended is not None and self.ended.is_sure


def silence_log_probability(n_active: int, n_days: int, n_silent: int) -> float:
    """Return the log of P(n_silent days without it) of an outcome on n_active of n_days days.

    Of independent days of one unknown chance (Jeffreys' prior): the beta-binomial's predictive
    probability. Days, not events, are counted: many events of one day are one.

    Source: Gelman et al. (2013), "Bayesian Data Analysis", section 2.5.
    """
    a, b = n_active + 0.5, n_days - n_active + 0.5
    return float(gammaln(b + n_silent) + gammaln(a + b) - gammaln(a + b + n_silent) - gammaln(b))


def longest_gap(days: OutcomeDays, start: int, end: int) -> int:
    """Return the most days with data in a row without the outcome, of days start to end - 1."""
    longest = run = 0
    seen = days.seen
    for day in range(start, end):
        run = 0 if days.sightings[day] else run + int(seen[day])
        longest = max(longest, run)
    return longest


def find_beginning(days: OutcomeDays) -> Beginning | None:
    """Return when the outcome began, if that was clearly later than the events did.

    Tried are its first sighting and, since tests may come before a launch, the day on which its
    rate changes most. The silence before must be implausible at the rate of the four weeks
    after, and three times as long as any gap since.
    """
    if days.first_hour is None or days.sightings.sum() < 3:
        return None
    first = days.first_hour // HOURS - days.first_day
    for start in sorted({first, change_day(days.sightings, days.volume)}):
        if 0 < start < len(days.sightings) and _is_beginning(days, start):
            hour = days.first_hour if start == first else HOURS * (days.first_day + start)
            return Beginning(
                hour=hour,
                n_days_before=int(days.seen[:start].sum()),
                n_days_since=round((days.as_of_hour - hour) / HOURS),
                n_sightings=int(days.sightings[start:].sum()),
            )
    return None


def _is_beginning(days: OutcomeDays, start: int) -> bool:
    n, volume, seen = days.sightings, days.volume, days.seen
    n_before = int(seen[:start].sum())
    after = slice(start, start + FIRST_DAYS)
    rate = n[after].sum() / max(volume[after].sum(), 1)
    expected = rate * volume[:start].sum()
    n_active = int((seen[after] & (n[after] > 0)).sum())
    n_after = max(int(seen[after].sum()), n_active)
    return bool(
        n_before >= MIN_DAYS_BEFORE
        and expected >= MIN_EXPECTED
        and n[:start].sum() <= STRAY * expected
        and n_before >= GAPS_BEFORE * max(1, longest_gap(days, start, len(n)))
        and silence_log_probability(n_active, n_after, n_before) <= np.log(BY_CHANCE_BEGAN)
    )


def change_day(n: np.ndarray, volume: np.ndarray) -> int:
    """Return the day from which the rate n / volume differs most from before, as Poisson counts.

    Args:
        n: Sightings per day, shape (n_days,).
        volume: What they are a rate of, per day.

    Returns:
        The number of the first day of the new rate; 0 if there is none.

    Source: Csörgő, Horváth (1997), "Limit Theorems in Change-Point Analysis": the likelihood ratio.
    """
    if len(n) < 2 or not n.sum():
        return 0
    exposure = np.maximum(volume.astype(float), 1)
    before, since = np.cumsum(n)[:-1].astype(float), n.sum() - np.cumsum(n)[:-1]
    own, rest = np.cumsum(exposure)[:-1], exposure.sum() - np.cumsum(exposure)[:-1]

    def log_likelihood(k: np.ndarray, e: np.ndarray) -> np.ndarray:
        return np.where(k > 0, k * np.log(np.maximum(k, 1) / e), 0.0)

    return int(np.argmax(log_likelihood(before, own) + log_likelihood(since, rest))) + 1


def find_end(days: OutcomeDays, start: int = 0) -> End | None:
    """Return when the outcome ended, if it is silent longer than its rhythm explains.

    A silence as long as the horizon, twice as long as any gap before, and implausible at the rhythm
    of the last 90 days is an end. A shorter one is a warning, and so is one that occurred before
    (a season).

    Args:
        days: Its days.
        start: First day that counts, from which on there was such an outcome.
    """
    if days.last_hour is None:
        return None
    last = days.last_hour // HOURS - days.first_day
    silent = int(days.seen[last + 1 : -1].sum())  # as_of's own day is not over
    rhythm = slice(max(start, last + 1 - RHYTHM_DAYS), last + 1)
    n_active = int((days.sightings[rhythm] > 0).sum())
    n_days = max(int(days.seen[rhythm].sum()), n_active)
    first = int(np.flatnonzero(days.sightings)[0])
    gap = longest_gap(days, max(start, first), last + 1)
    log_chance = silence_log_probability(n_active, n_days, silent)
    if silent < MIN_SILENT_DAYS or silent <= GAPS_SINCE * gap or n_active < 3:
        return None
    if log_chance > np.log(BY_CHANCE_GONE):
        return None
    return End(
        hour=days.last_hour,
        silent_days=(days.as_of_hour - 1 - days.last_hour) // HOURS,
        n_active=n_active,
        n_days=n_days,
        per_day=float(days.n_events[rhythm].sum() / n_days),
        longest_gap=gap,
        is_sure=silent > days.horizon_days and 4 * gap < silent,
    )


def find_fall(days: OutcomeDays, start: int = 0) -> End | None:
    """Return when the outcome fell to a trickle (old versions of an app), within the last 90 days.

    It is no end by itself, only together with a newcomer of a like volume.
    """
    begin = max(start, len(days.sightings) - 2 * RHYTHM_DAYS)
    n, volume = days.sightings[begin:-1], days.volume[begin:-1]
    fall = change_day(n, volume)
    n_since = len(n) - fall
    if n_since < max(7, min(days.horizon_days, 28)) or fall < 14:
        return None
    before, since = slice(max(0, fall - 56), fall), slice(fall, None)
    rate = n[before].sum() / max(volume[before].sum(), 1)
    expected = rate * volume[since].sum()
    if expected < MIN_EXPECTED or n[since].sum() > TRICKLE * expected or not n[since].sum():
        return None
    n_events = days.n_events[begin:-1]
    n_days = before.stop - before.start
    return End(
        hour=HOURS * (days.first_day + begin + fall) - 1,
        silent_days=n_since,
        n_active=int((n[before] > 0).sum()),
        n_days=n_days,
        per_day=float(n_events[before].sum() / n_days),
        longest_gap=longest_gap(days, begin, begin + fall),
        trickle_per_day=float(n_events[since].sum() / n_since),
    )


def with_newcomer(end: End, candidates: Collection[Newcomer]) -> End:
    """Return the end with the newcomer of the likest volume that began then, if there is one.

    Values of the outcome's own property come first. A newcomer makes a silence sure that is shorter
    than the horizon.

    Args:
        end: When the outcome ended.
        candidates: What began after the events did, with volumes since then.
    """
    day = end.hour // HOURS
    near = [
        each
        for each in candidates
        if day - 3 <= each.day <= day + max(7, end.longest_gap)
        and end.per_day / LIKE_VOLUME <= each.per_day <= LIKE_VOLUME * end.per_day
    ]
    if not near:
        return end
    likest = min(
        near,
        key=lambda each: (not each.is_value, abs(np.log(each.per_day / end.per_day)), each.name),
    )
    return End(**{**vars(end), "newcomer": likest, "is_sure": True})


def outcome_life(warehouse: Warehouse, prediction: str) -> Life:
    """Return since when and until when there has been what a prediction asks about.

    Args:
        warehouse: Open; before the first build nothing is known.
        prediction: Which.
    """
    days = read_days(warehouse, prediction)
    if days is None:
        return Life()
    began = find_beginning(days)
    start = began.hour // HOURS - days.first_day if began else 0
    ended = find_end(days, start)
    if ended is None:
        ended = find_fall(days, start)
    if ended is not None:
        newcomers = read_newcomers(warehouse, prediction, ended.hour // HOURS)
        ended = with_newcomer(ended, newcomers)
        if ended.trickle_per_day and not ended.newcomer:
            ended = None
    parts = [] if ended else _ended_parts(warehouse, prediction, days)
    return Life(days.name, began, ended, tuple(parts))


def _ended_parts(warehouse: Warehouse, prediction: str, days: OutcomeDays) -> list[tuple[str, End]]:
    """Return which of several events of an outcome were renamed, the others going on.

    One that just ended is no doubt: its users may have gone over to the others.
    """
    found = []
    for part in read_parts(warehouse, prediction, days):
        end = find_end(part)
        if end is not None:
            end = with_newcomer(end, read_newcomers(warehouse, prediction, end.hour // HOURS))
            if end.newcomer:
                found.append((part.name, end))
    return found


def date_of(hour: int) -> str:
    """Return the date of an hour since 1970-01-01 UTC, ISO."""
    return f"{datetime.fromtimestamp(3600 * hour, UTC):%Y-%m-%d}"
