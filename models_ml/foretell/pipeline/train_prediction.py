"""Trains one prediction: from labelled rows in the warehouse to a row of `models`."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Collection, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_matrix

from foretell.alarms.data_gaps import raise_gap_alarms, snapshots_without_gaps
from foretell.alarms.outcome_alarms import describe_end, raise_life_alarms
from foretell.errors import Progress, TornModel
from foretell.learn.candidates import PORTFOLIO
from foretell.learn.challenge import (
    Challenge,
    HoldoutModel,
    challenge,
    held_out_rows,
    holdout_output,
)
from foretell.learn.matrix import TrainingSet
from foretell.learn.onnx.model import EXPECTED_VALUE
from foretell.learn.train import NotEnoughData, train
from foretell.learn.train_settings import TrainSettings
from foretell.machine import share_threads, usable_threads
from foretell.pipeline import registry
from foretell.pipeline.configured_candidates import read_candidates
from foretell.pipeline.model_alarms import raise_model_alarms
from foretell.pipeline.reasons import input_of
from foretell.pipeline.registry import ModelRecord
from foretell.pipeline.torn_models import check_model
from foretell.pipeline.training_data import (
    fingerprint,
    load_scored_sample,
    load_training_set,
    present_features,
)
from foretell.warehouse.base import Warehouse

# Half of a training runs on one thread; more at a time would take more memory, not less time.
AT_ONCE = 2
HELD_OUT = pa.schema(
    [
        ("prediction", pa.string()),
        ("model_id", pa.string()),
        ("user_id", pa.string()),
        ("as_of", pa.timestamp("us")),
        ("probability", pa.float64()),
        ("outcome", pa.int32()),
        ("expected_value", pa.float64()),
        ("value", pa.float64()),
    ]
)


def train_prediction(
    warehouse: Warehouse,
    prediction: str,
    progress: Progress,
    settings: TrainSettings | None = None,
    accepted: Collection[str] = (),
) -> ModelRecord:
    """Train one prediction, compare the model with the champion and write it to `models`.

    No model is trained for an outcome that has ended (outcome_life), unless it is in accepted.

    The same data and settings give the same model_id: then no model is trained and the decision
    stays.

    Returns:
        The model's row. Its status is `challenger` if it lost to the champion, `rejected` with the
        reason if there is too little data or the gate refused it: the champion keeps scoring.
    """
    (facts,) = warehouse.rows(
        """
        select
            definition_hash, (select as_of from stg_as_of) as as_of,
            budget_minutes, budget_memory_gb
        from prediction_definitions where prediction = ?
        """,
        [prediction],
    )
    # The remaining facts are part of the model's id; budgets are, too, through the settings.
    stated = facts.pop("budget_minutes"), facts.pop("budget_memory_gb")
    settings = settings or TrainSettings(portfolio=(*PORTFOLIO, *read_candidates()))
    settings = _budgeted(settings, *stated)
    life = raise_life_alarms(warehouse, prediction, accepted)
    if life.ended and life.is_gone and prediction not in accepted:
        reason = f"held back, {life.name} was last seen on {life.ended.date}"
        model = _refused(warehouse, prediction, facts, reason)
        progress(f"{prediction}: held back, {describe_end(life.name, life.ended, is_held=True)}")
        return model
    chosen = snapshots_without_gaps(warehouse, prediction, life.since_hour)
    raise_gap_alarms(warehouse, prediction, chosen)
    data = load_training_set(
        warehouse, prediction, settings.budget_memory_gb, progress, life.since_hour,
        chosen.left_out,
    )  # fmt: skip
    features = present_features(warehouse, prediction)
    kept = np.array([feature["is_kept"] for feature in features], dtype=bool)
    learned = data if kept.all() else replace(data, matrix=data.matrix.take(kept))
    salt = repr((prediction, facts, asdict(settings), version("foretell")))
    model_id = fingerprint(learned, salt)
    if _is_trained(warehouse, model_id, progress):
        progress(f"{prediction}: no new training data, model {model_id} stays")
        registry.update_statuses(warehouse, prediction)
    else:
        blank = ModelRecord(
            model_id, prediction, facts["definition_hash"], facts["as_of"], registry.REJECTED, ""
        )
        groups = [input_of(feature) for feature in features if feature["is_kept"]]
        scored = load_scored_sample(warehouse, prediction, learned.matrix.feature_ids)
        model, held_out = _train(
            warehouse, blank, data, learned, groups, settings, progress, scored
        )
        registry.save_model(warehouse, model, held_out)
        progress(f"{prediction}: {model.status}{', ' + model.reason if model.reason else ''}")
    trained = _as_of_now(warehouse, model_id, prediction)
    raise_model_alarms(warehouse, trained)
    return trained


def _is_trained(warehouse: Warehouse, model_id: str, progress: Progress) -> bool:
    """Return whether the model exists. One that cannot be read is deleted, to be trained again."""
    try:
        model = registry.find_model(warehouse, model_id)
        if model is not None:
            check_model(model)
    except TornModel as error:
        progress(f"{error}: it is trained again")
        warehouse.execute("delete from models where model_id = ?", [model_id])
        warehouse.execute("delete from model_features where model_id = ?", [model_id])
        return False
    return model is not None


def train_predictions(
    warehouse: Warehouse,
    predictions: Sequence[str],
    progress: Progress,
    settings: TrainSettings | None = None,
    accepted: Collection[str] = (),
) -> None:
    """Train some predictions, two at a time if threads can share the warehouse.

    The models are the same as if trained one after the other. If one fails, no other begins,
    running ones stop at their next line of progress, and models already written stay.

    Args:
        warehouse: Built up to the training rows.
        predictions: Their names.
        progress: Called with lines of all predictions, each with its name.
        settings: Sizes, seed, portfolio; default: those of TrainSettings.
        accepted: Predictions that are trained although their outcome has ended.

    Raises:
        Exception: That of the first failed training.
    """
    at_once = min(AT_ONCE, usable_threads(), len(predictions))
    if warehouse.has_executors or at_once < 2:
        for prediction in predictions:
            train_prediction(warehouse, prediction, progress, settings, accepted)
        return
    stop = threading.Event()

    def report(line: str) -> None:
        if stop.is_set():
            raise CancelledError
        progress(line)

    with ThreadPoolExecutor(at_once, initializer=share_threads, initargs=(at_once,)) as pool:
        jobs = [
            pool.submit(train_prediction, warehouse, prediction, report, settings, accepted)
            for prediction in predictions
        ]
        try:
            for job in as_completed(jobs):
                job.result()
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def _refused(
    warehouse: Warehouse, prediction: str, facts: dict[str, Any], reason: str
) -> ModelRecord:
    """Write the row of a model that was not trained, and return it; the champion stays."""
    model_id = hashlib.sha256(repr((prediction, facts, reason)).encode()).hexdigest()[:16]
    known = registry.find_model(warehouse, model_id)
    if known is None:
        known = ModelRecord(
            model_id,
            prediction,
            facts["definition_hash"],
            facts["as_of"],
            registry.REJECTED,
            reason,
        )
        registry.save_model(warehouse, known)
    return known


def _budgeted(settings: TrainSettings, minutes: int | None, memory_gb: int | None) -> TrainSettings:
    """Return the settings with the budget of a definition; None: not stated."""
    return replace(
        settings,
        budget_seconds=settings.budget_seconds if minutes is None else 60.0 * minutes,
        budget_memory_gb=settings.budget_memory_gb if memory_gb is None else float(memory_gb),
    )


def _as_of_now(warehouse: Warehouse, model_id: str, prediction: str) -> ModelRecord:
    """Return a model with its status at the present as_of: in a replay it may be champion again."""
    model = registry.find_model(warehouse, model_id)
    assert model is not None
    champion = registry.find_champion(warehouse, prediction)
    return champion if champion is not None and champion.model_id == model_id else model


def _train(
    warehouse: Warehouse,
    blank: ModelRecord,
    data: TrainingSet,
    learned: TrainingSet,
    groups: list[str],
    settings: TrainSettings,
    progress: Progress,
    scored: csr_matrix | None,
) -> tuple[ModelRecord, pa.Table | None]:
    """Return the model's row, and its predictions for held-out users if it passed the gate.

    data has all computed features, for the comparison with the champion; learned has the same rows
    with the kept features only; groups has the event or property of each of its columns.
    """
    try:
        trained = train(
            learned, settings, groups, lambda line: progress(f"{blank.prediction}: {line}"), scored
        )
    except NotEnoughData as error:
        return replace(blank, reason=f"too little data: {error}"), None
    model = replace(
        blank,
        reason=trained.reason,
        candidate=trained.candidate,
        calibration=trained.calibration,
        metrics=trained.metrics | _window(data) | _budget(settings),
        reliability=trained.reliability,
        importances=trained.importances,
        feature_ids=_listed(trained.feature_ids),
        onnx=trained.onnx,
        explain_model=trained.explain_model,
        holdout_feature_ids=_listed(trained.holdout_feature_ids),
        holdout_onnx=trained.holdout_onnx,
    )
    if trained.status != "accepted":
        return model, None
    decided = _decide(warehouse, model, data, settings)
    return (
        replace(
            model,
            status=registry.CHAMPION if decided.is_promoted else registry.CHALLENGER,
            reason="" if decided.is_promoted else decided.decision,
            challenge=decided.facts(),
        ),
        _held_out(model, data, settings),
    )


def _decide(
    warehouse: Warehouse, model: ModelRecord, data: TrainingSet, settings: TrainSettings
) -> Challenge:
    try:
        champion = registry.find_champion(warehouse, model.prediction)
        if champion is not None:
            check_model(champion)
    except TornModel as error:
        return Challenge(True, f"promoted: {error}")
    if champion is None:
        return Challenge(True, "promoted: the first model of this definition")
    old = _holdout_model(champion)
    if old is None:
        return Challenge(
            True,
            "promoted: the champion was trained before models were kept for comparison",
            champion.model_id,
        )
    new = _holdout_model(model)
    assert new is not None
    return challenge(data, settings.test_percent, new, old)


def _holdout_model(model: ModelRecord) -> HoldoutModel | None:
    if model.holdout_onnx is None or model.holdout_feature_ids is None:
        return None
    return HoldoutModel(
        model.model_id,
        model.holdout_onnx,
        np.array(model.holdout_feature_ids, dtype=np.int64),
        np.array(model.feature_ids, dtype=np.int64),
    )


def _held_out(model: ModelRecord, data: TrainingSet, settings: TrainSettings) -> pa.Table:
    """Return predicted and observed outcomes of held-out users in the newest window."""
    measured = _holdout_model(model)
    assert measured is not None
    rows = held_out_rows(data, settings.test_percent)
    n_rows = int(rows.sum())
    nulls = pa.nulls(n_rows, pa.float64())
    as_of = data.as_of_hour[rows].astype("datetime64[h]").astype("datetime64[us]")
    return pa.table(
        {
            "prediction": [model.prediction] * n_rows,
            "model_id": [model.model_id] * n_rows,
            "user_id": data.user_ids[data.user_key[rows]],
            "as_of": as_of,
            "probability": holdout_output(measured, data, rows),
            "outcome": data.y[rows].astype(np.int32),
            "expected_value": nulls
            if data.value is None
            else holdout_output(measured, data, rows, EXPECTED_VALUE),
            "value": nulls if data.value is None else data.value[rows],
        },
        HELD_OUT,
    )


def _window(data: TrainingSet) -> dict[str, Any]:
    """Return the training snapshots, as hours since 1970-01-01 UTC."""
    return {
        "first_as_of_hour": int(data.as_of_hour.min()),
        "newest_as_of_hour": int(data.as_of_hour.max()),
        "horizon_hours": data.horizon_hours,
    }


def _budget(settings: TrainSettings) -> dict[str, Any]:
    """Return the budget of training."""
    names = ("budget_seconds", "budget_cores", "budget_memory_gb")
    return {name: getattr(settings, name) for name in names}


def _listed(feature_ids: np.ndarray) -> list[int]:
    return [int(feature_id) for feature_id in feature_ids]
