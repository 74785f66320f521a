"""A stored graph at work: load it, score rows, compare it with its Python model.

Input X: float32 (n_rows, n_columns); outputs probability and score (uncalibrated), and of a value
model expected_value: (n_rows, 1). foretell.learn.onnx.export makes such graphs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnxruntime
from scipy.sparse import csr_matrix

ROWS_PER_CALL = 256  # made dense at a time: they stay in a core's cache, 10 % faster than 4,096
PROBABILITY, EXPECTED_VALUE = "probability", "expected_value"


def make_session(model: bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """Load a graph for scoring; waiting threads sleep instead of spinning."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def has_value(session: onnxruntime.InferenceSession) -> bool:
    """Whether the graph gives expected values beside probabilities."""
    return EXPECTED_VALUE in {output.name for output in session.get_outputs()}


def predict_outputs(
    session: onnxruntime.InferenceSession, X: np.ndarray, names: Sequence[str]
) -> list[np.ndarray]:
    """Return some outputs of a graph, float32, each of shape (n_rows,), of dense rows."""
    rows = np.ascontiguousarray(X, dtype=np.float32)
    return [output.ravel() for output in session.run(list(names), {"X": rows})]


def predict(
    session: onnxruntime.InferenceSession, X: np.ndarray, output: str = PROBABILITY
) -> np.ndarray:
    """Return calibrated probabilities, or another output, float32, shape (n_rows,), of dense rows.

    Args:
        session: Of make_session.
        X: Shape (n_rows, n_columns).
        output: PROBABILITY or EXPECTED_VALUE.
    """
    return predict_outputs(session, X, [output])[0]


def predict_sparse(
    session: onnxruntime.InferenceSession, X: csr_matrix, output: str = PROBABILITY
) -> np.ndarray:
    """Return the same of sparse rows."""
    blocks = [
        predict(session, X[start : start + ROWS_PER_CALL].toarray(), output)
        for start in range(0, X.shape[0], ROWS_PER_CALL)
    ]
    return np.concatenate(blocks) if blocks else np.empty(0, dtype=np.float32)


def parity(model: bytes, expected: np.ndarray, X: csr_matrix) -> float:
    """Return max |ONNX - Python| over real rows (a probability).

    Args:
        model: The exported graph.
        expected: Calibrated probabilities of the Python model, shape (n_rows,).
        X: The same rows over the graph's input columns.
    """
    gaps = np.abs(predict_sparse(make_session(model), X) - expected)
    return float(gaps.max(initial=0))


def value_parity(model: bytes, expected: np.ndarray, X: csr_matrix) -> float:
    """Return the largest |ONNX - Python| over real rows, a share of the value or of the mean value.

    Args:
        model: The exported graph.
        expected: Values of the Python model, shape (n_rows,).
        X: The same rows over the graph's input columns.
    """
    gaps = np.abs(predict_sparse(make_session(model), X, EXPECTED_VALUE) - expected)
    sizes = np.maximum(expected, expected.mean() if len(expected) else 1.0)
    return float((gaps / sizes).max(initial=0))
