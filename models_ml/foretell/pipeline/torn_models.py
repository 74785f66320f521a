"""Rows of `models` that cannot be read: reported and skipped; other predictions go on."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

from foretell.alarms.alarms import Alarm, current_alarms, replace_alarms
from foretell.errors import TornModel
from foretell.learn.contributions import unpack
from foretell.learn.onnx.model import PROBABILITY, make_session, predict_outputs
from foretell.pipeline.registry import ModelRecord, find_champion
from foretell.warehouse.base import Warehouse

KIND = "torn_model"
UNREADABLE = (
    onnx_errors.Fail, onnx_errors.InvalidArgument, onnx_errors.InvalidGraph,
    onnx_errors.InvalidProtobuf, onnx_errors.NotImplemented, onnx_errors.RuntimeException,
    RuntimeError, ValueError,
)  # fmt: skip
TORN_PACK = (zipfile.BadZipFile, ValueError, KeyError, EOFError, OSError)


def check_model(model: ModelRecord) -> ModelRecord:
    """Return a model that can score; without its explainer, if that alone cannot be read.

    Raises:
        TornModel: If its graph cannot be loaded, or has another number of inputs than feature_ids.
    """
    if model.onnx is None or model.feature_ids is None:
        return model
    if not isinstance(model.feature_ids, list) or not all(
        isinstance(feature_id, int) for feature_id in model.feature_ids
    ):
        raise TornModel(model.prediction, model.model_id, "its feature_ids are no list of numbers")
    no_events = np.zeros((1, len(model.feature_ids)), dtype=np.float32)
    try:
        predict_outputs(make_session(bytes(model.onnx)), no_events, [PROBABILITY])
    except UNREADABLE as error:
        reason = str(error).splitlines()[0][:120]
        raise TornModel(
            model.prediction, model.model_id, f"its graph cannot be used ({reason})"
        ) from error
    return model


def check_explainer(model: ModelRecord) -> ModelRecord:
    """Return a model without its explainer if the explainer cannot be read, else unchanged."""
    if model.explain_model is None:
        return model
    try:
        unpack(bytes(model.explain_model))
    except TORN_PACK:
        return replace(model, explain_model=None)
    return model


def read_champion(warehouse: Warehouse, prediction: str) -> tuple[ModelRecord | None, list[Alarm]]:
    """Return the readable champion of a prediction, with an alarm for each unreadable part.

    Args:
        warehouse: Open.
        prediction: Its name.
    """
    try:
        champion = find_champion(warehouse, prediction)
        if champion is None:
            return None, []
        check_model(champion)
    except TornModel as torn:
        message = (
            f"{torn}; it scores no users, earlier scores stay until `foretell run` has "
            "trained it again"
        )
        return None, [Alarm(KIND, message, prediction)]
    whole = check_explainer(champion)
    if whole is champion:
        return champion, []
    reason = TornModel(prediction, champion.model_id, "its explain_model cannot be read")
    return whole, [Alarm(KIND, f"{reason}; users are scored, without reasons", prediction)]


def write_alarms(warehouse: Warehouse, predictions: Sequence[str], alarms: Sequence[Alarm]) -> None:
    """Write the alarms of some predictions; earlier alarms of other predictions stay."""
    known = [alarm for alarm in current_alarms(warehouse) if alarm.kind == KIND]
    if not known and not alarms:
        return
    others = [alarm for alarm in known if alarm.prediction not in predictions]
    rows = warehouse.rows("select as_of from stg_as_of")
    replace_alarms(warehouse, [KIND], [*others, *alarms], rows[0]["as_of"] if rows else None)
