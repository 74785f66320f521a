"""The learning side's arrays: a sparse feature matrix, its columns' meaning, and labelled rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from scipy.sparse import coo_matrix, csr_matrix


@dataclass(frozen=True)
class Matrix:
    """Sparse features; an absent value is 0 and means none, or never.

    Attributes:
        X: Values, float32, shape (n_rows, n_features). Counts and sums per rolling week,
            means, whole hours (>= 1) since an event or a day with one, days or weeks with events,
            their rhythm (features_rhythm), 1 for a user property.
        feature_ids: Catalogue id per column, int64, shape (n_features,).
        kinds: Kind of each column, as the macro feature_kinds has them.

    Raises:
        ValueError: If the three disagree in length, or a kind is unknown.
    """

    X: csr_matrix
    feature_ids: np.ndarray
    kinds: tuple[str, ...]

    def __post_init__(self) -> None:
        n_features = self.X.shape[1]
        if not n_features == len(self.feature_ids) == len(self.kinds):
            raise ValueError(
                f"X has {n_features} columns, but there are {len(self.feature_ids)} feature_ids "
                f"and {len(self.kinds)} kinds"
            )

    def take(self, columns: np.ndarray) -> Matrix:
        """Return some of the columns; columns: their positions, or a mask of them."""
        kinds = np.array(self.kinds, dtype=object)[columns]
        return Matrix(self.X[:, columns], self.feature_ids[columns], tuple(kinds))


@dataclass(frozen=True)
class TrainingSet:
    """Labelled rows of one prediction, one per (user, snapshot).

    Attributes:
        matrix: Features as known at as_of.
        y: Did the outcome happen in [as_of, as_of + horizon)? float32 0 or 1, shape (n_rows,).
        user_key: Whose row, int64; in user_ids if there are any.
        user_bucket: Hash of the user, 0 to 99.
        as_of_hour: The snapshot, whole hours since 1970-01-01 UTC, int64.
        horizon_hours: Length of the label's window.
        user_ids: Names of the users, text, shape (n_users,); may be absent.
        value: Of value predictions what it came to, 0 or more, float64, shape (n_rows,); y says
            whether there was any. None of predictions that ask whether.

    Raises:
        ValueError: If lengths differ, y holds anything but 0 and 1, or value disagrees with it.
    """

    matrix: Matrix
    y: np.ndarray
    user_key: np.ndarray
    user_bucket: np.ndarray
    as_of_hour: np.ndarray
    horizon_hours: int
    user_ids: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=object))
    value: np.ndarray | None = None

    def __post_init__(self) -> None:
        n_rows = self.matrix.X.shape[0]
        for name in ("y", "user_key", "user_bucket", "as_of_hour"):
            if getattr(self, name).shape != (n_rows,):
                raise ValueError(
                    f"{name} has shape {getattr(self, name).shape}, X has {n_rows} rows"
                )
        odd = self.y[(self.y != 0) & (self.y != 1)]
        if len(odd):
            raise ValueError(f"y holds {odd[0]}; a label is 0 or 1")
        if self.value is not None:
            _check_value(self.value, self.y)


def _check_value(value: np.ndarray, y: np.ndarray) -> None:
    """Refuse values that are not those of the labels: positive where one is 1, else 0."""
    if value.shape != y.shape:
        raise ValueError(f"value has shape {value.shape}, y has shape {y.shape}")
    wrong = np.flatnonzero(~np.isfinite(value) | (value < 0) | ((value > 0) != (y > 0)))
    if len(wrong):
        raise ValueError(f"row {wrong[0]} has value {value[wrong[0]]} and label {y[wrong[0]]:g}")


def csr_from_batches(
    batches: Iterable[pa.RecordBatch], n_rows: int, feature_ids: np.ndarray
) -> csr_matrix:
    """Turn a stream of long rows, in any order, into a sparse matrix: they are dealt, not sorted.

    Args:
        batches: Columns row_index, feature_id, value. A row may be absent: it becomes an empty row.
            Features not in feature_ids are dropped.
        n_rows: Rows of the result.
        feature_ids: The result's columns, in this order.

    Returns:
        float32 matrix of shape (n_rows, n_features), indices sorted within rows.

    Raises:
        ValueError: If row_index leaves [0, n_rows), a (row, feature) comes twice, feature_ids
            repeats one, or a column holds nulls.
    """
    feature_ids = np.asarray(feature_ids, dtype=np.int64)
    column_of = column_lookup(feature_ids)
    rows = [np.empty(0, dtype=np.int32)]
    columns = [np.empty(0, dtype=np.int32)]
    data = [np.empty(0, dtype=np.float32)]
    for batch in batches:
        if not batch.num_rows:
            continue
        own_rows = _column(batch, "row_index")
        _check_rows(own_rows, n_rows)
        own_columns = column_of[np.minimum(_column(batch, "feature_id"), len(column_of) - 1)]
        is_known = own_columns >= 0
        rows.append(own_rows[is_known].astype(np.int32, copy=False))
        columns.append(own_columns[is_known])
        data.append(_column(batch, "value")[is_known].astype(np.float32, copy=False))
    cells = coo_matrix(
        (np.concatenate(data), (np.concatenate(rows), np.concatenate(columns))),
        shape=(n_rows, len(feature_ids)),
    )
    cells.has_canonical_format = True  # else it would sort each column to look for repeats
    matrix = cells.tocsc().tocsr()  # dealt to columns, then to rows: indices come out sorted
    _check_unique(matrix, feature_ids)
    return matrix


def some_rows(X: csr_matrix, at_most: int) -> csr_matrix:
    """Return all rows, or evenly spaced ones where they are at least twice as many as asked for.

    What averages over rows needs no more: 20,000 tell a mean to 1 % of a standard deviation.

    Args:
        X: Rows.
        at_most: About how many to return, above 0; less than twice as many.
    """
    return X[:: max(1, X.shape[0] // at_most)]


def _column(batch: pa.RecordBatch, name: str) -> np.ndarray:
    """Return a column as a NumPy array that shares the batch's memory."""
    column = batch.column(name)
    if column.null_count:
        raise ValueError(f"{name} holds {column.null_count} nulls")
    return np.asarray(column.to_numpy(zero_copy_only=True))


