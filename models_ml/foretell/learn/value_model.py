"""How much a user comes to: the probability of any, times the mean amount of those who have any.

Most users come to nothing, and of the others some come to a hundred times the usual: two parts, the
second one with the spread of a gamma distribution, which grows with the mean
(docs/decisions/0021).

Source: Cragg (1971), "Some statistical models for limited dependent variables with application to
the demand for durable goods", for the two parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import TweedieRegressor

from foretell.learn.families.base import Family

POWER = 1.5  # of the Tweedie deviance: between counts (1) and amounts (2)
TINY = 1e-12  # relative to what is usual; an expected value is never 0


@dataclass(frozen=True)
class ValueScale:
    """scale * expected ** power: what is said too high or too steeply is put right.

    Attributes:
        scale: Factor, above 0.
        power: Exponent, above 0; below 1 it draws large and small values together.
        name: no (as it is), factor, or power.
    """

    scale: float = 1.0
    power: float = 1.0
    name: str = "no"

    def apply(self, expected: np.ndarray) -> np.ndarray:
        """Return scaled values, float64, of values above 0."""
        return np.asarray(self.scale * np.power(expected, self.power))


@dataclass(frozen=True)
class ValueModel:
    """The second part of a two-part model, and the scale of the product.

    Attributes:
        amount: Gives the log of the mean amount of a row that has any.
        lowest, highest: Log of the least and largest amount it learned from: nobody is expected to
            come to more than anybody did.
        scale: Of the product.
    """

    amount: Family
    lowest: float
    highest: float
    scale: ValueScale

    def expected(self, X: csr_matrix, p: np.ndarray) -> np.ndarray:
        """Return expected values, float64, shape (n_rows,), in the unit of what was learned.

        Args:
            X: Rows over all columns of the matrix.
            p: Calibrated probability of any, shape (n_rows,).
        """
        amount = np.exp(np.clip(self.amount.margin(X), self.lowest, self.highest))
        return self.scale.apply(p * amount)

    def over(self, columns: np.ndarray) -> ValueModel:
        """Return the same model of rows that hold some columns only (Family.over)."""
        return replace(self, amount=self.amount.over(columns))


def tweedie_losses(value: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return the Tweedie deviance of each row: lower is better, 0 where expected is exact.

    Least, on average, where expected is the mean, however skewed the values are; a large value that
    was expected to be large weighs little. In the unit of value to the power 2 - POWER.

    Args:
        value: What came, 0 or more, shape (n_rows,).
        expected: What was expected, above 0 or taken as a trifle.

    Source: Jorgensen (1997), "The Theory of Dispersion Models".
    """
    usual = max(float(np.mean(value)), TINY)
    m = np.maximum(expected, TINY * usual)
    own = np.power(value, 2 - POWER) / ((1 - POWER) * (2 - POWER))
    return np.asarray(
        2 * (own - value * np.power(m, 1 - POWER) / (1 - POWER) + m ** (2 - POWER) / (2 - POWER))
    )


def mean_deviance(value: np.ndarray, expected: np.ndarray) -> float:
    """Return the mean of tweedie_losses."""
    return float(tweedie_losses(value, expected).mean())


def choose_scale(
    expected: np.ndarray, value: np.ndarray, folds: np.ndarray, n_errors: float
) -> ValueScale:
    """Return the scale with the lowest deviance on folds it was not fitted on.

    As with probabilities, values stay as they are unless a scale is better by more than chance
    (docs/decisions/0015).

    Args:
        expected: Out of fold, above 0, shape (n_rows,).
        value: What came.
        folds: Fold per row.
        n_errors: Standard errors of its gain by which a scale must be better.
    """
    plain = tweedie_losses(value, expected)
    gains = {}
    for name in ("factor", "power"):
        losses = np.empty(len(value))
        for fold in np.unique(folds):
            inside, outside = folds == fold, folds != fold
            learned = _fit_scale(name, expected[outside], value[outside])
            losses[inside] = tweedie_losses(value[inside], learned.apply(expected[inside]))
        gains[name] = plain - losses
    best = max(gains, key=lambda name: gains[name].mean())
    gain = gains[best]
    if gain.mean() <= n_errors * gain.std() / np.sqrt(len(value)):
        return ValueScale()
    return _fit_scale(best, expected, value)


def _fit_scale(name: str, expected: np.ndarray, value: np.ndarray) -> ValueScale:
    if not value.any():
        return ValueScale()
    unit = value.mean()
    if name == "factor":
        return ValueScale(float(unit / expected.mean()), 1.0, name)
    log_size = np.log(expected / unit)[:, None]
    fitted = TweedieRegressor(power=POWER, alpha=0, link="log").fit(log_size, value / unit)
    slope = float(max(fitted.coef_[0], 0.1))
    return ValueScale(float(np.exp(fitted.intercept_) * unit ** (1 - slope)), slope, name)
