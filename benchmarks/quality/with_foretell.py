"""Foretell itself: what `foretell run` trains by default, scored by the ONNX graph it exports.

With --balanced one class-weighted candidate competes too (docs/decisions/0033).
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.quality.rows import Rows, run_method
from foretell.learn.candidates import PORTFOLIO, Candidate
from foretell.learn.families.linear import LinearClassifier
from foretell.learn.families.trees import TreesClassifier
from foretell.learn.matrix import Matrix, TrainingSet
from foretell.learn.onnx.model import make_session, predict_sparse
from foretell.learn.train import TrainSettings, train

BALANCED = {
    "logistic": LinearClassifier(class_weight="balanced"),
    "lightgbm": TreesClassifier(extra_trees=True, class_weight="balanced"),
}


def probabilities(rows: Rows, arguments: argparse.Namespace) -> np.ndarray:
    """Train with the default settings and score."""
    name = arguments.balanced
    added = (Candidate(f"{name}_balanced", BALANCED[name]),) if name else ()
    settings = TrainSettings(portfolio=(*PORTFOLIO, *added))
    data = TrainingSet(
        matrix=Matrix(rows.X, rows.feature_ids, tuple(rows.kinds.tolist())),
        y=rows.y,
        user_key=rows.user_key,
        user_bucket=rows.user_bucket,
        as_of_hour=rows.as_of_hour,
        horizon_hours=int(rows.horizon_hours),
    )
    model = train(data, settings, rows.groups.tolist(), lambda line: print(line, flush=True))
    print(model.candidate, model.calibration, model.status, model.reason)
    session = make_session(model.onnx)
    columns = np.searchsorted(rows.feature_ids, model.feature_ids)
    return predict_sparse(session, rows.to_score[:, columns])


if __name__ == "__main__":
    run_method(probabilities, ("--balanced", str, ""))
