"""Expected beside usual: what is three times off is held back, what chance explains is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.alarms.expected import (
    LEAST_DRIFT,
    UNKNOWN_DRIFT,
    Snapshot,
    check_amount,
    check_expected,
    past_drift,
    population_facts,
    times_off,
    usual_outcomes,
)

STEADY = [Snapshot(1000, n, 1000) for n in (140, 133, 150, 128, 141)]


def check(expected, n_users=1000, snapshots=STEADY, drift=0.15, **options):
    usual = usual_outcomes(snapshots, n_users, drift)
    return check_expected("p", expected, n_users, usual, **options)


@pytest.mark.parametrize(
    ("expected", "state"),
    [(0.07, "held"), (40, "held"), (60, "warned"), (100, ""), (140, ""), (190, ""), (300, "warned"), (430, "held")],
)  # fmt: skip
def test_what_is_far_off_is_held_back_and_what_drifts_is_not(expected, state):
    alarm = check(expected)
    assert ("held" if alarm and alarm.is_held_back else "warned" if alarm else "") == state


def test_the_sentence_has_the_numbers():
    alarm = check(0.075, n_users=519)
    assert alarm is not None
    assert alarm.message.startswith(
        "0.075 outcomes are expected of the 519 users scored now (0.01%)"
    )
    assert "the last 5 snapshots had the outcome for 12.80% to 15.00%" in alarm.message
    accepted = check(0.075, n_users=519, is_accepted=True)
    assert accepted is not None
    assert not accepted.is_held_back
    assert "held back" not in accepted.message


def test_of_what_most_do_the_others_are_counted():
    common = [Snapshot(1000, 900, 1000)] * 4
    usual = usual_outcomes(common, 1000, 0.15)
    assert usual is not None
    assert times_off(700, usual, 1000) == pytest.approx(300.5 / 100.1, rel=0.01)
    assert check(650, snapshots=common).is_held_back
    assert check(999, snapshots=common).is_held_back
    assert check(880, snapshots=common) is None


def test_few_users_and_few_outcomes_are_chance():
    assert check(0.6, n_users=20) is None
    rare = [Snapshot(1000, n, 1000) for n in (1, 0, 2, 1, 0)]
    assert check(4.0, snapshots=rare) is None
    never = [Snapshot(1200, 0, 1200)] * 6
    assert check(250, n_users=1268, snapshots=never).is_held_back


def test_a_cohort_that_grows_threefold_is_between_its_rate_and_its_number():
    """An import of users who do nothing: as many outcomes as ever, at a third of the rate."""
    for expected in (150, 300, 450):
        alarm = check(expected, n_users=3000)
        assert alarm is None, expected
    assert check(30, n_users=3000).is_held_back


def test_a_sample_represents_its_cohort():
    sampled = [Snapshot(100, 14, 1000)] * 5
    assert check(140, snapshots=sampled) is None
    assert check(20, snapshots=sampled).is_held_back


def test_drift_is_what_past_weeks_changed_over_a_horizon():
    assert past_drift(np.array([]), [], 1) == UNKNOWN_DRIFT
    assert past_drift(np.full(10, 1000), [0.0] * 3, 1) == LEAST_DRIFT
    doubled = past_drift(np.array([1, 2] * 5) * 1000, [], 1)
    assert doubled == pytest.approx(np.log(2), rel=0.01)
    assert past_drift(np.array([1, 2] * 5) * 1000, [], 2) == LEAST_DRIFT
    seasonal = check(45, drift=0.7)
    assert seasonal is None


def test_without_snapshots_there_is_nothing_to_compare():
    assert usual_outcomes([], 100, 0.1) is None
    assert usual_outcomes([Snapshot(0, 0, 0)], 100, 0.1) is None
    assert usual_outcomes(STEADY, 0, 0.1) is None
    assert check_expected("p", 5.0, 10, None) is None


def test_only_a_whole_cohort_is_compared():
    assert population_facts({"n_users": 95, "expected": 7.0}, 100) == (7.0, 95)
    assert population_facts({"n_users": 40, "expected": 7.0}, 100) is None
    assert population_facts({"n_users": 0, "expected": None}, 0) is None


@settings(max_examples=150, deadline=None)
@given(
    rate=st.floats(0.002, 0.95), n_rows=st.integers(50, 20_000), seed=st.integers(0, 10_000),
    n_snapshots=st.integers(1, 8),
)  # fmt: skip
def test_snapshots_of_one_rate_never_hold_back_a_model_that_knows_it(
    rate, n_rows, seed, n_snapshots
):
    """Property: whatever the rate and the sizes, what was seen raises nothing and the truth holds
    nothing back (of hundreds of draws some are unlikely enough for a warning).
    """
    drawn = np.random.default_rng(seed).binomial(n_rows, rate, n_snapshots)
    snapshots = [Snapshot(n_rows, int(n), n_rows) for n in drawn]
    assert check(drawn.mean(), n_users=n_rows, snapshots=snapshots) is None
    alarm = check(rate * n_rows, n_users=n_rows, snapshots=snapshots)
    assert alarm is None or not alarm.is_held_back


@pytest.mark.parametrize(
    ("amount", "is_held"),
    [(10.0, False), (35.0, False), (36.2, True), (3.4, False), (3.3, True), (None, False)],
)
def test_amounts_in_another_unit_are_held_back(amount, is_held):
    usual = usual_outcomes([Snapshot(500, 50, 500, mean) for mean in (10.0, 12.0, 11.0)], 500, 0.2)
    alarm = check_amount("p", amount, 500, usual, is_accepted=False)
    assert (alarm is not None) == is_held
    if alarm:
        assert alarm.is_held_back
        assert "where the mean values of the last 3 snapshots were 10 to 12: " in str(alarm)
        assert not check_amount("p", amount, 500, usual, is_accepted=True).is_held_back


def test_amounts_of_few_say_nothing():
    few = usual_outcomes([Snapshot(500, 20, 500, mean) for mean in (10.0, 12.0, 11.0)], 500, 0.2)
    assert check_amount("p", 1e6, 500, few, is_accepted=False) is None
    none = usual_outcomes([Snapshot(500, 50, 500)] * 3, 500, 0.2)
    assert check_amount("p", 1e6, 500, none, is_accepted=False) is None
