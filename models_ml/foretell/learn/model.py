"""The whole model as one scikit-learn Pipeline: missing values to 0, classifier, calibrator.

Of a value prediction the last step also says how much. skl2onnx makes the stored graph of it
(foretell.learn.onnx.export).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from foretell.learn.calibrate import Calibrator, Identity
from foretell.learn.candidates import centred
from foretell.learn.families.base import Family, MarginClassifier
from foretell.learn.value_model import ValueModel


class MissingToZero(TransformerMixin, BaseEstimator):
    """Replaces missing values by 0, which means none or never; learns nothing."""

    def fit(self, X: Any, y: Any = None) -> Self:
        """Remember how many columns there are."""
        self._read(X, reset=True)
        return self

    def transform(self, X: Any) -> csr_matrix | np.ndarray:
        """Return the rows, float32, without missing values; shape (n_rows, n_columns)."""
        check_is_fitted(self)
        X = self._read(X, reset=False)
        if issparse(X):
            values = np.where(np.isnan(X.data), np.float32(0), X.data)
            return csr_matrix((values, X.indices, X.indptr), X.shape)
        return np.where(np.isnan(X), np.float32(0), X)

    def _read(self, X: Any, reset: bool) -> Any:
        return validate_data(
            self, X, reset=reset, accept_sparse="csr", dtype=np.float32,
            ensure_all_finite="allow-nan", ensure_min_features=0,
        )  # fmt: skip

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


class CalibratedClassifier(ClassifierMixin, BaseEstimator):
    """A classifier, the map of its scores, and of a value prediction how much.

    Where scores stay as they are, a sum of members is made to expect as many outcomes as there
    were (candidates.centred). The map is not learned here: it comes from rows that the classifier
    was not fitted on (foretell.learn.contest).

    Args:
        estimator: Of foretell.learn.families.
        calibrator: From its scores to probabilities.
        value: Fitted; None where nobody asks how much.

    Attributes:
        estimator_: The fitted classifier.
    """

    def __init__(
        self,
        estimator: Family,
        calibrator: Calibrator,
        value: ValueModel | None = None,
    ) -> None:
        self.estimator = estimator
        self.calibrator = calibrator
        self.value = value

    @classmethod
    def of_fitted(
        cls, fitted: Family, calibrator: Calibrator, value: ValueModel | None = None
    ) -> Self:
        """Return such a model of a classifier that is fitted already."""
        model = cls(fitted, calibrator, value)
        model.estimator_, model.n_features_in_ = fitted, fitted.n_features_in_
        model.classes_ = getattr(fitted, "classes_", np.array([0, 1]))
        return model

    def fit(
        self,
        X: Any,
        y: Any,
        kinds: Sequence[str] | None = None,
        useful: np.ndarray | None = None,
    ) -> Self:
        """Fit the classifier on labelled rows; arguments as of Family.fit."""
        fitted = clone(self.estimator).fit(X, y, kinds=kinds, useful=useful)
        if hasattr(fitted, "feature_names_in_"):
            self.feature_names_in_ = fitted.feature_names_in_
        self.classes_, self.n_features_in_ = fitted.classes_, fitted.n_features_in_
        if isinstance(self.calibrator, Identity):
            rows = fitted.checked_rows(X)
            fitted = centred(fitted, rows, np.asarray(y).ravel() == self.classes_[1])
        self.estimator_ = fitted
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Return uncalibrated log-odds, float64, shape (n_rows,)."""
        check_is_fitted(self)
        return np.asarray(self.estimator_.decision_function(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return calibrated probabilities of both classes, shape (n_rows, 2)."""
        check_is_fitted(self)
        p = self.calibrator.apply(self.estimator_.predict_proba(X)[:, 1])
        return np.column_stack([1 - p, p])

    def predict(self, X: Any) -> np.ndarray:
        """Return the more probable class of each row, shape (n_rows,)."""
        is_second = self.predict_proba(X)[:, 1] > 0.5
        return np.asarray(self.classes_[is_second.astype(int)])

    def probability(self, X: csr_matrix) -> np.ndarray:
        """Return calibrated probabilities, shape (n_rows,); X is not checked."""
        classifier: MarginClassifier = self.estimator_
        return self.calibrator.apply(classifier.probability(X))

    def expected(self, X: csr_matrix) -> np.ndarray:
        """Return expected values, shape (n_rows,); X is not checked.

        Raises:
            ValueError: If nobody asks how much.
        """
        if self.value is None:
            raise ValueError("the model has no values: it says whether, not how much")
        return self.value.expected(X, self.probability(X))

    @property
    def columns_(self) -> np.ndarray:
        """Return the columns that the model reads, ascending."""
        if self.value is None:
            return np.asarray(self.estimator_.columns_)
        return np.union1d(self.estimator_.columns_, self.value.amount.columns_).astype(np.int64)

    def pipeline(self) -> Pipeline:
        """Return the whole model as it is stored: of rows that hold columns_ only, in order."""
        value = None if self.value is None else self.value.over(self.columns_)
        last = CalibratedClassifier.of_fitted(
            self.estimator_.over(self.columns_), self.calibrator, value
        )
        first = MissingToZero().fit(np.zeros((1, len(self.columns_)), dtype=np.float32))
        return Pipeline([("clean", first), ("model", last)])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_class = False
        return tags