def _check_rows(rows: np.ndarray, n_rows: int) -> None:
    """Refuse row numbers outside the matrix."""
    for row in (rows.min(), rows.max()):
        if not 0 <= row < n_rows:
            raise ValueError(f"row_index {row} lies outside [0, {n_rows})")


def column_lookup(feature_ids: np.ndarray) -> np.ndarray:
    """Return the column of each catalogue id, int32; -1 for other ids and in the last entry."""
    ids, counts = np.unique(feature_ids, return_counts=True)
    if (counts > 1).any():
        raise ValueError(f"feature_ids holds {ids[counts > 1][0]} twice")
    column_of = np.full(int(feature_ids.max(initial=0)) + 2, -1, dtype=np.int32)
    column_of[feature_ids] = np.arange(len(feature_ids), dtype=np.int32)
    return column_of


def _check_unique(matrix: csr_matrix, feature_ids: np.ndarray) -> None:
    """Refuse a (row, feature) that came twice: adding them up would hide a broken join."""
    is_repeat = matrix.indices[1:] == matrix.indices[:-1]
    starts = matrix.indptr[1:-1]
    is_repeat[starts[(starts > 0) & (starts < matrix.nnz)] - 1] = False
    if is_repeat.any():
        position = int(np.flatnonzero(is_repeat)[0])
        row = int(np.searchsorted(matrix.indptr, position, side="right") - 1)
        raise ValueError(f"row {row} holds feature {feature_ids[matrix.indices[position]]} twice")
