"""From labelled rows to a calibrated, honestly measured, exactly exported model. No human."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models_ml.calibrate import CalibrationRules, Calibrator, choose_calibrator
from models_ml.candidates import PORTFOLIO, Candidate, Fitted, fit_candidate
from models_ml.evaluate import mean_log_loss, metrics_with_intervals, reliability_table
from models_ml.explain import permutation_importance
from models_ml.matrix import Matrix, TrainingSet
from models_ml.onnx_model import export, parity
from models_ml.split import Split, honest_split, sample_users, user_folds

Progress = Callable[[str], None]


class NotEnoughData(ValueError):
    """Too few positives or negatives to learn from; the message holds the counts."""


@dataclass(frozen=True)
class TrainSettings:
    """How one prediction is trained.

    Attributes:
        min_positives, min_negatives: Labelled rows needed of each.
        test_percent: Share of users held out for the honest numbers.
        n_folds: Folds by user for out-of-fold scores.
        max_choice_rows: Rows on which candidates compete (whole users, by hash), and out-of-fold
            scores on which the winner is calibrated.
        max_settle_rows: Rows on which the winner is fitted to be judged, and to learn its rounds
            and calibrator. The final fit takes all rows; max_training_rows of dbt bounds them.
        parity_tolerance: Largest |ONNX - Python| allowed, a probability.
        n_parity_rows: Real rows on which parity is measured.
    """

    seed: int = 0
    min_positives: int = 50
    min_negatives: int = 50
    test_percent: int = 20
    n_folds: int = 3
    max_choice_rows: int = 15_000
    max_settle_rows: int = 200_000
    parity_tolerance: float = 1e-5
    n_parity_rows: int = 20_000
    n_resamples: int = 200
    n_jobs: int = 2
    portfolio: tuple[Candidate, ...] = PORTFOLIO
    calibration: CalibrationRules = field(default_factory=CalibrationRules)


@dataclass(frozen=True)
class TrainedModel:
    """A model ready for the gate.

    Attributes:
        onnx: The whole graph, fitted on all rows.
        feature_ids: Its inputs, in order, int64.
        judge_onnx: The graph of the model that the metrics are about. It has never seen the
            held-out users, so that it can be compared on them with another model.
        judge_feature_ids: Its inputs, in order, int64.
        status: accepted, or rejected with the reason.
        metrics: From rows never used to fit or choose; JSON-able.
        reliability: Predicted and observed rates in ten groups of those rows.
        importances: Groups of features by how much the model's quality rests on them.
    """

    onnx: bytes
    feature_ids: np.ndarray
    judge_onnx: bytes
    judge_feature_ids: np.ndarray
    candidate: str
    class_weight: str | None
    calibration: str
    status: str
    reason: str
    metrics: dict[str, Any]
    reliability: list[dict[str, Any]]
    importances: list[dict[str, Any]]


@dataclass(frozen=True)
class _Contest:
    """What out-of-fold scoring of one candidate came to."""

    candidate: Candidate
    calibrator: Calibrator
    loss: float
    raw_loss: float
    rounds: int | None
    seconds: float


def train(
    data: TrainingSet,
    settings: TrainSettings,
    column_groups: Sequence[str] | None = None,
    progress: Progress = lambda line: None,
) -> TrainedModel:
    """Choose, calibrate, measure, refit and export.

    Candidates compete by out-of-fold log loss after calibration on the fit rows; the winner is
    measured on users and weeks it never saw, then fitted again on everything for use.

    Args:
        data: Labelled rows of one prediction.
        settings: Sizes, seed, portfolio.
        column_groups: Group per column for the importances; default: the kind of the feature.
        progress: Called with a line per step.

    Returns:
        The model, rejected if its graph does not reproduce it.

    Raises:
        NotEnoughData: With the exact counts.
    """
    _check_size(data, settings)
    data, groups = _in_order(data), list(column_groups or data.matrix.kinds)
    split = honest_split(data, settings.test_percent)
    contests = _compete(data, split.fit, settings, progress)
    winner = min(contests, key=lambda contest: contest.loss).candidate
    progress(f"{winner.name} is best: measuring it on {int(split.test.sum()):,} unseen rows")
    to_judge = sample_users(data.user_bucket, split.fit, settings.max_settle_rows)
    judge, judged = _settle(winner, data, to_judge, settings)
    metrics = _judge(data, split, judged, judge, settings)
    reliability, importances = _describe(data, split, judged, judge, groups, settings)
    progress(f"fitting {winner.name} on all {len(data.y):,} rows")
    final, fitted = _settle(winner, data, np.ones(len(data.y), dtype=bool), settings)
    onnx, feature_ids = _graph(fitted, final.calibrator, data)
    judge_onnx, judge_feature_ids = _graph(judged, judge.calibrator, data)
    gap = _parity(onnx, fitted, final.calibrator, data, settings)
    is_exact = gap <= settings.parity_tolerance
    limit = f"{gap:.1e} > {settings.parity_tolerance:.0e}"
    return TrainedModel(
        onnx=onnx,
        feature_ids=feature_ids,
        judge_onnx=judge_onnx,
        judge_feature_ids=judge_feature_ids,
        candidate=winner.name,
        class_weight=winner.class_weight,
        calibration=final.calibrator.name,
        status="accepted" if is_exact else "rejected",
        reason="" if is_exact else f"parity: max |ONNX - Python| = {limit}",
        metrics=metrics | {"parity": gap, "candidates": [_as_row(c) for c in contests]},
        reliability=reliability,
        importances=importances,
    )


def _check_size(data: TrainingSet, settings: TrainSettings) -> None:
    n_positives = int(data.y.sum())
    n_negatives = len(data.y) - n_positives
    n_snapshots = len(np.unique(data.as_of_hour))
    if n_positives < settings.min_positives or n_negatives < settings.min_negatives:
        raise NotEnoughData(
            f"{n_positives:,} positives and {n_negatives:,} negatives in {n_snapshots} snapshots; "
            f"at least {settings.min_positives} and {settings.min_negatives} are needed"
        )
    learned = data.y[data.user_bucket >= settings.test_percent]
    if len(np.unique(learned)) < 2:
        raise NotEnoughData(
            f"all {len(learned):,} rows of the users to learn from have one outcome"
        )


def _in_order(data: TrainingSet) -> TrainingSet:
    """Sort rows by (user, as_of), so that their order in the warehouse decides nothing."""
    order = np.lexsort((data.as_of_hour, data.user_key))
    if (order[1:] > order[:-1]).all():
        return data
    return TrainingSet(
        matrix=Matrix(data.matrix.X[order], data.matrix.feature_ids, data.matrix.kinds),
        y=data.y[order],
        user_key=data.user_key[order],
        user_bucket=data.user_bucket[order],
        as_of_hour=data.as_of_hour[order],
        horizon_hours=data.horizon_hours,
    )


def _compete(
    data: TrainingSet, fit: np.ndarray, settings: TrainSettings, progress: Progress
) -> list[_Contest]:
    rows = sample_users(data.user_bucket, fit, settings.max_choice_rows)
    contests = []
    for candidate in settings.portfolio:
        contest = _compete_one(candidate, data, rows, settings)
        progress(
            f"{candidate.name}: log loss {contest.loss:.4f} out of fold, {contest.seconds:.0f} s"
        )
        contests.append(contest)
    return contests


def _compete_one(
    candidate: Candidate, data: TrainingSet, rows: np.ndarray, settings: TrainSettings
) -> _Contest:
    """Score a candidate out of fold (by user) and choose its calibrator.

    Folds are scored one after another until there are max_choice_rows scores: of few rows all, of
    many rows one fold, by a model that has seen nearly as much as the final one.
    """
    started = time.monotonic()
    X, y = data.matrix.X[rows], data.y[rows]
    bucket = data.user_bucket[rows]
    folds = user_folds(bucket, settings.n_folds)
    score = np.full(len(y), y.mean(), dtype=np.float64)
    scored, rounds = np.zeros(len(y), dtype=bool), []
    for fold in np.unique(folds):
        if scored.sum() >= settings.max_choice_rows:
            break
        inside = folds == fold
        scored |= inside
        if len(np.unique(y[~inside])) < 2:
            continue
        fitted = fit_candidate(
            candidate, X[~inside], y[~inside], data.matrix.kinds, settings.seed, settings.n_jobs,
            held_out=(X[inside], y[inside]),
        )  # fmt: skip
        score[inside] = fitted.predict(X[inside])
        rounds += [fitted.rounds] if fitted.rounds else []
    score, y = score[scored], y[scored]
    # Folds inside each fold, so that one scored fold is enough to judge calibrators on other users.
    inner_folds = user_folds(bucket[scored] // settings.n_folds, settings.n_folds)
    calibrator, loss = choose_calibrator(score, y, inner_folds, settings.calibration)
    return _Contest(
        candidate,
        calibrator,
        loss,
        mean_log_loss(y, score),
        round(np.mean(rounds)) if rounds else None,
        time.monotonic() - started,
    )


def _settle(
    candidate: Candidate, data: TrainingSet, rows: np.ndarray, settings: TrainSettings
) -> tuple[_Contest, Fitted]:
    """Learn the candidate's rounds and calibrator out of fold, then fit it on all these rows."""
    some = sample_users(data.user_bucket, rows, settings.max_settle_rows)
    contest = _compete_one(candidate, data, some, settings)
    fitted = fit_candidate(
        candidate, data.matrix.X[rows], data.y[rows], data.matrix.kinds, settings.seed,
        settings.n_jobs, rounds=contest.rounds,
    )  # fmt: skip
    return contest, fitted


