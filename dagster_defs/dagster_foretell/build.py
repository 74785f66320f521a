"""All that Dagster shows and runs of one Foretell project, to be merged into any location."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg

from dagster_foretell import jobs
from dagster_foretell.manifest import prepare_manifest, read_predictions
from dagster_foretell.prediction_assets import build_prediction_assets
from dagster_foretell.publishing_assets import build_predictions_checks, published
from dagster_foretell.resources import (
    DBT_RESOURCE,
    SETTINGS_RESOURCE,
    dbt_project,
    dbt_resource,
    settings_of_a_run,
)
from dagster_foretell.warehouse_assets import build_raw_events, build_warehouse_assets
from foretell.settings import Settings, read_settings, with_staged_definitions


def build_definitions(
    settings: Settings | None = None, target: Path | None = None
) -> dg.Definitions:
    """Return assets, checks, jobs, schedules and resources, without an executor.

    The resources have names of their own (foretell_dbt, foretell_settings), and the jobs bring
    their executor, so that they merge with a location that has others:
    `dg.Definitions.merge(own, build_definitions())`.

    Args:
        settings: Where events, definitions and warehouse are; none of them needs to exist yet.
            Default: those of the environment and of the current folder's dbt project.
        target: Folder of dbt's output for Dagster; default: next to the warehouse.
    """
    settings = with_staged_definitions(settings or read_settings())
    manifest = prepare_manifest(settings, target)
    if settings.profile:
        _note_schemas(settings, manifest)
    predictions = read_predictions(manifest)
    project = dbt_project(settings.project, manifest)
    return dg.Definitions(
        assets=[
            build_raw_events(settings),
            *build_warehouse_assets(project, predictions),
            *(
                asset
                for each in predictions
                for asset in build_prediction_assets(each, settings.target)
            ),
            published,
        ],
        asset_checks=build_predictions_checks(predictions),
        jobs=[jobs.daily, jobs.hourly],
        schedules=jobs.schedules,
        resources={
            DBT_RESOURCE: dbt_resource(project),
            SETTINGS_RESOURCE: settings_of_a_run(settings),
        },
    )


def _note_schemas(settings: Settings, manifest: Path) -> None:
    """Note where the tables of somebody's project are, as a run of `foretell` does."""
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    schemas = {
        "schema": nodes["model.foretell.models"]["schema"],
        "internal": nodes["model.foretell.build_state"]["schema"],
    }
    settings.schemas_file.parent.mkdir(parents=True, exist_ok=True)
    settings.schemas_file.write_text(json.dumps(schemas), encoding="utf-8")
