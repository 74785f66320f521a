"""AutoGluon Tabular as a data scientist would call it: a dense table, log loss, users kept apart.

Its boosted and randomised trees, its torch network, their weighted ensemble, and its calibration.
"""

from __future__ import annotations

import argparse
import tempfile

import numpy as np
import pandas as pd
from autogluon.tabular import TabularPredictor

from benchmarks.quality.rows import Rows, run_method

LABEL, FOLD = "outcome", "fold"
N_FOLDS = 8  # what good_quality takes by itself
HELD_OUT_BUCKETS = 10  # of 100: the share that medium_quality holds out of many rows by itself


def probabilities(rows: Rows, arguments: argparse.Namespace) -> np.ndarray:
    """Fit the preset within the budget and score."""
    learned, to_score = tables(rows)
    is_bagged = arguments.preset != "medium_quality"
    held_out = None
    if is_bagged:
        learned[FOLD] = rows.user_bucket % N_FOLDS
    else:
        is_held_out = rows.user_bucket < HELD_OUT_BUCKETS
        learned, held_out = learned[~is_held_out], learned[is_held_out]
    with tempfile.TemporaryDirectory(dir=arguments.rows.parent) as folder:
        predictor = TabularPredictor(
            label=LABEL,
            problem_type="binary",
            eval_metric="log_loss",
            groups=FOLD if is_bagged else None,
            path=f"{folder}/models",
            verbosity=1,
        )
        predictor.fit(
            learned,
            tuning_data=held_out,
            presets=arguments.preset,
            time_limit=arguments.budget,
            # Fits all once more to see whether stacking overfits; where the time is short that
            # ends the whole fit: "Learner is already fit" (1.6.3).
            dynamic_stacking=False,
            num_cpus=2,
            num_gpus=0,
        )
        print(predictor.leaderboard(silent=True).to_string())
        return predictor.predict_proba(to_score)[1].to_numpy()


def tables(rows: Rows) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return labelled rows with their label, and rows to score, without columns of zeros only."""
    kept = np.flatnonzero(rows.X.getnnz(axis=0))
    names = [f"{rows.kinds[column]}_{rows.feature_ids[column]}" for column in kept]
    learned = pd.DataFrame(rows.X[:, kept].toarray(), columns=names)
    learned[LABEL] = rows.y.astype(int)
    return learned, pd.DataFrame(rows.to_score[:, kept].toarray(), columns=names)


if __name__ == "__main__":
    run_method(probabilities, ("--preset", str, "medium_quality"))
