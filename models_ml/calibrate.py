"""From a model's margin (log-odds) to a calibrated probability, by a map learned out-of-fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, xlogy
from sklearn.isotonic import IsotonicRegression

CalibrationKind = Literal["none", "sigmoid", "centred_isotonic"]


@dataclass(frozen=True)
class NoCalibration:
    """The model's own probability."""

    kind: CalibrationKind = "none"

    def apply(self, margin: np.ndarray) -> np.ndarray:
        """Return probabilities, float64."""
        return expit(np.asarray(margin, dtype=np.float64))


@dataclass(frozen=True)
class SigmoidCalibration:
    """Logistic curve over the margin; slope >= 0, so that order stays."""

    slope: float
    intercept: float
    kind: CalibrationKind = "sigmoid"

    def apply(self, margin: np.ndarray) -> np.ndarray:
        """Return probabilities, float64."""
        return expit(self.slope * np.asarray(margin, dtype=np.float64) + self.intercept)


@dataclass(frozen=True)
class IsotonicCalibration:
    """Straight lines between knots, level outside; both coordinates strictly increase."""

    margins: tuple[float, ...]
    probabilities: tuple[float, ...]
    kind: CalibrationKind = "centred_isotonic"

    def apply(self, margin: np.ndarray) -> np.ndarray:
        """Return probabilities, float64."""
        return np.interp(np.asarray(margin, dtype=np.float64), self.margins, self.probabilities)


Calibrator = NoCalibration | SigmoidCalibration | IsotonicCalibration


@dataclass(frozen=True)
class CalibrationSettings:
    """When a free form is worth its variance.

    Attributes:
        min_isotonic_rows: Fewer rows than this and only smooth maps are considered.
        min_isotonic_positives: The same for rows of the rarer class.
        min_knot_gap: Knots closer than this (in log-odds) become one. It bounds the slope, and
            with it how much the map can amplify float32 rounding.
    """

    min_isotonic_rows: int = 1_000
    min_isotonic_positives: int = 100
    min_knot_gap: float = 0.05


def choose_calibration(
    margin: np.ndarray, y: np.ndarray, fold: np.ndarray, settings: CalibrationSettings
) -> dict[CalibrationKind, float]:
    """Measure each kind of calibration on rows that did not fit it.

    Args:
        margin: Out-of-fold margins, shape (n_rows,).
        y: Labels 0 or 1.
        fold: Fold per row; a user's rows share one.
        settings: Which kinds come into question.

    Returns:
        Cross-fitted mean log loss (nats per row) by kind, best first.
    """
    kinds: list[CalibrationKind] = ["none", "sigmoid"]
    n_rarer = min(y.sum(), len(y) - y.sum())
    if len(y) >= settings.min_isotonic_rows and n_rarer >= settings.min_isotonic_positives:
        kinds.append("centred_isotonic")
    losses: dict[CalibrationKind, float] = {}
    for kind in kinds:
        p = np.empty(len(y))
        for number in np.unique(fold):
            held_out = fold == number
            fitted = fit_calibrator(kind, margin[~held_out], y[~held_out], settings)
            p[held_out] = fitted.apply(margin[held_out])
        losses[kind] = mean_log_loss(y, p)
    return dict(sorted(losses.items(), key=lambda item: item[1]))


def fit_calibrator(
    kind: CalibrationKind, margin: np.ndarray, y: np.ndarray, settings: CalibrationSettings
) -> Calibrator:
    """Learn one map; on a single class the free form gives way to the sigmoid.

    Raises:
        ValueError: If the kind is unknown or there are no rows.
    """
    if not len(y):
        raise ValueError("no rows to calibrate on")
    if kind == "none":
        return NoCalibration()
    if kind == "sigmoid" or (kind == "centred_isotonic" and y.min() == y.max()):
        return fit_sigmoid(margin, y)
    if kind == "centred_isotonic":
        return fit_centred_isotonic(margin, y, settings.min_knot_gap)
    raise ValueError(f"unknown calibration {kind!r}; known: none, sigmoid, centred_isotonic")


def mean_log_loss(y: np.ndarray, p: np.ndarray) -> float:
    """Return the mean negative log likelihood in nats per row, p clipped to 1e-12 from 0 and 1."""
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return float(-(xlogy(y, p) + xlogy(1 - y, 1 - p)).mean())


