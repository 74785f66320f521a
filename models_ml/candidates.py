"""The models that compete: each is fitted on sparse rows and knows how to predict.

Defaults were chosen out of time on real shop data and on simulated behaviour (docs/decisions/0007).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

MIN_ROWS_PER_COLUMN = 5
MAX_ROUNDS = 150
DEFAULT_ROUNDS = 40
MAX_SCALE_ROWS = 20_000
MAX_DENSE_VALUES = 50_000_000


@dataclass(frozen=True)
class Candidate:
    """A model to try.

    Attributes:
        name: What people see.
        family: constant, logistic, forest or lightgbm.
        class_weight: balanced re-weights the rarer class to half of the total, or None.
        C: Inverse strength of the penalty, of the logistic family.
    """

    name: str
    family: str
    class_weight: str | None = None
    C: float = 0.03


PORTFOLIO = (
    Candidate("base_rate", "constant"),
    Candidate("logistic", "logistic"),
    Candidate("logistic_loose", "logistic", C=0.3),
    Candidate("forest_balanced", "forest", "balanced"),
    Candidate("lightgbm", "lightgbm"),
)


@dataclass(frozen=True)
class LinearTransform:
    """What a linear model sees of a feature: evened out, and recent = large, never = 0.

    Counts and sums become sign(x) log(1 + |x|); hours since an event become
    max(0, log(1 + cap) - log(1 + x)) where x > 0; everything is then divided by scale.

    Attributes:
        is_recency: Columns that hold hours since an event, bool, shape (n_columns,).
        cap: Largest |x| of the column in training; hours beyond it count as never; shape
            (n_columns,).
        scale: Largest absolute transformed value in training, > 0, shape (n_columns,).
    """

    is_recency: np.ndarray
    cap: np.ndarray
    scale: np.ndarray

    @property
    def slope(self) -> np.ndarray:
        """What log(1 + |x|) is multiplied by, float32, shape (n_columns,)."""
        return (np.where(self.is_recency, -1, 1) / self.scale).astype(np.float32)

    @property
    def offset(self) -> np.ndarray:
        """What is added then, float32, shape (n_columns,)."""
        return np.where(self.is_recency, np.log1p(self.cap) / self.scale, 0).astype(np.float32)

    @property
    def floor(self) -> np.ndarray:
        """The least value then allowed, float32, shape (n_columns,)."""
        return np.where(self.is_recency, 0, -np.inf).astype(np.float32)

    def apply(self, X: csr_matrix) -> csr_matrix:
        """Return the transformed rows, float32; zeros stay zeros."""
        # Tens of millions of values pass here: float32, in place, no branches.
        values = np.abs(X.data)
        values += 1
        np.log(values, out=values)
        np.copysign(values, X.data, out=values)
        values *= self.slope[X.indices]
        values += self.offset[X.indices]
        np.maximum(values, self.floor[X.indices], out=values)
        values[(X.data <= 0) & self.is_recency[X.indices]] = 0
        return csr_matrix((values, X.indices, X.indptr), X.shape)


@dataclass(frozen=True)
class Fitted:
    """A fitted candidate over some of the matrix's columns.

    Attributes:
        candidate: What was fitted.
        columns: Columns of the matrix it reads, ascending.
        model: Constant rate, LogisticRegression, RandomForestClassifier or lightgbm.Booster.
        transform: Of the logistic family, else None.
        rounds: Boosting rounds, of LightGBM, else None.
    """

    candidate: Candidate
    columns: np.ndarray
    model: Any
    transform: LinearTransform | None = None
    rounds: int | None = None

    def predict(self, X: csr_matrix) -> np.ndarray:
        """Return the uncalibrated probability, float64, shape (n_rows,).

        Args:
            X: Rows over all columns of the matrix the candidate was fitted on.
        """
        if self.candidate.family == "constant":
            return np.full(X.shape[0], self.model)
        own = X[:, self.columns]
        if self.transform is not None:
            exact = self.transform.apply(own).astype(np.float64)
            return expit(self.model.decision_function(exact))
        if self.candidate.family == "forest":
            return self.model.predict_proba(own)[:, 1]
        return expit(self.model.predict(own, raw_score=True, num_threads=1))


def fit_candidate(
    candidate: Candidate,
    X: csr_matrix,
    y: np.ndarray,
    kinds: Sequence[str],
    seed: int,
    n_jobs: int = 2,
    held_out: tuple[csr_matrix, np.ndarray] | None = None,
    rounds: int | None = None,
) -> Fitted:
    """Fit one candidate.

    Args:
        candidate: What to fit.
        X: Feature rows, shape (n_rows, n_features).
        y: Labels 0 or 1, both present.
        kinds: Kind of each column (matrix.KINDS).
        seed: Same seed and rows, same model.
        n_jobs: Threads.
        held_out: Rows on which LightGBM stops early; other families ignore it.
        rounds: Boosting rounds where there are no held-out rows.

    Returns:
        The fitted candidate.
    """
    if candidate.family == "constant":
        return Fitted(candidate, np.empty(0, dtype=np.int64), float(y.mean()))
    columns = np.flatnonzero(np.bincount(X.indices, minlength=X.shape[1]) >= MIN_ROWS_PER_COLUMN)
    if not len(columns):
        return Fitted(Candidate(candidate.name, "constant"), columns, float(y.mean()))
    own = X[:, columns]
    if candidate.family == "logistic":
        transform = _learn_transform(own, [kinds[int(column)] for column in columns])
        model = LogisticRegression(C=candidate.C, max_iter=300, class_weight=candidate.class_weight)
        return Fitted(candidate, columns, model.fit(transform.apply(own), y), transform)
    if candidate.family == "forest":
        forest = RandomForestClassifier(
            n_estimators=60, min_samples_leaf=20, max_leaf_nodes=128, max_features="sqrt",
            max_samples=min(1.0, 20_000 / len(y)), class_weight=candidate.class_weight,
            n_jobs=n_jobs, random_state=seed,
        )  # fmt: skip
        # The same forest either way; dense is twice as fast where there is room for it.
        is_small = own.shape[0] * own.shape[1] <= MAX_DENSE_VALUES
        return Fitted(candidate, columns, forest.fit(own.toarray() if is_small else own, y))
    valid = (held_out[0][:, columns], held_out[1]) if held_out else None
    booster = _boost(candidate, own, y, seed, n_jobs, valid, rounds or DEFAULT_ROUNDS)
    return Fitted(candidate, columns, booster, rounds=booster.num_trees())


def _learn_transform(X: csr_matrix, kinds: Sequence[str]) -> LinearTransform:
    """Learn caps and scales on evenly spaced rows: they need no exact maximum."""
    some = X[:: max(1, X.shape[0] // MAX_SCALE_ROWS)]
    size = np.abs(some.data)
    cap, least = np.zeros(X.shape[1]), np.full(X.shape[1], np.inf)
    np.maximum.at(cap, some.indices, size)
    np.minimum.at(least, some.indices, size)
    is_recency = np.array([kind.startswith("hours_since") for kind in kinds], dtype=bool)
    largest = np.log1p(cap) - np.where(is_recency, np.log1p(np.minimum(least, cap)), 0)
    return LinearTransform(is_recency, cap, np.where(largest > 0, largest, 1.0))


def _boost(
    candidate: Candidate,
    X: csr_matrix,
    y: np.ndarray,
    seed: int,
    n_jobs: int,
    held_out: tuple[csr_matrix, np.ndarray] | None,
    rounds: int,
) -> lightgbm.Booster:
    parameters = {
        "objective": "binary", "learning_rate": 0.1, "num_leaves": 15, "lambda_l2": 10.0,
        "min_data_in_leaf": min(50, max(5, len(y) // 50)), "feature_fraction": 0.3,
        "bagging_fraction": 0.7, "bagging_freq": 1, "max_bin": 63, "verbosity": -1, "seed": seed,
        "num_threads": n_jobs, "deterministic": True, "force_col_wise": True,
        "is_unbalance": candidate.class_weight == "balanced",
    }  # fmt: skip
    train_set = lightgbm.Dataset(X, y, params={"verbosity": -1, "max_bin": 63})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # LightGBM on sparse rows without names
        if held_out is None:
            return lightgbm.train(parameters, train_set, rounds)
        stopped = lightgbm.train(
            parameters, train_set, MAX_ROUNDS,
            valid_sets=[lightgbm.Dataset(*held_out, reference=train_set)],
            callbacks=[lightgbm.early_stopping(10, verbose=False)],
        )  # fmt: skip
    best = max(stopped.best_iteration, 1)
    return lightgbm.Booster(model_str=stopped.model_to_string(num_iteration=best))
