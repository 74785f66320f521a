"""A run whose process is gone is found out, a living one is left alone."""

import os
import subprocess
import sys

import dagster as dg
import pytest
import yaml
from dagster._core.events import EngineEventData  # has no public name

from dagster_foretell.launcher import LocalRunLauncher
from foretell.project import PACKAGE


@dg.job
def nothing():
    pass


@pytest.fixture
def instance(tmp_path):
    settings = yaml.safe_load((PACKAGE / ".dagster/dagster.yaml").read_text())
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=settings) as made:
        yield made


def started(instance: dg.DagsterInstance, pid: int) -> dg.DagsterRun:
    run = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED)
    data = EngineEventData({"pid": dg.MetadataValue.text(str(pid))})
    instance.report_engine_event("Started process for run", run, data)
    return run


def status(instance: dg.DagsterInstance, pid: int) -> str:
    return instance.run_launcher.check_run_worker_health(started(instance, pid)).status.value


def test_the_project_uses_it(instance):
    assert type(instance.run_launcher) is LocalRunLauncher
    assert instance.run_monitoring_enabled
    assert not instance.telemetry_enabled


def test_a_living_process_runs(instance):
    assert status(instance, os.getpid()) == "RUNNING"


def test_a_process_that_is_gone_failed(instance):
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    assert status(instance, process.pid) == "FAILED"


def test_a_run_without_a_process_yet_is_left_alone(instance):
    run = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED)
    assert instance.run_launcher.check_run_worker_health(run).status.value == "RUNNING"
