"""Whether a foreign classifier's graph gives its numbers: else it may not compete."""

from __future__ import annotations

import numpy as np
from onnxruntime.capi import onnxruntime_pybind11_state as runtime
from scipy.sparse import csr_matrix

from foretell.learn.calibrate import Identity
from foretell.learn.families.foreign import FAILURES, CannotCompete, ForeignClassifier, first_line
from foretell.learn.matrix import some_rows
from foretell.learn.model import CalibratedClassifier
from foretell.learn.onnx.model import parity

CHECKED_ROWS = 2_000
NOT_CONVERTED = (
    *FAILURES, runtime.Fail, runtime.InvalidArgument, runtime.InvalidGraph,
    runtime.InvalidProtobuf, runtime.NotImplemented, runtime.RuntimeException,
)  # fmt: skip


def convert(model: CalibratedClassifier, feature_ids: np.ndarray, candidate: str = "") -> bytes:
    """Return the graph of a fitted model (foretell.learn.onnx.export).

    Args:
        model: Over all columns of the matrix.
        feature_ids: Catalogue ids of all those columns.
        candidate: Its name.

    Raises:
        CannotCompete: If it is foreign, and skl2onnx has no graph of it.
    """
    from foretell.learn.onnx.export import export  # skl2onnx takes 0.3 s to import

    try:
        return export(model.pipeline(), feature_ids[model.columns_], candidate)
    except NOT_CONVERTED as error:
        if not model.estimator_.is_foreign:
            raise
        raise CannotCompete(f"skl2onnx cannot convert it: {first_line(error)}") from error


def check_conversion(fitted: ForeignClassifier, X: csr_matrix, tolerance: float) -> None:
    """Compare a foreign classifier with its graph on rows that it was not fitted on.

    Args:
        fitted: Over all columns of X.
        X: Rows; of many some are taken.
        tolerance: Largest |ONNX - Python| allowed, a probability.

    Raises:
        CannotCompete: If it has no graph, or one that is further off, with the number.
    """
    model = CalibratedClassifier.of_fitted(fitted, Identity())
    rows = some_rows(X, CHECKED_ROWS)
    graph = convert(model, np.arange(X.shape[1]))
    try:
        gap = parity(graph, model.probability(rows), rows[:, fitted.columns_])
    except NOT_CONVERTED as error:
        raise CannotCompete(f"its graph cannot be used: {first_line(error)}") from error
    if not gap <= tolerance:
        limit = f"{gap:.1e} > {tolerance:.0e}"
        raise CannotCompete(f"its graph is not exact: max |ONNX - Python| = {limit}")
