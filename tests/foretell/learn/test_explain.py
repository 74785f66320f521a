"""Importance is what shuffling costs: much for what decides, nothing for what is not used."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from foretell.learn.explain import N_SHORTLIST, permutation_importance
from foretell.learn.metrics import mean_log_loss

N = 1500  # at most explain.MAX_ROWS, so that every row is used
RNG = np.random.default_rng(0)
DENSE = (RNG.random((N, 4)) < 0.5).astype(np.float32)
X = csr_matrix(DENSE)
TRUTH = 0.1 + 0.6 * DENSE[:, 0] + 0.2 * DENSE[:, 2]
Y = (RNG.random(N) < TRUTH).astype(float)
GROUPS = ["buy", "noise", "view", "noise"]


def model(rows):
    return 0.1 + 0.6 * rows[:, [0]].toarray().ravel() + 0.2 * rows[:, [2]].toarray().ravel()


def test_groups_come_in_the_order_of_what_the_model_rests_on():
    found = permutation_importance(model, X, Y, GROUPS, seed=1)
    assert [row["group"] for row in found] == ["buy", "view", "noise"]
    assert found[-1]["importance"] == pytest.approx(0, abs=1e-12)  # the model never reads it
    assert found[1]["importance"] > 0.01


def test_a_column_that_decides_everything_costs_what_a_coin_costs():
    sure = X[:, [0]]
    y = DENSE[:, 0]
    found = permutation_importance(lambda r: 0.01 + 0.98 * r.toarray()[:, 0], sure, y, ["a"], 0)
    half_wrong = 0.5 * (np.log(0.99) - np.log(0.01))  # a shuffled fair coin is wrong half the time
    assert found[0]["importance"] == pytest.approx(half_wrong, rel=0.08)


def test_columns_of_a_group_are_shuffled_together():
    twice = csr_matrix(np.repeat(DENSE[:, :1], 2, axis=1))

    def refuses_disagreement(rows):
        dense = rows.toarray()
        assert (dense[:, 0] == dense[:, 1]).all()
        return 0.1 + 0.6 * dense[:, 0]

    found = permutation_importance(refuses_disagreement, twice, Y, ["g", "g"], 0)
    assert found[0]["importance"] > 0.1


def test_other_groups_keep_their_values_and_each_column_its_sum():
    seen = []
    permutation_importance(lambda r: seen.append(r.toarray()) or np.full(r.shape[0], 0.5),
                           X, Y, ["a", "b", "b", "b"], 0, n_repeats=1)  # fmt: skip
    full = [rows for rows in seen if len(rows) == N]
    sums = {tuple(rows.sum(axis=0)) for rows in full}
    assert sums == {tuple(DENSE.sum(axis=0))}
    truth = full[0]  # the rows as they are come first
    assert any((r[:, 1:] == truth[:, 1:]).all() and (r != truth).any() for r in full)


def test_same_seed_same_answer_and_the_input_is_untouched():
    before = X.copy()
    first = permutation_importance(model, X, Y, GROUPS, seed=5)
    assert first == permutation_importance(model, X, Y, GROUPS, seed=5)
    assert (before != X).nnz == 0


def test_unused_groups_are_not_listed_and_the_list_is_short():
    wide = csr_matrix((RNG.random((300, 40)) < 0.2).astype(np.float32))
    wide = csr_matrix(np.hstack([wide.toarray(), np.zeros((300, 1), np.float32)]))
    groups = [f"g{number}" for number in range(41)]
    found = permutation_importance(lambda r: np.full(r.shape[0], 0.5), wide, Y[:300], groups, 0)
    assert len(found) == N_SHORTLIST
    assert "g40" not in {row["group"] for row in found}
    assert permutation_importance(model, csr_matrix((9, 4)), Y[:9], GROUPS, 0) == []


def test_the_growth_is_measured_in_log_loss():
    flat = permutation_importance(model, X, Y, GROUPS, seed=2)[0]["importance"]
    without_buy = mean_log_loss(Y, 0.1 + 0.6 * RNG.permutation(DENSE[:, 0]) + 0.2 * DENSE[:, 2])
    assert flat == pytest.approx(without_buy - mean_log_loss(Y, TRUTH), abs=0.05)
