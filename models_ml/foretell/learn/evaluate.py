"""How good a trained model is, measured on users and weeks that it has never seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import expit, logit

from foretell.learn.contest import Contest, best_of
from foretell.learn.explain import permutation_importance
from foretell.learn.matrix import TrainingSet
from foretell.learn.metrics import (
    Z_95,
    Metric,
    metrics_with_intervals,
    reliability_table,
    widened,
    with_intervals,
)
from foretell.learn.model import CalibratedClassifier
from foretell.learn.split import Split
from foretell.learn.train_settings import TrainSettings
from foretell.learn.value_contest import ValueContest
from foretell.learn.value_model import mean_deviance

P_EDGE = 1e-7
N_STEPS = 25
N_GROUPS = 10  # of users by expected value
HOURS_PER_WEEK = 168  # from one snapshot to the next


def evaluate(
    data: TrainingSet,
    split: Split,
    model: CalibratedClassifier,
    contest: Contest,
    settings: TrainSettings,
    by_snapshot: Sequence[Mapping[str, float]] = (),
) -> dict[str, Any]:
    """Return metrics from rows of users and of a time that the model has not seen, JSON-able.

    generalisation_gap is the log loss there minus that of other users at the same time (the random
    split): what the passing of time costs.
    """
    y = data.y[split.test].astype(float)
    p = model.probability(data.matrix.X[split.test])
    base_rate = float(data.y[split.fit].mean())
    measured = metrics_with_intervals(
        y, p, data.user_key[split.test], base_rate, settings.seed, settings.n_resamples
    )
    overlap = max(1.0, data.horizon_hours / HOURS_PER_WEEK)
    measured["log_loss"] = widened(measured["log_loss"], by_snapshot, overlap)
    loss = measured["log_loss"]["value"]
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
        **measured,
        **calibration_line(y, p),
        "log_loss_random_split": contest.random_loss,
        "log_loss_by_snapshot": list(by_snapshot),
        "generalisation_gap": None if loss is None else loss - contest.random_loss,
    }


def describe(
    data: TrainingSet,
    split: Split,
    model: CalibratedClassifier,
    groups: Sequence[str],
    settings: TrainSettings,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the reliability table and the importances of groups, from the same unseen rows.

    Of a value prediction the importances are of the expected value (Tweedie deviance).
    """
    X, y = data.matrix.X[split.test], data.y[split.test].astype(float)
    if not len(y):
        return [], []
    reliability = reliability_table(y, model.probability(X))
    if data.value is None:
        return reliability, permutation_importance(model.probability, X, y, groups, settings.seed)
    return reliability, permutation_importance(
        model.expected, X, data.value[split.test], groups, settings.seed, loss=mean_deviance
    )


def calibration_line(y: np.ndarray, p: np.ndarray) -> dict[str, dict[str, float | None]]:
    """Regress outcomes on the log-odds of p: slope 1 and intercept 0 are well calibrated.

    A slope below 1 says that probabilities are too extreme; an intercept above 0 that they are too
    low where p is one half.

    Args:
        y: Labels 0 or 1, one row per user, shape (n_rows,).
        p: Predicted probabilities.

    Returns:
        calibration_slope and calibration_intercept, each {value, low, high} (95 %, Wald); None
        where rows cannot tell: one outcome only, one probability for all, or perfect separation.

    Source: Cox (1958), "Two further applications of a model for binary regression".
    """
    score = logit(np.clip(p, P_EDGE, 1 - P_EDGE))
    names, unknown = (
        ("calibration_slope", "calibration_intercept"),
        dict.fromkeys(("value", "low", "high")),
    )
    if len(np.unique(y)) < 2 or np.ptp(score) < 1e-6:
        return {name: dict(unknown) for name in names}
    design, weights = np.column_stack([score, np.ones(len(y))]), np.array([1.0, 0.0])
    for _ in range(N_STEPS):
        q = expit(design @ weights)
        information = (design * (q * (1 - q))[:, None]).T @ design
        if np.linalg.cond(information) > 1e12:
            return {name: dict(unknown) for name in names}
        step = np.linalg.solve(information, design.T @ (y - q))
        weights = weights + step
        if np.abs(step).max() < 1e-9:
            break
    else:
        return {name: dict(unknown) for name in names}
    half = Z_95 * np.sqrt(np.diag(np.linalg.inv(information)))
    return {
        name: {"value": float(w), "low": float(w - h), "high": float(w + h)}
        for name, w, h in zip(names, weights, half, strict=True)
    }


