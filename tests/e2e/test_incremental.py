"""New files are added to what is there, and the result is that of a load of everything at once."""

from __future__ import annotations

import itertools
import json
import os
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import AFTER_SCORING, WarehouseFolder, write_events
from tests.random_events import arriving_events, random_events

# Other random arrivals and batches: FORETELL_TEST_SEEDS=2,3,4 pytest tests/e2e/test_incremental.py
SEEDS = [int(seed) for seed in os.environ.get("FORETELL_TEST_SEEDS", "1").split(",")]
# Every table on the way to the matrix, without the numbers of batches, counters and features.
TABLES = {
    "stg_checked_events": """
        select event_id, user_id, device_id, event_name, event_time, event_hour, received_at,
            event_properties, user_properties, previous_id, status, reason, raw_row
        from stg_checked_events""",
    "stg_ingest_counts": "select * exclude (counted_in) from stg_ingest_counts",
    "stg_sightings": "select * exclude (counted_in) from stg_sightings",
    "stg_identities": "select * exclude (counted_in) from stg_identities",
    "stg_merges": "select * exclude (batch_id) from stg_merges",
    "stg_identity_map": "select * from stg_identity_map",
    "stg_user_properties": "select * exclude (counted_in) from stg_user_properties",
    "stg_event_hours": "select * exclude (counted_in) from stg_event_hours",
    "volume_event_days": "select * exclude (counted_in) from volume_event_days",
    "volume_values": "select * from volume_values",
    "volume_value_users": "select * exclude (counted_in) from volume_value_users",
    "hourly_counters": "select * exclude (counter_id, seen_in) from hourly_counters where is_counted",
    "hourly_user_events": """
        select identity_key, event_hour, kind, event_name, property, value, hourly.n_events, value_sum
        from hourly_user_events as hourly left join hourly_counters using (counter_id)""",
    "taxonomy_features": "select * exclude (counter_id) from taxonomy_features",
    "taxonomy_property_values": "select * exclude (counter_id) from taxonomy_property_values",
    "taxonomy_user_properties": "select * from taxonomy_user_properties",
    "user_features": """
        select as_of, user_id, feature_name, user_features.value
        from user_features join features using (feature_id)""",
    "training_rows": "select * from training_rows",
    "scoring_rows": "select * from scoring_rows",
}
# As if a run had loaded events and stopped before it counted their hours.
STOPPED = """
    set search_path = 'warehouse.foretell,warehouse.foretell_internal';
    delete from stg_event_hours where event_hour > (select min(event_hour) + 24 from stg_event_hours);
    update stg_event_hours set counted_in = 0;
"""


class Warehouse(WarehouseFolder):
    """A folder of event files that grows, and the warehouse built from it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.n_files, self.silent_id = 0, ""

    def add(self, rows: list[dict[str, Any]]) -> Path:
        """Write one more file, later than those before."""
        self.n_files += 1
        path = write_events(self.folder / f"events/{self.n_files}.parquet", rows)
        os.utime(path, (1_780_000_000 + self.n_files,) * 2)
        return path

    def insert(self, rows: list[dict[str, Any]], loaded_at: str) -> None:
        """Put rows into the table raw.events, with their load time."""
        path = write_events(self.folder / "rows.parquet", rows)
        with duckdb.connect(str(self.path)) as connection:
            connection.execute("create schema if not exists raw")
            connection.execute(
                f"""
                create table if not exists raw.events as
                select *, timestamp '2026-01-01' as "came ""at""\" from '{path}' limit 0
                """
            )
            connection.execute(f"insert into raw.events select *, $1 from '{path}'", [loaded_at])
            connection.execute(
                """update raw.events set "came ""at""\" = null where event_id = $1""",
                [self.silent_id],
            )

    def build(self, scope: str = "everyone", *arguments: str, loading: str = "") -> str:
        """Run dbt on all before training and return what it printed."""
        # Few values are counted, so that which ones they are changes as events come in.
        variables = "max_value_counters: 4, max_sum_counters: 2, max_values_per_day: 2, max_sampled_identities: 8"
        variables += loading and f", {loading}"
        return self.dbt(scope, [*arguments, "--exclude", AFTER_SCORING], variables)

    def tables(self, names: Iterable[str] = TABLES) -> dict[str, list[tuple[Any, ...]]]:
        """Return every table, or those named, its rows in order."""
        return {name: self.query(f"from ({TABLES[name]}) order by all") for name in names}


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path)