def fit_sigmoid(margin: np.ndarray, y: np.ndarray, max_steps: int = 100) -> SigmoidCalibration:
    """Platt scaling with his smoothed targets, by Newton's method with step halving.

    Args:
        margin: Log-odds by the model, shape (n_rows,).
        y: Labels 0 or 1; one class alone is fine.
        max_steps: Newton steps at most; about ten are usual.

    Returns:
        p = sigmoid(slope * margin + intercept). If the best slope is negative (the margin orders
        rows backwards, as by chance) it is 0: the same probability for everybody.

    Source: Platt (1999); Lin, Lin, Weng (2007), "A note on Platt's probabilistic outputs".
    """
    margin = np.asarray(margin, dtype=np.float64)
    n_positive = float(y.sum())
    n_negative = len(y) - n_positive
    target = np.where(y > 0, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
    design = np.column_stack([margin, np.ones(len(y))])
    weights = np.array([0.0, np.log((n_positive + 1) / (n_negative + 1))])
    loss = _cross_entropy(design @ weights, target)
    for _ in range(max_steps):
        p = expit(design @ weights)
        gradient = design.T @ (p - target)
        hessian = (design * (p * (1 - p))[:, None]).T @ design + 1e-12 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        scale = 1.0
        while (new := _cross_entropy(design @ (weights - scale * step), target)) > loss:
            scale /= 2
            if scale < 1e-10:
                break
        if scale < 1e-10 or loss - new < 1e-12 * len(y):
            break
        weights, loss = weights - scale * step, new
    if weights[0] <= 0:
        rate = target.mean()
        return SigmoidCalibration(0.0, float(np.log(rate / (1 - rate))))
    return SigmoidCalibration(float(weights[0]), float(weights[1]))


def _cross_entropy(z: np.ndarray, target: np.ndarray) -> float:
    """Sum of -target log p - (1 - target) log(1 - p) at log-odds z, without overflow."""
    return float((np.logaddexp(0, z) - target * z).sum())


def fit_centred_isotonic(margin: np.ndarray, y: np.ndarray, min_gap: float) -> IsotonicCalibration:
    """Isotonic regression with one knot per level block, at the block's mean margin.

    Plain isotonic regression leaves a few dozen distinct probabilities and steps between them;
    lines between the blocks' centres keep users in order. The ends go on at the last slope as far
    as margins were seen (a block's mean is kept only if its outer half bends like its inner half).

    Args:
        margin: Log-odds by the model, shape (n_rows,).
        y: Labels 0 or 1, both present.
        min_gap: Knots closer than this become one.

    Returns:
        The fitted map; probabilities stay inside (0, 1).

    Source: Oron and Flournoy (2017), "Centered Isotonic Regression".
    """
    margin = np.asarray(margin, dtype=np.float64)
    level = IsotonicRegression(y_min=0, y_max=1).fit_transform(margin, y)
    block = np.unique(level, return_inverse=True)[1]
    knots = _merge_close(_block_means(block, margin, y), min_gap)
    if len(knots) == 1:
        ((x, p, n_rows),) = knots
        knots = [(x - 1, p - 1e-9, n_rows), (x + 1, p + 1e-9, n_rows)]
    x, p, n_rows = (np.array(values) for values in zip(*knots, strict=True))
    # Only the end blocks can hold one class alone; half a row of the other one is granted them.
    p[0] = max(p[0], min(0.5 / (n_rows[0] + 1), p[1] / 2))
    p[-1] = min(p[-1], max(1 - 0.5 / (n_rows[-1] + 1), (1 + p[-2]) / 2))
    x, p = _extend(x, p, margin.min(), margin.max())
    return IsotonicCalibration(tuple(x.tolist()), tuple(p.tolist()))


def _block_means(
    block: np.ndarray, margin: np.ndarray, y: np.ndarray
) -> list[tuple[float, float, float]]:
    """Return (mean margin, observed rate, rows) per block, ascending."""
    n_rows = np.bincount(block).astype(float)
    means = np.bincount(block, margin) / n_rows, np.bincount(block, y) / n_rows, n_rows
    return list(zip(*(values.tolist() for values in means), strict=True))


def _merge_close(
    knots: list[tuple[float, float, float]], min_gap: float
) -> list[tuple[float, float, float]]:
    """Join each knot with the one before it if they are closer than min_gap."""
    merged = [knots[0]]
    for x, p, n in knots[1:]:
        last_x, last_p, last_n = merged[-1]
        if x - last_x < min_gap:
            total = last_n + n
            merged[-1] = (
                (last_x * last_n + x * n) / total,
                (last_p * last_n + p * n) / total,
                total,
            )
        else:
            merged.append((x, p, n))
    return merged


def _extend(
    x: np.ndarray, p: np.ndarray, lowest: float, highest: float
) -> tuple[np.ndarray, np.ndarray]:
    """Add a knot at either end of the seen margins, on the last line, at most half way to 0 or 1."""
    slope_low = (p[1] - p[0]) / (x[1] - x[0])
    slope_high = (p[-1] - p[-2]) / (x[-1] - x[-2])
    if lowest < x[0]:
        x, p = np.r_[lowest, x], np.r_[max(p[0] - slope_low * (x[0] - lowest), p[0] / 2), p]
    if highest > x[-1]:
        end = min(p[-1] + slope_high * (highest - x[-1]), (p[-1] + 1) / 2, p[-1] * 1.5)
        x, p = np.r_[x, highest], np.r_[p, end]
    return x, p