def evaluate_value(
    data: TrainingSet,
    split: Split,
    expected: np.ndarray,
    contests: Sequence[ValueContest],
    settings: TrainSettings,
) -> dict[str, Any]:
    """Return what `models.metrics` holds under `value`, JSON-able.

    Args:
        data: With values.
        split: Whose test rows were never learned from.
        expected: What the measured model expects of the test rows.
        contests: Of the models of amounts.
        settings: Seed and number of resamples.
    """
    assert data.value is not None
    value, winner = data.value[split.test], best_of(contests)
    usual = float(data.value[split.fit].mean())
    return {
        "candidate": winner.candidate.name,
        "scale": winner.scale.name,
        "candidates": [contest.as_row() for contest in contests],
        "mean_value": float(data.value.mean()),
        "largest_value": float(data.value.max()),
        **value_metrics(
            value, expected, data.user_key[split.test], usual, settings.seed, settings.n_resamples
        ),
        "groups": value_groups(value, expected),
    }


def value_metrics(
    value: np.ndarray,
    expected: np.ndarray,
    users: np.ndarray,
    usual: float,
    seed: int = 0,
    n_resamples: int = 200,
) -> dict[str, dict[str, float | None]]:
    """Return each metric of expected values as {value, low, high} (95 %, bootstrap over users).

    Args:
        value: What came, shape (n_rows,).
        expected: What was expected.
        users: User per row.
        usual: The guess to beat: the mean value of the rows learned from.
        seed: Of the bootstrap.
        n_resamples: Bootstrap samples.

    Returns:
        mean_absolute_error and deviance (Tweedie), with the guess's beside them; total_ratio, what
        was expected of all over what came; decile_error, the mean gap between expected and observed
        means of ten groups by expected value, a share of the mean; top_decile_share, what part of
        the total the tenth with the highest expected values brought.
    """
    metrics: dict[str, Metric] = {
        "mean_absolute_error": lambda v, e: float(np.abs(v - e).mean()),
        "mean_absolute_error_usual": lambda v, e: float(np.abs(v - usual).mean()),
        "deviance": mean_deviance,
        "deviance_usual": lambda v, e: mean_deviance(v, np.full(len(v), usual)),
        "total_ratio": lambda v, e: float(e.sum() / v.sum()) if v.any() else None,
        "decile_error": decile_error,
        "top_decile_share": _top_decile_share,
    }
    return with_intervals(metrics, value, expected, users, seed, n_resamples)


def decile_error(value: np.ndarray, expected: np.ndarray) -> float | None:
    """Return the mean |expected - observed mean| of ten equal groups, a share of the mean value."""
    if not value.any():
        return None
    gaps = [abs(expected[rows].mean() - value[rows].mean()) for rows in _tenths(expected)]
    return float(np.mean(gaps) / value.mean())


def value_groups(value: np.ndarray, expected: np.ndarray) -> list[dict[str, Any]]:
    """Compare expected and observed means in ten groups of equal size, the lowest first.

    Returns:
        Per group: n rows, mean_expected, mean_value, and low to high, the 95 % interval of the
        latter (of the normal distribution).
    """
    table = []
    for rows in _tenths(expected):
        mean, half = float(value[rows].mean()), None
        if len(rows) > 1:
            half = Z_95 * float(value[rows].std(ddof=1) / np.sqrt(len(rows)))
        table.append(
            {
                "n": len(rows),
                "mean_expected": float(expected[rows].mean()),
                "mean_value": mean,
                "low": None if half is None else max(0.0, mean - half),
                "high": None if half is None else mean + half,
            }
        )
    return table


def _tenths(expected: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(expected, kind="stable")
    return [rows for rows in np.array_split(order, N_GROUPS) if len(rows)]


def _top_decile_share(value: np.ndarray, expected: np.ndarray) -> float | None:
    if not value.any():
        return None
    top = np.argsort(-expected, kind="stable")[: max(1, len(value) // N_GROUPS)]
    return float(value[top].sum() / value.sum())
