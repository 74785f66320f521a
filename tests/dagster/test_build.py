"""Foretell in a location that has assets, resources and an executor of its own."""

import json

import dagster as dg

from dagster_foretell.build import build_definitions
from foretell.new_project import init_project
from foretell.pipeline.dbt import install_package
from foretell.settings import read_settings


@dg.asset
def orders(dbt: dg.ResourceParam[str]) -> str:
    return dbt


def test_it_merges_with_a_location_that_has_dbt_and_an_executor():
    own = dg.Definitions(
        assets=[orders],
        resources={"dbt": "theirs", "settings": "theirs"},
        executor=dg.multiprocess_executor,
    )
    merged = dg.Definitions.merge(own, build_definitions())
    dg.Definitions.validate_loadable(merged)
    assert merged.executor is dg.multiprocess_executor
    assert merged.resources["dbt"] == "theirs"
    keys = {key.to_user_string() for key in merged.resolve_all_asset_keys()}
    assert {"orders", "predictions", "published"} <= keys
    for name in ("daily", "hourly"):
        assert merged.resolve_job_def(name).executor_def is dg.in_process_executor


def test_the_assets_of_a_project_are_its_predictions_and_none_of_its_models(tmp_path):
    shop = tmp_path / "shop"
    init_project(shop)
    (shop / "models").mkdir()
    (shop / "models/own.sql").write_text("select 1 as one")
    settings = read_settings({}, shop)
    install_package(shop, settings.dbt_environment, print)
    keys = {key.to_user_string() for key in build_definitions(settings).resolve_all_asset_keys()}
    assert "scores/silent_for_14_days" in keys
    assert "predictions" in keys
    assert "own" not in keys
    assert json.loads(settings.schemas_file.read_text()) == {
        "schema": "foretell", "internal": "foretell_internal",
    }  # fmt: skip
