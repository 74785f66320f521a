"""FLAML's AutoML: its learners that handle sparse inputs, log loss, folds by user."""

from __future__ import annotations

import argparse

import numpy as np
from flaml import AutoML

from benchmarks.quality.rows import Rows, run_method


def probabilities(rows: Rows, arguments: argparse.Namespace) -> np.ndarray:
    """Search for the budget and score. Inputs are log-scaled: trees do not mind, lrl1 needs it."""
    X, to_score = rows.log_scaled()
    search = AutoML()
    search.fit(
        X,
        rows.y.astype(int),
        task="classification",
        metric="log_loss",
        time_budget=arguments.budget,
        estimator_list=["lgbm", "rf", "extra_tree", "lrl1"],
        split_type="group",
        groups=rows.user_key,
        n_jobs=2,
        seed=0,
        verbose=0,
    )
    print(search.best_estimator, search.best_config, search.best_loss)
    return search.predict_proba(to_score)[:, 1]


if __name__ == "__main__":
    run_method(probabilities)
