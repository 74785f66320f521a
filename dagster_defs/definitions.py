"""The definitions that Dagster loads (`make ui`). Assembles only: each part has its own module."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from dagster_foretell import jobs
from dagster_foretell.manifest import prepare_manifest, read_predictions
from dagster_foretell.prediction_assets import build_prediction_assets
from dagster_foretell.publishing_assets import build_predictions_checks, published
from dagster_foretell.resources import dbt_project, dbt_resource, settings_of_a_run
from dagster_foretell.warehouse_assets import build_raw_events, build_warehouse_assets
from foretell.settings import Settings, read_settings, with_staged_definitions


def build_definitions(settings: Settings, target: Path | None = None) -> dg.Definitions:
    """Return everything that Dagster shows and runs under these settings.

    Args:
        settings: Where events, definitions and warehouse are; none of them needs to exist yet.
        target: Folder of dbt's output for Dagster; default: next to the warehouse.
    """
    settings = with_staged_definitions(settings)
    manifest = prepare_manifest(settings, target)
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
        resources={"dbt": dbt_resource(project), "settings": settings_of_a_run(settings)},
        # In one process: a process per step would spend 4 s on imports, and could not run in
        # parallel, as the steps write to one file one after the other.
        executor=dg.in_process_executor,
    )


defs = build_definitions(read_settings())
