"""Expected beside usual: could the number of outcomes that new scores expect be right at all.

The sum of the probabilities of all users who are scored now is held beside what the last snapshots
had whose outcome is known. Whatever goes wrong before (a renamed event, a property from the
future, a clock that is off), most of it shows here, before anybody acts on a score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from scipy.special import expit, logit

from foretell.alarms.alarms import Alarm, replace_alarms
from foretell.alarms.data_gaps import hour_of, snapshots_without_gaps
from foretell.alarms.outcome_days import HOURS, read_days
from foretell.alarms.outcome_life import outcome_life
from foretell.warehouse.base import Warehouse

KIND = "expected_outcomes"
N_SNAPSHOTS = 8  # the newest; older ones say little of now
N_CENTRE = 4  # of them are the middle of what is usual
Z = 2.5  # standard errors beyond the range of the past: an alarm
HOLD_RATIO = 3.0
LEAST_DRIFT, UNKNOWN_DRIFT = 0.15, 0.4  # standard deviations of log odds over one horizon
N_DIFFERENCES = 4  # with fewer differences of past weeks drift is not known
LEAST_NUMBER = 1.0  # outcomes, or users without, below which there is no alarm
MIN_AMOUNTS = 3  # snapshots with a mean amount
MIN_PAYING = 100  # users with the outcome, of all snapshots, without which amounts say nothing
MIN_COVERAGE = 0.9  # share of the cohort that must have a score of this model
DAYS_PER_WEEK = 7


@dataclass(frozen=True)
class Snapshot:
    """A matured snapshot: users in the sample, those with the outcome, users they stand for.

    mean_value: What a user came to on average; None where the prediction asks no amount.
    """

    n_rows: int
    n_positives: int
    n_users: int
    mean_value: float | None = None

    @property
    def log_odds(self) -> float:
        """Log odds of the outcome; half a user is added to each side, so that none is infinite."""
        return float(np.log((self.n_positives + 0.5) / (self.n_rows - self.n_positives + 0.5)))


@dataclass(frozen=True)
class Usual:
    """How many outcomes could be usual of a cohort.

    Attributes:
        number: The middle, by the rate of the newest snapshots.
        other_number: The middle by their number, not their rate: it differs where cohorts grow.
        low, high: Fewer, or more, than chance and drift allow.
        lowest_rate, highest_rate: Of the snapshots.
        n_snapshots: How many they are.
        amounts: Mean value of a user per snapshot, of value predictions; none where too few users
            had the outcome.
    """

    number: float
    other_number: float
    low: float
    high: float
    lowest_rate: float
    highest_rate: float
    n_snapshots: int
    amounts: tuple[float, ...] = ()


def usual_outcomes(
    snapshots: Sequence[Snapshot], n_users: int, drift: float, overlap: float = 1.0
) -> Usual | None:
    """Return how many of n_users could have the outcome, by the last matured snapshots.

    The range is that of the snapshots' log odds, and of the odds that their numbers would be of
    today's cohort, wider by Z standard errors of chance (in the snapshots and in a cohort of this
    size) and drift.

    Args:
        snapshots: Newest first.
        n_users: Users in the cohort now.
        drift: Standard deviation of the log odds' change over one horizon.
        overlap: How many of the windows share a day: so many times less do they know.

    Returns:
        None if no snapshot has a row, or the cohort is empty.
    """
    known = [each for each in snapshots if each.n_rows][:N_SNAPSHOTS]
    if not known or not n_users:
        return None
    centre = known[:N_CENTRE]
    n_rows, n_positives = sum(s.n_rows for s in centre), sum(s.n_positives for s in centre)
    middle = float(np.log((n_positives + 0.5) / (n_rows - n_positives + 0.5)))
    counts = [s.n_positives * s.n_users / s.n_rows for s in known]
    by_number = [_log_odds(count / n_users) for count in counts]
    inside = [*(s.log_odds for s in known), middle, *by_number]
    rate = float(expit(middle))
    rarer = min(rate, 1 - rate)
    chance = overlap / (rarer * n_rows + 0.5) + 1 / (rarer * n_users + 0.5)
    margin = Z * float(np.sqrt(chance + drift**2))
    rates = [s.n_positives / s.n_rows for s in known]
    return Usual(
        number=n_users * rate,
        other_number=min(float(np.mean(counts[:N_CENTRE])), float(n_users)),
        low=n_users * float(expit(min(inside) - margin)),
        high=n_users * float(expit(max(inside) + margin)),
        lowest_rate=min(rates),
        highest_rate=max(rates),
        n_snapshots=len(known),
        amounts=tuple(
            float(s.mean_value)
            for s in known
            if s.mean_value is not None and sum(s.n_positives for s in known) >= MIN_PAYING
        ),
    )


def _log_odds(rate: float) -> float:
    return float(logit(np.clip(rate, 1e-6, 1 - 1e-6)))


def times_off(expected: float, usual: Usual, n_users: int) -> float:
    """Return by how many times an expected number differs from the usual one, at least 1.

    Of what most users do the others are counted: 90 % against 70 % are three times as many without.
    Of the two usual numbers the nearer one counts.
    """

    def times(a: float, b: float) -> float:
        return max((a + 0.5) / (b + 0.5), (b + 0.5) / (a + 0.5))

    is_common = usual.number > n_users / 2
    numbers = [n_users - x if is_common else x for x in (usual.number, usual.other_number)]
    own = n_users - expected if is_common else expected
    return min(times(own, number) for number in numbers)


def check_expected(
    prediction: str, expected: float, n_users: int, usual: Usual | None, is_accepted: bool = False
) -> Alarm | None:
    """Return an alarm if scores expect more or fewer outcomes than chance and drift allow.

    By three times or more it holds them back.

    Args:
        prediction: Whose scores.
        expected: Sum of their probabilities.
        n_users: Users they are of.
        usual: What the last matured snapshots had; None: nothing to compare with.
        is_accepted: A person has accepted that they are shown all the same.
    """
    if usual is None or usual.low <= expected <= usual.high:
        return None
    if max(expected, usual.low) < LEAST_NUMBER:  # less than one outcome is none
        return None
    if n_users - min(expected, usual.high) < LEAST_NUMBER:
        return None
    is_far = bool(times_off(expected, usual, n_users) >= HOLD_RATIO)
    words = (
        f"{_number(expected)} outcomes are expected of the {n_users:,} users scored now "
        f"({expected / n_users:.2%}), where {_number(usual.low)} to {_number(usual.high)} would be "
        f"usual: the last {usual.n_snapshots} snapshots had the outcome for "
        f"{usual.lowest_rate:.2%} to {usual.highest_rate:.2%} of their users"
    )
    if is_far and not is_accepted:
        words += "; the new scores are held back and older ones stay"
    return Alarm(KIND, words, prediction, is_far and not is_accepted)


def check_amount(
    prediction: str, amount: float | None, n_users: int, usual: Usual | None, is_accepted: bool
) -> Alarm | None:
    """Return an alarm if the mean expected value is three times any observed one, or a third.

    Amounts vary more than rates do: nothing less is an alarm. It finds another unit (cents).

    Args:
        prediction: Whose scores.
        amount: Mean expected value of a user; None: it predicts none.
        n_users: Users they are of.
        usual: What the last matured snapshots had.
        is_accepted: A person has accepted that they are shown all the same.
    """
    if amount is None or usual is None or len(usual.amounts) < MIN_AMOUNTS:
        return None
    low, high = min(usual.amounts), max(usual.amounts)
    if low <= 0 or low / HOLD_RATIO <= amount <= HOLD_RATIO * high:
        return None
    words = (
        f"the mean expected value of the {n_users:,} users scored now is {amount:,.4g}, where the "
        f"mean values of the last {len(usual.amounts)} snapshots were {low:,.4g} to "
        f"{high:,.4g}: are amounts written in another unit than before"
    )
    if not is_accepted:
        words += "; the new scores are held back and older ones stay"
    return Alarm(KIND, words, prediction, not is_accepted)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:,.2g}"


def forget_expected(warehouse: Warehouse, prediction: str) -> None:
    """Delete the alarm of a prediction's scores of before, also if no new ones are made."""
    if warehouse.has_table("alarms"):
        replace_alarms(warehouse, [KIND], [], None, [prediction])


