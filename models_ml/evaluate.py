"""How good are probabilities on rows that nothing was learned from? Every figure is a plain float.

Each metric takes optional row weights, because a bootstrap resample of users is nothing but weights.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, xlogy

Metric = Callable[[np.ndarray, np.ndarray, np.ndarray], float | None]


def evaluate(
    y: ArrayLike,
    p: ArrayLike,
    user_key: ArrayLike,
    base_rate: float,
    n_resamples: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, dict[str, float | None]]:
    """Measure held-out probabilities, each figure with a bootstrap interval over users.

    Args:
        y: Labels 0 or 1, shape (n_rows,).
        p: Predicted probabilities in [0, 1], shape (n_rows,).
        user_key: Users are resampled, not rows: rows of one user are no independent evidence.
        base_rate: Observed rate of the rows that were learned from; the guess to beat.
        n_resamples: Bootstrap resamples; 0 leaves out the intervals.
        confidence: Coverage of the percentile interval.
        seed: Of the resampling.

    Returns:
        {metric: {value, low, high}}; None where a metric is undefined (no rows, one class only).
        Log losses are in nats per row, lift is a ratio, everything else lies in [0, 1].

    Raises:
        ValueError: If shapes differ, a label is neither 0 nor 1, or p leaves [0, 1].
    """
    y, p = _checked(y, p)
    users = np.unique(np.asarray(user_key), return_inverse=True)[1]
    order = np.argsort(p, kind="stable")  # sorted once: sorting the sorted again costs little
    y, p, users = y[order], p[order], users[order]
    metrics = _metrics(p, base_rate)
    values = {name: metric(y, p, np.ones(len(y))) for name, metric in metrics.items()}
    drawn: dict[str, list[float]] = {name: [] for name in metrics}
    rng = np.random.default_rng(seed)
    n_users = int(users.max()) + 1 if len(users) else 0
    for _ in range(n_resamples if n_users else 0):
        times = np.bincount(rng.integers(0, n_users, n_users), minlength=n_users).astype(float)
        for name, metric in metrics.items():
            value = metric(y, p, times[users])
            if value is not None:
                drawn[name].append(value)
    return {
        name: {"value": values[name], **_interval(drawn[name], confidence)} for name in metrics
    }


def _metrics(p: np.ndarray, base_rate: float) -> dict[str, Metric]:
    edges = _decile_edges(p)
    return {
        "auroc": auroc,
        "average_precision": average_precision,
        "log_loss": log_loss,
        "log_loss_base_rate": lambda y, p, weight: log_loss(y, np.full(len(y), base_rate), weight),
        "brier": _brier,
        "expected_calibration_error": _equal_width_error,
        "expected_calibration_error_deciles": partial(_calibration_error, edges=edges),
        "lift_top_decile": lift_top_decile,
        "observed_rate": lambda y, p, weight: float(weight @ y / weight.sum()) if len(y) else None,
    }


def _interval(drawn: list[float], confidence: float) -> dict[str, float | None]:
    """Percentile interval of the resampled values."""
    if not drawn:
        return {"low": None, "high": None}
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return {"low": float(low), "high": float(high)}


def auroc(y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float | None:
    """Chance that a positive row ranks above a negative one, ties counting half.

    Returns:
        A probability, or None if only one class is present.
    """
    positives, negatives = _by_score(y, p, weight)
    n_pairs = positives.sum() * negatives.sum()
    if not n_pairs > 0:
        return None
    below = np.cumsum(negatives) - negatives / 2
    return float(positives @ below / n_pairs)


def average_precision(y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float | None:
    """Area under the precision-recall steps; a random order scores the base rate.

    Returns:
        A value in [0, 1], or None without positives.
    """
    positives, negatives = (sums[::-1] for sums in _by_score(y, p, weight))
    if not positives.sum() > 0:
        return None
    found = np.cumsum(positives)
    seen = found + np.cumsum(negatives)
    precision = np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)
    return float(positives @ precision / found[-1])


def lift_top_decile(y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float | None:
    """Rate among the 10 % of rows with the highest p, over the rate among all.

    Rows tied at the border count in part, as if the tie were broken at random.

    Returns:
        A ratio from 0 to 10, or None without positives.
    """
    positives, negatives = (sums[::-1] for sums in _by_score(y, p, weight))
    if not positives.sum() > 0:
        return None
    seen, found = np.cumsum(positives + negatives), np.cumsum(positives)
    in_top = np.interp(0.1 * seen[-1], np.r_[0, seen], np.r_[0, found])
    return float(in_top / found[-1] / 0.1)


def log_loss(y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float | None:
    """Mean negative log likelihood in nats per row; p is clipped to 1e-12 from 0 and 1."""
    y, p = np.asarray(y, dtype=float), np.clip(np.asarray(p, dtype=float), 1e-12, 1 - 1e-12)
    return _mean(-(xlogy(y, p) + xlogy(1 - y, 1 - p)), weight)


def expected_calibration_error(y: ArrayLike, p: ArrayLike, n_bins: int = 10) -> float:
    """Average gap between predicted and observed rate, over equal-width bins.

    Args:
        y: Labels 0 or 1, shape (n_rows,).
        p: Predicted probabilities in [0, 1], shape (n_rows,).
        n_bins: Number of bins on [0, 1].

    Returns:
        Row-weighted mean of |observed rate - mean p| (a probability); 0 is best.

    Raises:
        ValueError: If shapes differ, there are no rows, or p leaves [0, 1].

    Source: Naeini, Cooper, Hauskrecht (AAAI 2015), "Obtaining Well Calibrated Probabilities".
    """
    y, p = _checked(y, p)
    error = _calibration_error(y, p, np.ones(len(y)), np.arange(1, n_bins) / n_bins)
    if error is None:
        raise ValueError("no rows to measure calibration on")
    return error


def reliability(y: ArrayLike, p: ArrayLike, confidence: float = 0.95) -> list[dict[str, float]]:
    """Predicted beside observed rate, by decile of p; equal p stay together.

    Args:
        y: Labels 0 or 1, shape (n_rows,).
        p: Predicted probabilities in [0, 1], shape (n_rows,).
        confidence: Coverage of the Wilson interval around the observed rate.

    Returns:
        One dictionary per decile that holds rows, ascending: n_rows, p_low and p_high (its range),
        p_mean, observed_rate, observed_low, observed_high.

    Raises:
        ValueError: If shapes differ or p leaves [0, 1].
    """
    y, p = _checked(y, p)
    decile = np.searchsorted(_decile_edges(p), p, side="right")
    table = []
    for number in np.unique(decile):
        ys, ps = y[decile == number], p[decile == number]
        low, high = wilson_interval(float(ys.sum()), len(ys), confidence)
        table.append(
            {
                "n_rows": len(ys),
                "p_low": float(ps.min()),
                "p_high": float(ps.max()),
                "p_mean": float(ps.mean()),
                "observed_rate": float(ys.mean()),
                "observed_low": low,
                "observed_high": high,
            }
        )
    return table


def wilson_interval(
    n_positive: float, n_rows: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval for a rate that stays inside [0, 1] and is wide where rows are few.

    Source: Wilson (1927); Brown, Cai, DasGupta (2001) recommend it for small n.
    """
    z = float(ndtri((1 + confidence) / 2))
    rate = n_positive / n_rows
    centre = (rate + z**2 / (2 * n_rows)) / (1 + z**2 / n_rows)
    half = z / (1 + z**2 / n_rows) * (rate * (1 - rate) / n_rows + (z / (2 * n_rows)) ** 2) ** 0.5
    return max(0.0, centre - half), min(1.0, centre + half)


