"""Weeks with too few events are found and told; weekends, trends, seasons and small data are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.data_gaps import Gap, choose_snapshots, find_gaps, gap_alarms

FIRST = 20_000  # 2024-10-04
WEEK = np.array([1.0, 1.1, 1.0, 0.9, 1.2, 0.4, 0.3])


def counts(n_days=140, level=1000.0, seed=0, week=WEEK, spread=0.05, growth=0.0):
    """Return daily counts with a weekly pattern, more uneven than chance by `spread`."""
    rng = np.random.default_rng(seed)
    rate = level * np.resize(week, n_days) * np.exp(rng.normal(0, spread, n_days))
    rate *= np.exp(growth * np.arange(n_days))
    return rng.poisson(rate).astype(float)


def thinned(share, first=80, last=90, **options):
    values = counts(**options)
    values[first : last + 1] = np.round(values[first : last + 1] * share)
    return values


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("level", [200, 20_000])
def test_weeks_with_a_tenth_to_a_half_are_found_with_their_dates(share, level):
    (gap,) = find_gaps(thinned(share, level=level), FIRST)
    assert abs(gap.first_day - FIRST - 80) <= 1
    assert abs(gap.last_day - FIRST - 90) <= 1
    assert gap.is_over
    assert gap.n_events / gap.n_usual == pytest.approx(share, abs=0.08)


def test_a_gap_that_lasts_until_now_is_told_as_such():
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


GAP = Gap(FIRST + 80, FIRST + 89, (0.3,) * 10, 3000, 10_000.0)
NOW = 24 * (FIRST + 140)


def weekly(n=8, horizon_days=7, positives=100):
    """Return the snapshots of a prediction: weekly back from a horizon before now."""
    return {NOW - 24 * (horizon_days + 7 * week): positives for week in range(n)}


def test_labels_and_features_that_hold_a_gap_do_not_teach():
    early = Gap(FIRST + 40, FIRST + 49, (0.3,) * 10, 3000, 10_000.0)
    chosen = choose_snapshots([early], weekly(15), 168, NOW)
    # Features of day 98 hold eight days of it, of day 105 one; labels of day 35 two, of day 28 none.
    windows = {(h // 24 - FIRST): h for h in weekly(15)}
    assert {day for day, h in windows.items() if h in chosen.left_out} == {
        day for day in windows if 35 <= day <= 98
    }
    assert f"{len(chosen.left_out)} of 15 snapshots are left out" in chosen.words
    assert "users now" not in chosen.words


def test_where_now_holds_it_too_only_labels_decide():
    chosen = choose_snapshots([GAP], weekly(10), 168, NOW)
    windows = {h: GAP.missing_in(h, h + 168) for h in weekly(10)}
    assert chosen.left_out == {h for h, missing in windows.items() if missing >= 0.15 * 7}
    assert 0 < len(chosen.left_out) < 4
    assert chosen.words.endswith("what is known of users now holds it too")
    (alarm,) = gap_alarms("p", chosen)
    assert alarm.message.startswith(
        "from 2024-12-23 to 2025-01-01 there were 3,000 events where 10,000 would be usual (30%): "
    )


def test_where_too_few_would_be_left_all_teach_and_it_is_told():
    late = Gap(FIRST + 110, FIRST + 119, (0.3,) * 10, 3000, 10_000.0)
    chosen = choose_snapshots([late], weekly(2, horizon_days=28), 28 * 24, NOW)
    assert chosen.left_out == frozenset()
    assert "too few would be left" in chosen.words


def test_gaps_of_other_types_bias_no_label_and_far_ones_matter_to_nobody():
    other = Gap(**{**vars(GAP), "event_name": "view"})
    assert choose_snapshots([other], weekly(10), 168, NOW, {"buy"}).left_out == frozenset()
    assert choose_snapshots([other], weekly(10), 168, NOW, {"view"}).left_out
    far = Gap(FIRST - 300, FIRST - 290, (0.3,) * 11, 3000, 11_000.0)
    assert choose_snapshots([far], weekly(10), 168, NOW).words == ""
    assert gap_alarms("p", choose_snapshots([far], weekly(10), 168, NOW)) == []
