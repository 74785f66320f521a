"""The two assets of a prediction."""

from __future__ import annotations

import dagster as dg
import pytest

from dagster_foretell.manifest import Prediction
from dagster_foretell.prediction_assets import build_prediction_assets, model_key, scores_key
from foretell.report.checks import MODEL_CHECKS


def prediction(owner: str | None = "growth") -> Prediction:
    return Prediction("buys", "Will buy", "horizon_days: 7", owner, "shop.yml")


@pytest.fixture
def assets():
    return build_prediction_assets(prediction(), "spark")


def test_scores_come_after_the_model(assets):
    model, scores = assets
    assert (model.key, scores.key) == (model_key("buys"), scores_key("buys"))
    assert model.key in scores.asset_deps[scores.key]
    assert dg.AssetKey(["training_rows"]) in model.asset_deps[model.key]
    assert dg.AssetKey(["scoring_rows"]) in scores.asset_deps[scores.key]


def test_each_has_its_checks_and_both_look_for_alarms(assets):
    of_model, of_scores = ({key.name for key in each.check_keys} for each in assets)
    assert of_model == {*MODEL_CHECKS, "no_alarms"}
    assert of_scores == {"no_alarms"}


def test_the_definition_its_owner_and_the_engine_are_shown(assets):
    for asset in assets:
        (spec,) = asset.specs
        assert "**Will buy**" in spec.description
        assert "Defined in `shop.yml`" in spec.description
        assert list(spec.owners) == ["team:growth"]
    assert "spark" in assets[1].specs_by_key[scores_key("buys")].kinds
    (spec, *_) = build_prediction_assets(prediction(owner=None), "duckdb")[0].specs
    assert list(spec.owners) == []


def test_all_that_opens_the_warehouse_is_in_its_pool(assets):
    assert {asset.op.pool for asset in assets} == {"warehouse"}
