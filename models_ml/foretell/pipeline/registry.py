"""The `models` table: one row per trained model, with ONNX bytes and facts, in one transaction.

The model that scores as of an hour is the newest promoted one whose own as_of is not after that
hour. So a replay of a past hour changes no decision and no status.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from foretell.errors import TornModel
from foretell.warehouse.base import Warehouse

CHAMPION, CHALLENGER, RETIRED, REJECTED = "champion", "challenger", "retired", "rejected"
AS_JSON = (
    "metrics", "reliability", "importances", "feature_ids", "holdout_feature_ids", "challenge",
)  # fmt: skip

# The view champions decides which model scores now; the column status does not depend on now.
UPDATE_PROMOTED = """
    update models set status = case
        when model_id = (
            select newest.model_id from models as newest
            inner join prediction_definitions as definitions using (prediction, definition_hash)
            where newest.prediction = $prediction and newest.status in ('champion', 'retired')
            order by newest.as_of desc, newest.trained_at desc limit 1
        ) then 'champion'
        else 'retired'
    end
    where prediction = $prediction and status in ('champion', 'retired')
"""
UPDATE_CHALLENGERS = """
    update models set status = 'rejected'
    where prediction = $prediction and status = 'challenger' and model_id is distinct from (
        select newest.model_id from models as newest
        inner join prediction_definitions as definitions using (prediction, definition_hash)
        where newest.prediction = $prediction and newest.status in ('champion', 'challenger')
        order by newest.as_of desc, newest.trained_at desc limit 1
    )
"""
# Catalogue entries of a promoted model's features, which stay computed if the taxonomy drops them.
FEATURES = """
    select
        ? as model_id, taken.feature_name, taken.kind, taken.event_name, taken.property,
        coalesce(taken.value, others.value) as value, taken.kept_values_hash,
        taken.is_version, taken.week
    from taxonomy_features as taken
    inner join features on taken.feature_name = features.feature_name
    left join taxonomy_other_values as others
        on taken.kept_values_hash = others.kept_values_hash
        and taken.property = others.property
        and taken.event_name is not distinct from others.event_name
    where list_contains(?, features.feature_id)
    order by features.feature_id, value
"""
DELETE_HELD_OUT = """
    delete from held_out_scores
    where prediction = $prediction and model_id not in (
        select model_id from models
        where prediction = $prediction and status in ('champion', 'challenger')
    )
"""


@dataclass(frozen=True)
class ModelRecord:
    """One row of `models`.

    Attributes:
        model_id: Hash of the training data and settings; the same data gives the same id.
        status: champion (scores now), challenger (the newest, lost to the champion), retired (was
            promoted, then replaced), or rejected (never scores; see reason).
        metrics: JSON-able facts from rows never used to fit or choose.
        feature_ids: Inputs of the graph, in order.
        onnx: The whole graph, or None if there is no model (too little data).
        explain_model: Data for computing the contribution of each input (contributions.unpack);
            None in models of other libraries.
        holdout_feature_ids, holdout_onnx: The same before the model was refitted on all users: it
            was trained without held-out users, so another model can be compared with it on them.
        challenge: Result of the comparison with the champion (foretell.learn.challenge).
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
    holdout_feature_ids: list[int] | None = None
    holdout_onnx: bytes | None = None
    challenge: dict[str, Any] | None = None
    explain_model: bytes | None = None


COLUMNS = ", ".join(f"models.{field.name}" for field in fields(ModelRecord))


def find_model(warehouse: Warehouse, model_id: str) -> ModelRecord | None:
    """Return the model with this id, or None."""
    return _one(warehouse.rows(f"select {COLUMNS} from models where model_id = ?", [model_id]))


def find_champion(warehouse: Warehouse, prediction: str) -> ModelRecord | None:
    """Return the model that scores a prediction now, or None.

    Only a model of the present definition whose as_of is not after the present as_of: a replay of
    a past hour must not be scored by a model from its future.
    """
    sql = f"""
        select {COLUMNS} from models
        inner join champions using (model_id)
        where models.prediction = ?
    """
    found = _one(warehouse.rows(sql, [prediction]))
    return found and replace(found, status=CHAMPION)  # in a replay its status may be retired


def find_newest(warehouse: Warehouse, prediction: str) -> ModelRecord | None:
    """Return the newest model of the present definition as of the present as_of, or None."""
    sql = f"""
        select {COLUMNS} from models
        inner join prediction_definitions using (prediction, definition_hash)
        where prediction = ? and models.as_of <= (select as_of from stg_as_of)
        order by models.as_of desc, models.trained_at desc limit 1
    """
    return _one(warehouse.rows(sql, [prediction]))


def save_model(warehouse: Warehouse, model: ModelRecord, held_out: pa.Table | None = None) -> None:
    """Write a model and update the status of all models of its prediction, in one transaction.

    Args:
        warehouse: Open for writing.
        model: Its status is champion if it was promoted; then its features stay computed, also
            after the taxonomy drops them (`model_features`).
        held_out: Predictions of the holdout model for users it never saw, for `held_out_scores`;
            those of models that are neither champion nor challenger any more are deleted.
    """
    row = {
        **vars(model),
        "trained_at": model.trained_at or datetime.now(UTC).replace(tzinfo=None),
        **{name: _json(getattr(model, name)) for name in AS_JSON},
    }
    inputs = [*(model.feature_ids or ()), *(model.holdout_feature_ids or ())]
    with warehouse.transaction():
        warehouse.append("models", pa.Table.from_pylist([row]))
        if model.status == CHAMPION:
            taken = warehouse.table(FEATURES, [model.model_id, sorted(set(inputs))])
            warehouse.append("model_features", taken)
        if held_out is not None:
            warehouse.append("held_out_scores", held_out)
        _update_statuses(warehouse, model.prediction)


def update_statuses(warehouse: Warehouse, prediction: str) -> None:
    """Bring statuses in line with the present definition, e.g. after it was changed back."""
    with warehouse.transaction():
        _update_statuses(warehouse, prediction)


def _update_statuses(warehouse: Warehouse, prediction: str) -> None:
    for statement in (UPDATE_PROMOTED, UPDATE_CHALLENGERS, DELETE_HELD_OUT):
        warehouse.execute(statement, {"prediction": prediction})


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _one(rows: list[dict[str, Any]]) -> ModelRecord | None:
    if not rows:
        return None
    row = rows[0]
    for name in AS_JSON:
        try:
            row[name] = json.loads(row[name]) if row[name] else None
        except ValueError:
            reason = f"its {name} are not JSON"
            raise TornModel(row["prediction"], row["model_id"], reason) from None
    return ModelRecord(**row)
