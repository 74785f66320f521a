"""Maps from a model's score to a calibrated probability, fitted on out-of-fold scores only.

Plain isotonic regression leaves ties and steep steps; centred isotonic keeps one knot per block at
its mean score, so that order and ONNX parity survive. Which map is used, held-out log loss decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from foretell.learn.metrics import EDGE as LOSS_EDGE

EDGE = 1e-6
MIN_GAP = 1e-4
# Linear scores are exact to 3.5e-7 on the meanest rows: what comes out stays near the gate of 1e-6.
MAX_SLOPE = 3.0


@dataclass(frozen=True)
class Identity:
    """No calibration."""

    name: str = "no"

    def apply(self, p: np.ndarray) -> np.ndarray:
        """Return p as it is, float64."""
        return np.asarray(p, dtype=np.float64)


@dataclass(frozen=True)
class Sigmoid:
    """expit(slope * logit(p) + intercept)."""

    slope: float
    intercept: float
    name: str = "sigmoid"

    def apply(self, p: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities, float64."""
        score = logit(np.clip(np.asarray(p, dtype=np.float64), EDGE, 1 - EDGE))
        return np.asarray(expit(self.slope * score + self.intercept))


@dataclass(frozen=True)
class Beta:
    """expit(a * log(p) - b * log(1 - p) + intercept): a sigmoid whose ends bend apart."""

    a: float
    b: float
    intercept: float
    name: str = "beta"

    def apply(self, p: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities, float64."""
        p = np.clip(np.asarray(p, dtype=np.float64), EDGE, 1 - EDGE)
        return np.asarray(expit(self.a * np.log(p) - self.b * np.log1p(-p) + self.intercept))


@dataclass(frozen=True)
class CentredIsotonic:
    """Piecewise linear through strictly ascending knots; constant beyond the ends."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    name: str = "centred isotonic"

    def apply(self, p: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities, float64."""
        return np.interp(np.asarray(p, dtype=np.float64), self.x, self.y)


Calibrator = Identity | Sigmoid | Beta | CentredIsotonic
Fitter = Callable[[np.ndarray, np.ndarray], Calibrator]


@dataclass(frozen=True)
class CalibrationRules:
    """When a map may compete, and when it wins.

    Attributes:
        min_isotonic_rows, min_isotonic_positives: Of the scores (of the rarer outcome, whichever it
            is), below which centred isotonic stays out.
        min_beta_positives: Likewise for beta.
        n_errors: Standard errors of its gain by which a map must beat the scores as they are. Rows
            of one user are alike, so that the error is larger than it looks.
    """

    min_isotonic_rows: int = 1000
    min_isotonic_positives: int = 100
    min_beta_positives: int = 50
    n_errors: float = 2.0


def fit_sigmoid(p: np.ndarray, y: np.ndarray) -> Sigmoid:
    """Fit a sigmoid on the log-odds of p, with smoothed targets so that few rows cannot overfit.

    Args:
        p: Out-of-fold scores in [0, 1], shape (n_rows,).
        y: Labels 0 or 1.

    Returns:
        The map; slope 0 (one probability for all) where the scores order rows backwards.

    Source: Platt (1999), "Probabilistic outputs for support vector machines".
    """
    score = logit(np.clip(p, EDGE, 1 - EDGE))
    slope, intercept = _fit_log_odds(score[:, None], np.array([1.0]), y)
    return Sigmoid(slope, intercept)


def fit_beta(p: np.ndarray, y: np.ndarray) -> Beta:
    """Fit a sigmoid of log(p) and log(1 - p), with smoothed targets as in fit_sigmoid.

    Args:
        p: Out-of-fold scores in [0, 1], shape (n_rows,).
        y: Labels 0 or 1.

    Returns:
        The map; a and b are at least 0, so that order is kept.

    Source: Kull, Silva Filho, Flach (AISTATS 2017), "Beta calibration".
    """
    p = np.clip(p, EDGE, 1 - EDGE)
    parts = np.column_stack([np.log(p), -np.log1p(-p)])
    a, b, intercept = _fit_log_odds(parts, np.array([1.0, 1.0]), y)
    return Beta(a, b, intercept)


def _fit_log_odds(parts: np.ndarray, start: np.ndarray, y: np.ndarray) -> list[float]:
    """Return gains >= 0 per column of parts, then the intercept, of the best smoothed log loss."""
    n_positive, n_negative = float(y.sum()), float(len(y) - y.sum())
    target = np.where(y > 0, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        z = parts @ parameters[:-1] + parameters[-1]
        gap = expit(z) - target
        value = np.mean(np.logaddexp(0, z) - target * z)
        return value, np.append(gap @ parts / len(y), np.mean(gap))

    bounds = [(0, None)] * len(start) + [(None, None)]
    fitted = minimize(loss, np.append(start, 0.0), jac=True, bounds=bounds, method="L-BFGS-B")
    return [float(value) for value in fitted.x]


def fit_centred_isotonic(p: np.ndarray, y: np.ndarray) -> CentredIsotonic:
    """Fit isotonic regression, then keep one knot per block at the block's mean score.

    Knots that are too close or too steep are merged: they would amplify float32 errors.

    Args:
        p: Out-of-fold scores in [0, 1], shape (n_rows,).
        y: Labels 0 or 1.

    Source: Oron and Flournoy (2017), "Centered isotonic regression".
    """
    level = IsotonicRegression(y_min=0, y_max=1).fit_transform(p.astype(np.float64), y)
    heights, block = np.unique(level, return_inverse=True)
    weight = np.bincount(block).astype(float)
    x, height = _merge_steep(np.bincount(block, p) / weight, heights, weight)
    if len(x) == 1:
        x, height = np.array([x[0] - 1e-3, x[0] + 1e-3]), np.repeat(height, 2)
    floor = 0.5 / len(y)  # a rate of exactly 0 or 1 is never certain
    return CentredIsotonic(
        tuple(float(value) for value in x.astype(np.float32)),
        tuple(np.clip(height, floor, 1 - floor).tolist()),
    )


def _merge_steep(
    x: np.ndarray, height: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Merge neighbouring knots until no step is closer than MIN_GAP or steeper than MAX_SLOPE."""
    knots: list[tuple[float, float, float]] = []
    for knot in zip(x.tolist(), height.tolist(), weight.tolist(), strict=True):
        while knots and knot[0] - knots[-1][0] < max(MIN_GAP, (knot[1] - knots[-1][1]) / MAX_SLOPE):
            before = knots.pop()
            total = before[2] + knot[2]
            knot = (
                (before[0] * before[2] + knot[0] * knot[2]) / total,
                (before[1] * before[2] + knot[1] * knot[2]) / total,
                total,
            )
        knots.append(knot)
    return np.array([knot[0] for knot in knots]), np.array([knot[1] for knot in knots])


def choose_calibrator(
    p: np.ndarray, y: np.ndarray, folds: np.ndarray, rules: CalibrationRules
) -> tuple[Calibrator, float]:
    """Fit the map that has the lowest cross-fitted log loss, by user folds.

    Scores stay as they are unless a map is better by more than chance: a map learned from past
    snapshots must earn its place (docs/decisions/0015).

    Args:
        p: Out-of-fold scores, shape (n_rows,).
        y: Labels 0 or 1.
        folds: Fold per row; a map is measured on folds it was not fitted on.
        rules: What a map needs to compete and to win.

    Returns:
        The map fitted on all rows, and its held-out log loss (nats per row).
    """
    fitters: dict[str, Fitter] = {"sigmoid": fit_sigmoid}
    n_rarer = min(y.sum(), len(y) - y.sum())
    if n_rarer >= rules.min_beta_positives:
        fitters["beta"] = fit_beta
    if len(y) >= rules.min_isotonic_rows and n_rarer >= rules.min_isotonic_positives:
        fitters["centred isotonic"] = fit_centred_isotonic
    plain = _row_losses(p, y)
    gains = {name: plain - _cross_fitted(fit, p, y, folds) for name, fit in fitters.items()}
    best = max(gains, key=lambda name: gains[name].mean())
    gain = gains[best]
    if gain.mean() <= rules.n_errors * gain.std() / np.sqrt(len(y)):
        return Identity(), float(plain.mean())
    return fitters[best](p, y), float((plain - gain).mean())


def _row_losses(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    p = np.clip(p, LOSS_EDGE, 1 - LOSS_EDGE)
    return np.asarray(-np.where(y > 0, np.log(p), np.log1p(-p)))


def _cross_fitted(fit: Fitter, p: np.ndarray, y: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Return each row's log loss by the map fitted on the other folds."""
    losses = np.empty(len(y))
    for fold in np.unique(folds):
        inside, outside = folds == fold, folds != fold
        learned = fit(p[outside], y[outside]) if outside.any() else Identity()
        losses[inside] = _row_losses(learned.apply(p[inside]), y[inside])
    return losses