def read_usual(warehouse: Warehouse, prediction: str, n_users: int) -> Usual | None:
    """Return what is usual of a prediction, by the snapshots from which its model may learn.

    Args:
        warehouse: Built.
        prediction: Which.
        n_users: Users in the cohort now.
    """
    if not {"labels_rates", "prediction_definitions"} <= warehouse.table_names():
        return None
    found = warehouse.rows(
        "select horizon_days from prediction_definitions where prediction = ?", [prediction]
    )
    life = outcome_life(warehouse, prediction)
    since, gaps = life.since, snapshots_without_gaps(warehouse, prediction, life.since_hour)
    rows = warehouse.rows(
        """
        select as_of, n_rows, n_positives, n_users, mean_value from labels_rates
        where prediction = ? and purpose = 'training' and as_of >= ? order by as_of desc
        """,
        [prediction, since],
    )
    snapshots = [
        Snapshot(row["n_rows"], row["n_positives"], row["n_users"], row["mean_value"])
        for row in rows
        if hour_of(row["as_of"]) not in gaps.left_out
    ]
    weeks = max(1, -(-int(found[0]["horizon_days"]) // DAYS_PER_WEEK)) if found else 1
    volumes = _window_volumes(warehouse, prediction, since)
    drift = past_drift(volumes, [each.log_odds for each in snapshots], weeks)
    return usual_outcomes(snapshots, n_users, drift, overlap=weeks)


def past_drift(volumes: np.ndarray, log_odds: Sequence[float], weeks: int) -> float:
    """Return how much the log odds of the outcome usually change over a horizon.

    Args:
        volumes: How often it occurred in windows of one horizon, a week apart, newest first.
        log_odds: Of the outcome in the cohorts of snapshots a week apart, newest first.
        weeks: The horizon in weeks, at least 1.

    Returns:
        Root mean square of the changes, the larger of the two; at least LEAST_DRIFT.
    """
    found = []
    for values in (np.log(np.asarray(volumes, dtype=float) + 0.5), np.asarray(log_odds)):
        changes = values[:-weeks] - values[weeks:]
        if len(changes) >= N_DIFFERENCES:
            found.append(float(np.sqrt(np.mean(changes**2))))
    return max([LEAST_DRIFT, *found]) if found else UNKNOWN_DRIFT


def _window_volumes(warehouse: Warehouse, prediction: str, since: datetime) -> np.ndarray:
    """Return how often the outcome occurred in past windows of one horizon, newest first."""
    days = read_days(warehouse, prediction)
    if days is None:
        return np.zeros(0)
    first = max(0, int(since.replace(tzinfo=UTC).timestamp()) // 3600 // HOURS - days.first_day)
    total = np.concatenate([[0], np.cumsum(days.sightings[first:-1])])  # as_of's day is not over
    ends = np.arange(len(total) - 1, days.horizon_days - 1, -DAYS_PER_WEEK)
    return np.asarray(total[ends] - total[ends - days.horizon_days])


def population_facts(row: dict[str, Any], n_cohort: int) -> tuple[float, int] | None:
    """Return the expected outcomes of the scored cohort and its users.

    Args:
        row: n_users with a score of the model, and `expected`, the sum of their probabilities.
        n_cohort: Users in the cohort.

    Returns:
        None if too few of the cohort have a score: who was active is not like the others.
    """
    if not row["n_users"] or row["n_users"] < MIN_COVERAGE * n_cohort:
        return None
    return float(row["expected"]), int(row["n_users"])