@pytest.mark.parametrize("seed", SEEDS)
def test_batches_give_what_one_load_gives(warehouse, seed):
    rows = arriving_events(seed)
    rng = random.Random(seed)
    cuts = sorted(rng.sample(range(len(rows) // 2, len(rows)), 2))
    scopes = ["everyone", "active", "everyone"]
    for first, last, scope in zip([0, *cuts], [*cuts, len(rows)], scopes, strict=True):
        part = rows[first:last]
        rng.shuffle(part)
        warehouse.add(part)
        assert "anew" not in warehouse.build(scope)
    statuses = "n_accepted, n_same_event_id, n_same_content, n_too_late, n_future_clock, n_unusable"
    report = warehouse.query(f"select n_read, {statuses} from ingest_report order by batch_id")
    assert [row[0] for row in report] == [cuts[0], cuts[1] - cuts[0], len(rows) - cuts[1]]
    assert [row[0] for row in report] == [sum(row[1:]) for row in report]
    # The case that is hard: a later file took events back.
    assert warehouse.query("select 1 from stg_checked_events where batch_id < decided_in")
    in_batches = warehouse.tables()
    warehouse.build("everyone", "--full-refresh")
    at_once = warehouse.tables()
    for name in TABLES:
        assert in_batches[name] == at_once[name], name


def test_only_new_rows_are_read_of_a_relation(warehouse):
    """The same with rows put into a table with a load time, which one row lacks."""
    source = {"name": "till", "relation": "raw.events", "loaded_at": 'came "at"'}
    warehouse.source = {"FORETELL_SOURCES": json.dumps([source])}
    rows = arriving_events(2)
    warehouse.silent_id = next(row["event_id"] for row in rows if row["event_id"])
    cuts = [0, len(rows) - 60, len(rows) - 60, len(rows)]
    names = ["stg_checked_events", "stg_sightings", "stg_identity_map", "hourly_user_events"]
    counted = ["--select", "+hourly_user_events", "+stg_identity_map", "+ingest_report"]
    for number, (first, last) in enumerate(itertools.pairwise(cuts)):
        warehouse.insert(rows[first:last], f"2026-05-0{number + 1} 00:00:00.25")
        assert "anew" not in warehouse.build("everyone", *counted)
    assert warehouse.query("select count(*) from stg_batches") == [(2,)], "one load was empty"
    ((n_read,),) = warehouse.query("select sum(n_read) from ingest_report")
    assert n_read == len(rows)
    in_batches = warehouse.tables(names)
    warehouse.build("everyone", *counted, "--full-refresh")
    assert in_batches == warehouse.tables(names)


def test_files_that_come_change_and_go(warehouse):
    rows = random_events(4, n_users=5, n_events=300, days=40)
    late = [
        {**row, "event_id": f"late {number}"}
        for number, row in enumerate(rows)
        if row["event_time"] < "2026-01-20"
    ]
    n_raw = "select count(*) from stg_checked_events"
    n_late = "select sum(n_rows) from stg_ingest_counts where status = 'late'"
    warehouse.add(rows)
    warehouse.build()
    before = warehouse.tables()
    assert "anew" not in warehouse.build()
    assert warehouse.tables() == before, "nothing new changes nothing"

    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute(STOPPED)
    second = warehouse.add(late)
    warehouse.build(loading="accept_late: true")
    assert warehouse.query(n_late) == [(len(late),)]
    unchanged = TABLES.keys() - {"stg_checked_events", "stg_ingest_counts"}
    assert {name: warehouse.tables()[name] for name in unchanged} == {
        name: before[name] for name in unchanged
    }, "what comes too late is only counted"

    write_events(second, late[10:])
    assert "2.parquet changed since" in warehouse.build()
    assert warehouse.query(n_raw) == [(len(rows) + len(late) - 10,)]
    assert warehouse.query(n_late) == [(None,)], "a load of everything takes in what was late"

    second.unlink()
    assert "anew" not in warehouse.build()
    assert warehouse.query(n_raw) == [(len(rows) + len(late) - 10,)], "events of a file gone stay"
