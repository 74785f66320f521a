"""Long rows become the same sparse matrix as a plain loop makes, or are refused."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_matrix

from foretell.learn.matrix import Matrix, TrainingSet, csr_from_batches, some_rows


def batch(rows, ids, values) -> pa.RecordBatch:
    return pa.record_batch(
        {
            "row_index": pa.array(rows, pa.int64()),
            "feature_id": pa.array(ids, pa.int64()),
            "value": pa.array(values, pa.float32()),
        }
    )


@pytest.mark.parametrize("seed", range(8))
def test_equals_a_dense_loop_on_random_batches(seed):
    rng = np.random.default_rng(seed)
    n_rows, feature_ids = int(rng.integers(1, 60)), rng.permutation(40)[: rng.integers(1, 30)]
    cells = [(row, i) for row in range(n_rows) for i in range(50) if rng.random() < 0.1]
    rng.shuffle(cells)
    values = rng.normal(size=len(cells)).astype(np.float32)
    dense = np.zeros((n_rows, len(feature_ids)), dtype=np.float32)
    for (row, feature_id), value in zip(cells, values, strict=True):
        if feature_id in feature_ids:
            dense[row, list(feature_ids).index(feature_id)] = value
    cuts = [0, *np.sort(rng.integers(0, len(cells) + 1, 5)), len(cells)]
    batches = [
        batch(*zip(*cells[a:b], strict=True), values[a:b]) if b > a else batch([], [], [])
        for a, b in pairwise(cuts)
    ]
    got = csr_from_batches(batches, n_rows, feature_ids)
    np.testing.assert_array_equal(got.toarray(), dense)
    assert got.dtype == np.float32
    assert got.has_sorted_indices
    got.check_format(full_check=True)


def test_rows_that_never_come_are_empty_even_first_middle_and_last():
    got = csr_from_batches([batch([1, 1], [9, 8], [2, 1]), batch([3], [8], [4])], 6, [8, 9])
    np.testing.assert_array_equal(
        got.toarray(), [[0, 0], [1, 2], [0, 0], [4, 0], [0, 0], [0, 0]]
    )  # fmt: skip


def test_features_not_asked_for_are_dropped():
    got = csr_from_batches([batch([0, 0, 1], [5, 6, 7], [1, 2, 3])], 2, [6])
    np.testing.assert_array_equal(got.toarray(), [[2], [0]])


@pytest.mark.parametrize(("batches", "ids"), [([], [1]), ([batch([0], [1], [1])], [])])
def test_no_batches_or_no_features_give_an_empty_matrix(batches, ids):
    got = csr_from_batches(batches, 2, np.array(ids, dtype=np.int64))
    assert (got.shape, got.nnz) == ((2, len(ids)), 0)


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([batch([3], [1], [1])], r"row_index 3 lies outside \[0, 3\)"),
        ([batch([-1, 0], [1, 1], [1, 1])], r"row_index -1 lies outside"),
        ([batch([1, 1], [2, 2], [1, 1])], "row 1 holds feature 2 twice"),
        ([batch([1], [2], [1]), batch([1], [2], [1])], "row 1 holds feature 2 twice"),
        ([batch([None], [1], [1])], "row_index holds 1 nulls"),
        ([batch([0], [None], [1])], "feature_id holds 1 nulls"),
        ([batch([0, 1], [1, 1], [None, None])], "value holds 2 nulls"),
    ],
)
def test_refuses_broken_streams_in_words(batches, message):
    with pytest.raises(ValueError, match=message):
        csr_from_batches(batches, 3, np.array([1, 2]))


@pytest.mark.parametrize(
    ("n_rows", "at_most", "numbers"),
    [
        (5, 9, range(5)),
        (9, 5, range(9)),
        (10, 5, range(0, 10, 2)),
        (11, 5, range(0, 11, 2)),
        (0, 3, []),
    ],
)
def test_some_rows_are_all_or_evenly_spaced(n_rows, at_most, numbers):
    X = csr_matrix(np.arange(n_rows, dtype=np.float32)[:, None] + 1)
    np.testing.assert_array_equal(some_rows(X, at_most).toarray().ravel(), np.array(numbers) + 1)


def test_refuses_a_feature_asked_for_twice():
    with pytest.raises(ValueError, match="feature_ids holds 4 twice"):
        csr_from_batches([], 1, np.array([4, 2, 4]))


def test_the_same_feature_in_neighbouring_rows_is_no_repeat():
    got = csr_from_batches([batch([0, 1, 3], [2, 2, 2], [1, 1, 1])], 4, np.array([2]))
    np.testing.assert_array_equal(got.toarray().ravel(), [1, 1, 0, 1])


def test_matrix_refuses_lengths_that_disagree():
    X = csr_matrix((2, 2), dtype=np.float32)
    with pytest.raises(ValueError, match="X has 2 columns, but there are 1 feature_ids"):
        Matrix(X, np.array([1]), ("event_count", "event_count"))


@pytest.mark.parametrize(
    ("y", "users", "message"),
    [
        ([0, 1, 0], [1, 2], "y has shape"),
        ([0, 1], [1], "user_key has"),
        ([0, 2], [1, 2], "holds 2"),
    ],
)
def test_training_set_refuses_lengths_that_disagree_and_labels_but_0_and_1(y, users, message):
    matrix = Matrix(csr_matrix((2, 1), dtype=np.float32), np.array([1]), ("event_count",))
    two = np.zeros(2, dtype=np.int64)
    with pytest.raises(ValueError, match=message):
        TrainingSet(matrix, np.array(y, np.float32), np.array(users), two, two, 168)
