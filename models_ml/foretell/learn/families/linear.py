"""Linear models of evened-out values (learn.linear): a logistic and a gamma regression."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import GammaRegressor, LogisticRegression

from foretell.learn.families.base import (
    Family,
    HeldOut,
    MarginClassifier,
    MarginRegressor,
    Rows,
)
from foretell.learn.linear import LinearPart, LinearTransform, learn_transform

MAX_ITERATIONS = 300


class Linear(Family):
    """A weighted sum of transformed values.

    Attributes:
        transform_: Evens values out.
        coef_: Weight per column read, float64.
        intercept_: Added to the sum.
    """

    is_linear = True
    C: float

    transform_: LinearTransform
    coef_: np.ndarray
    intercept_: float

    def part(self, X: csr_matrix) -> LinearPart | float:
        """Return the weights, around the means of rows it learned from."""
        if self.constant_ is not None:
            return self.constant_
        transformed = self.transform_.apply(X[:, self.columns_], np.float64)
        means = np.asarray(transformed.mean(axis=0)).ravel()
        return LinearPart(self.transform_, self.coef_, means, self.intercept_)

    def _fit(self, rows: Rows, held_out: HeldOut | None) -> None:
        own = rows.X[:, self.columns_]
        self.transform_ = learn_transform(own, [rows.kinds[int(c)] for c in self.columns_])
        self._weigh(self.transform_.apply(own), rows.y)

    def _weigh(self, X: csr_matrix, y: np.ndarray) -> None:
        raise NotImplementedError

    def _margin(self, X: csr_matrix) -> np.ndarray:
        transformed = self.transform_.apply(X[:, self.columns_], np.float64)
        return np.asarray(transformed @ self.coef_ + self.intercept_)


class LinearClassifier(MarginClassifier, Linear):
    """Logistic regression.

    Args:
        C: Inverse strength of the penalty against the sum of losses.
        class_weight: balanced re-weights the rarer class to half of the total, or None.
        with_properties: Whether it reads columns made from event and user properties.
    """

    def __init__(
        self, C: float = 0.03, class_weight: str | None = None, with_properties: bool = True
    ) -> None:
        self.C = C
        self.class_weight = class_weight
        self.with_properties = with_properties

    def _weigh(self, X: csr_matrix, y: np.ndarray) -> None:
        model = LogisticRegression(
            C=self.C, max_iter=MAX_ITERATIONS, class_weight=self.class_weight
        ).fit(X, y)
        self.coef_, self.intercept_ = model.coef_[0], float(model.intercept_[0])


class LinearRegressor(MarginRegressor, Linear):
    """Gamma regression with a logarithmic link.

    Args:
        C: Inverse strength of the penalty against the sum of losses.
        with_properties: Whether it reads columns made from event and user properties.
    """

    def __init__(self, C: float = 0.03, with_properties: bool = True) -> None:
        self.C = C
        self.with_properties = with_properties

    def _weigh(self, X: csr_matrix, y: np.ndarray) -> None:
        # It penalises against the mean of losses, not their sum; and amounts in their own unit
        # would make its tolerance depend on the currency.
        unit = y.mean(dtype=np.float64)
        model = GammaRegressor(alpha=1 / (self.C * len(y)), max_iter=MAX_ITERATIONS)
        model.fit(X, y / unit)
        self.coef_, self.intercept_ = model.coef_, float(model.intercept_ + np.log(unit))
