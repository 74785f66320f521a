"""A weighted mean of unlike models' margins: of log-odds, or of log amounts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.base import clone

from foretell.learn.families.base import (
    Family,
    HeldOut,
    MarginClassifier,
    MarginRegressor,
    Rows,
)
from foretell.learn.families.sums import Sum


class Average(Sum):
    """Members are fitted on the same rows, each on its own columns of them.

    Args:
        estimators: Name and family of each member.
        weights: One per member, adding up to 1; empty for equal ones.
    """

    is_average = True

    def __init__(
        self, estimators: Sequence[tuple[str, Family]], weights: tuple[float, ...] = ()
    ) -> None:
        self.estimators = estimators
        self.weights = weights

    @property
    def member_weights_(self) -> tuple[float, ...]:
        """Return one weight per member, adding up to 1."""
        return self.weights or (1 / len(self.estimators),) * len(self.estimators)

    def fit_rows(self, rows: Rows, held_out: HeldOut | None = None) -> Average:
        """Fit all members on rows that they share."""
        members = tuple(clone(member).fit_rows(rows, held_out) for _, member in self.estimators)
        self._begin(rows, np.unique(np.concatenate([member.columns_ for member in members])))
        self.members_ = members
        return self


class AverageClassifier(MarginClassifier, Average):
    """Its log-odds are the mean of its members'."""


class AverageRegressor(MarginRegressor, Average):
    """Its log amount is the mean of its members'."""
