"""Trees stop early, know their gain, and add to another model's margin."""

from __future__ import annotations

import numpy as np

from foretell.learn.families.base import Rows
from foretell.learn.families.linear import LinearClassifier
from foretell.learn.families.trees import TreesClassifier, TreesRegressor
from tests.sparse_rows import kinds, labelled_rows, true_amount

X, Y = labelled_rows(0, 1500)
INFORMATIVE = {0, 5, 7}  # columns of tests.sparse_rows.true_probability


def test_columns_that_tell_something_gain_most():
    gain = TreesClassifier(random_state=1).fit(X, Y).gain()
    assert gain.shape == (X.shape[1],)
    assert set(np.argsort(-gain)[:3]) == INFORMATIVE


def test_rounds_are_those_asked_for_unless_rows_are_held_out():
    assert TreesClassifier(rounds=7).fit(X, Y).rounds_ == 7
    noise = np.random.default_rng(0).permutation(Y)
    held_out = (X[1000:], noise[1000:])
    stopped = TreesClassifier(rounds=400).fit(X[:1000], noise[:1000], held_out=held_out)
    assert stopped.rounds_ < 100


def test_balanced_weights_raise_a_rare_outcome():
    rare = Y * (np.arange(len(Y)) % 4 == 0)
    plain, balanced = (
        TreesClassifier(class_weight=weight).fit(X, rare).predict_proba(X)[:, 1].mean()
        for weight in (None, "balanced")
    )
    assert balanced > plain + 0.1


def test_trees_on_another_model_leave_out_what_it_says():
    linear = LinearClassifier().fit(X, Y, kinds=kinds())
    rows = Rows(X, Y, kinds())
    trees, alone = TreesClassifier(), TreesClassifier()
    trees.fit_on(linear, rows, None)
    alone.fit_rows(rows)
    assert trees.margin(X).std() < 0.9 * alone.margin(X).std()
    np.testing.assert_array_equal(trees.columns_, linear.columns_)


def test_amounts_are_found():
    amounts = true_amount(X)
    fitted = TreesRegressor(rounds=80).fit(X, amounts)
    assert np.corrcoef(fitted.margin(X), np.log(amounts))[0, 1] > 0.9


def test_no_rows_have_no_margin():
    assert TreesClassifier(rounds=2).fit(X, Y).margin(X[:0]).shape == (0,)
