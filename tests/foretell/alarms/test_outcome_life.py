"""Launches and ends are found by the outcome's own rhythm; rare outcomes and pauses are neither."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.alarms.outcome_days import Newcomer
from foretell.alarms.outcome_life import (
    Beginning,
    change_day,
    find_beginning,
    find_end,
    find_fall,
    silence_log_probability,
    with_newcomer,
)
from tests.foretell.alarms.outcomes import END, FIRST, days

WEEK = np.array([5, 5, 5, 5, 5, 0, 0])


def poisson(rate, n_days, seed=0):
    return np.random.default_rng(seed).poisson(rate, n_days)


def test_a_silence_has_the_chance_of_the_beta_binomial():
    """Laplace's rule with Jeffreys' prior by hand: (n - k + 0.5) / (n + 1), then one day more."""
    assert np.exp(silence_log_probability(2, 3, 2)) == pytest.approx(1.5 / 4 * 2.5 / 5)
    assert silence_log_probability(5, 5, 0) == pytest.approx(0)


@pytest.mark.parametrize(("before", "since"), [(130, 10), (60, 80), (20, 200)])
def test_a_launch_is_found_with_its_first_hour(before, since):
    found = find_beginning(days([0] * before + [6] * since))
    assert found == Beginning(24 * (FIRST + before) + 12, before, since, 6 * since)


def test_tests_before_a_launch_do_not_hide_it():
    counts = np.concatenate([np.zeros(100), poisson(20, 30)])
    counts[[40, 41, 77]] = 1
    found = find_beginning(days(counts))
    assert found is not None
    assert found.hour == 24 * (FIRST + 100)


@pytest.mark.parametrize(
    "counts",
    [
        [0] * 90 + [1, 0, 0, 0, 0, 0, 0, 0] * 6,  # every eight days, by chance late
        [0] * 13 + [5] * 100,  # there has never been a snapshot so early
        [*([0] * 40 + [5] * 20)] * 3,  # a season of twenty days
        [0] * 100 + [5] * 60 + [0] * 60 + [5] * 60,  # one of sixty
        list(poisson(0.1, 150)),
        list(np.arange(140)),  # it grows
        list(np.round(np.exp(np.arange(140) / 20)).astype(int)),
        [0] * 100 + [1, 1],
    ],
)
def test_what_is_rare_or_seasonal_or_grows_is_no_launch(counts):
    assert find_beginning(days(counts)) is None


def test_what_grows_fast_did_not_begin_when_it_was_large():
    """From one in forty days to thousands a day: it began with its first events, if at all."""
    found = find_beginning(days(np.round(0.02 * np.exp(np.arange(150) / 12))))
    assert found is None or found.hour // 24 < FIRST + 60


def test_few_events_of_any_kind_explain_a_silence():
    """The product itself was small: 5 events a day for 60 days, then a thousand times as many."""
    volume = np.array([5] * 60 + [5000] * 60)
    assert find_beginning(days([0] * 60 + [10] * 60, volume=volume)) is None
    assert find_beginning(days([0] * 60 + [10] * 60)) is not None


@pytest.mark.parametrize("rate", [1.5, 20])
def test_an_end_is_found_with_its_last_hour_and_rhythm(rate):
    lively = np.maximum(poisson(rate, 95), np.arange(95) % 2)
    found = find_end(days([*lively[:-1], 3] + [0] * 45))
    assert found is not None
    assert found.hour == 24 * (FIRST + 94) + 12
    assert found.silent_days == 45
    assert found.is_sure


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ([5] * 95 + [0, 0], "two days"),
        (list(WEEK) * 20 + [0, 0, 0], "a long weekend"),
        ([3] + [0] * 29 + [3] + [0] * 29 + [3] + [0] * 29 + [3] + [0] * 40, "once a month"),
        (list(poisson(0.1, 120, seed=3)) + [0] * 12, "rare"),
        ([5] * 100 + [0] * 60 + [5] * 200 + [0] * 70, "a season's pause, as last year"),
        ([0] * 50, "never"),
        ([5] * 100, "still there"),
    ],
)
def test_pauses_that_are_usual_are_no_end(counts, why):
    assert find_end(days(counts)) is None, why


def test_a_trickle_is_an_end_only_with_a_newcomer():
    counts = np.concatenate([poisson(30, 100), np.arange(45) % 2])
    fallen = find_fall(days(counts))
    assert fallen is not None
    assert fallen.hour // 24 == FIRST + 99
    assert fallen.trickle_per_day == pytest.approx(1, abs=0.1)
    assert find_fall(days(poisson(30, 145))) is None
    assert find_fall(days([*poisson(30, 100), *poisson(10, 45)])) is None
    assert find_fall(days(np.concatenate([poisson(30, 100), np.zeros(45)]))) is None  # find_end's


def test_the_likest_newcomer_of_that_time_is_named():
    candidates = [
        Newcomer("early", FIRST + 60, 16.0),
        Newcomer("late", FIRST + 120, 16.0),
        Newcomer("rare", FIRST + 95, 4.0),
        Newcomer("frequent", FIRST + 95, 60.0),
        Newcomer("like", FIRST + 95, 40.0),
        Newcomer("likest", FIRST + 96, 20.0),
    ]
    found = with_newcomer(END, candidates)
    assert (found.newcomer, found.is_sure) == (candidates[-1], True)
    value = Newcomer("own value", FIRST + 95, 40.0, is_value=True)
    assert with_newcomer(END, [*candidates, value]).newcomer == value
    assert with_newcomer(END, candidates[:4]) == END


def test_a_change_is_where_the_rate_is():
    assert change_day(np.array([0, 0, 0, 5, 6, 5]), np.full(6, 10)) == 3
    assert change_day(np.array([1, 2, 3, 30]), np.array([1, 2, 3, 30])) in range(4)
    assert change_day(np.zeros(5), np.ones(5)) == 0


@settings(max_examples=60, deadline=None)
@given(
    rate=st.floats(0.05, 30),
    n_days=st.integers(30, 300),
    seed=st.integers(0, 10_000),
)
def test_an_outcome_of_one_rate_neither_begins_nor_ends(rate, n_days, seed):
    """Property: whatever the rate and the length, a steady outcome raises nothing."""
    steady = days(poisson(rate, n_days, seed))
    assert find_beginning(steady) is None
    found = find_end(steady)
    assert found is None or not found.is_sure
