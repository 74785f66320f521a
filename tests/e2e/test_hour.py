"""An hourly run: only users active since the last run are processed, all others keep their rows."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import duckdb
import pytest

from tests.conftest import AFTER_SCORING, SHOP, WarehouseFolder, write_events
from tests.dbt_macros import loaded
from tests.random_events import random_events

DAY = datetime(2026, 3, 1)
# Whoever bought in the last 3 days is left out: users enter and leave by what they do.
DEFINITIONS = SHOP.replace(
    "cohort: [{event: any, within_days: 28}]",
    "cohort: [{event: any, within_days: 1}, {event: purchase, not_done: true, within_days: 3}]",
)
SCORE = """
    insert into prediction_history by name
    select prediction, user_id, hash(user_id || as_of::text) / 2e19 as probability, 50 as percentile, as_of,
        as_of as scored_at, 'm' as model_id
    from scoring_rows where has_features
"""
COHORT = "select user_id, as_of, has_features from scoring_rows order by all"
PREDICTIONS = "select user_id, as_of, probability from predictions order by all"
# Of the history, for the cohort as it is.
NEWEST = """
    select user_id, history.as_of, probability
    from prediction_history as history
    inner join scoring_rows using (prediction, user_id)
    qualify row_number() over (partition by user_id order by history.as_of desc) = 1
    order by all
"""
ACTIVE = "select user_id from cohort_active_identities"
SEEN = """
    select distinct user_id
    from stg_events
    where event_time >= '{}' and event_time < '{}' and user_id is not null
