"""Columns from the future and columns whose power does not last are found; honest ones are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import roc_auc_score

from models_ml.leaks import MIN_OF_EACH, column_aurocs, find_leaks
from models_ml.split import Split

RNG = np.random.default_rng(0)
N = 2000
Y = (RNG.random(N) < 0.3).astype(float)
LATER = np.arange(N) >= 1200
SPLIT = Split(~LATER, LATER, np.zeros(N, dtype=bool), "out_of_time")
NOISE = RNG.poisson(1.0, N).astype(float)
HELPS = NOISE + 1.5 * Y  # tells much, and as much later
LEAK = np.where(RNG.random(N) < 0.99, Y, 1 - Y) * 7
FADES = np.where(LATER, NOISE, NOISE + 2 * Y)


def find(*columns, groups=None, y=Y, split=SPLIT):
    X = csr_matrix(np.column_stack(columns).astype(np.float32))
    return find_leaks(X, y, split, groups or [f"event_{n}" for n in range(len(columns))])


def test_aurocs_agree_with_scikit_learn_on_ties_zeros_and_negative_values():
    dense = RNG.integers(-3, 4, (500, 8)).astype(np.float32)
    dense[:, 0], dense[:, 1], dense[:, 2] = 0, np.abs(dense[:, 1]), -np.abs(dense[:, 2])
    y = (RNG.random(500) < 0.4).astype(float)
    expected = [roc_auc_score(y, dense[:, column]) for column in range(8)]
    np.testing.assert_allclose(column_aurocs(csr_matrix(dense), y), expected, atol=1e-12)
    np.testing.assert_array_equal(column_aurocs(csr_matrix((500, 2)), y), [0.5, 0.5])


@pytest.mark.parametrize("sign", [1, -1])
def test_a_column_that_alone_decides_is_named_whichever_way_it_points(sign):
    (found,) = find(NOISE, HELPS, sign * LEAK)
    assert found.column == 2
    assert found.auroc > 0.98
    assert "after the outcome" in found.reason


def test_a_column_of_the_same_event_that_nearly_decides_goes_with_it():
    near = np.where(RNG.random(N) < 0.93, Y, 1 - Y)
    groups = ["refund", "refund", "refund", "order"]
    found = find(LEAK, near, NOISE, near, groups=groups)
    assert [leak.column for leak in found] == [0, 1]
    assert "another column" in found[1].reason


def test_power_that_is_gone_at_the_newest_snapshot_is_named_with_both_numbers():
    (found,) = find(NOISE, HELPS, FADES)
    assert found.column == 2
    assert found.auroc > 0.85
    assert found.later_auroc == pytest.approx(0.5, abs=0.06)
    assert "older snapshots" in found.reason


def test_honest_columns_stay_and_few_positives_raise_no_alarm():
    assert find(NOISE, HELPS) == []
    few = np.zeros(N)
    few[: MIN_OF_EACH - 1] = 1
    assert find(few, y=few) == []
    many = (np.arange(N) < 40).astype(float)
    assert [leak.column for leak in find(many, y=many)] == [0]


def test_without_a_later_snapshot_only_the_first_alarm_can_be_raised():
    alone = Split(SPLIT.fit, np.zeros(N, dtype=bool), SPLIT.test, "users_only")
    assert find(FADES, split=alone) == []
    assert [leak.column for leak in find(LEAK, split=alone)] == [0]
