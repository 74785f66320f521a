"""The models that compete: a name and an estimator each (foretell.learn.families).

Ours are sums in log-odds, and so is an average of them: what a column adds to a user's score is
exact. Defaults were chosen out of time on real shop data and on simulated behaviour
(docs/decisions/0014; of amounts, 0021).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.base import clone

from foretell.learn.families.average import Average
from foretell.learn.families.base import Family, HeldOut, is_of_property
from foretell.learn.families.boosted import BoostedClassifier
from foretell.learn.families.constant import ConstantClassifier, ConstantRegressor
from foretell.learn.families.linear import LinearClassifier, LinearRegressor
from foretell.learn.families.trees import TreesClassifier, TreesRegressor
from foretell.learn.matrix import some_rows

MAX_CENTRED_ROWS = 20_000
MAX_SHIFT = 50.0  # in log-odds: further than any model is off


@dataclass(frozen=True)
class Candidate:
    """A model to try.

    Attributes:
        name: What people see.
        estimator: Unfitted, with its parameters.
    """

    name: str
    estimator: Family

    @property
    def class_weight(self) -> str | None:
        """Return balanced where the rarer class weighs half of the total, else None."""
        return getattr(self.estimator, "class_weight", None)

    @property
    def members(self) -> tuple[Candidate, ...]:
        """Return the members of an average; of others none."""
        if not isinstance(self.estimator, Average):
            return ()
        return tuple(Candidate(*member) for member in self.estimator.estimators)

    @property
    def member_weights(self) -> tuple[float, ...]:
        """Return one weight per member, adding up to 1."""
        return self.estimator.member_weights_ if isinstance(self.estimator, Average) else ()


PORTFOLIO = (
    Candidate("base_rate", ConstantClassifier()),
    Candidate("logistic", LinearClassifier()),
    Candidate("logistic_loose", LinearClassifier(C=0.3)),
    Candidate("logistic_without_properties", LinearClassifier(C=0.1, with_properties=False)),
    Candidate("logistic_boosted", BoostedClassifier()),
    Candidate("lightgbm", TreesClassifier()),
    Candidate("lightgbm_extra", TreesClassifier(extra_trees=True)),
    Candidate(
        "lightgbm_without_properties", TreesClassifier(extra_trees=True, with_properties=False)
    ),
)
VALUE_PORTFOLIO = (
    Candidate("mean_amount", ConstantRegressor()),
    Candidate("gamma", LinearRegressor()),
    Candidate("gamma_loose", LinearRegressor(C=0.3)),
    Candidate("lightgbm_gamma", TreesRegressor(extra_trees=True)),
)


def average_of(
    name: str,
    kind: type[Average],
    members: Sequence[Candidate],
    weights: tuple[float, ...] = (),
) -> Candidate:
    """Return the average of some candidates, of equal weights by default."""
    return Candidate(name, kind([(m.name, m.estimator) for m in members], weights))


def prepared(
    candidate: Candidate,
    seed: int,
    n_jobs: int | None = None,
    rounds: Mapping[str, int | None] | None = None,
) -> Family:
    """Return the unfitted estimator of a candidate, or of an average with all its members.

    Args:
        candidate: What to fit.
        seed: Same seed and rows, same model.
        n_jobs: Threads; default: what the machine allows (foretell.machine).
        rounds: Candidate's name -> boosting rounds, where no rows are held out.
    """
    estimator: Family = clone(candidate.estimator)
    own = [(candidate.name, estimator)]
    for name, single in estimator.estimators if isinstance(estimator, Average) else own:
        given = {"random_state": seed, "n_jobs": n_jobs, "rounds": (rounds or {}).get(name)}
        known = single.get_params(deep=False)
        single.set_params(**{k: v for k, v in given.items() if k in known and v is not None})
    return estimator


def fit_candidate(
    candidate: Candidate,
    X: csr_matrix,
    y: np.ndarray,
    kinds: Sequence[str],
    seed: int,
    n_jobs: int | None = None,
    held_out: HeldOut | None = None,
    rounds: Mapping[str, int | None] | None = None,
    useful: np.ndarray | None = None,
) -> Family:
    """Return a candidate, or all members of an average, fitted.

    Args:
        candidate: What to fit.
        X: Feature rows, shape (n_rows, n_features).
        y: Labels 0 or 1, both present; of regressors amounts above 0.
        kinds: Kind of each column (macro feature_kinds).
        seed: Same seed and rows, same model.
        n_jobs: Threads; default: what the machine allows.
        rounds: Candidate's name -> boosting rounds, where no rows are held out.
        held_out: Rows on which trees stop early; other families ignore them.
        useful: Mask of the columns that may be read; default: all.
    """
    estimator = prepared(candidate, seed, n_jobs, rounds)
    return estimator.fit(X, y, kinds=kinds, useful=useful, held_out=held_out)


def centred(fitted: Family, X: csr_matrix, y: np.ndarray) -> Family:
    """Return a classifier of several members that expects as many outcomes as there were.

    A mean of log-odds is less than the log-odds of the mean where they are low, and penalised trees
    say too little of a rare outcome: together up to 7 % (docs/decisions/0025).

    Args:
        fitted: One without members is returned as it is.
        X: The rows it was fitted on; some of them, evenly spaced, are enough.
        y: Their labels, 0 or 1, both present.

    Source: Van Calster et al. (2019), "Calibration: the Achilles heel of predictive analytics", for
    calibration in the large.
    """
    if not fitted.members_:
        return fitted
    margin = fitted.margin(some_rows(X, MAX_CENTRED_ROWS))
    rate = y.mean(dtype=np.float64)
    shifted = copy.copy(fitted)
    shifted.shift_ = float(brentq(lambda b: expit(margin + b).mean() - rate, -MAX_SHIFT, MAX_SHIFT))
    return shifted


def portfolio_for(portfolio: Sequence[Candidate], kinds: Sequence[str]) -> list[Candidate]:
    """Return who can differ from the others: nobody leaves properties out where there are none."""
    if any(is_of_property(kind) for kind in kinds):
        return list(portfolio)
    return [candidate for candidate in portfolio if candidate.estimator.with_properties]
