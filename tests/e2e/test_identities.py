"""Whom an identity belongs to as of any hour, with merges in chains, circles and groups."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import dbt, query, write_events
from tests.random_events import standing_for

START = datetime(2026, 1, 1)
DAYS, CHAIN = 30, 300
AS_OF = START + timedelta(days=DAYS)
HOUR_0 = int((START - datetime(1970, 1, 1)).total_seconds()) // 3600
MAP = """
    select identities.user_id, users.user_id
    from stg_identity_map as identity_map
    join stg_identities as identities on identity_map.identity_key = identities.identity_key
    join stg_identities as users on identity_map.user_key = users.identity_key
    where valid_from_hour <= {hour} and valid_to_hour > {hour}
"""


def merging_events(rng: random.Random) -> list[dict[str, Any]]:
    """A chain of 300 in random order, a circle of 9, random groups; a device of every third user."""
    pairs = [(f"c{n}", f"c{n + 1}") for n in range(CHAIN)]
    pairs += [(f"o{n}", f"o{(n + 1) % 9}") for n in range(9)]
    for _ in range(150):
        group, *both = rng.randrange(40), *rng.sample(range(6), 2)
        pairs.append((f"g{group}.{both[0]}", f"g{group}.{both[1]}"))
    rows = []
    for previous, user in pairs:
        seconds = rng.randrange(DAYS * 86400)
        late = rng.choice([0, 0, 30, 100]) * 3600
        rows.append(_row(user, None, "alias", seconds, previous, received=seconds + late))
    for number, user in enumerate(sorted({user for pair in pairs for user in pair})):
        rows.append(_row(user, None, "open", 60))
        if number % 3 == 0:
            rows.append(_row(None, f"d {user}", "visit", 60))
            rows.append(_row(user, f"d {user}", "open", rng.randrange(DAYS * 86400)))
    rng.shuffle(rows)
    return rows


def _row(user, device, name, seconds, previous=None, received=None):
    received = seconds if received is None else received
    return {
        "event_id": None, "user_id": user, "device_id": device, "event_name": name,
        "event_time": (START + timedelta(seconds=seconds)).isoformat(),
        "received_at": (START + timedelta(seconds=received)).isoformat(),
        "previous_id": previous,
    }  # fmt: skip


def hour_of(time: str) -> int:
    return int((datetime.fromisoformat(time) - START).total_seconds()) // 3600


def expected_map(rows: list[dict[str, Any]], hour: int) -> dict[str, str]:
    """Whom every identity belongs to as of an hour since START, by what was received before."""
    now = DAYS * 24
    merges = [
        (row["previous_id"], row["user_id"])
        for row in rows
        if row["previous_id"] and (hour == now or hour_of(row["received_at"]) < hour)
    ]
    belongs = standing_for(merges)
    everybody = {row["user_id"] or f"device:{row['device_id']}" for row in rows}
    out = {name: belongs.get(name, name) for name in everybody}
    for row in rows:
        if row["user_id"] and row["device_id"] and hour_of(row["event_time"]) < hour:
            out[f"device:{row['device_id']}"] = belongs.get(row["user_id"], row["user_id"])
    return out


@pytest.fixture(scope="module")
def case(tmp_path_factory) -> tuple[list[dict[str, Any]], Path]:
    folder = tmp_path_factory.mktemp("identities")
    rows = merging_events(random.Random(7))
    environment = {
        "FORETELL_EVENTS": str(write_events(folder / "events.parquet", rows)),
        "FORETELL_WAREHOUSE": str(folder / "warehouse.duckdb"),
        "FORETELL_AS_OF": AS_OF.isoformat(),
    }
    done = dbt(["build", "--select", "+stg_identity_map", "+ingest_report", "--exclude",
                "test_type:unit", "--indirect-selection", "cautious"], environment, folder)  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    return rows, folder / "warehouse.duckdb"


@pytest.mark.parametrize("days_ago", [0, 1, 2, 7, 20, 29])
def test_the_map_is_that_of_networkx_as_of_any_day(case, days_ago):
    rows, warehouse = case
    hour = (DAYS - days_ago) * 24
    assert dict(query(warehouse, MAP.format(hour=HOUR_0 + hour))) == expected_map(rows, hour)


def test_small_groups_are_exact_as_of_every_hour(case):
    """The chain grew at too many hours for a state each; what is not in it has them all."""
    rows, warehouse = case
    for hour in range(1, DAYS * 24, 37):
        found = dict(query(warehouse, MAP.format(hour=HOUR_0 + hour)))
        expected = expected_map(rows, hour)
        assert {name: user for name, user in found.items() if "c" not in name} | {
            name: user for name, user in expected.items() if "c" in name
        } == expected


def test_the_chain_is_never_known_too_early(case):
    rows, warehouse = case
    for hour in range(1, DAYS * 24, 37):
        before = expected_map(rows, hour // 24 * 24)
        found = dict(query(warehouse, MAP.format(hour=HOUR_0 + hour)))
        for name, user in found.items():
            if name.startswith("c"):
                assert user == before[name]


def test_each_identity_has_one_user_as_of_each_hour(case):
    _, warehouse = case
    gaps = """
        select 1 from (
            select valid_from_hour, valid_to_hour,
                lag(valid_to_hour, 1, 0) over (partition by identity_key order by valid_from_hour) as before
            from stg_identity_map
        ) where valid_from_hour <> before or valid_to_hour <= valid_from_hour
    """
    assert query(warehouse, gaps) == []


def test_merges_are_reported(case):
    rows, warehouse = case
    pairs = {(row["previous_id"], row["user_id"]) for row in rows if row["previous_id"]}
    found = query(warehouse, "select n_read, n_merges, n_merges_left_out from ingest_report")
    assert found == [(len(rows), len(pairs), 0)]
