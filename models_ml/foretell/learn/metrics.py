"""Honest numbers: how good probabilities are on rows that no model has seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student
from sklearn.metrics import average_precision_score, roc_auc_score

EDGE = 1e-7
Z_95 = 1.959964
MIN_SNAPSHOTS = 3  # with fewer nobody knows how weeks differ
Metric = Callable[[np.ndarray, np.ndarray], float | None]


def expected_calibration_error(y: ArrayLike, p: ArrayLike, n_bins: int = 10) -> float:
    """Average gap between predicted and observed rate, over equal-width bins.

    Args:
        y: Labels 0 or 1, shape (n_rows,).
        p: Predicted probabilities in [0, 1], shape (n_rows,).
        n_bins: Number of bins on [0, 1].

    Returns:
        Row-weighted mean of |observed rate - mean p| (a probability); 0 is best.

    Raises:
        ValueError: If shapes differ, or p leaves [0, 1].

    Source: Naeini, Cooper, Hauskrecht (AAAI 2015), "Obtaining Well Calibrated Probabilities".
    """
    y, p = np.asarray(y, dtype=float), np.asarray(p, dtype=float)
    if y.shape != p.shape:
        raise ValueError(f"y has shape {y.shape}, p has shape {p.shape}")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p leaves [0, 1]: min {p.min()}, max {p.max()}")
    bins = np.minimum((p * n_bins).astype(int), n_bins - 1)
    return float(np.abs(np.bincount(bins, weights=y - p)).sum() / len(y))


def mean_log_loss(y: np.ndarray, p: np.ndarray) -> float:
    """Return the mean of -log P(what happened), nats per row; lower is better."""
    p = np.clip(p, EDGE, 1 - EDGE)
    return float(-np.mean(np.where(y > 0, np.log(p), np.log1p(-p))))


def top_decile_lift(y: np.ndarray, p: np.ndarray) -> float | None:
    """Return the rate among the tenth with the highest p over the rate of all; None at rate 0."""
    if not y.sum():
        return None
    top = np.argsort(-p, kind="stable")[: max(1, len(y) // 10)]
    return float(y[top].mean() / y.mean())


def metrics_with_intervals(
    y: np.ndarray,
    p: np.ndarray,
    users: np.ndarray,
    base_rate: float,
    seed: int,
    n_resamples: int = 200,
) -> dict[str, dict[str, float | None]]:
    """Return each metric with a 95 % percentile-bootstrap interval over users.

    Args:
        y: Labels 0 or 1, shape (n_rows,).
        p: Predicted probabilities, shape (n_rows,).
        users: User per row; users are resampled, not rows.
        base_rate: The guess to beat: the rate in the rows that were learned from.
        seed: Of the bootstrap.
        n_resamples: Bootstrap samples.

    Returns:
        Name -> {value, low, high}; None where undefined (AUROC with one class).
    """
    metrics: dict[str, Metric] = {
        "auroc": lambda y, p: float(roc_auc_score(y, p)) if 0 < y.sum() < len(y) else None,
        "average_precision": lambda y, p: float(average_precision_score(y, p)) if y.sum() else None,
        "log_loss": mean_log_loss,
        "log_loss_base_rate": lambda y, p: mean_log_loss(y, np.full(len(y), base_rate)),
        "log_loss_gain": lambda y, p: (
            mean_log_loss(y, np.full(len(y), base_rate)) - mean_log_loss(y, p)
        ),
        "brier": lambda y, p: float(np.mean((y - p) ** 2)),
        "expected_calibration_error": expected_calibration_error,
        "top_decile_lift": top_decile_lift,
    }
    return with_intervals(metrics, y, p, users, seed, n_resamples)


def with_intervals(
    metrics: Mapping[str, Metric],
    y: np.ndarray,
    p: np.ndarray,
    users: np.ndarray,
    seed: int,
    n_resamples: int = 200,
) -> dict[str, dict[str, float | None]]:
    """Return metrics of (y, p), each with a 95 % percentile-bootstrap interval over users.

    Arguments and result as of metrics_with_intervals, whose metrics are given here.
    """
    if not len(y):
        return {name: {"value": None, "low": None, "high": None} for name in metrics}
    draws = _resamples(users, np.random.default_rng(seed), n_resamples)
    samples = [(y[rows], p[rows]) for rows in draws]
    return {
        name: {"value": metric(y, p), **_interval([metric(*sample) for sample in samples])}
        for name, metric in metrics.items()
    }


def losses_by_snapshot(
    y: np.ndarray, p: np.ndarray, as_of_hour: np.ndarray
) -> list[dict[str, float]]:
    """Return what a model's log loss was in each snapshot, oldest first, JSON-able.

    Args:
        y: Labels 0 or 1, of rows that the model was not fitted on, shape (n_rows,).
        p: Predicted probabilities.
        as_of_hour: The snapshot of each row.

    Returns:
        Per snapshot: as_of_hour, n rows, log_loss, its standard error by chance, the rate observed.
    """
    p = np.clip(p, EDGE, 1 - EDGE)
    losses = -np.where(y > 0, np.log(p), np.log1p(-p))
    return [
        {
            "as_of_hour": int(hour),
            "n": int(own.sum()),
            "log_loss": float(losses[own].mean()),
            "error": float(losses[own].std() / np.sqrt(own.sum())),
            "observed": float(y[own].mean()),
            "mean_p": float(p[own].mean()),
        }
        for hour in np.unique(as_of_hour)
        for own in (as_of_hour == hour,)
    ]


def widened(
    loss: Mapping[str, float | None],
    by_snapshot: Sequence[Mapping[str, float]],
    overlap: float = 1.0,
) -> dict[str, float | None]:
    """Return a log loss with an interval that covers other weeks too, not only other users.

    Its half-width is the root of the sum of squares of that over users and of t * s, where s is the
    standard deviation of the loss among snapshots beyond chance, and t Student's for so many.
    Windows that share days differ less than those to come: s is times the root of the overlap.

    Args:
        loss: value, low and high over users.
        by_snapshot: What losses_by_snapshot returns, of the model that was measured.
        overlap: How many of the snapshots' windows hold the same day, at least 1.

    Source: Higgins, Thompson, Spiegelhalter (2009), "A re-evaluation of random-effects
    meta-analysis": the prediction interval of a new study.
    """
    value, low, high = loss["value"], loss["low"], loss["high"]
    if value is None or low is None or high is None or len(by_snapshot) < MIN_SNAPSHOTS:
        return dict(loss)
    losses = np.array([each["log_loss"] for each in by_snapshot])
    chance = np.mean([each["error"] ** 2 for each in by_snapshot])
    between = np.sqrt(max(0.0, losses.var(ddof=1) - chance))
    half = float(student.ppf(0.975, len(losses) - 1) * between * np.sqrt(overlap))
    return {
        "value": value,
        "low": float(max(0.0, value - np.hypot(value - low, half))),
        "high": float(value + np.hypot(high - value, half)),
        "low_of_users": low,
        "high_of_users": high,
    }


def reliability_table(
    y: np.ndarray, p: np.ndarray, n_groups: int = 10, z: float = Z_95
) -> list[dict[str, Any]]:
    """Compare predicted and observed rates in groups of equal size by p.

    Returns:
        Per group: n rows, mean_p, observed rate, and its Wilson interval low to high (95 % each by
        default).
    """
    order = np.argsort(p, kind="stable")
    table = []
    for rows in (rows for rows in np.array_split(order, n_groups) if len(rows)):
        low, high = wilson_interval(float(y[rows].sum()), len(rows), z)
        table.append(
            {
                "n": len(rows),
                "mean_p": float(p[rows].mean()),
                "observed": float(y[rows].mean()),
                "low": low,
                "high": high,
            }
        )
    return table


def wilson_interval(n_positive: float, n: int, z: float = Z_95) -> tuple[float, float]:
    """Return the interval of a rate, 95 % by default.

    Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference".
    """
    rate, spread = n_positive / n, z * z / n
    centre = (rate + spread / 2) / (1 + spread)
    half = z / (1 + spread) * np.sqrt(rate * (1 - rate) / n + spread / (4 * n))
    return float(max(0.0, centre - half)), float(min(1.0, centre + half))


def _resamples(users: np.ndarray, rng: np.random.Generator, n: int) -> list[np.ndarray]:
    """Return row numbers of n samples of users drawn with replacement."""
    _, number = np.unique(users, return_inverse=True)
    order = np.argsort(number, kind="stable")
    counts = np.bincount(number)
    starts = np.cumsum(counts) - counts
    samples = []
    for _ in range(n):
        drawn = rng.integers(0, len(counts), len(counts))
        lengths = counts[drawn]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        samples.append(order[np.repeat(starts[drawn], lengths) + within])
    return samples


def _interval(values: list[float | None]) -> dict[str, float | None]:
    known = [value for value in values if value is not None]
    if not known:
        return {"low": None, "high": None}
    low, high = np.percentile(known, [2.5, 97.5])
    return {"low": float(low), "high": float(high)}
