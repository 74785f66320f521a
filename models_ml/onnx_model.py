"""One ONNX graph per model: transformation, model and calibrator, exact in float32.

Exporters of our own, because the public converters are wrong in places, silently (docs/decisions/
0006): thresholds are rounded down to float32, so that `x <= t` holds for the same float32 x.
Input X: float32 (n_rows, n_columns); outputs probability and score (uncalibrated): (n_rows, 1).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from scipy.sparse import csr_matrix

from models_ml.calibrate import EDGE, Calibrator, CentredIsotonic, Sigmoid
from models_ml.candidates import Fitted

OPSETS = {"": 18, "ai.onnx.ml": 3}
IR_VERSION = 9


@dataclass
class _Graph:
    """Nodes and constants of a graph under construction."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Append a node and return its output's name."""
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, name: str, value: Any, dtype: type = np.float32) -> str:
        """Append a constant tensor and return its name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value, dtype), name))
        return name


@dataclass
class _Trees:
    """Node arrays of a TreeEnsembleRegressor."""

    splits: list[tuple] = field(default_factory=list)
    leaves: list[tuple] = field(default_factory=list)

    def split(
        self, tree: int, node: int, column: int, threshold: float, left: int, right: int
    ) -> None:
        """Add `x[column] <= threshold ? left : right`."""
        self.splits.append((tree, node, column, threshold, "BRANCH_LEQ", left, right))

    def leaf(self, tree: int, node: int, value: float) -> None:
        """Add a leaf that adds `value` to the sum."""
        self.splits.append((tree, node, 0, 0.0, "LEAF", 0, 0))
        self.leaves.append((tree, node, 0, float(np.float32(value))))

    def add_to(self, graph: _Graph, source: str, output: str) -> str:
        """Append the ensemble: output[n, 1] = sum of the leaves that source[n, :] reaches."""
        trees, nodes, columns, values, modes, left, right = zip(*self.splits, strict=True)
        leaf_trees, leaf_nodes, targets, weights = zip(*self.leaves, strict=True)
        return graph.add(
            "TreeEnsembleRegressor", [source], output, domain="ai.onnx.ml",
            n_targets=1, aggregate_function="SUM", post_transform="NONE",
            nodes_treeids=trees, nodes_nodeids=nodes, nodes_featureids=columns,
            nodes_values=values, nodes_modes=modes,
            nodes_truenodeids=left, nodes_falsenodeids=right,
            target_treeids=leaf_trees, target_nodeids=leaf_nodes, target_ids=targets,
            target_weights=weights,
        )  # fmt: skip


def floor32(values: Any) -> np.ndarray:
    """Return the largest float32 not above each value: keeps `x <= t` exact for float32 x."""
    exact = np.asarray(values, np.float64)
    near = exact.astype(np.float32)
    return np.where(near > exact, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)


def export(fitted: Fitted, calibrator: Calibrator, feature_ids: np.ndarray) -> bytes:
    """Turn a fitted candidate and its calibrator into one ONNX graph.

    Args:
        fitted: The model; its columns are the graph's input columns, in order.
        calibrator: Applied to the model's score.
        feature_ids: Catalogue ids of those columns, kept as metadata.

    Returns:
        The serialised model.
    """
    graph = _Graph()
    zero = graph.constant("zero", [[0.0]])
    clean = graph.add("Where", [graph.add("IsNaN", ["X"], "is_missing"), zero, "X"], "clean")
    exporters = {
        "constant": _constant,
        "logistic": _logistic,
        "forest": _forest,
        "lightgbm": _lightgbm,
    }
    exporters[fitted.candidate.family](graph, fitted, clean)
    graph.add("Cast", ["score_double"], "score", to=TensorProto.FLOAT)
    _calibrate(graph, calibrator)
    n_columns = len(fitted.columns)
    body = helper.make_graph(
        graph.nodes,
        "foretell",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, n_columns])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1])
            for name in ("probability", "score")
        ],
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
    return model.SerializeToString()


def make_session(model: bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """Load a graph for scoring; waiting threads sleep instead of spinning."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def predict(session: onnxruntime.InferenceSession, X: np.ndarray) -> np.ndarray:
    """Return calibrated probabilities, float32, shape (n_rows,), of dense rows."""
    rows = np.ascontiguousarray(X, dtype=np.float32)
    return session.run(["probability"], {"X": rows})[0].ravel()


