"""A linear model, and boosted trees for what it leaves."""

from __future__ import annotations

from foretell.learn.families.base import HeldOut, MarginClassifier, MarginRegressor, Rows
from foretell.learn.families.linear import Linear, LinearClassifier, LinearRegressor
from foretell.learn.families.sums import Sum
from foretell.learn.families.trees import Trees, TreesClassifier, TreesRegressor


class Boosted(Sum):
    """The sum of a linear model and of trees that are grown on its margin."""

    has_trees = True

    def _parts(self) -> tuple[Linear, Trees]:
        raise NotImplementedError

    def _fit(self, rows: Rows, held_out: HeldOut | None) -> None:
        linear, trees = self._parts()
        linear.fit_rows(rows)
        trees.fit_on(linear, rows, held_out)
        self.members_, self.rounds_ = (linear, trees), trees.rounds_


class BoostedClassifier(MarginClassifier, Boosted):
    """A logistic regression and trees; parameters as of LinearClassifier and TreesClassifier."""

    def __init__(
        self,
        C: float = 0.03,
        extra_trees: bool = False,
        class_weight: str | None = None,
        with_properties: bool = True,
        rounds: int | None = None,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.C = C
        self.extra_trees = extra_trees
        self.class_weight = class_weight
        self.with_properties = with_properties
        self.rounds = rounds
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _parts(self) -> tuple[Linear, Trees]:
        trees = self.get_params()
        linear = LinearClassifier(trees.pop("C"), self.class_weight, self.with_properties)
        return linear, TreesClassifier(**trees)


class BoostedRegressor(MarginRegressor, Boosted):
    """A gamma regression and trees; parameters as of LinearRegressor and TreesRegressor."""

    def __init__(
        self,
        C: float = 0.03,
        extra_trees: bool = False,
        with_properties: bool = True,
        rounds: int | None = None,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.C = C
        self.extra_trees = extra_trees
        self.with_properties = with_properties
        self.rounds = rounds
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _parts(self) -> tuple[Linear, Trees]:
        trees = self.get_params()
        linear = LinearRegressor(trees.pop("C"), self.with_properties)
        return linear, TreesRegressor(**trees)