"""
AUDIENCES = "select user_id, as_of, probability from audiences order by all"
DECIDED = "select scope, reason from cohort_scope"
SCHEMAS = "set search_path = 'warehouse.foretell,warehouse.foretell_internal'"
STOPPED = [("everyone", "an earlier run was stopped, or replayed a past hour")]


class Warehouse(WarehouseFolder):
    """A warehouse and its hourly and daily runs; scores are made up."""

    def add(self, rows: list[dict], until: datetime) -> None:
        """Add a file of the events of the two hours before."""
        since = until - timedelta(hours=2)
        part = [row for row in rows if since.isoformat() <= row["event_time"] < until.isoformat()]
        write_events(self.folder / f"events/{until:%d-%H}.parquet", part)

    def build(self, scope: str, as_of: str = "") -> None:
        self.dbt(scope, ["--exclude", AFTER_SCORING], as_of=as_of)

    def score(self) -> None:
        with duckdb.connect(str(self.path)) as connection:
            connection.execute(SCHEMAS)
            connection.execute(SCORE)

    def serve(self, scope: str, as_of: str = "") -> None:
        self.dbt(scope, ["--select", AFTER_SCORING], as_of=as_of)

    def run(self, scope: str, as_of: str = "") -> None:
        self.build(scope, as_of)
        self.score()
        self.serve(scope, as_of)

    def copy(self, folder: Path) -> Warehouse:
        shutil.copytree(self.folder, folder)
        return Warehouse(folder, DEFINITIONS)

    def now(self) -> datetime:
        return self.query("select as_of from stg_as_of")[0][0]


@pytest.fixture(scope="module")
def rows():
    made = random_events(3, n_users=400, n_events=20_000)
    for row in made[100:]:  # else all users become one
        row["previous_id"] = None
    return made


@pytest.fixture(scope="module")
def day(tmp_path_factory, rows):
    """Return a warehouse after a daily run."""
    warehouse = Warehouse(tmp_path_factory.mktemp("hour") / "day", DEFINITIONS)
    before = [row for row in rows if row["event_time"] < DAY.isoformat()]
    write_events(warehouse.folder / "events/before.parquet", before)
    warehouse.build("everyone")
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute(SCHEMAS)
        connection.execute(
            "insert into models by name select 'm' as model_id, prediction, definition_hash, 'champion' as status "
            "from prediction_definitions"
        )
    warehouse.score()
    warehouse.serve("everyone")
    return warehouse


def split(rows: list[tuple], users: set[str]) -> tuple[list[tuple], list[tuple]]:
    """Return the rows of these users, and the others."""
    return [row for row in rows if row[0] in users], [row for row in rows if row[0] not in users]


def test_hours_change_active_users_only(day, rows, tmp_path):
    hourly = day.copy(tmp_path / "hourly")
    entered, left = set(), set()
    for hour in (2, 4):
        cohort, predictions = hourly.query(COHORT), hourly.query(PREDICTIONS)
        since = hourly.now()
        hourly.add(rows, DAY + timedelta(hours=hour))
        everybody = hourly.copy(tmp_path / f"everybody {hour}")
        hourly.run("active")
        everybody.run("everyone")
        active = {user for (user,) in hourly.query(ACTIVE)}
        assert 0 < len(active) < 300
        assert hourly.query(DECIDED) == [("active", None)]
        assert hourly.now() - since == timedelta(hours=2)  # no run processed the first of them
        seen = {user for (user,) in hourly.query(SEEN.format(since, hourly.now()))}
        assert seen <= active

        processed, others = split(hourly.query(COHORT), active)
        assert processed == split(everybody.query(COHORT), active)[0]
        assert {row[1:] for row in processed} == {(hourly.now(), True)}
        assert others == [(*row[:2], False) for row in split(cohort, active)[1]]

        scored, others = split(hourly.query(PREDICTIONS), active)
        assert scored == split(everybody.query(PREDICTIONS), active)[0]
        assert others == split(predictions, active)[1]
        assert hourly.query(AUDIENCES) == hourly.query(PREDICTIONS)
        before = {row[0] for row in cohort}
        entered |= {row[0] for row in processed} - before
        left |= (active & before) - {row[0] for row in processed}
    assert entered
    assert left


TESTS_OF = {"hourly_user_events": ["rollup_counts_every_event"]}  # its key is tested on a sample
COUNTED = "identity_key in (select identity_key from stg_identities where counted_in = 2)"
# Rows that the hour after the first load (batch 2) changed, or has to tell apart from those it did.
CHANGED = {
    "stg_sightings": COUNTED,
    "stg_identities": COUNTED,
    "stg_identity_map": COUNTED,
    "hourly_user_events": "event_hour >= (select min(event_hour) from hourly_user_events where counted_in = 2)",
    "scoring_rows": "user_key in (select identity_key from cohort_active_identities)",
    "predictions": f"user_id in ({ACTIVE})",
    "audiences": f"user_id in ({ACTIVE})",
}


def test_an_hour_tests_what_it_changed_and_a_day_everything(day, rows, tmp_path):
    hourly = day.copy(tmp_path / "hourly")
    hourly.add(rows, DAY + timedelta(hours=2))
    hourly.run("active")
    assert hourly.failed_tests("active", list(CHANGED)) == set()
    others = hourly.copy(tmp_path / "others")
    for warehouse, rows_twice in ((hourly, "{}"), (others, "not ({})")):
        with duckdb.connect(str(warehouse.path)) as connection:
            connection.execute(SCHEMAS)
            for table, condition in reversed(CHANGED.items()):
                twice = f"insert into {table} from {table} where {rows_twice.format(condition)}"
                assert connection.execute(twice).fetchall()[0][0] > 0

    assert others.failed_tests("active", list(CHANGED)) == set()
    found = hourly.failed_tests("active", list(CHANGED))
    assert found <= others.failed_tests("everyone", list(CHANGED))
    for table in CHANGED:
        assert [name for name in found if table in name or name in TESTS_OF.get(table, ())], table


def test_an_hour_after_an_upgrade_makes_older_tables_anew(day, rows, tmp_path):
    hourly = day.copy(tmp_path / "hourly")
    before = hourly.query("from predictions order by all")
    hourly.add(rows, DAY + timedelta(hours=2))
    with duckdb.connect(str(hourly.path)) as connection:
        connection.execute(SCHEMAS)
        connection.execute("update build_state set version = '0.2.9'")
        for table in ("predictions", "audiences", "prediction_history"):
            connection.execute(f"alter table {table} drop column expected_value")
    refused = hourly.dbt_output("build", "active", ["--exclude", AFTER_SCORING])
    assert (
        "the tables are of Foretell 0.2.9 and this is 0.3.0: build them once for all users"
        in refused
    )
    hourly.run("everyone")
    assert hourly.query("select version from build_state") == [("0.3.0",)]
    assert hourly.query(PREDICTIONS) == hourly.query(NEWEST)
    assert len(hourly.query("from predictions")[0]) == len(before[0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("update build_state set version = '0.10.0'", "made by Foretell 0.10.0 and this is 0.3.0"),
        ("drop table build_state", "this warehouse was made before Foretell 0.3"),
    ],
)
def test_a_warehouse_of_an_unknown_version_is_not_written_to(day, tmp_path, change, words):
    other = day.copy(tmp_path / "other")
    with duckdb.connect(str(other.path)) as connection:
        connection.execute(f"{SCHEMAS}; {change}")
    assert words in other.dbt_output("build", "everyone", ["--exclude", AFTER_SCORING])


def test_the_version_of_a_warehouse_is_that_of_the_package():
    with loaded("history/build_state.sql") as macros:
        assert macros.warehouse_version() == version("foretell")


def test_after_a_run_that_was_stopped_all_users_are_processed(day, rows, tmp_path):
    hourly = day.copy(tmp_path / "hourly")
    hourly.add(rows, DAY + timedelta(hours=2))
    hourly.build("active")
    hourly.score()  # and then it was killed
    hourly.add(rows, DAY + timedelta(hours=4))
    hourly.run("active")
    assert hourly.query(DECIDED) == STOPPED
    predictions = hourly.query(PREDICTIONS)
    assert predictions == hourly.query(NEWEST)
    assert predictions == hourly.query(AUDIENCES)
    # Users of the stopped run were processed again.
    assert {row[1] for row in predictions} == {day.now(), hourly.now()}

    hourly.add(rows, DAY + timedelta(hours=6))
    hourly.build("active")
    assert hourly.query(DECIDED) == [("active", None)]
    hourly.score()
    hourly.dbt("active", ["--select", "predictions"])  # and then it was killed
    assert hourly.query(PREDICTIONS) != hourly.query(AUDIENCES)
    hourly.build("active")
    assert hourly.query(DECIDED) == STOPPED


def test_a_run_that_failed_before_scoring_leaves_nobody_who_left(day, rows, tmp_path):
    hourly = day.copy(tmp_path / "hourly")
    hourly.add(rows, DAY + timedelta(hours=2))
    hourly.build("active")  # and then it was killed
    hourly.add(rows, DAY + timedelta(hours=4))
    hourly.run("active")
    assert hourly.query(DECIDED) == STOPPED
    assert hourly.query(PREDICTIONS) == hourly.query(NEWEST)


def test_the_hour_of_a_daily_run_changes_nothing(day, tmp_path):
    hourly = day.copy(tmp_path / "hourly")
    hourly.run("active")
    assert hourly.query(DECIDED) == [("active", None)]
    assert 0 < len(hourly.query(ACTIVE)) < len(day.query(PREDICTIONS))
    assert hourly.query(PREDICTIONS) == hourly.query(AUDIENCES) == day.query(PREDICTIONS)


def test_scores_of_a_changed_definition_stay_and_are_marked_within_the_hour(day, rows, tmp_path):
    hourly = day.copy(tmp_path / "hourly")
    marked = "select distinct is_of_older_definition from predictions"
    assert hourly.query(marked) == [(False,)]
    hourly.define(DEFINITIONS.replace("horizon_days: 7", "horizon_days: 8"))
    hourly.add(rows, DAY + timedelta(hours=2))
    before = dict((user, p) for user, _, p in hourly.query(PREDICTIONS))
    hourly.build("active")
    hourly.serve("active")  # no model of the new definition scores
    assert hourly.query(DECIDED) == [("everyone", "definitions changed")]
    assert hourly.query(marked) == [(True,)]
    after = hourly.query(PREDICTIONS)
    assert after == hourly.query(AUDIENCES)
    assert len(after) > 0.8 * len(before)
    assert {user: p for user, _, p in after}.items() <= before.items()

    hourly.add(rows, DAY + timedelta(hours=4))
    with duckdb.connect(str(hourly.path)) as connection:  # the new model is there
        connection.execute("update warehouse.foretell.models set model_id = 'old'")
        connection.execute("update warehouse.foretell.prediction_history set model_id = 'old'")
        connection.execute("update warehouse.foretell.predictions set model_id = 'old'")
        connection.execute(
            "insert into warehouse.foretell.models by name select 'm' as model_id, prediction, "
            "definition_hash, 'champion' as status from warehouse.foretell.prediction_definitions"
        )
    hourly.run("active")
    scored, others = split(hourly.query(PREDICTIONS), {u for (u,) in hourly.query(ACTIVE)})
    assert {row[1] for row in scored} == {hourly.now()}
    assert len(others) > 0  # served, by the question before, until the day
    assert hourly.query(
        "select count(*) from predictions where is_of_older_definition <> (model_id = 'old')"
    ) == [(0,)]
    assert hourly.query(PREDICTIONS) == hourly.query(NEWEST) == hourly.query(AUDIENCES)


def test_a_replay_and_the_hour_after_it_process_all_users(day, tmp_path):
    hourly = day.copy(tmp_path / "hourly")
    past = DAY - timedelta(days=9)
    everybody = hourly.copy(tmp_path / "everybody")
    hourly.run("active", past.isoformat())
    everybody.build("everyone", past.isoformat())
    assert hourly.query(DECIDED) == [("everyone", "a past hour is replayed")]
    assert [row[:2] for row in hourly.query(COHORT)] == [row[:2] for row in everybody.query(COHORT)]
    assert {row[1] for row in hourly.query(PREDICTIONS)} == {past}

    hourly.run("active")
    assert hourly.query(DECIDED) == STOPPED
    assert [row[:2] for row in hourly.query(COHORT)] == [row[:2] for row in day.query(COHORT)]
    assert hourly.query(PREDICTIONS) == day.query(PREDICTIONS)
