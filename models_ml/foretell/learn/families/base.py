"""What all families share: scikit-learn's methods, the columns that are read, and a margin.

The margin is the log-odds of a classifier and the log of the mean amount of a regressor. A family
fits itself in `fit_rows` and gives its margin in `_margin`; everything else is here.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import lightgbm
import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from foretell.learn.boosting import binned
from foretell.learn.linear import LinearPart

MIN_ROWS_PER_COLUMN = 5
DEFAULT_KIND = "event_count"
OF_PROPERTIES = ("value_", "other_", "user_")  # so begin the kinds that are of properties
HeldOut = tuple[csr_matrix, np.ndarray]


def is_of_property(kind: str) -> bool:
    """Return whether a kind of feature (macro feature_kinds) is of a property, not of events."""
    return kind.startswith(OF_PROPERTIES)


@dataclass
class Rows:
    """Rows to fit on, and what the members of an average need of them alike.

    Attributes:
        X: Feature rows, float32, shape (n_rows, n_features).
        y: Labels 0 or 1, or amounts above 0, shape (n_rows,).
        kinds: Kind of each column (macro feature_kinds).
        useful: Mask of the columns that may be read; None: all.
    """

    X: csr_matrix
    y: np.ndarray
    kinds: Sequence[str]
    useful: np.ndarray | None = None
    bins: dict[bytes, lightgbm.Dataset] = field(default_factory=dict)

    @cached_property
    def n_filled(self) -> np.ndarray:
        """Return how many rows fill each column; of one that may not be read, none."""
        if self.useful is None:
            return np.bincount(self.X.indices, minlength=self.X.shape[1])
        n_filled = np.zeros(self.X.shape[1], dtype=np.int64)
        own = self.X[:, self.useful]  # counting costs more than taking few of many columns
        n_filled[self.useful] = np.bincount(own.indices, minlength=own.shape[1])
        return n_filled

    def readable_columns(self, with_properties: bool) -> np.ndarray:
        """Return the columns that may be read and that enough rows fill, ascending."""
        is_filled = self.n_filled >= MIN_ROWS_PER_COLUMN
        if not with_properties:
            is_filled &= np.array([not is_of_property(kind) for kind in self.kinds], dtype=bool)
        return np.flatnonzero(is_filled)

    def binned(self, columns: np.ndarray) -> lightgbm.Dataset:
        """Return some of the columns for LightGBM, binned once for all who read the same."""
        key = columns.tobytes()
        if key not in self.bins:
            self.bins[key] = binned(self.X[:, columns], self.y)
        return self.bins[key]


class Family(BaseEstimator):
    """A model of sparse rows.

    Class attributes say what a family is to a competition:
        is_floor: Every row gets one margin; a candidate that is no better joins no average.
        is_linear: The best of these joins an average.
        has_trees: All of these join an average.
        is_average: It is an average.
        is_foreign: Its ONNX converter is not ours, and its margin is no sum of known parts.

    Attributes:
        n_features_in_: Columns of the rows.
        columns_: Those that the model reads, ascending.
        constant_: The margin of everybody, where there is nothing to read; else None.
        members_: Fitted parts of a sum; none of a single model.
        shift_: Added to the margin of a sum (candidates.centred).
        rounds_: Boosting rounds, of trees, else None.
    """

    is_floor = False
    is_linear = False
    has_trees = False
    is_average = False
    is_foreign = False

    with_properties = True
    columns_: np.ndarray
    n_features_in_: int
    constant_: float | None
    members_: tuple[Family, ...]
    rounds_: int | None
    shift_: float

    def fit(
        self,
        X: Any,
        y: Any,
        kinds: Sequence[str] | None = None,
        useful: np.ndarray | None = None,
        held_out: HeldOut | None = None,
    ) -> Self:
        """Fit on labelled rows.

        Args:
            X: Feature rows, sparse or dense, shape (n_rows, n_features).
            y: Two classes, or amounts above 0, shape (n_rows,).
            kinds: Kind of each column (macro feature_kinds); default: all are counts.
            useful: Mask of the columns that may be read; default: all.
            held_out: Rows and labels on which trees stop early; others ignore them.

        Raises:
            ValueError: If rows and labels cannot be learned from.
        """
        X, y = validate_data(
            self, X, y, accept_sparse="csr", dtype=np.float32, ensure_min_features=0
        )
        kinds = [DEFAULT_KIND] * X.shape[1] if kinds is None else kinds
        if len(kinds) != X.shape[1]:
            raise ValueError(f"X has {X.shape[1]} columns, but there are {len(kinds)} kinds")
        return self.fit_rows(Rows(csr_matrix(X), self._targets(y), kinds, useful), held_out)

    def fit_rows(self, rows: Rows, held_out: HeldOut | None = None) -> Self:
        """Fit on rows that other members share."""
        self._begin(rows, self._columns(rows))
        if len(self.columns_):
            self._fit(rows, held_out)
        else:
            self.constant_ = float(self.link(rows.y.mean(dtype=np.float64)))
        return self

    def margin(self, X: csr_matrix) -> np.ndarray:
        """Return uncalibrated log-odds, or log amounts, float64, shape (n_rows,).

        Args:
            X: Rows over all columns that the model was fitted on; not checked.
        """
        if self.constant_ is not None:
            return np.full(X.shape[0], self.constant_)
        return self._margin(X)

    def checked_rows(self, X: Any) -> csr_matrix:
        """Return rows as margin takes them.

        Raises:
            ValueError: If they have other columns than those fitted on, or values that are missing.
        """
        check_is_fitted(self)
        X = validate_data(
            self, X, accept_sparse="csr", dtype=np.float32, reset=False, ensure_min_features=0
        )
        return csr_matrix(X)

    def gain(self) -> np.ndarray:
        """Return what splits on each column gained; of models without splits nothing."""
        gain = np.zeros(self.n_features_in_)
        for member in self.members_:
            gain += member.gain()
        return gain

    def over(self, columns: np.ndarray) -> Self:
        """Return the same model of rows that hold some columns only.

        Args:
            columns: Ascending; all that the model reads are among them.
        """
        model = copy.copy(self)
        model.columns_ = np.searchsorted(columns, self.columns_)
        model.n_features_in_ = len(columns)
        model.members_ = tuple(member.over(columns) for member in self.members_)
        return model

    @property
    def member_weights_(self) -> tuple[float, ...]:
        """Return the weight of each member in the sum."""
        return (1.0,) * len(self.members_)

    def part(self, X: csr_matrix) -> LinearPart | lightgbm.Booster | float:
        """Return what a single model adds up, for reasons (foretell.learn.contributions).

        Args:
            X: Rows it learned from, for their means.
        """
        assert self.constant_ is not None
        return self.constant_

    @staticmethod
    def link(mean: float) -> float:
        """Return the margin of a mean."""
        raise NotImplementedError

    def __repr__(self, N_CHAR_MAX: int | None = None) -> str:
        # With every parameter, unabridged: it is part of a model's id (pipeline.train_prediction).
        given = sorted(self.get_params().items())
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in given)})"

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _begin(self, rows: Rows, columns: np.ndarray) -> None:
        self.n_features_in_, self.columns_ = rows.X.shape[1], columns
        self.constant_, self.members_, self.shift_, self.rounds_ = None, (), 0.0, None

    def _columns(self, rows: Rows) -> np.ndarray:
        return rows.readable_columns(self.with_properties)

    def _targets(self, y: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _fit(self, rows: Rows, held_out: HeldOut | None) -> None:
        raise NotImplementedError

    def _margin(self, X: csr_matrix) -> np.ndarray:
        raise NotImplementedError


class MarginClassifier(ClassifierMixin):
    """A classifier of two classes whose margin is the log-odds of the second one."""

    objective = "binary"
    classes_: np.ndarray

    def decision_function(self: Any, X: Any) -> np.ndarray:
        """Return log-odds, float64, shape (n_rows,)."""
        return np.asarray(self.margin(self.checked_rows(X)))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities of both classes, uncalibrated, shape (n_rows, 2)."""
        p = expit(self.decision_function(X))
        return np.column_stack([1 - p, p])

    def predict(self, X: Any) -> np.ndarray:
        """Return the more probable class of each row, shape (n_rows,)."""
        margin = self.decision_function(X)
        return np.asarray(self.classes_[(margin > 0).astype(int)])

    def probability(self: Any, X: csr_matrix) -> np.ndarray:
        """Return the uncalibrated probability of the second class; X is not checked."""
        return np.asarray(expit(self.margin(X)))

    @staticmethod
    def link(mean: float) -> float:
        """Return the log-odds of a rate."""
        return float(logit(mean))

    def __sklearn_tags__(self: Any) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.poor_score = self.is_floor
        return tags

    def _targets(self, y: np.ndarray) -> np.ndarray:
        check_classification_targets(y)
        kind = type_of_target(y)
        if kind != "binary":
            raise ValueError(
                f"Only binary classification is supported. The type of the target is {kind}."
            )
        self.classes_, coded = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y holds one class only: {self.classes_[0]}")
        return coded.astype(np.float32)


class MarginRegressor(RegressorMixin):
    """A regressor of amounts above 0 whose margin is the log of the mean amount."""

    objective = "gamma"

    def predict(self: Any, X: Any) -> np.ndarray:
        """Return mean amounts, float64, shape (n_rows,)."""
        return np.asarray(np.exp(self.margin(self.checked_rows(X))))

    @staticmethod
    def link(mean: float) -> float:
        """Return the log of a mean amount."""
        return float(np.log(mean))

    def __sklearn_tags__(self: Any) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        tags.regressor_tags.poor_score = self.is_floor
        return tags

    def _targets(self, y: np.ndarray) -> np.ndarray:
        if not (y > 0).all():
            raise ValueError(f"an amount is above 0; y holds {y.min()}")
        return y.astype(np.float64)
