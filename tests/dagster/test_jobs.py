"""What the jobs and schedules run."""

import dagster as dg
import pytest

from dagster_defs.definitions import defs
from dagster_foretell.jobs import READS_ALL_FILES, build_schedule, daily, hourly


@pytest.fixture(scope="module")
def graph():
    return defs.resolve_asset_graph()


DEMO = ("buys_within_7_days", "silent_for_14_days", "upgrades_within_14_days")


MODELS = {dg.AssetKey(["models", name]) for name in DEMO}


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