def _judge(
    data: TrainingSet, split: Split, fitted: Fitted, contest: _Contest, settings: TrainSettings
) -> dict[str, Any]:
    y = data.y[split.test].astype(float)
    p = contest.calibrator.apply(fitted.predict(data.matrix.X[split.test]))
    base_rate = float(data.y[split.fit].mean())
    return {
        "evaluation": split.kind,
        "n_rows": len(data.y),
        "n_users": len(np.unique(data.user_key)),
        "n_snapshots": len(np.unique(data.as_of_hour)),
        "n_test_rows": len(y),
        "n_test_positives": int(y.sum()),
        "base_rate": float(data.y.mean()),
        "observed_rate": float(y.mean()) if len(y) else None,
        "mean_probability": float(p.mean()) if len(y) else None,
        **metrics_with_intervals(
            y, p, data.user_key[split.test], base_rate, settings.seed, settings.n_resamples
        ),
    }


def _describe(
    data: TrainingSet,
    split: Split,
    fitted: Fitted,
    contest: _Contest,
    groups: Sequence[str],
    settings: TrainSettings,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    X, y = data.matrix.X[split.test], data.y[split.test].astype(float)
    if not len(y):
        return [], []

    def predict(rows: Any) -> np.ndarray:
        return contest.calibrator.apply(fitted.predict(rows))

    importances = permutation_importance(predict, X, y, groups, settings.seed)
    return reliability_table(y, predict(X)), importances


def _graph(fitted: Fitted, calibrator: Calibrator, data: TrainingSet) -> tuple[bytes, np.ndarray]:
    """Return the model's ONNX graph and the catalogue ids of its inputs."""
    feature_ids = data.matrix.feature_ids[fitted.columns]
    return export(fitted, calibrator, feature_ids), feature_ids


def _parity(
    onnx: bytes, fitted: Fitted, calibrator: Calibrator, data: TrainingSet, settings: TrainSettings
) -> float:
    step = max(1, data.matrix.X.shape[0] // settings.n_parity_rows)
    X = data.matrix.X[::step]
    return parity(onnx, calibrator.apply(fitted.predict(X)), X[:, fitted.columns])


def _as_row(contest: _Contest) -> dict[str, Any]:
    return {
        "candidate": contest.candidate.name,
        "log_loss": contest.loss,
        "log_loss_uncalibrated": contest.raw_loss,
        "calibration": contest.calibrator.name,
        "seconds": round(contest.seconds, 1),
    }
