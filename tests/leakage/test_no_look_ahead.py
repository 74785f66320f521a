"""Nothing at or after as_of reaches a feature, a cohort or a matured label; order never matters."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import query
from tests.random_events import NAMES, START, random_events

AS_OF_DAY = 60
AS_OF = (START + timedelta(days=AS_OF_DAY)).isoformat()
KEPT = "select feature_name from taxonomy_features"
FEATURES = """
    select user_features.as_of, user_id, feature_name, user_features.value
    from user_features join features using (feature_id) order by all
"""
FATES = """
    select
        sum(n_read),
        sum(n_accepted + n_same_event_id + n_same_content + n_too_late + n_future_clock + n_unusable),
        sum(n_unusable)
    from ingest_report
"""
NO_TIMES = [None, "", "soon", "2026-13-01", "9999999-01-01"]
ROWS = "select prediction, as_of, user_id, label from training_rows order by all"
COHORT = "select prediction, as_of, user_id from scoring_rows order by all"


def past(seed: int) -> list[dict]:
    return [row for row in random_events(seed) if row["event_time"] < AS_OF]


def everything(warehouse) -> list[list[tuple]]:
    return [query(warehouse, sql) for sql in (FEATURES, ROWS, COHORT)]


@pytest.fixture(scope="module")
def of_the_past(warehouse_of):
    """Return the warehouse of events before as_of."""
    return warehouse_of(past(1), AS_OF)


@pytest.fixture(scope="module")
def before(of_the_past):
    return everything(of_the_past)


future_events = st.lists(
    st.fixed_dictionaries(
        {
            "event_id": st.one_of(st.none(), st.uuids().map(str), st.just("e1")),
            "user_id": st.one_of(st.none(), st.integers(0, 40).map(lambda n: f"user {n}'s")),
            "device_id": st.one_of(st.none(), st.integers(0, 40).map(lambda n: f"d{n}")),
            "event_name": st.one_of(st.sampled_from(NAMES), st.text(max_size=30)),
            "event_time": st.one_of(
                st.integers(0, 400 * 86400).map(
                    lambda s: (START + timedelta(days=AS_OF_DAY, seconds=s)).isoformat()
                ),
                st.sampled_from(NO_TIMES),
            ),
            "event_properties": st.one_of(
                st.none(),
                st.dictionaries(
                    st.text(max_size=8), st.one_of(st.text(), st.floats(), st.integers())
                ),
            ),
            "user_properties": st.one_of(st.none(), st.just({"plan": "pro"})),
            "previous_id": st.one_of(st.none(), st.integers(0, 40).map(lambda n: f"user {n}'s")),
        }
    ),
    min_size=1,
    max_size=300,
)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(extra=future_events)
def test_events_at_or_after_as_of_change_nothing_and_every_row_is_accounted_for(
    extra, before, warehouse_of
):
    # An id that repeats a past event's is a duplicate of it only if it arrived later.
    for row in extra:
        row["received_at"] = row["event_time"]
    rows = past(1) + extra
    warehouse = warehouse_of(rows, AS_OF)
    assert everything(warehouse) == before
    ((n_read, n_told, n_unusable),) = query(warehouse, FATES)
    assert n_read == n_told == len(rows)
    assert n_unusable == sum(
        row["event_time"] in NO_TIMES
        or not row["event_name"]
        or not (row["user_id"] or row["device_id"])
        for row in rows
    )


def test_the_hour_of_as_of_itself_is_the_future(before, warehouse_of):
    at_as_of = {
        **past(1)[0],
        "event_id": "new",
        "user_id": "user 1's",
        "event_time": AS_OF,
        "received_at": AS_OF,
    }
    assert everything(warehouse_of([*past(1), at_as_of], AS_OF)) == before
    just_before = (START + timedelta(days=AS_OF_DAY, seconds=-1)).isoformat()
    assert (
        everything(warehouse_of([*past(1), {**at_as_of, "event_time": just_before}], AS_OF))
        != before
    )


def test_order_of_events_and_copies_do_not_matter(before, warehouse_of):
    rows = past(1) + past(1)
    random.Random(5).shuffle(rows)
    assert everything(warehouse_of(rows, AS_OF)) == before


def test_a_past_hour_replayed_gives_the_features_scored_then(of_the_past, warehouse_of):
    earlier = (START + timedelta(days=AS_OF_DAY - 7)).isoformat()
    warehouses = warehouse_of(past(1), earlier), of_the_past
    # What is kept may change with a week more of volumes; what both keep must have the same values.
    both = set.intersection(*({name for (name,) in query(w, KEPT)} for w in warehouses))
    as_scored, as_trained = (
        {row for row in query(w, FEATURES) if row[0].isoformat() == earlier and row[2] in both}
        for w in warehouses
    )
    assert len(both) > 400
    assert as_scored
    assert as_scored == as_trained
