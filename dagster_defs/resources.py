"""What the assets share: the pool of the one writer, dbt under our settings, readable errors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, DbtProject
from dagster_dbt.errors import DagsterDbtCliRuntimeError

from models_ml.dbt_command import DBT, build_arguments, explain
from models_ml.errors import ForetellError
from models_ml.settings import PROJECT, Settings

# Everything that opens the DuckDB file is in this pool, of one place (.dagster/dagster.yaml).
POOL = "warehouse"


def dbt_project(manifest_path: Path) -> DbtProject:
    """Return the dbt project at the root, with what dbt writes beside the manifest."""
    return DbtProject(project_dir=PROJECT, target_path=manifest_path.parent)


def dbt_resource(project: DbtProject) -> DbtCliResource:
    """Return the dbt of this virtual environment, which need not be on PATH."""
    return DbtCliResource(project_dir=project, dbt_executable=DBT)


def stream_dbt_build(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, settings: Settings, scope: str
) -> Iterator[Any]:
    """Run `dbt build` on the assets of this step and yield what Dagster should know of each node.

    Args:
        context: Of an asset made by `dbt_assets`.
        dbt: dbt_resource().
        settings: Where events and warehouse are.
        scope: everyone or active; each has a folder for what dbt writes, so that its parse is still
            good for the next run.
    """
    target = dbt_target(dbt)
    with _environment({**settings.dbt_environment(), "DBT_TARGET_PATH": str(target)}):
        invocation = dbt.cli(
            build_arguments({"scope": scope}), context=context, target_path=target / scope
        )
    yield from invocation.stream()


@contextmanager
def readable_errors() -> Iterator[None]:
    """Show people the one message that the command line would show, above the traceback."""
    try:
        yield
    except DagsterDbtCliRuntimeError as error:
        _, _, messages = str(error.description).partition("Errors parsed from dbt logs:")
        raise dg.Failure(description=explain(messages.split("\n\n"))) from error
    except ForetellError as error:
        raise dg.Failure(description=str(error)) from error


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while; DbtCliResource hands its own process's to dbt."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
