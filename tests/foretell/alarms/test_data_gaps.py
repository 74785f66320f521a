"""Weeks with too few events are found and reported; weekends, trends, seasons and small data are not."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.alarms.data_gaps import choose_snapshots, gap_alarms, outage_alarms, read_gaps
from foretell.alarms.usual_volume import Gap, find_gaps, find_outages
from foretell.warehouse.open import open_warehouse

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
    assert abs(gap.first - FIRST - 80) <= 1
    assert abs(gap.last - FIRST - 90) <= 1
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


DAY = np.array(
    [0, 0, 0, 0, 0, 0.1, 0.3, 0.6, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0.8, 0.8, 0.6, 0.4, 0.2, 0.1]
)
BUSY_WEEK = np.repeat(WEEK, 24) * np.resize(DAY, 168) + 0.02


def hours(n_weeks=10, level=100.0, seed=0, spread=0.1, week=BUSY_WEEK, growth=0.0):
    """Return hourly counts that begin at midnight, fewer at night and at weekends."""
    return counts(168 * n_weeks, level, seed, week, spread, growth / 24)


def silenced(first, last, share=0.0, **options):
    values = hours(**options)
    values[first : last + 1] = np.round(values[first : last + 1] * share)
    return values


def at(week, day, hour):
    return 168 * week + 24 * day + hour


def test_an_outage_of_hours_is_found_with_its_times():
    (gap,) = find_outages(silenced(at(8, 2, 9), at(8, 2, 16)), 24 * FIRST)
    assert (gap.first, gap.last) == (24 * FIRST + at(8, 2, 9), 24 * FIRST + at(8, 2, 16))
    assert gap.n_events == 0
    assert gap.n_usual == pytest.approx(8 * 100, rel=0.2)
    assert gap.missing == pytest.approx(8 / 24)
    assert gap.words.startswith("from 2024-12-01 09:00 to 2024-12-01 17:00 UTC there were 0 events")


def test_a_few_that_came_all_the_same_and_two_outages():
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


@pytest.fixture
def warehouse(tmp_path):
    """Return a warehouse of 10 weeks in which one type fell silent for a morning of the last week."""
    views, buys = hours(level=300), hours(level=100, seed=1)
    buys[at(9, 2, 9) : at(9, 2, 15)] = 0
    with duckdb.connect(tmp_path / "w.duckdb") as connection:
        connection.execute("create schema foretell")
    with open_warehouse(tmp_path / "w.duckdb") as opened:
        for statement in (
            f"create table stg_as_of as select {24 * FIRST + 1680} as as_of_hour, "
            f"make_timestamp({(24 * FIRST + 1680) * 3_600_000_000}) as as_of",
            "create table hourly_counters (counter_id integer, kind varchar, event_name varchar)",
            "insert into hourly_counters values (1, 'event', 'view'), (2, 'event', 'buy')",
            "create table hourly_user_events (counter_id integer, event_hour integer, n_events integer)",
            "create table volume_event_days (event_day integer, event_name varchar, property varchar, "
            "n_events bigint, counted_in integer)",
            "create table stg_event_hours (event_hour integer, n_events bigint, counted_in integer)",
        ):
            opened.execute(statement)
        for counter, values in ((1, views), (2, buys)):
            opened.append(
                "hourly_user_events",
                pa.table(
                    {
                        "counter_id": [counter] * 1680,
                        "event_hour": 24 * FIRST + np.arange(1680),
                        "n_events": values.astype(int),
                    }
                ),
            )
        opened.execute("delete from hourly_user_events where n_events = 0")
        opened.execute(
            "insert into volume_event_days select event_hour // 24, event_name, null, sum(n_events), 1 "
            "from hourly_user_events join hourly_counters using (counter_id) group by all"
        )
        opened.execute(
            "insert into stg_event_hours select event_hour, sum(n_events), 1 "
            "from hourly_user_events group by all"
        )
        yield opened


def test_an_outage_of_one_type_is_told_for_a_week(warehouse):
    (alarm,) = outage_alarms(warehouse)
    assert alarm.prediction is None
    assert alarm.message.startswith(
        "from 2024-12-08 09:00 to 2024-12-08 15:00 UTC there were 0 events “buy” where 5"
    )
    assert alarm.message.endswith("would be usual (0%): what users did then is not known")
    warehouse.execute("update stg_as_of set as_of_hour = as_of_hour + 170")
    assert outage_alarms(warehouse) == []


def test_gaps_are_read_anew_when_events_came(warehouse):
    (gap,) = read_gaps(warehouse)
    assert gap.event_name == "buy"
    warehouse.execute(
        f"insert into hourly_user_events select 2, {gap.first_hour} + i, 90 from range(6) as t(i)"
    )
    assert read_gaps(warehouse) == [gap]  # as nothing says that something came
    warehouse.execute("update stg_event_hours set counted_in = 2")
    assert read_gaps(warehouse) == []


def test_an_outage_of_all_events_is_told_once(warehouse):
    warehouse.execute(
        f"delete from hourly_user_events where event_hour between {24 * FIRST + at(9, 2, 9)} "
        f"and {24 * FIRST + at(9, 2, 14)}"
    )
    warehouse.execute(
        f"delete from stg_event_hours where event_hour between {24 * FIRST + at(9, 2, 9)} "
        f"and {24 * FIRST + at(9, 2, 14)}"
    )
    assert [gap.event_name for gap in read_gaps(warehouse)] == [None]