def _checked(y: ArrayLike, p: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    y, p = np.asarray(y, dtype=float), np.asarray(p, dtype=float)
    if y.shape != p.shape:
        raise ValueError(f"y has shape {y.shape}, p has shape {p.shape}")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p leaves [0, 1]: min {p.min()}, max {p.max()}")
    if not np.isin(y, (0, 1)).all():
        raise ValueError(f"y holds {y[~np.isin(y, (0, 1))][0]}; a label is 0 or 1")
    return y, p


def _by_score(
    y: ArrayLike, p: ArrayLike, weight: ArrayLike | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weight of positives and of negatives per distinct p, ascending."""
    y, p = np.asarray(y, dtype=float), np.asarray(p, dtype=float)
    weight = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
    if not len(y):
        return np.zeros(1), np.zeros(1)
    if (p[1:] < p[:-1]).any():
        order = np.argsort(p, kind="stable")
        y, p, weight = y[order], p[order], weight[order]
    starts = np.r_[0, np.flatnonzero(p[1:] != p[:-1]) + 1]
    all_rows, positives = np.add.reduceat(weight, starts), np.add.reduceat(weight * y, starts)
    return positives, all_rows - positives


def _mean(values: np.ndarray, weight: ArrayLike | None) -> float | None:
    if not len(values):
        return None
    return float(np.average(values, weights=weight))


def _brier(y: np.ndarray, p: np.ndarray, weight: np.ndarray) -> float | None:
    return _mean((p - y) ** 2, weight)


def _equal_width_error(y: np.ndarray, p: np.ndarray, weight: np.ndarray) -> float | None:
    return _calibration_error(y, p, weight, np.arange(1, 10) / 10)


def _calibration_error(
    y: np.ndarray, p: np.ndarray, weight: np.ndarray, edges: np.ndarray
) -> float | None:
    if not len(y):
        return None
    bins = np.searchsorted(edges, p, side="right")
    gaps = np.bincount(bins, weights=weight * (y - p))
    return float(np.abs(gaps).sum() / weight.sum())


def _decile_edges(p: np.ndarray) -> np.ndarray:
    """Return the inner edges of ten bins of equal row counts; equal p share a bin."""
    return np.unique(np.quantile(p, np.arange(1, 10) / 10)) if len(p) else np.empty(0)