def parity(model: bytes, expected: np.ndarray, X: csr_matrix, batch_rows: int = 4096) -> float:
    """Return max |ONNX - Python| over real rows (a probability).

    Args:
        model: The exported graph.
        expected: Calibrated probabilities of the Python model, shape (n_rows,).
        X: The same rows over the graph's input columns.
        batch_rows: Rows made dense at a time.
    """
    session = make_session(model)
    gaps = [0.0]
    for start in range(0, X.shape[0], batch_rows):
        got = predict(session, X[start : start + batch_rows].toarray())
        gaps.append(float(np.abs(got - expected[start : start + batch_rows]).max()))
    return max(gaps)


def _constant(graph: _Graph, fitted: Fitted, source: str) -> None:
    axes = graph.constant("axes", [1], np.int64)
    nothing = graph.add("ReduceSum", [source, axes], "nothing", keepdims=1)
    exact = graph.add("Cast", [nothing], "nothing_double", to=TensorProto.DOUBLE)
    rate = graph.constant("rate", [[fitted.model]], np.float64)
    graph.add("Add", [exact, rate], "score_double")


def _logistic(graph: _Graph, fitted: Fitted, source: str) -> None:
    # The transformation in float32, as in Python; the sum in double, or calibrators that are steep
    # would show its rounding.
    transform = fitted.transform
    assert transform is not None
    one, zero = graph.constant("one", [[1]]), graph.constant("nought", [[0]])
    size = graph.add("Add", [graph.add("Abs", [source], "size"), one], "size_1")
    sign = graph.add("Sign", [source], "sign")
    evened = graph.add("Mul", [sign, graph.add("Log", [size], "log_size")], "evened")
    slope = graph.constant("column_slope", transform.slope[None, :])
    offset = graph.constant("column_offset", transform.offset[None, :])
    floor = graph.constant("column_floor", transform.floor[None, :])
    scaled = graph.add("Add", [graph.add("Mul", [evened, slope], "by_column"), offset], "scaled")
    floored = graph.add("Max", [scaled, floor], "floored")
    # Never, or a number of hours that cannot be.
    least = graph.constant("column_least", np.where(transform.is_recency, 0, -np.inf)[None, :])
    is_never = graph.add("Equal", [graph.add("Max", [source, least], "seen"), zero], "is_never")
    transformed = graph.add("Where", [is_never, zero, floored], "transformed")
    exact = graph.add("Cast", [transformed], "transformed_double", to=TensorProto.DOUBLE)
    weights = graph.constant("weights", fitted.model.coef_[0][:, None], np.float64)
    margin = graph.add("MatMul", [exact, weights], "products")
    intercept = graph.constant("intercept", [fitted.model.intercept_], np.float64)
    graph.add("Sigmoid", [graph.add("Add", [margin, intercept], "margin")], "score_double")


def _forest(graph: _Graph, fitted: Fitted, source: str) -> None:
    trees, forest = _Trees(), fitted.model
    for number, estimator in enumerate(forest.estimators_):
        tree = estimator.tree_
        thresholds = floor32(tree.threshold)
        shares = tree.value[:, 0, 1] / tree.value[:, 0, :].sum(axis=1)
        for node in range(tree.node_count):
            left, right = int(tree.children_left[node]), int(tree.children_right[node])
            if left < 0:
                trees.leaf(number, node, shares[node] / len(forest.estimators_))
            else:
                trees.split(
                    number, node, int(tree.feature[node]), float(thresholds[node]), left, right
                )
    total = trees.add_to(graph, source, "total")
    graph.add("Cast", [total], "score_double", to=TensorProto.DOUBLE)


