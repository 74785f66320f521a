"""Which snapshots a gap keeps from training, and the alarms of gaps and outages."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from foretell.alarms.data_gaps import choose_snapshots, gap_alarms, outage_alarms, read_gaps
from foretell.alarms.usual_volume import Gap
from foretell.warehouse.open import open_warehouse
from tests.foretell.alarms.volumes import FIRST, at, hours

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


def test_where_too_few_snapshots_would_be_left_all_are_used():
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


def test_an_outage_of_one_type_is_reported_for_a_week(warehouse):
    (alarm,) = outage_alarms(warehouse)
    assert alarm.prediction is None
    assert alarm.message.startswith(
        "from 2024-12-08 09:00 to 2024-12-08 15:00 UTC there were 0 events “buy” where 5"
    )
    assert alarm.message.endswith("would be usual (0%): what users did then is not known")
    warehouse.execute("update stg_as_of set as_of_hour = as_of_hour + 170")
    assert outage_alarms(warehouse) == []


def test_gaps_are_read_anew_after_new_events(warehouse):
    (gap,) = read_gaps(warehouse)
    assert gap.event_name == "buy"
    warehouse.execute(
        f"insert into hourly_user_events select 2, {gap.first_hour} + i, 90 from range(6) as t(i)"
    )
    assert read_gaps(warehouse) == [gap]  # as no batch is newer
    warehouse.execute("update stg_event_hours set counted_in = 2")
    assert read_gaps(warehouse) == []


def test_an_outage_of_all_events_is_reported_once(warehouse):
    warehouse.execute(
        f"delete from hourly_user_events where event_hour between {24 * FIRST + at(9, 2, 9)} "
        f"and {24 * FIRST + at(9, 2, 14)}"
    )
    warehouse.execute(
        f"delete from stg_event_hours where event_hour between {24 * FIRST + at(9, 2, 9)} "
        f"and {24 * FIRST + at(9, 2, 14)}"
    )
    assert [gap.event_name for gap in read_gaps(warehouse)] == [None]
