"""The models that compete: each is fitted on sparse rows and gives log-odds, or a log amount.

All families are sums there, and so is an average of them: what a column adds to a user's score is
exact. Defaults were chosen out of time on real shop data and on simulated behaviour
(docs/decisions/0014; of amounts, 0021).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import lightgbm
import numpy as np
from scipy.optimize import brentq
from scipy.sparse import csr_matrix
from scipy.special import expit, logit
from sklearn.linear_model import GammaRegressor, LogisticRegression

from foretell.learn.boosting import DEFAULT_ROUNDS, binned, boost
from foretell.learn.linear import LinearModel, LinearTransform, learn_transform
from foretell.learn.matrix import some_rows
from foretell.machine import usable_threads

MIN_ROWS_PER_COLUMN = 5
MAX_CENTRED_ROWS = 20_000
MAX_SHIFT = 50.0  # in log-odds: further than any model is off
PROPERTY_KINDS = (
    "value_count",
    "other_count",
    "value_sum",
    "value_sum_ever",
    "value_mean_ever",
    "user_property",
)


@dataclass(frozen=True)
class Candidate:
    """A model to try.

    Attributes:
        name: What people see.
        family: constant, linear, lightgbm, boosted (a linear model plus trees for what it leaves)
            or average (of its members' margins).
        class_weight: balanced re-weights the rarer class to half of the total, or None.
        C: Inverse strength of the penalty against the sum of losses, of linear models.
        with_properties: Whether it reads columns made from event and user properties.
        extra_trees: LightGBM tries one random threshold per column instead of all.
        members: Of an average.
        weights: One per member, adding up to 1; empty for equal ones.
        objective: binary (whether; margin in log-odds) or gamma (how much; margin the log of the
            mean amount).
    """

    name: str
    family: str
    class_weight: str | None = None
    C: float = 0.03
    with_properties: bool = True
    extra_trees: bool = False
    members: tuple[Candidate, ...] = ()
    weights: tuple[float, ...] = ()
    objective: str = "binary"

    @property
    def member_weights(self) -> tuple[float, ...]:
        """Return one weight per member, adding up to 1."""
        return self.weights or (1 / len(self.members),) * len(self.members)

    @property
    def has_trees(self) -> bool:
        """Whether trees are grown, alone or on a linear model; of an average: no."""
        return self.family in ("boosted", "lightgbm")

    @property
    def lightgbm_parameters(self) -> dict[str, Any]:
        """Return the parameters of LightGBM in which candidates differ (boosting.boost)."""
        return {
            "objective": self.objective,
            "is_unbalance": self.class_weight == "balanced",
            "extra_trees": self.extra_trees,
        }


PORTFOLIO = (
    Candidate("base_rate", "constant"),
    Candidate("logistic", "linear"),
    Candidate("logistic_loose", "linear", C=0.3),
    Candidate("logistic_without_properties", "linear", C=0.1, with_properties=False),
    Candidate("logistic_boosted", "boosted"),
    Candidate("lightgbm", "lightgbm"),
    Candidate("lightgbm_extra", "lightgbm", extra_trees=True),
    Candidate("lightgbm_without_properties", "lightgbm", extra_trees=True, with_properties=False),
)
VALUE_PORTFOLIO = (
    Candidate("mean_amount", "constant", objective="gamma"),
    Candidate("gamma", "linear", objective="gamma"),
    Candidate("gamma_loose", "linear", objective="gamma", C=0.3),
    Candidate("lightgbm_gamma", "lightgbm", objective="gamma", extra_trees=True),
)


@dataclass(frozen=True)
class Fitted:
    """A fitted candidate over some of the matrix's columns.

    Attributes:
        candidate: What was fitted.
        columns: Columns of the matrix it reads, ascending.
        model: Constant margin, LinearModel or lightgbm.Booster; None for an average.
        transform: Of the linear family, else None.
        rounds: Boosting rounds, of LightGBM, else None.
        members: Of an average; of the boosted family the linear model and the trees.
        shift: Added to the margin of one with members (centred).
    """

    candidate: Candidate
    columns: np.ndarray
    model: Any
    transform: LinearTransform | None = None
    rounds: int | None = None
    members: tuple[Fitted, ...] = ()
    shift: float = 0.0

    def margin(self, X: csr_matrix) -> np.ndarray:
        """Return uncalibrated log-odds, or log amounts, float64, shape (n_rows,).

        Args:
            X: Rows over all columns of the matrix the candidate was fitted on.
        """
        if self.members:
            margins = [member.margin(X) for member in self.members]
            return np.asarray(np.dot(self.weights, margins) + self.shift)
        if self.candidate.family == "constant":
            return np.full(X.shape[0], self.model)
        own = X[:, self.columns]
        if self.transform is not None:
            return np.asarray(self.model.margin(self.transform.apply(own, np.float64)))
        return np.asarray(self.model.predict(own, raw_score=True, num_threads=1))

    @property
    def weights(self) -> tuple[float, ...]:
        """Return the weight of each member: an average's add up to 1, a sum's are 1 each."""
        if self.candidate.family == "average":
            return self.candidate.member_weights
        return (1.0,) * len(self.members)

    def gain(self, n_columns: int) -> np.ndarray:
        """Return what splits on each column of the matrix gained; of others than trees nothing."""
        gain = np.zeros(n_columns)
        for member in self.members:
            gain += member.gain(n_columns)
        if self.candidate.family == "lightgbm":
            gain[self.columns] = self.model.feature_importance("gain")
        return gain

    def predict(self, X: csr_matrix) -> np.ndarray:
        """Return the uncalibrated probability of the same rows, of a binary objective."""
        return np.asarray(expit(self.margin(X)))


def fit_candidate(
    candidate: Candidate,
    X: csr_matrix,
    y: np.ndarray,
    kinds: Sequence[str],
    seed: int,
    n_jobs: int | None = None,
    held_out: tuple[csr_matrix, np.ndarray] | None = None,
    rounds: Mapping[str, int | None] | None = None,
    useful: np.ndarray | None = None,
) -> Fitted:
    """Fit one candidate, or all members of an average.

    Args:
        candidate: What to fit.
        X: Feature rows, shape (n_rows, n_features).
        y: Labels 0 or 1, both present; of objective gamma amounts above 0.
        kinds: Kind of each column (matrix.KINDS).
        seed: Same seed and rows, same model.
        n_jobs: Threads; default: what the machine allows (foretell.machine).
        held_out: Rows on which LightGBM stops early; other families ignore it.
        rounds: Candidate's name -> boosting rounds, where there are no held-out rows.
        useful: Mask of the columns that may be read; default: all.

    Returns:
        The fitted candidate.
    """
    rows, n_jobs = _Rows(X, y, useful), n_jobs or usable_threads()
    if candidate.family == "average":
        members = tuple(
            _fit_single(member, rows, kinds, seed, n_jobs, held_out, rounds)
            for member in candidate.members
        )
        columns = np.unique(np.concatenate([member.columns for member in members]))
        return Fitted(candidate, columns, None, members=members)
    return _fit_single(candidate, rows, kinds, seed, n_jobs, held_out, rounds)


def centred(fitted: Fitted, X: csr_matrix, y: np.ndarray) -> Fitted:
    """Return a model of several members that expects as many outcomes of its rows as there were.

    A mean of log-odds is less than the log-odds of the mean where they are low, and penalised trees
    say too little of a rare outcome: together up to 7 % (docs/decisions/0025).

    Args:
        fitted: Of objective binary; one without members is returned as it is.
        X: The rows it was fitted on; some of them, evenly spaced, are enough.
        y: Their labels, both present.

    Source: Van Calster et al. (2019), "Calibration: the Achilles heel of predictive analytics", for
    calibration in the large.
    """
    if not fitted.members:
        return fitted
    margin = fitted.margin(some_rows(X, MAX_CENTRED_ROWS))
    rate = y.mean(dtype=np.float64)
    shift = brentq(lambda b: expit(margin + b).mean() - rate, -MAX_SHIFT, MAX_SHIFT)
    return replace(fitted, shift=float(shift))


@dataclass
class _Rows:
    """Rows to fit on, and what several candidates need of them alike."""

    X: csr_matrix
    y: np.ndarray
    useful: np.ndarray | None
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

    def binned(self, columns: np.ndarray) -> lightgbm.Dataset:
        """Return some of the columns for LightGBM, binned once for all who read the same."""
        key = columns.tobytes()
        if key not in self.bins:
            self.bins[key] = binned(self.X[:, columns], self.y)
        return self.bins[key]


def _fit_single(
    candidate: Candidate,
    rows: _Rows,
    kinds: Sequence[str],
    seed: int,
    n_jobs: int,
    held_out: tuple[csr_matrix, np.ndarray] | None,
    rounds: Mapping[str, int | None] | None,
) -> Fitted:
    nothing = np.empty(0, dtype=np.int64)
    is_constant = candidate.family == "constant"
    columns = nothing if is_constant else readable_columns(candidate, rows.n_filled, kinds)
    if not len(columns):
        constant = replace(candidate, family="constant")
        mean = rows.y.mean(dtype=np.float64)
        margin = logit(mean) if candidate.objective == "binary" else np.log(mean)
        return Fitted(constant, nothing, float(margin))
    if candidate.family == "linear":
        return _fit_linear(candidate, rows, columns, kinds)
    valid = (held_out[0][:, columns], held_out[1]) if held_out else None
    n_rounds = (rounds or {}).get(candidate.name) or DEFAULT_ROUNDS
    if candidate.family == "lightgbm":
        booster = boost(
            rows.binned(columns), candidate.lightgbm_parameters, seed, n_jobs, valid, n_rounds
        )
        return Fitted(candidate, columns, booster, rounds=booster.num_trees())
    linear = _fit_linear(replace(candidate, family="linear"), rows, columns, kinds)
    start = linear.margin(rows.X)
    valid_start = linear.margin(held_out[0]) if held_out else None
    booster = boost(
        rows.binned(columns),
        candidate.lightgbm_parameters,
        seed,
        n_jobs,
        valid,
        n_rounds,
        start,
        valid_start,
    )
    n_trees = booster.num_trees()
    trees = Fitted(replace(candidate, family="lightgbm"), columns, booster, rounds=n_trees)
    return Fitted(candidate, columns, None, rounds=n_trees, members=(linear, trees))


def readable_columns(
    candidate: Candidate, n_filled: np.ndarray, kinds: Sequence[str]
) -> np.ndarray:
    """Return the columns that a candidate may read and that enough rows fill, ascending."""
    is_filled = n_filled >= MIN_ROWS_PER_COLUMN
    if not candidate.with_properties:
        is_filled &= ~np.isin(np.array(kinds, dtype=str), PROPERTY_KINDS)
    return np.flatnonzero(is_filled)


def portfolio_for(portfolio: Sequence[Candidate], kinds: Sequence[str]) -> list[Candidate]:
    """Return who can differ from the others: nobody leaves properties out where there are none."""
    if set(kinds) & set(PROPERTY_KINDS):
        return list(portfolio)
    return [candidate for candidate in portfolio if candidate.with_properties]


def _fit_linear(
    candidate: Candidate, rows: _Rows, columns: np.ndarray, kinds: Sequence[str]
) -> Fitted:
    own = rows.X[:, columns]
    transform = learn_transform(own, [kinds[int(column)] for column in columns])
    X, y = transform.apply(own), rows.y
    if candidate.objective == "binary":
        binary = LogisticRegression(
            C=candidate.C, max_iter=300, class_weight=candidate.class_weight
        ).fit(X, y)
        return Fitted(
            candidate, columns, LinearModel(binary.coef_[0], float(binary.intercept_[0])), transform
        )
    # It penalises against the mean of losses, not their sum; and amounts in their own unit would
    # make its tolerance depend on the currency.
    unit = y.mean(dtype=np.float64)
    gamma = GammaRegressor(alpha=1 / (candidate.C * len(y)), max_iter=300).fit(X, y / unit)
    model = LinearModel(gamma.coef_, float(gamma.intercept_ + np.log(unit)))
    return Fitted(candidate, columns, model, transform)
