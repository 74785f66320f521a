"""A prediction as assets: its model, and the scores that the model gives to everybody."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from dagster_defs.manifest import Prediction
from dagster_defs.model_page import describe_model
from dagster_defs.resources import POOL, readable_errors
from models_ml.road import score_champion, train_prediction
from models_ml.settings import Settings
from models_ml.warehouse import open_warehouse

TRAINING, SCORING = "training", "scoring"


def model_key(prediction: str) -> dg.AssetKey:
    """Key of the asset that trains a prediction's model."""
    return dg.AssetKey(["predictions", prediction, "model"])


def scores_key(prediction: str) -> dg.AssetKey:
    """Key of the asset that scores a prediction's users."""
    return dg.AssetKey(["predictions", prediction, "scores"])
