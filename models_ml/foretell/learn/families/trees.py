"""Boosted trees of LightGBM, whose leaves add up exactly (learn.boosting)."""

from __future__ import annotations

import lightgbm
import numpy as np
from scipy.sparse import csr_matrix

from foretell.learn.boosting import DEFAULT_ROUNDS, boost
from foretell.learn.families.base import (
    Family,
    HeldOut,
    MarginClassifier,
    MarginRegressor,
    Rows,
)
from foretell.machine import usable_threads


class Trees(Family):
    """Boosted trees.

    Attributes:
        booster_: The fitted trees.
    """

    has_trees = True
    objective: str
    class_weight: str | None = None
    extra_trees: bool
    rounds: int | None
    random_state: int
    n_jobs: int | None

    booster_: lightgbm.Booster

    def gain(self) -> np.ndarray:
        """Return what splits on each column gained."""
        gain = np.zeros(self.n_features_in_)
        if self.constant_ is None:
            gain[self.columns_] = self.booster_.feature_importance("gain")
        return gain

    def part(self, X: csr_matrix) -> lightgbm.Booster | float:
        """Return the trees."""
        return self.booster_ if self.constant_ is None else self.constant_

    def fit_on(self, other: Family, rows: Rows, held_out: HeldOut | None) -> None:
        """Fit trees that add to the margin of another fitted model, on the columns it reads."""
        self._begin(rows, other.columns_)
        held_out_start = other.margin(held_out[0]) if held_out else None
        self._grow(rows, held_out, other.margin(rows.X), held_out_start)

    def _fit(self, rows: Rows, held_out: HeldOut | None) -> None:
        self._grow(rows, held_out)

    def _grow(
        self,
        rows: Rows,
        held_out: HeldOut | None,
        start: np.ndarray | None = None,
        held_out_start: np.ndarray | None = None,
    ) -> None:
        valid = (held_out[0][:, self.columns_], held_out[1]) if held_out else None
        asked = {
            "objective": self.objective,
            "is_unbalance": self.class_weight == "balanced",
            "extra_trees": self.extra_trees,
        }
        self.booster_ = boost(
            rows.binned(self.columns_), asked, self.random_state, self.n_jobs or usable_threads(),
            valid, self.rounds or DEFAULT_ROUNDS, start, held_out_start,
        )  # fmt: skip
        self.rounds_ = self.booster_.num_trees()

    def _margin(self, X: csr_matrix) -> np.ndarray:
        own = X[:, self.columns_]
        if not own.shape[0]:
            return np.empty(0)
        return np.asarray(self.booster_.predict(own, raw_score=True, num_threads=1))


class TreesClassifier(MarginClassifier, Trees):
    """Boosted trees for two classes.

    Args:
        extra_trees: Tries one random threshold per column instead of all.
        class_weight: balanced re-weights the rarer class to half of the total, or None.
        with_properties: Whether it reads columns made from event and user properties.
        rounds: How many trees, where no rows are held out to stop early on; None: the usual.
        random_state: Same seed and rows, same trees.
        n_jobs: Threads; None: what the machine allows (foretell.machine).
    """

    def __init__(
        self,
        extra_trees: bool = False,
        class_weight: str | None = None,
        with_properties: bool = True,
        rounds: int | None = None,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.extra_trees = extra_trees
        self.class_weight = class_weight
        self.with_properties = with_properties
        self.rounds = rounds
        self.random_state = random_state
        self.n_jobs = n_jobs


class TreesRegressor(MarginRegressor, Trees):
    """Boosted trees for amounts; parameters as of TreesClassifier."""

    def __init__(
        self,
        extra_trees: bool = False,
        with_properties: bool = True,
        rounds: int | None = None,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.extra_trees = extra_trees
        self.with_properties = with_properties
        self.rounds = rounds
        self.random_state = random_state
        self.n_jobs = n_jobs
