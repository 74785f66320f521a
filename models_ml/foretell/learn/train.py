"""From labelled rows to a calibrated, honestly measured, exactly exported model. No human."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit

from foretell.errors import Progress
from foretell.learn.candidates import prepared
from foretell.learn.compete import compete
from foretell.learn.contest import Competition, Contest, best_of
from foretell.learn.contributions import pack, parts_of
from foretell.learn.evaluate import describe, evaluate, evaluate_value
from foretell.learn.families.foreign import CannotCompete
from foretell.learn.leaks import find_leaks
from foretell.learn.matrix import Matrix, TrainingSet, some_rows
from foretell.learn.metrics import losses_by_snapshot
from foretell.learn.model import CalibratedClassifier
from foretell.learn.onnx.conversion import convert
from foretell.learn.onnx.model import parity, value_parity
from foretell.learn.split import Split, honest_split
from foretell.learn.train_settings import TrainSettings
from foretell.learn.value_contest import ValueContest, compete_for_values, fit_value


class NotEnoughData(ValueError):
    """Too few positives or negatives to learn from; the message holds the counts."""


@dataclass(frozen=True)
class TrainedModel:
    """A model ready for the gate.

    Attributes:
        onnx: The whole graph, fitted on all rows.
        feature_ids: Its inputs, in order, int64.
        explain_model: What it takes to say what each input adds to a score (contributions.pack);
            None of a foreign model, whose score is no sum of known parts.
        holdout_onnx: The graph of the model that the metrics are about. It has never seen the
            held-out users, so that it can be compared on them with another model.
        holdout_feature_ids: Its inputs, in order, int64.
        status: accepted, or rejected with the reason.
        metrics: From rows never used to fit or choose; JSON-able.
        reliability: Predicted and observed rates in ten groups of those rows.
        importances: Groups of features by how much the model's quality rests on them.
    """

    onnx: bytes
    feature_ids: np.ndarray
    explain_model: bytes | None
    holdout_onnx: bytes
    holdout_feature_ids: np.ndarray
    candidate: str
    class_weight: str | None
    calibration: str
    status: str
    reason: str
    metrics: dict[str, Any]
    reliability: list[dict[str, Any]]
    importances: list[dict[str, Any]]


def train(
    data: TrainingSet,
    settings: TrainSettings,
    column_groups: Sequence[str] | None = None,
    progress: Progress = lambda line: None,
    scored: csr_matrix | None = None,
) -> TrainedModel:
    """Choose, calibrate, measure, refit and export.

    Candidates compete on other users and at a later time than they were fitted on; the winner is
    measured on users and weeks it never saw, then fitted again on everything for use.

    Args:
        data: Labelled rows of one prediction.
        settings: Sizes, seed, portfolio.
        column_groups: Group per column for the importances; default: the kind of the feature.
        progress: Called with a line per step.
        scored: Rows that are to be scored now, or some of them, in the same columns: what tells
            outcomes there that have not happened may be used (leaks.find_leaks).

    Returns:
        The model, rejected if its graph does not reproduce it.

    Raises:
        NotEnoughData: With the exact counts.
    """
    _check_size(data, settings)
    data, groups = _in_order(data), list(column_groups or data.matrix.kinds)
    split = honest_split(data, settings.test_percent)
    data, groups, quarantined = _without_leaks(data, split, groups, progress, scored)
    dropped: dict[str, str] = {}
    while True:
        contests, competition = compete(data, split, settings, progress)
        dropped |= competition.dropped
        winner = best_of(contests).candidate
        try:
            trained = _finish(data, split, groups, contests, competition, settings, progress)
        except CannotCompete as reason:  # on more rows than it competed on: the next best is taken
            progress(f"{winner.name} drops out: {reason}")
            dropped[winner.name] = str(reason)
            left = tuple(c for c in settings.portfolio if c.name != winner.name)
            settings = replace(settings, portfolio=left)
            continue
        rows = [{"candidate": name, "reason": reason} for name, reason in dropped.items()]
        trained.metrics.update(quarantined=quarantined, dropped=rows)
        return trained


def _finish(
    data: TrainingSet,
    split: Split,
    groups: Sequence[str],
    contests: Sequence[Contest],
    competition: Competition,
    settings: TrainSettings,
    progress: Progress,
) -> TrainedModel:
    """Measure the winner, fit it on everything, export it and compare the graph with it.

    Raises:
        CannotCompete: If the winner is foreign, and cannot be fitted or is not exact.
    """
    winner = best_of(contests)
    amounts = []
    if data.value is not None:
        amounts = compete_for_values(competition, winner, settings, progress)
    name = winner.candidate.name
    progress(f"{name} is best: measuring it on {int(split.test.sum()):,} unseen rows")
    useful = competition.useful_to(winner.candidate)
    measured = _fit(winner, amounts, data, competition.rows, useful, settings)
    metrics = evaluate(data, split, measured, winner, settings, _by_snapshot(competition, winner))
    reliability, importances = describe(data, split, measured, groups, settings)
    if data.value is not None:
        expected = measured.expected(data.matrix.X[split.test])
        metrics["value"] = evaluate_value(data, split, expected, amounts, settings)
    progress(f"fitting {name} on all {len(data.y):,} rows")
    everybody = np.ones(len(data.y), dtype=bool)
    fitted = _fit(winner, amounts, data, everybody, useful, settings)
    ids = data.matrix.feature_ids
    onnx, holdout_onnx = (convert(model, ids, name) for model in (fitted, measured))
    inexact = _check_parity(onnx, fitted, data, settings, metrics)
    if inexact and winner.candidate.estimator.is_foreign:
        raise CannotCompete(inexact)
    parts = parts_of(fitted.estimator_, data.matrix.X, fitted.columns_)
    metrics["candidates"] = [contest.as_row() for contest in contests]
    metrics["has_reasons"] = parts is not None
    return TrainedModel(
        onnx=onnx,
        feature_ids=ids[fitted.columns_],
        explain_model=None if parts is None else pack(parts),
        holdout_onnx=holdout_onnx,
        holdout_feature_ids=ids[measured.columns_],
        candidate=name,
        class_weight=winner.candidate.class_weight,
        calibration=winner.calibrator.name,
        status="rejected" if inexact else "accepted",
        reason=inexact,
        metrics=metrics,
        reliability=reliability,
        importances=importances,
    )


def _by_snapshot(competition: Competition, contest: Contest) -> list[dict[str, float]]:
    """Return the winner's log loss in each snapshot, on users that its folds had not seen."""
    scored, later = competition.scored_rows()
    p = contest.calibrator.apply(expit(np.concatenate(competition.margins(contest.candidate))))
    y, as_of_hour = (
        np.concatenate([values[scored], values[later]])
        for values in (competition.data.y, competition.data.as_of_hour)
    )
    return losses_by_snapshot(y, p, as_of_hour)


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
        user_ids=data.user_ids,
        value=None if data.value is None else data.value[order],
    )


