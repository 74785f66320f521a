"""Reads the warehouse's features (one row per value) into a sparse matrix, by blocks of rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_matrix, vstack

from foretell.learn.matrix import csr_from_batches
from foretell.warehouse.base import Warehouse

ROWS_PER_BLOCK = 50_000  # features_values is sorted by blocks of users: few reads
BLOCK = """
    select requested_rows.row_index, features_values.feature_id, features_values.value
    from requested_rows
    inner join features_values
        on requested_rows.user_key = features_values.user_key
        and requested_rows.as_of_hour = features_values.as_of_hour
    inner join requested_columns on features_values.feature_id = requested_columns.feature_id
    where features_values.user_key between ? and ?
"""


def load_features(
    warehouse: Warehouse, user_key: np.ndarray, as_of_hour: np.ndarray, feature_ids: np.ndarray
) -> csr_matrix:
    """Return the features of some (user, as_of) rows.

    Args:
        warehouse: With features_values built.
        user_key: The users, ascending, int64, shape (n_rows,).
        as_of_hour: The as_of of each row, whole hours since 1970-01-01 UTC, shape (n_rows,).
        feature_ids: The columns, in this order, int64, shape (n_features,).

    Returns:
        float32 matrix of shape (n_rows, n_features); rows without features are empty.

    Raises:
        ValueError: If user_key descends.
    """
    if (user_key[1:] < user_key[:-1]).any():
        raise ValueError("user_key descends; rows must be sorted by user")
    blocks = [csr_matrix((0, len(feature_ids)), dtype=np.float32)]
    for start in range(0, len(user_key), ROWS_PER_BLOCK):
        rows = slice(start, start + ROWS_PER_BLOCK)
        blocks.append(_block(warehouse, user_key[rows], as_of_hour[rows], feature_ids))
    return vstack(blocks, format="csr")


def _block(
    warehouse: Warehouse, user_key: np.ndarray, as_of_hour: np.ndarray, feature_ids: np.ndarray
) -> csr_matrix:
    n_rows = len(user_key)
    row_index = np.arange(n_rows, dtype=np.int32)
    requested_rows = pa.table(
        {"row_index": row_index, "user_key": user_key, "as_of_hour": as_of_hour}
    )
    span = [int(user_key[0]), int(user_key[-1])]
    # A model reads a quarter of the columns: leaving out the others halves the time of reading.
    requested_columns = pa.table({"feature_id": feature_ids})
    tables = {"requested_rows": requested_rows, "requested_columns": requested_columns}
    batches = warehouse.stream(BLOCK, span, tables)
    return csr_from_batches(batches, n_rows, feature_ids)
