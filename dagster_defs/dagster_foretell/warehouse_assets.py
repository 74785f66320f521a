"""The dbt models as assets: those built before training and scoring, and those built after."""

# No `from __future__ import annotations` here: Dagster reads annotations as they are, not as text.

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets
from dagster_dbt.errors import DagsterDbtCliRuntimeError

from dagster_foretell.manifest import Prediction
from dagster_foretell.prediction_assets import scores_key
from dagster_foretell.resources import POOL, readable_errors, stream_dbt_build
from foretell.errors import ForetellError
from foretell.pipeline.replay import refuse_replay
from foretell.pipeline.table_state import why_all_tables
from foretell.run import AFTER_SCORING, EVENTS_TEST, OURS, check_built, check_usable, prepare
from foretell.settings import Settings
from foretell.system.secrets import mask
from foretell.warehouse.open import open_warehouse

RAW_EVENTS, RAW_EVENTS_TABLE = dg.AssetKey(["raw_events"]), dg.AssetKey(["stg_raw_events"])
# The tables that check_built reads.
CHECKED = {dg.AssetKey(["stg_as_of"]), dg.AssetKey(["prediction_definitions"])}
# Tables that the assets of models and scores write and dbt's models read.
WRITTEN = {
    dg.AssetKey([name])
    for name in ("models", "prediction_history", "model_features", "held_out_scores", "reasons")
}


class Scope(Enum):
    """The users that a build computes features for; see `scope` in dbt_project.yml."""

    everyone = "everyone"
    active = "active"


class BuildConfig(dg.Config):
    """Config in the launchpad: everyone (as in the daily job) or active (as in the hourly)."""

    scope: Scope = Scope.everyone


class Translator(DagsterDbtTranslator):
    """Maps dbt's nodes to Dagster: a group per folder, a description for people."""

    def __init__(self, predictions: Sequence[Prediction]) -> None:
        super().__init__()
        self._scores = [scores_key(each.name) for each in predictions]

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Return a model's name, without its schema; for a source its two names."""
        if dbt_resource_props["resource_type"] == "model":
            return dg.AssetKey([dbt_resource_props["name"]])
        return super().get_asset_key(dbt_resource_props)

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """Replace tables that assets write by these assets, as dbt does not know the writers."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        deps = {dep.asset_key for dep in spec.deps}
        if spec.key == RAW_EVENTS_TABLE:
            return spec.replace_attributes(deps=[RAW_EVENTS])
        # Before the scoring of this run, they have rows of earlier runs only.
        tags = self.get_resource_props(manifest, unique_id)["tags"]
        if deps & WRITTEN and AFTER_SCORING.removeprefix("tag:") in tags:
            return spec.replace_attributes(deps=[*sorted(deps - WRITTEN), *self._scores])
        return spec

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """Describe a dbt test by its comment, or by its name, column and arguments."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        test = self.get_resource_props(manifest, unique_id)
        return spec and spec._replace(description=test.get("description") or _describe_test(test))

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Return the folder: 00_definitions to 09_reports."""
        if dbt_resource_props["resource_type"] != "model":
            return str(dbt_resource_props["resource_type"])
        return str(dbt_resource_props["fqn"][1])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Return the description in YAML, else the comment at the top of the file; then the SQL."""
        words = dbt_resource_props.get("description") or _comment(dbt_resource_props)
        return f"{words}\n\n```sql\n{dbt_resource_props.get('raw_code') or ''}\n```"


def _comment(dbt_resource_props: Mapping[str, Any]) -> str:
    """Return the comment at the top of a SQL file."""
    comment = re.match(r"\s*\{#(.*?)#\}", dbt_resource_props.get("raw_code") or "", re.DOTALL)
    return " ".join(comment.group(1).split()) if comment else ""


def _describe_test(test: Mapping[str, Any]) -> str:
    generic = test.get("test_metadata")
    if not generic:
        return _comment(test)
    arguments = {key: value for key, value in generic["kwargs"].items() if key != "model"}
    shown = ", ".join(f"{key} {value}" for key, value in sorted(arguments.items()))
    return f"{generic['name'].replace('_', ' ')}: {shown}"


def _check_daily_tables(settings: Settings) -> None:
    """Refuse an hourly run that cannot use the tables of the last daily run.

    Args:
        settings: Where the warehouse is.

    Raises:
        ForetellError: If there was no daily run, it failed, or it was of another version.
    """
    if reason := why_all_tables(settings):
        raise ForetellError(f"{reason}; the job daily builds its tables again: run it once")


def build_raw_events(settings: Settings) -> dg.AssetSpec:
    """Return the asset of the raw events: files that other tools write."""
    return dg.AssetSpec(
        RAW_EVENTS,
        group_name="raw_events",
        description=(
            "The input: one row per event of a user. `FORETELL_EVENTS` names your "
            "files; without it, the events of the simulated shop of `foretell demo-events`."
        ),
        metadata={"Files": mask(settings.input), "Read into": str(settings.warehouse)},
    )


def build_warehouse_assets(
    project: DbtProject, predictions: Sequence[Prediction]
) -> tuple[dg.AssetsDefinition, dg.AssetsDefinition]:
    """Return the assets built before training, and those built after scoring."""
    manifest = project.manifest_path
    target = Path(manifest).parent
    translator = Translator(predictions)

    @dbt_assets(
        name="build_warehouse",
        manifest=manifest,
        project=project,
        select=OURS,
        exclude=AFTER_SCORING,
        dagster_dbt_translator=translator,
        pool=POOL,
    )
    def warehouse_tables(
        context: dg.AssetExecutionContext,
        config: BuildConfig,
        foretell_dbt: DbtCliResource,
        foretell_settings: dg.ResourceParam[Settings],
    ) -> Iterator[Any]:
        with readable_errors():
            settings = foretell_settings
            prepare(settings)
            refuse_replay(settings)
            daily = {spec.key for spec in warehouse_tables.specs if "daily" in spec.tags}
            if config.scope is Scope.active and not daily <= context.selected_asset_keys:
                _check_daily_tables(settings)
            try:
                yield from stream_dbt_build(
                    context, foretell_dbt, target, foretell_settings, config.scope.value
                )
            except DagsterDbtCliRuntimeError as error:
                if EVENTS_TEST in str(error):
                    with open_warehouse(settings.location, read_only=True) as warehouse:
                        check_usable(warehouse, settings)
                raise
            if context.selected_asset_keys >= CHECKED:
                with open_warehouse(settings.location, read_only=True) as warehouse:
                    check_built(warehouse, settings)

    @dbt_assets(
        name="build_predictions",
        manifest=manifest,
        project=project,
        select=f"{OURS},{AFTER_SCORING}",
        dagster_dbt_translator=translator,
        pool=POOL,
    )
    def serving_tables(
        context: dg.AssetExecutionContext,
        config: BuildConfig,
        foretell_dbt: DbtCliResource,
        foretell_settings: dg.ResourceParam[Settings],
    ) -> Iterator[Any]:
        with readable_errors():
            yield from stream_dbt_build(
                context, foretell_dbt, target, foretell_settings, config.scope.value
            )

    return warehouse_tables, serving_tables
