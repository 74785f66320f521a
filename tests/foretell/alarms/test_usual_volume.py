"""Days and hours with too few events are found; weekends, trends, seasons and small data are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.alarms.usual_volume import find_gaps, find_outages
from tests.foretell.alarms.volumes import FIRST, at, counts, hours, silenced, thinned


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("level", [200, 20_000])
def test_weeks_with_a_tenth_to_a_half_are_found_with_their_dates(share, level):
    (gap,) = find_gaps(thinned(share, level=level), FIRST)
    assert abs(gap.first - FIRST - 80) <= 1
    assert abs(gap.last - FIRST - 90) <= 1
    assert gap.is_over
    assert gap.n_events / gap.n_usual == pytest.approx(share, abs=0.08)


def test_a_gap_that_lasts_until_now_is_reported_as_such():
    (gap,) = find_gaps(thinned(0.3, first=130, last=139), FIRST)
    assert not gap.is_over
    assert gap.words.startswith("from 2025-02-11 to 2025-02-20 there were ")
    assert gap.words.endswith("and they are not back yet")
    assert find_gaps(thinned(0.3, first=130, last=139), FIRST, "buy") == []  # outcome_life's


def test_two_dead_days_are_a_gap_where_nobody_ever_shuts():
    even = counts(week=np.ones(7))
    even[80:82] = 0
    assert len(find_gaps(even, FIRST)) == 1
    even[[40, 120]] = 0  # holidays
    assert find_gaps(even, FIRST) == []


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (counts() * np.linspace(1, 0.2, 140), "it declines"),
        (counts() * np.exp(np.linspace(0, 5, 140)), "it grows from launch"),
        (np.concatenate([counts(90), 0.4 * counts(90)]), "a new level"),
        (counts(level=8), "few events a day"),
        (counts(week=np.array([1, 1, 1, 1, 1, 0, 0.0])), "nobody works at weekends"),
        (np.concatenate([counts(60), 6 * counts(10), counts(70)]), "a campaign"),
        (thinned(0.3, first=80, last=82), "a long weekend"),
        (counts(20), "a short history"),
        (counts(spread=0.6), "every day is another"),
        (counts(381, 1.0, seed=393, spread=0) * np.exp(np.arange(381) / 64), "most days have none"),
    ],
)
def test_what_is_usual_raises_nothing(values, why):
    assert find_gaps(np.round(values), FIRST) == [], why


@settings(max_examples=80, deadline=None)
@given(
    level=st.floats(1, 50_000), n_days=st.integers(10, 400), seed=st.integers(0, 10_000),
    spread=st.floats(0, 0.25), growth=st.floats(-0.01, 0.02),
)  # fmt: skip
def test_days_of_one_pattern_hold_no_gap(level, n_days, seed, spread, growth):
    """Property: whatever size, noise, trend and length."""
    assert find_gaps(counts(n_days, level, seed, spread=spread, growth=growth), FIRST) == []


def test_an_outage_of_hours_is_found_with_its_times():
    (gap,) = find_outages(silenced(at(8, 2, 9), at(8, 2, 16)), 24 * FIRST)
    assert (gap.first, gap.last) == (24 * FIRST + at(8, 2, 9), 24 * FIRST + at(8, 2, 16))
    assert gap.n_events == 0
    assert gap.n_usual == pytest.approx(8 * 100, rel=0.2)
    assert gap.missing == pytest.approx(8 / 24)
    assert gap.words.startswith("from 2024-12-01 09:00 to 2024-12-01 17:00 UTC there were 0 events")


def test_a_few_events_in_an_outage_and_two_outages():
    trickle = silenced(at(8, 2, 9), at(8, 2, 16), share=0.05)
    assert len(find_outages(trickle, 24 * FIRST)) == 1
    twice = silenced(at(8, 2, 9), at(8, 2, 16))
    twice[at(6, 1, 9) : at(6, 1, 17)] = 0  # so low before: perhaps they shut now and then
    assert find_outages(twice, 24 * FIRST) == []


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (hours(), "every hour is usual"),
        (silenced(at(8, 2, 0), at(8, 2, 4)), "nothing ever comes at night"),
        (silenced(at(8, 2, 9), at(8, 2, 10)), "two hours"),
        (silenced(at(9, 6, 9), at(9, 6, 23)), "it is not over: it may come late"),
        (silenced(at(1, 2, 9), at(1, 2, 20)), "what is usual is not known yet"),
        (silenced(at(8, 2, 9), at(8, 2, 16), level=2), "few events"),
        (np.resize(np.repeat([1, 0, 0, 1, 1, 1, 1], 24), 1680) * hours(week=np.ones(168)), "shut"),
        (np.roll(np.resize(np.eye(1, 168)[0] * 5000, 1680) + 5, 0), "a weekly letter"),
    ],
)
def test_hours_that_are_no_outage(values, why):
    moved = values.copy()
    if why == "a weekly letter":
        moved[168 * 8 + 4], moved[168 * 8] = moved[168 * 8], 0
    assert find_outages(moved, 24 * FIRST) == [], why


@settings(max_examples=60, deadline=None)
@given(
    level=st.floats(1, 5000), n_weeks=st.integers(1, 40), seed=st.integers(0, 10_000),
    spread=st.floats(0, 0.4), growth=st.floats(-0.01, 0.02),
)  # fmt: skip
def test_hours_of_one_pattern_hold_no_outage(level, n_weeks, seed, spread, growth):
    """Property: whatever size, noise, trend and length."""
    assert find_outages(hours(n_weeks, level, seed, spread, growth=growth), 24 * FIRST) == []
