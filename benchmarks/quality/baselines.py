"""What a data scientist would try first on the same rows: the references to beat."""

from __future__ import annotations

import lightgbm
import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler

from models_ml.matrix import csr_from_batches
from models_ml.training_data import load_training_set
from models_ml.warehouse import Warehouse


def baseline_probabilities(warehouse: Warehouse, prediction: str) -> dict[str, np.ndarray]:
    """Train the references on `training_rows` and score `scoring_rows`.

    Returns:
        Name -> probability, shape (n_users,), in order of user_key.
    """
    data = load_training_set(warehouse, prediction)
    X, y = data.matrix.X, data.y
    users = warehouse.table(
        "select user_key from scoring_rows where prediction = ? order by user_key", [prediction]
    )
    now = csr_from_batches(
        warehouse.stream(
            """
            select ordered.row_index, feature_values.feature_id, feature_values.value
            from (
                select *, row_number() over (order by user_key) - 1 as row_index
                from scoring_rows where prediction = ?
            ) as ordered
            inner join features_values as feature_values using (as_of_hour, user_key)
            order by ordered.row_index, feature_values.feature_id
            """,
            [prediction],
        ),
        users.num_rows,
        data.matrix.feature_ids,
    )
    logistic = make_pipeline(
        FunctionTransformer(signed_log, accept_sparse=True),
        MaxAbsScaler(),
        LogisticRegression(max_iter=1000),
    )
    trees = lightgbm.LGBMClassifier(n_jobs=2, verbose=-1, random_state=0)
    return {
        "base rate": np.full(users.num_rows, float(y.mean())),
        "logistic regression": logistic.fit(X, y).predict_proba(now)[:, 1],
        "LightGBM defaults": trees.fit(X, y).predict_proba(now)[:, 1],
    }


def signed_log(X: sp.csr_matrix) -> sp.csr_matrix:
    """Return sign(x) * log(1 + |x|) of the stored values; zeros stay zeros."""
    return sp.csr_matrix((np.sign(X.data) * np.log1p(np.abs(X.data)), X.indices, X.indptr), X.shape)
