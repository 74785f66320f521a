"""What the assets share: the pool of the one writer, dbt under our settings, readable errors."""

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
from foretell.project import PROJECT
from foretell.settings import Settings
from foretell.system.run_lock import run_lock
from foretell.system.secrets import mask

# Everything that opens the DuckDB file is in this pool, of one place (.dagster/dagster.yaml).
POOL = "warehouse"


def dbt_project(manifest_path: Path) -> DbtProject:
    """Return the dbt project at the root; whatever dbt writes goes beside the manifest."""
    return DbtProject(project_dir=PROJECT, target_path=manifest_path.parent)


class InstalledDbt(DbtCliResource):
    """dbt of this virtual environment, which need not be on PATH."""

    @cached_property
    def _cli_version(self) -> Version:
        """The version in use; `dbt --version` instead would ask PyPI for news, 5 s in every run."""
        return Version(version("dbt-core"))


def dbt_resource(project: DbtProject) -> DbtCliResource:
    """Return the command that builds this project."""
    return InstalledDbt(  # mypy: its own __init__ takes more than its fields' types say
        project_dir=project,  # type: ignore[arg-type]
        dbt_executable=DBT,  # type: ignore[arg-type]
        global_config_flags=["--no-use-colors"],
    )


def settings_of_a_run(settings: Settings) -> dg.ResourceDefinition:
    """Return the settings as a resource that holds the warehouse's lock as long as a run takes.

    Every asset that opens the warehouse needs them. In the run's one process they are made at its
    beginning; where somebody's executor gives each step a process, each step holds the lock.
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
    """Run `dbt build` on the assets of this step and yield what Dagster should know of each node.

    Args:
        context: Of an asset made by `dbt_assets`.
        dbt: The command.
        target: Folder of the manifest. Each scope has its own below, so that what dbt parsed is
            still good the next time (it parses anew when a var differs).
        settings: Where events and warehouse are.
        scope: everyone (daily) or active (hourly).
    """
    with _environment({**settings.dbt_environment(), "DBT_TARGET_PATH": str(target)}):
        arguments = build_arguments({"scope": scope})
        invocation = dbt.cli(arguments, context=context, target_path=target / scope)
    yield from invocation.stream()


@contextmanager
def readable_errors() -> Iterator[None]:
    """Show the one message that the command line would show, above the traceback."""
    try:
        yield
    except DagsterDbtCliRuntimeError as error:
        _, _, messages = str(error.description).partition("Errors parsed from dbt logs:")
        raise dg.Failure(description=mask(explain(messages.split("\n\n")))) from error
    except ForetellError as error:
        raise dg.Failure(description=mask(str(error))) from error


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while: DbtCliResource hands those of its process to dbt."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
