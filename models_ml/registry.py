"""The `models` table: every trained model is a row, its ONNX bytes and facts in one transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from models_ml.warehouse import Warehouse

CHAMPION, RETIRED, REJECTED = "champion", "retired", "rejected"
COLUMNS = (
    "model_id, prediction, definition_hash, trained_at, as_of, status, reason, candidate, "
    "calibration, metrics, reliability, importances, feature_ids, onnx"
)


@dataclass(frozen=True)
class ModelRecord:
    """One row of `models`.

    Attributes:
        model_id: Hash of what the model was trained on; the same data gives the same id.
        status: champion (scores now), retired (did), or rejected (never will; see reason).
        metrics: JSON-able facts from rows never used to fit or choose.
        feature_ids: Inputs of the graph, in order.
        onnx: The whole graph, or None if there is no model (too little data).
    """

    model_id: str
    prediction: str
    definition_hash: str
    as_of: datetime
    status: str
    reason: str
    candidate: str | None = None
    calibration: str | None = None
    metrics: dict[str, Any] | None = None
    reliability: list[dict[str, Any]] | None = None
    importances: list[dict[str, Any]] | None = None
    feature_ids: list[int] | None = None
    onnx: bytes | None = None
    trained_at: datetime | None = None


def find_model(warehouse: Warehouse, model_id: str) -> ModelRecord | None:
    """Return the model with this id, or None."""
    return _one(warehouse.rows(f"select {COLUMNS} from models where model_id = ?", [model_id]))


def find_champion(warehouse: Warehouse, prediction: str) -> ModelRecord | None:
    """Return the model that scores a prediction now, or None.

    Only a model of the present definition, and only one that knew nothing after the present as_of:
    a replay of a past hour must not be scored by a model from its future.
    """
    sql = f"""
        select {COLUMNS} from models
        where prediction = ? and status = 'champion'
        and definition_hash = (
            select definition_hash from prediction_definitions where prediction = models.prediction
        )
        and as_of <= (select as_of from stg_as_of)
    """
    return _one(warehouse.rows(sql, [prediction]))


def save_model(warehouse: Warehouse, model: ModelRecord) -> None:
    """Write a model; a champion retires the one before it in the same transaction."""
    row = {
        **vars(model),
        "trained_at": model.trained_at or datetime.now(UTC).replace(tzinfo=None),
        **{
            name: _json(getattr(model, name))
            for name in ("metrics", "reliability", "importances", "feature_ids")
        },
    }
    with warehouse.transaction():
        if model.status == CHAMPION:
            _retire(warehouse, model.prediction)
        warehouse.append("models", pa.Table.from_pylist([row]))


def promote(warehouse: Warehouse, model: ModelRecord) -> None:
    """Make a known model the champion again (the same data came back, e.g. in a replay)."""
    with warehouse.transaction():
        _retire(warehouse, model.prediction)
        warehouse.execute(
            "update models set status = 'champion' where model_id = ?", [model.model_id]
        )


def _retire(warehouse: Warehouse, prediction: str) -> None:
    warehouse.execute(
        "update models set status = 'retired' where prediction = ? and status = 'champion'",
        [prediction],
    )


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _one(rows: list[dict[str, Any]]) -> ModelRecord | None:
    if not rows:
        return None
    row = rows[0]
    for name in ("metrics", "reliability", "importances", "feature_ids"):
        row[name] = json.loads(row[name]) if row[name] else None
    return ModelRecord(**row)
