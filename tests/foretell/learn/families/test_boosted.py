"""A boosted model is the sum of a linear model and of trees for what it leaves."""

from __future__ import annotations

import numpy as np

from foretell.learn.families.boosted import BoostedClassifier, BoostedRegressor
from foretell.learn.families.linear import LinearClassifier
from tests.sparse_rows import kinds, labelled_rows, true_amount

X, Y = labelled_rows(0, 1500)


def test_parameters_reach_both_parts():
    fitted = BoostedClassifier(C=0.2, extra_trees=True, rounds=9, random_state=3).fit(X, Y)
    linear, trees = fitted.members_
    assert (linear.C, trees.extra_trees, trees.random_state, trees.rounds_) == (0.2, True, 3, 9)
    assert fitted.rounds_ == 9


def test_its_margin_is_the_sum_and_begins_with_the_linear_model():
    fitted = BoostedClassifier().fit(X, Y, kinds=kinds())
    alone = LinearClassifier().fit(X, Y, kinds=kinds())
    linear, trees = fitted.members_
    np.testing.assert_array_equal(linear.margin(X), alone.margin(X))
    np.testing.assert_allclose(fitted.margin(X), linear.margin(X) + trees.margin(X), atol=1e-12)


def test_amounts_are_found():
    amounts = true_amount(X)
    fitted = BoostedRegressor().fit(X, amounts, kinds=kinds())
    assert np.corrcoef(fitted.margin(X), np.log(amounts))[0, 1] > 0.9