def _lightgbm(graph: _Graph, fitted: Fitted, source: str) -> None:
    trees = _Trees()
    for number, tree in enumerate(fitted.model.dump_model()["tree_info"]):
        _walk(trees, number, tree["tree_structure"])
    margin = trees.add_to(graph, source, "margin")
    exact = graph.add("Cast", [margin], "margin_double", to=TensorProto.DOUBLE)
    graph.add("Sigmoid", [exact], "score_double")


def _walk(trees: _Trees, number: int, root: dict[str, Any]) -> None:
    """Add one LightGBM tree, nodes numbered in the order they are met."""
    pending, n_nodes = [(root, 0)], 1
    while pending:
        node, own = pending.pop()
        if "split_feature" not in node:
            trees.leaf(number, own, node["leaf_value"])
            continue
        if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
            raise ValueError(
                f"cannot export a split {node['decision_type']} {node['missing_type']}"
            )
        left, right, n_nodes = n_nodes, n_nodes + 1, n_nodes + 2
        threshold = float(floor32(node["threshold"]))
        trees.split(number, own, node["split_feature"], threshold, left, right)
        pending += [(node["left_child"], left), (node["right_child"], right)]


def _calibrate(graph: _Graph, calibrator: Calibrator) -> None:
    """Append score -> probability, computed in double."""
    if isinstance(calibrator, Sigmoid):
        low, high = (
            graph.constant("low", EDGE, np.float64),
            graph.constant("high", 1 - EDGE, np.float64),
        )
        p = graph.add("Clip", ["score_double", low, high], "clipped")
        rest = graph.add("Sub", [graph.constant("one_double", 1.0, np.float64), p], "rest")
        odds = graph.add("Log", [graph.add("Div", [p, rest], "odds")], "log_odds")
        slope = graph.constant("slope", calibrator.slope, np.float64)
        shift = graph.constant("shift", calibrator.intercept, np.float64)
        z = graph.add(
            "Add", [graph.add("Mul", [odds, slope], "sloped"), shift], "calibrated_log_odds"
        )
        graph.add("Cast", [graph.add("Sigmoid", [z], "sure")], "probability", to=TensorProto.FLOAT)
    elif isinstance(calibrator, CentredIsotonic):
        _interpolate(graph, calibrator)
    else:
        graph.add("Identity", ["score"], "probability")


def _interpolate(graph: _Graph, calibrator: CentredIsotonic) -> None:
    """Piecewise-linear interpolation: one index tree (binary search), four Gathers, a lerp."""
    x, y = np.array(calibrator.x), np.array(calibrator.y)
    finder = _Trees()
    pending, n_nodes = [(0, len(x) - 1, 0)], 1
    while pending:
        low, high, node = pending.pop()
        if high - low == 1:
            finder.leaf(0, node, low)
            continue
        middle = (low + high) // 2
        left, right, n_nodes = n_nodes, n_nodes + 1, n_nodes + 2
        below = float(np.nextafter(np.float32(x[middle]), np.float32(-np.inf)))
        finder.split(0, node, 0, below, left, right)
        pending += [(low, middle, left), (middle, high, right)]
    index = graph.add(
        "Cast", [finder.add_to(graph, "score", "segment_float")], "segment", to=TensorProto.INT32
    )
    pieces = {"x0": x[:-1], "y0": y[:-1], "width": np.diff(x), "slope": np.diff(y) / np.diff(x)}
    for name, values in pieces.items():
        graph.add("Gather", [graph.constant(f"{name}_table", values, np.float64), index], name)
    beyond = graph.add(
        "Max",
        [
            graph.add("Sub", ["score_double", "x0"], "from_knot"),
            graph.constant("zero_double", [[0.0]], np.float64),
        ],
        "inside",
    )
    step = graph.add("Mul", [graph.add("Min", [beyond, "width"], "step"), "slope"], "rise")
    graph.add(
        "Cast", [graph.add("Add", ["y0", step], "height")], "probability", to=TensorProto.FLOAT
    )
