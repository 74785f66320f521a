"""A linear model sees features evened out: counts by their logarithm, recent hours large."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from foretell.learn.candidates import Candidate, fit_candidate
from foretell.learn.families.linear import LinearClassifier
from foretell.learn.linear import LinearTransform, learn_transform
from tests.sparse_rows import kinds, labelled_rows

X, Y = labelled_rows(0, 1500)

TRANSFORM = LinearTransform(
    is_recency=np.array([False, False, True]),
    cap=np.array([0.0, 0.0, 999.0]),
    scale=np.array([1.0, 2.0, 1.0]),
)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([np.e - 1, 0, 0], [1, 0, 0]),  # count: log(1 + x)
        ([0, -(np.e**3 - 1), 0], [0, -1.5, 0]),  # negative sum: -log(1 + |x|) / 2
        ([0, 0, 9], [0, 0, np.log(100)]),  # recent: log(1000) - log(10)
        ([0, 0, 999], [0, 0, 0]),  # as long ago as the longest
        ([0, 0, 1999], [0, 0, -np.log(2)]),  # longer ago than any row of training
        ([0, 0, 1e6], [0, 0, -np.log(2)]),  # as twice as long ago
        ([0, 0, 0], [0, 0, 0]),  # never
        ([0, 0, 1e-9], [0, 0, 0]),  # too small to have a logarithm
        ([0, 0, -5], [0, 0, 0]),  # cannot be
    ],
)
def test_linear_transform_known_answers(row, expected):
    got = TRANSFORM.apply(csr_matrix(np.array([row], dtype=np.float32))).toarray()[0]
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_a_linear_model_goes_on_beyond_the_longest_absence_it_has_seen():
    rng = np.random.default_rng(0)
    hours = rng.uniform(1, 1000, 4000)
    y = (rng.random(4000) < 20 / (40 + hours)).astype(np.float32)
    rows = csr_matrix(hours[:, None].astype(np.float32))
    model = fit_candidate(Candidate("l", LinearClassifier(C=1e3)), rows, y, ["hours_since_last"], 0)
    p = model.probability(csr_matrix(np.float32([[900], [1000], [1500], [2000], [9000]])))
    assert p[0] > p[1] > p[2] > p[3] == pytest.approx(p[4], rel=1e-4)
    assert p[3] == pytest.approx(20 / 2040, rel=0.35)


def test_the_learned_transform_has_largest_value_1_per_column_and_keeps_order():
    transform = learn_transform(X, kinds())
    seen = transform.apply(X).toarray()
    np.testing.assert_allclose(np.abs(seen).max(axis=0)[:11], 1, atol=1e-6)
    hours = csr_matrix(np.diag(np.arange(1, 25)).astype(np.float32))
    assert transform.is_recency.tolist() == [kind.startswith("hours") for kind in kinds()]
    assert (np.diff(transform.apply(hours[[5] * 1]).toarray()[0][transform.is_recency]) <= 0).all()
