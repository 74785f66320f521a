"""Reads the labelled matrix of one prediction from the warehouse into arrays."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_matrix

from foretell.errors import Progress
from foretell.learn.matrix import Matrix, TrainingSet
from foretell.learn.split import sample_users
from foretell.pipeline.features import load_features
from foretell.warehouse.base import Warehouse

# Upper bound of memory per stored value in loading and training: the value itself, copies of the
# rows that a model is fitted on, and LightGBM's bins (measured, docs/decisions/0027).
BYTES_PER_VALUE = 45
N_KEYS = 2**63  # user keys are hashes below this


def load_training_set(
    warehouse: Warehouse,
    prediction: str,
    memory_gb: float = math.inf,
    progress: Progress = lambda line: None,
    since_hour: int = 0,
    left_out: Collection[int] = (),
) -> TrainingSet:
    """Read the labelled rows of one prediction, sorted by (user id, as_of).

    Users are numbered by their ids, because keys differ between engines and models must not.

    Args:
        warehouse: Built.
        prediction: Its name.
        memory_gb: Memory limit of loading and training, 1e9 bytes (within_memory).
        progress: Called with a line if the limit leaves rows out.
        since_hour: Snapshots before this hour are left out (outcome_life).
        left_out: Hours of snapshots that are left out (data_gaps).

    Returns:
        The training set; zero rows if no snapshot has matured yet.
    """
    rows = warehouse.table(
        """
        select user_key, user_id, user_bucket, as_of_hour, label, value
        from training_rows where prediction = ? and as_of_hour >= ? order by user_key, as_of_hour
        """,
        [prediction, since_hour],
    )
    if left_out:
        hours = rows["as_of_hour"].to_numpy()
        rows = rows.filter(pa.array(~np.isin(hours, list(left_out))))
    (definition,) = warehouse.rows(
        "select horizon_hours, is_value from prediction_definitions where prediction = ?",
        [prediction],
    )
    features = present_features(warehouse, prediction)
    feature_ids = np.array([feature["feature_id"] for feature in features], dtype=np.int64)
    kinds = tuple(
        "user_property" if f["kind"].startswith("user_property") else f["kind"] for f in features
    )
    n_rows = rows.num_rows
    rows = within_memory(warehouse, rows, feature_ids, memory_gb)
    if rows.num_rows < n_rows:
        progress(
            f"{prediction}: trains on {rows.num_rows:,} of {n_rows:,} rows, a sample of users: "
            f"more would take over {memory_gb:g} GB (budget: memory_gb in its definition)"
        )
    user_key, as_of_hour = rows["user_key"].to_numpy(), rows["as_of_hour"].to_numpy()
    matrix = load_features(warehouse, user_key, as_of_hour, feature_ids)
    user_ids, number = np.unique(
        rows["user_id"].to_numpy(zero_copy_only=False), return_inverse=True
    )
    order = np.lexsort((as_of_hour, number))
    rows, matrix = rows.take(order), matrix[order]
    return TrainingSet(
        matrix=Matrix(X=matrix, feature_ids=feature_ids, kinds=kinds),
        y=rows["label"].to_numpy().astype(np.float32),
        user_key=number[order],
        user_bucket=rows["user_bucket"].to_numpy(),
        as_of_hour=rows["as_of_hour"].to_numpy(),
        horizon_hours=int(definition["horizon_hours"]),
        user_ids=user_ids,
        value=rows["value"].to_numpy() if definition["is_value"] else None,
    )


def within_memory(
    warehouse: Warehouse, rows: pa.Table, feature_ids: np.ndarray, memory_gb: float
) -> pa.Table:
    """Return the rows, or those of a sample of users (by hash) if all would take more memory.

    Args:
        warehouse: Built.
        rows: user_key, ascending, user_bucket and as_of_hour, one per (user, snapshot).
        feature_ids: The columns that will be read.
        memory_gb: Memory limit of loading and training, 1e9 bytes. At least 6 % of the users stay.
    """
    max_values = memory_gb * 1e9 / BYTES_PER_VALUE
    if rows.num_rows * len(feature_ids) <= max_values:
        return rows
    bucket = rows["user_bucket"].to_numpy()
    some = rows.filter(pa.array(bucket == np.sort(bucket)[len(bucket) // 2]))  # 1 % of the users
    keys, hours = some["user_key"].to_numpy(), some["as_of_hour"].to_numpy()
    n_values = load_features(warehouse, keys, hours, feature_ids).nnz * rows.num_rows / len(keys)
    if n_values <= max_values:
        return rows
    n_rows = int(rows.num_rows * max_values / n_values)
    return rows.filter(pa.array(sample_users(bucket, np.ones(rows.num_rows, dtype=bool), n_rows)))


def load_scored_sample(
    warehouse: Warehouse, prediction: str, feature_ids: np.ndarray, n_rows: int = 5000
) -> csr_matrix | None:
    """Return the features of users to score now, or of about n_rows of them by hash.

    Args:
        warehouse: Built.
        prediction: The prediction of the cohort.
        feature_ids: The columns, in this order, int64.
        n_rows: About how many rows to return if there are more.

    Returns:
        float32 matrix; None if there are no users to score, or no table of them.
    """
    if not warehouse.has_table("scoring_rows"):
        return None
    (size,) = warehouse.rows(
        "select count(*) as n from scoring_rows where prediction = ? and has_features",
        [prediction],
    )
    if not size["n"]:
        return None
    below = int(N_KEYS * min(1.0, n_rows / size["n"])) - 1
    rows = warehouse.table(
        """
        select user_key, as_of_hour from scoring_rows
        where prediction = ? and has_features and user_key <= ? order by user_key
        """,
        [prediction, below],
    )
    keys, hours = rows["user_key"].to_numpy(), rows["as_of_hour"].to_numpy()
    return load_features(warehouse, keys, hours, feature_ids)


def present_features(warehouse: Warehouse, prediction: str | None = None) -> list[dict[str, Any]]:
    """Return the catalogue rows of the features computed at present, by feature_id.

    New models do not use features without is_kept: only a champion still uses them.

    Args:
        warehouse: Built.
        prediction: Leave out features of other predictions' conditions and outcomes, so that a
            change of their definitions does not change the inputs of its model. None: all.
    """
    condition = """
        where (
            taxonomy_features.measure is null or taxonomy_features.measure in (
                select prediction_measures.measure
                from prediction_measures
                inner join prediction_conditions using (measure_id)
                where prediction_conditions.prediction = ?
            )
        )
        and (taxonomy_features.asked_by is null or taxonomy_features.asked_by = ?)
    """
    return warehouse.rows(
        f"""
        select features.*, taxonomy_features.is_kept
        from features
        inner join taxonomy_features using (feature_name)
        {condition if prediction else ""}
        order by features.feature_id
        """,
        [prediction] * 2 if prediction else [],
    )


def fingerprint(data: TrainingSet, salt: str) -> str:
    """Return a hash of all training data: the same data gives the same model, without training.

    Args:
        data: The training set.
        salt: All else that the model depends on (definition, settings, version).

    Returns:
        16 hexadecimal digits.
    """
    digest = hashlib.sha256(salt.encode())
    matrix = data.matrix
    for array in (
        matrix.feature_ids, matrix.X.indptr, matrix.X.indices, matrix.X.data,
        data.y, data.user_bucket, data.as_of_hour, *([] if data.value is None else [data.value]),
    ):  # fmt: skip
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]
