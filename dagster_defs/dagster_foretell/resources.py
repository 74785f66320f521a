"""Shared by the assets: the pool of the single writer, dbt with our settings, readable errors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, DbtProject
from dagster_dbt.errors import DagsterDbtCliRuntimeError
from packaging.version import Version

from foretell.errors import ForetellError
from foretell.pipeline.dbt import DBT, build_arguments, explain
from foretell.project import Project
from foretell.settings import Settings
from foretell.system.run_lock import run_lock
from foretell.system.secrets import mask

# All steps that open the DuckDB file are in this pool, which has one slot (.dagster/dagster.yaml).
POOL = "warehouse"
# Names of the resources: a location may have a `dbt` of its own.
DBT_RESOURCE, SETTINGS_RESOURCE = "foretell_dbt", "foretell_settings"


def dbt_project(project: Project, manifest_path: Path) -> DbtProject:
    """Return the project as dagster-dbt takes it; dbt's output goes next to the manifest."""
    return DbtProject(project_dir=project.dbt_folder, target_path=manifest_path.parent)


class InstalledDbt(DbtCliResource):
    """dbt of this virtual environment, which need not be on PATH."""

    @cached_property
    def _cli_version(self) -> Version:
        """The version in use; `dbt --version` would query PyPI instead, 5 s in every run."""
        return Version(version("dbt-core"))


def dbt_resource(project: DbtProject) -> DbtCliResource:
    """Return the command that builds this project."""
    return InstalledDbt(  # mypy: its __init__ accepts more than the types of its fields
        project_dir=project,  # type: ignore[arg-type]
        dbt_executable=DBT,  # type: ignore[arg-type]
        global_config_flags=["--no-use-colors"],
    )


def settings_of_a_run(settings: Settings) -> dg.ResourceDefinition:
    """Return the settings as a resource that holds the lock of the warehouse during a run.

    Every asset that opens the warehouse requires this resource. With the in-process executor it is
    made once per run; with an executor of one process per step, each step takes the lock.
    """

    @dg.resource(description="Where events, definitions and warehouse are; the warehouse's lock.")
    def of_a_run(context: dg.InitResourceContext) -> Iterator[Settings]:
        assert context.log is not None
        run_id = context.run.run_id if context.run else "without an id"
        with run_lock(settings.warehouse, f"Dagster run {run_id}", context.log.info):
            yield settings

    return of_a_run


def stream_dbt_build(
    context: dg.AssetExecutionContext,
    dbt: DbtCliResource,
    target: Path,
    settings: Settings,
    scope: str,
) -> Iterator[Any]:
    """Run `dbt build` on the assets of this step and yield Dagster's events of each node.

    Args:
        context: The context of an asset made by `dbt_assets`.
        dbt: The command.
        target: Folder of the manifest. Each scope has a subfolder, so that dbt can reuse its
            parsed project (it parses again when a var differs).
        settings: Where events and warehouse are.
        scope: everyone (daily) or active (hourly).
    """
    with _environment({**settings.dbt_environment(), "DBT_TARGET_PATH": str(target)}):
        arguments = build_arguments({"scope": scope})
        invocation = dbt.cli(arguments, context=context, target_path=target / scope)
    yield from invocation.stream()


@contextmanager
def readable_errors() -> Iterator[None]:
    """Show the message of the command line above the traceback."""
    try:
        yield
    except DagsterDbtCliRuntimeError as error:
        _, _, messages = str(error.description).partition("Errors parsed from dbt logs:")
        raise dg.Failure(description=mask(explain(messages.split("\n\n")))) from error
    except ForetellError as error:
        raise dg.Failure(description=mask(str(error))) from error


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables temporarily: DbtCliResource passes those of its process to dbt."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
