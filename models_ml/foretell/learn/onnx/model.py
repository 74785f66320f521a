"""One ONNX graph per model: transformation, model and calibrator, exact in float32.

Exporters of our own, because the public converters are wrong in places, silently (docs/decisions/
0006): thresholds are rounded down to float32, so that `x <= t` holds for the same float32 x.
Input X: float32 (n_rows, n_columns); outputs probability and score (uncalibrated), and of a value
model expected_value: (n_rows, 1).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from scipy.sparse import csr_matrix

from foretell.learn.calibrate import Calibrator
from foretell.learn.candidates import Fitted
from foretell.learn.onnx.calibrators import add_calibrator
from foretell.learn.onnx.families import add_margin
from foretell.learn.onnx.graph import Graph
from foretell.learn.value_model import ValueModel

OPSETS = {"": 18, "ai.onnx.ml": 3}
IR_VERSION = 9
ROWS_PER_CALL = 256  # made dense at a time: they stay in a core's cache, 10 % faster than 4,096


PROBABILITY, EXPECTED_VALUE = "probability", "expected_value"


def input_columns(fitted: Fitted, value: ValueModel | None = None) -> np.ndarray:
    """Return the columns of the matrix that a graph reads, in order, ascending."""
    if value is None:
        return fitted.columns
    return np.union1d(fitted.columns, value.amount.columns).astype(np.int64)


def export(
    fitted: Fitted,
    calibrator: Calibrator,
    feature_ids: np.ndarray,
    value: ValueModel | None = None,
) -> bytes:
    """Turn a fitted candidate and its calibrator into one ONNX graph.

    Args:
        fitted: The model of whether.
        calibrator: Applied to the model's score.
        feature_ids: Catalogue ids of the graph's inputs (input_columns), kept as metadata.
        value: The model of how much, of a value prediction.

    Returns:
        The serialised model.
    """
    graph = Graph()
    zero = graph.constant("zero", [[0.0]])
    clean = graph.add("Where", [graph.add("IsNaN", ["X"], "is_missing"), zero, "X"], "clean")
    columns, outputs = input_columns(fitted, value), [PROBABILITY, "score"]
    graph.add("Sigmoid", [add_margin(graph, fitted, clean, columns)], "score_double")
    graph.add("Cast", ["score_double"], "score", to=TensorProto.FLOAT)
    add_calibrator(graph, calibrator)
    if value is not None:
        _add_value(graph, value, clean, columns)
        outputs.append(EXPECTED_VALUE)
    body = helper.make_graph(
        graph.nodes,
        "foretell",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, len(columns)])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in outputs],
        graph.constants,
    )
    opsets = [helper.make_opsetid(domain, number) for domain, number in OPSETS.items()]
    model = helper.make_model(
        body, opset_imports=opsets, ir_version=IR_VERSION, producer_name="foretell"
    )
    helper.set_model_props(
        model,
        {
            "feature_ids": json.dumps([int(feature_id) for feature_id in feature_ids]),
            "candidate": fitted.candidate.name,
            "calibration": calibrator.name,
        },
    )
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _add_value(graph: Graph, value: ValueModel, source: str, columns: np.ndarray) -> None:
    """Append probability -> expected value, computed in double."""
    margin = add_margin(graph, value.amount, source, columns, "amount_")
    ends = [
        graph.constant(f"amount_{name}", end, np.float64)
        for name, end in (("lowest", value.lowest), ("highest", value.highest))
    ]
    amount = graph.add("Exp", [graph.add("Clip", [margin, *ends], "amount_log")], "amount")
    p = graph.add("Cast", [PROBABILITY], "probability_double", to=TensorProto.DOUBLE)
    product = graph.add("Mul", [p, amount], "product")
    power = graph.constant("value_power", value.scale.power, np.float64)
    bent = graph.add("Pow", [product, power], "product_bent")
    factor = graph.constant("value_factor", value.scale.scale, np.float64)
    scaled = graph.add("Mul", [bent, factor], "value_double")
    graph.add("Cast", [scaled], EXPECTED_VALUE, to=TensorProto.FLOAT)


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