def _without_leaks(
    data: TrainingSet,
    split: Split,
    groups: list[str],
    progress: Progress,
    scored: csr_matrix | None,
) -> tuple[TrainingSet, list[str], list[dict[str, Any]]]:
    """Leave out quarantined columns; return what remains, its groups, and what was left out."""
    newest = data.as_of_hour == data.as_of_hour.max()
    leaks = find_leaks(data.matrix.X, data.y, split, groups, newest, scored)
    if not leaks:
        return data, groups, []
    rows = [leak.as_row(data.matrix, groups) for leak in leaks]
    alike = Counter(f"{row['kind']} of {row['group']}, {row['reason']}" for row in rows)
    for words, number in alike.items():
        progress(f"left out: {f'{number} times ' if number > 1 else ''}{words}")
    keep = np.setdiff1d(np.arange(len(groups)), [leak.column for leak in leaks])
    return replace(data, matrix=data.matrix.take(keep)), [groups[column] for column in keep], rows


def _fit(
    contest: Contest,
    amounts: Sequence[ValueContest],
    data: TrainingSet,
    rows: np.ndarray,
    useful: np.ndarray | None,
    settings: TrainSettings,
) -> CalibratedClassifier:
    """Fit the winners on these rows, with the rounds that they were best with in the contests."""
    estimator = prepared(contest.candidate, settings.seed, rounds=contest.rounds)
    value = fit_value(best_of(amounts), data, rows, settings) if amounts else None
    model = CalibratedClassifier(estimator, contest.calibrator, value)
    return model.fit(data.matrix.X[rows], data.y[rows], kinds=data.matrix.kinds, useful=useful)


def _check_parity(
    onnx: bytes,
    fitted: CalibratedClassifier,
    data: TrainingSet,
    settings: TrainSettings,
    metrics: dict[str, Any],
) -> str:
    """Write the gaps between graph and model into the metrics; say which is too large, if any."""
    X = some_rows(data.matrix.X, settings.n_parity_rows)
    own = X[:, fitted.columns_]
    metrics["parity"] = parity(onnx, fitted.probability(X), own)
    if metrics["parity"] > settings.parity_tolerance:
        limit = f"{metrics['parity']:.1e} > {settings.parity_tolerance:.0e}"
        return f"parity: max |ONNX - Python| = {limit}"
    if fitted.value is not None:
        metrics["value"]["parity"] = value_parity(onnx, fitted.expected(X), own)
        if metrics["value"]["parity"] > settings.value_tolerance:
            limit = f"{metrics['value']['parity']:.1e} > {settings.value_tolerance:.0e}"
            return f"parity of values: max |ONNX / Python - 1| = {limit}"
    return ""
