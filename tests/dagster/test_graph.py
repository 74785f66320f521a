"""The asset graph of the demo, and what the jobs and schedules run, pinned."""

import json
import os
from pathlib import Path

import dagster as dg
import pytest

from dagster_defs.definitions import defs
from dagster_foretell.jobs import READS_ALL_FILES, build_schedule, daily, hourly
from dagster_foretell.manifest import prepare_manifest
from foretell.settings import read_settings

PINNED = Path(__file__).with_name("asset_graph.txt")
DEMO = ("buys_within_7_days", "silent_for_14_days", "upgrades_within_14_days")
MODELS = {dg.AssetKey(["models", name]) for name in DEMO}


@pytest.fixture(scope="module")
def graph():
    return defs.resolve_asset_graph()


def test_graph_is_as_pinned(graph):
    """After a change that you want: FORETELL_PIN=1 pytest tests/dagster/test_graph.py."""
    lines = [
        f"{graph.get(key).group_name}: {key.to_user_string()} <- "
        + ", ".join(sorted(parent.to_user_string() for parent in graph.get(key).parent_keys))
        for key in graph.get_all_asset_keys()
    ]
    found = "\n".join(sorted(line.strip() for line in lines)) + "\n"
    if os.environ.get("FORETELL_PIN"):
        PINNED.write_text(found)
    assert found == PINNED.read_text()


def test_no_model_reads_from_a_later_folder():
    manifest = json.loads(prepare_manifest(read_settings()).read_text())
    models = {
        key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"
    }
    folder = {key: node["fqn"][1] for key, node in models.items()}
    later = [
        f"{models[key]['name']} ({folder[key]}) reads {models[read]['name']} ({folder[read]})"
        for key, node in models.items()
        for read in node["depends_on"]["nodes"]
        if read in models and folder[read] > folder[key]
    ]
    assert len(models) > 90
    assert later == []


def test_daily_makes_every_asset(graph):
    made = defs.resolve_job_def("daily").asset_layer.selected_asset_keys
    assert made == graph.materializable_asset_keys


def test_hourly_makes_everything_but_models_and_what_is_tagged_daily(graph):
    made = defs.resolve_job_def("daily").asset_layer.selected_asset_keys
    tagged = {key for key in made if "daily" in graph.get(key).tags}
    assert dg.AssetKey(["taxonomy_features"]) in tagged
    assert defs.resolve_job_def("hourly").asset_layer.selected_asset_keys == made - MODELS - tagged
    assert READS_ALL_FILES in daily.selection.resolve_checks(graph)
    assert READS_ALL_FILES not in hourly.selection.resolve_checks(graph)


@pytest.mark.parametrize(("job", "scope"), [(daily, "everyone"), (hourly, "active")])
def test_scope_is_the_jobs(job, scope):
    built = {name: op["config"]["scope"] for name, op in job.config["ops"].items()}
    assert built == {"build_warehouse": scope, "build_predictions": scope}


def test_all_that_opens_the_warehouse_shares_one_pool(graph):
    for name in ("daily", "hourly"):
        pools = {node.name: node.definition.pool for node in defs.resolve_job_def(name).graph.nodes}
        assert set(pools.values()) == {"warehouse"}, pools


def test_schedules_start_stopped():
    schedules = {schedule.name: schedule for schedule in defs.schedules}
    assert {name: each.cron_schedule for name, each in schedules.items()} == {
        "daily_schedule": "15 3 * * *",
        "hourly_schedule": "5 * * * *",
    }
    for schedule in schedules.values():
        assert schedule.execution_timezone == "UTC"
        assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED


@dg.job(name="hourly")
def an_hourly_run():
    """Stands for the real one, whose snapshot takes seconds."""


def test_schedule_waits_for_the_run_before_it(tmp_path):
    schedule = build_schedule(hourly, "5 * * * *", "")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        context = dg.build_schedule_context(instance=instance)
        assert isinstance(schedule(context), dg.RunRequest)
        instance.create_run_for_job(an_hourly_run, status=dg.DagsterRunStatus.STARTED)
        assert isinstance(schedule(context), dg.SkipReason)
