"""Foretell as a package in somebody's dbt project: their model in, predictions in their schema."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from foretell.project import PACKAGE
from tests.conftest import write_events
from tests.shop import shop_events

FILES = {
    "dbt_project.yml": """
name: jaffle
profile: jaffle
model-paths: [models, predictions]
vars: {foretell: {events: "ref('jaffle', 'fct_events')"}}
models:
  foretell: {+schema: ml}
""",
    "profiles.yml": """
jaffle:
  target: dev
  outputs:
    dev: &dev
      {type: duckdb, path: jaffle.duckdb, schema: analytics, threads: 2, settings: {TimeZone: UTC}}
    local: {<<: *dev, settings: {TimeZone: America/New_York}}
""",
    "packages.yml": f"packages: [{{local: {json.dumps(str(PACKAGE))}}}]",
    "models/fct_events.sql": """
select user_id, event_name, cast(event_time as timestamp) as event_time
from read_parquet('events.parquet')
""",
    "models/daily_report.sql": "{{ config(tags='after_scoring') }} select 1 as one",  # a tag of ours
    "models/exposures.yml": """
exposures:
  - name: their_own_model
    type: ml
    owner: {name: science}
    depends_on: ["ref('fct_events')"]
    config: {meta: {taxonomy: "animals"}}
""",
    "models/alarms.sql": "select 1 as own",  # a name that Foretell has too, in a schema of their own
    "models/risky_users.sql": "select user_id from {{ ref('foretell', 'predictions') }} where percentile > 90",
    "predictions/buys.yml": """
exposures:
  - name: buys
    type: ml
    owner: {name: growth}
    depends_on: ["ref('foretell', 'predictions')"]
    config: {meta: {prediction: {outcome: {event: purchase}, horizon_days: 7}}}
""",
}


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """Return the folder of a project after `dbt deps`, `dbt build` and `foretell run` in it."""
    folder = tmp_path_factory.mktemp("jaffle")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    write_events(folder / "events.parquet", shop_events())
    succeed(folder, "dbt", "deps")
    (folder / "dbt.log").write_text(succeed(folder, "dbt", "build"))
    (folder / "run.log").write_text(succeed(folder, "foretell", "run"))
    (folder / "after.log").write_text(succeed(folder, "dbt", "build"))
    return folder


def succeed(folder: Path, command: str, *arguments: str) -> str:
    module = {"dbt": "dbt.cli.main", "foretell": "foretell.cli"}[command]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("FORETELL_", "DBT_"))}
    done = subprocess.run(
        [sys.executable, "-c", f"from {module} import cli; cli()" if command == "dbt" else
         f"from {module} import main; main()", *arguments],
        cwd=folder, env={**environment, "DO_NOT_TRACK": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def refusal(folder: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "foretell.cli", *arguments],
        cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout[-2000:]
    return done.stderr


def query(folder: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(folder / "jaffle.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_every_table_is_where_the_project_says(host):
    schemas = query(
        host,
        "select table_schema, count(*) > 2 from information_schema.tables group by 1 order by 1",
    )
    assert schemas == [("analytics", True), ("analytics_ml", True)]
    own = query(
        host,
        "select table_name from information_schema.tables where table_schema = 'analytics' order by 1",
    )
    assert own == [("alarms",), ("daily_report",), ("fct_events",), ("risky_users",)]
    assert query(host, "select count(*) from analytics_ml.prediction_history") == [(120,)]


def test_predictions_reach_the_models_of_the_project(host):
    ((n_users, low, high),) = query(
        host, "select count(*), min(probability), max(probability) from analytics_ml.predictions"
    )
    assert n_users == 120
    assert 0 <= low < high <= 1
    assert 0 < query(host, "select count(*) from analytics.risky_users")[0][0] < 30


def test_the_copy_for_readers_is_beside_the_warehouse_of_the_project(host):
    with duckdb.connect(str(host / "jaffle_published.duckdb"), read_only=True) as copy:
        assert copy.execute("select count(*) from foretell.predictions").fetchall() == [(120,)]


def test_the_lineage_runs_from_their_model_to_predictions(host):
    manifest = json.loads((host / "target/manifest.json").read_text())
    parents = manifest["parent_map"]
    seen, left = set(), ["model.foretell.predictions"]
    while left:
        node = left.pop()
        if node not in seen:
            seen.add(node)
            left += parents.get(node, [])
    assert "model.jaffle.fct_events" in seen
    assert set(manifest["exposures"]) == {  # none of the demo
        "exposure.jaffle.buys", "exposure.jaffle.their_own_model",
    }  # fmt: skip
    assert query(host, "select prediction from analytics_ml.prediction_definitions") == [("buys",)]


def test_dbt_alone_runs_no_test_of_ours_and_says_what_is_to_be_trained(host):
    manifest = json.loads((host / "target/manifest.json").read_text())
    assert manifest["unit_tests"] == {}
    assert [node for node in manifest["nodes"].values() if node["resource_type"] == "test"] == []
    assert "no model yet: buys; `foretell run` trains" in (host / "dbt.log").read_text()
    assert "no model yet" not in (host / "after.log").read_text()


def test_foretell_builds_and_tests_its_own_models_only(host):
    lines = (host / "run.log").read_text()
    assert not re.search(r"/\d+ (fct_events|risky_users|daily_report)", lines)
    assert "buys: champion" in lines


def test_a_tag_of_theirs_that_we_have_too_changes_nothing(host):
    assert query(host, "select step from analytics_ml.build_state") == [("finished",)]


def test_a_run_of_their_model_alone_writes_no_table_of_ours(host, tmp_path):
    for name in (
        "dbt_project.yml",
        "profiles.yml",
        "packages.yml",
        "models",
        "dbt_packages",
        "events.parquet",
    ):
        (tmp_path / name).symlink_to(host / name)
    succeed(tmp_path, "dbt", "run", "--select", "fct_events")
    assert query(tmp_path, "select count(*) from information_schema.tables") == [(1,)]


def test_status_needs_no_run_of_dbt(host):
    assert "buys" in succeed(host, "foretell", "status")
    assert "buys" in succeed(host / "models", "foretell", "status")


def test_a_replay_never_reaches_the_live_scores_through_a_fixed_path(host):
    before = query(host, "select max(scored_at), count(*) from analytics_ml.prediction_history")
    said = refusal(host, "score", "--as-of", "2026-02-10")
    assert "a replay works on a copy, which dbt cannot open, as the profile's path is fixed" in said
    now = query(host, "select max(scored_at), count(*) from analytics_ml.prediction_history")
    assert now == before


def test_another_warehouse_than_the_profile_s_is_refused(host):
    said = refusal(host, "status", FORETELL_WAREHOUSE="other.duckdb")
    assert (
        "FORETELL_WAREHOUSE=other.duckdb has no effect: the path of the project's profile is"
        in said
    )


def test_a_session_in_another_time_zone_is_refused(host):
    """Times without a zone, and those of timestamptz columns, would be read in it."""
    said = refusal(host, "run", DBT_TARGET="local")
    assert "time zone America/New_York, in which times without a zone would be read" in said
    assert "settings: {TimeZone: UTC}" in said
