"""Sizes that break naive systems, and questions that nothing can be learned for."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from foretell.pipeline.train_prediction import train_prediction
from foretell.warehouse.open import open_warehouse
from tests.conftest import AFTER_SCORING, dbt, query

N_EVENTS, N_TYPES = 1_000_000, 10_000
# One user with a million events, each with a value of its own; ten thousand event types; two thousand
# users who open the app now and then; nobody does anything on day 40.
EVENTS = f"""
    copy (
        select
            'e' || i as event_id, user_id, event_name,
            timestamp '2026-01-01' + to_seconds(80 * 86400 * (i % 99991) / 99991) as event_time,
            event_properties
        from (
            select
                i, 'machine' as user_id, 'tick' as event_name,
                '{{"id": "v' || i || '"}}' as event_properties
            from range({N_EVENTS}) as r (i)
            union all
            select {N_EVENTS} + i, 'u' || (i % 2000), 'type ' || i, null from range({N_TYPES}) as r (i)
            union all
            select {N_EVENTS + N_TYPES} + i * 7919, 'u' || (i % 2000), 'open', '{{"flag": 1}}'
            from range(40000) as r (i)
        )
        where event_time < timestamp '2026-02-10' or event_time >= timestamp '2026-02-11'
    ) to 'FILE' (format parquet)
"""
DEFINITION = """
  - name: {}
    type: ml
    owner: {{name: t}}
    depends_on: [ref('predictions')]
    config: {{meta: {{prediction: {{{}, horizon_days: 7}}}}}}
"""
DEFINITIONS = "exposures:" + "".join(
    DEFINITION.format(name, text)
    for name, text in [
        ("empty_cohort", "cohort: [{event: open, at_least: 999}], outcome: {event: open}"),
        ("never", "outcome: {event: open, where: {flag: 2}}"),
        ("always", 'outcome: {event: "type 1", not_done: true}'),
    ]
)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hard")
    duckdb.execute(EVENTS.replace("FILE", str(folder / "events.parquet")))
    (folder / "p").mkdir()
    (folder / "p/shop.yml").write_text(DEFINITIONS)
    environment = {
        "FORETELL_EVENTS": str(folder / "events.parquet"),
        "FORETELL_PREDICTIONS": str(folder / "p"),
        "FORETELL_WAREHOUSE": str(folder / "warehouse.duckdb"),
    }
    done = dbt(["run", "--exclude", AFTER_SCORING], environment, folder)
    assert done.returncode == 0, done.stdout[-3000:]
    return folder / "warehouse.duckdb"


def test_ten_thousand_event_types_are_all_listed_and_few_kept(warehouse):
    counts = "select count(*), count(*) filter (is_kept) from taxonomy where kind = 'event type'"
    assert query(warehouse, counts) == [(N_TYPES + 2, 50)]


def test_a_million_values_are_an_identifier_and_not_listed(warehouse):
    described = (
        "select value_type, n_values, is_kept from taxonomy where kind = '{}' and property = 'id'"
    )
    ((value_type, n_values, is_kept),) = query(warehouse, described.format("event property"))
    assert (value_type, is_kept) == ("identifier", False)
    assert n_values > 0.98 * N_EVENTS
    values = query(warehouse, described.format("property value"))
    assert len(values) == 20
    assert not any(value[2] for value in values)


def test_a_user_with_a_million_events_is_counted_to_the_last_one(warehouse):
    n_ticks = query(warehouse, "select count(*) from stg_events where event_name = 'tick'")
    counted = """
        select max(user_features.value)
        from user_features join features using (feature_id)
        where user_id = 'machine' and feature_name = 'event_count_ever of "tick"'
    """
    ((value,),) = query(warehouse, counted)
    n_before = (
        "select sum(n_events) from taxonomy where event_name = 'tick' and kind = 'event type'"
    )
    assert value == query(warehouse, n_before)[0][0]
    assert n_ticks[0][0] >= value > 0.98 * N_EVENTS


def test_a_day_without_events_is_no_gap_in_anything(warehouse):
    days = "select count(distinct event_hour // 24) from hourly_user_events"
    assert query(warehouse, days) == [(79,)]
    assert query(warehouse, "select count(*) from scoring_rows where prediction = 'never'") == [
        (2001,)
    ]


def test_features_are_seen_in_the_run_that_made_them(warehouse):
    """What dbt reads after it wrote features block by block is what it wrote (user_blocks)."""
    assert query(warehouse, "select count(*) > 200000 from features_values") == [(True,)]
    n_related = (
        "select count(*) from outcome_relations where prediction = 'never' and event_name = 'open'"
    )
    assert query(warehouse, n_related) == [(1,)]  # its flag is a code: a definition asks for one


@pytest.mark.parametrize(
    ("prediction", "counts"),
    [
        ("empty_cohort", "0 positives and 0 negatives in 0 snapshots"),
        ("never", "0 positives and "),
        ("always", " positives and 0 negatives in "),
    ],
)
def test_what_cannot_be_learned_is_refused_with_the_counts(warehouse, prediction, counts):
    with open_warehouse(warehouse) as open_file:
        model = train_prediction(open_file, prediction, lambda line: None)
    assert model.status == "rejected"
    assert counts in model.reason
