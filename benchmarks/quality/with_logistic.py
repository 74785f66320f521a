"""Logistic regression on log-scaled inputs, scikit-learn's defaults: the first thing to try."""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from benchmarks.quality.rows import Rows, run_method


def probabilities(rows: Rows, arguments: argparse.Namespace) -> np.ndarray:
    """Fit on all labelled rows and score."""
    X, to_score = rows.log_scaled()
    model = make_pipeline(MaxAbsScaler(), LogisticRegression(max_iter=1000))
    return model.fit(X, rows.y).predict_proba(to_score)[:, 1]


if __name__ == "__main__":
    run_method(probabilities)
