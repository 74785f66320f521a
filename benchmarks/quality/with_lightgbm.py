"""LightGBM as it comes."""

from __future__ import annotations

import argparse

import lightgbm
import numpy as np

from benchmarks.quality.rows import Rows, run_method


def probabilities(rows: Rows, arguments: argparse.Namespace) -> np.ndarray:
    """Fit on all labelled rows and score."""
    model = lightgbm.LGBMClassifier(n_jobs=2, verbose=-1, random_state=0)
    return model.fit(rows.X, rows.y).predict_proba(rows.to_score)[:, 1]


if __name__ == "__main__":
    run_method(probabilities)
