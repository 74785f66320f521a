"""Raw columns of the simulated shop, as text."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from foretell.demo.properties import (
    COUNTRIES,
    draw_profiles,
    json_objects,
    random_ids,
    text_columns,
    time_text,
    user_names,
)
from foretell.demo.sessions import KIND, Events

START = np.datetime64("2026-01-01")
DAY = 86_400_000


def test_times_are_utc_or_two_hours_ahead():
    times = time_text(np.array([0, DAY + 1]), START, np.array([False, True]))
    assert times.to_pylist() == ["2026-01-01T00:00:00.000Z", "2026-01-02T02:00:00.001+02:00"]


def test_objects_are_json_and_ids_are_distinct():
    objects = json_objects({"a": pa.array(["1", "2"]), "b": pa.array(['"x"', "true"])})
    assert [json.loads(text) for text in objects.to_pylist()] == [
        {"a": 1, "b": "x"},
        {"a": 2, "b": True},
    ]
    ids = random_ids(500, np.random.default_rng(1)).to_pylist()
    assert len(set(ids)) == 500
    assert {len(text) for text in ids} == {16}
    assert user_names(2).to_pylist() == ["user-000000", "user-000001"]


@pytest.fixture
def events():
    """One user opens the app before and after a move, then a visitor does."""
    n = 3
    return Events(
        user=np.array([0, 0, 1]),
        device=np.array([0, 0, 2]),
        kind=np.full(n, KIND["app_open"]),
        time_ms=np.array([0, 5 * DAY, 6 * DAY]),
        is_anonymous=np.array([False, False, True]),
        plan=np.zeros(n, dtype=int),
    )


def test_who_is_logged_in_states_the_country_of_that_day_and_visitors_nothing(events):
    rng = np.random.default_rng(0)
    profiles = draw_profiles(2, 10, rng)
    profiles = replace(
        profiles,
        country=np.array([0, 0]), next_country=np.array([3, 3]), moves_on=np.array([2.0, 2.0]),
    )  # fmt: skip
    columns = text_columns(events, profiles, START, rng)
    assert columns["user_id"].to_pylist() == ["user-000000", "user-000000", None]
    *stated, nothing = columns["user_properties"].to_pylist()
    assert [json.loads(text)["country"] for text in stated] == [COUNTRIES[0], COUNTRIES[3]]
    assert nothing is None
