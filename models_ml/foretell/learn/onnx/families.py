"""Each family inside the ONNX graph: rows -> margin (log-odds, or a log amount)."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto

from foretell.learn.candidates import Fitted
from foretell.learn.onnx.graph import Graph, Trees, floor32


def add_margin(
    graph: Graph, fitted: Fitted, source: str, columns: np.ndarray, name: str = ""
) -> str:
    """Append the margin of a fitted candidate and return its name: double, (n_rows, 1).

    Args:
        graph: Grows.
        fitted: A single candidate or an average.
        source: float32 rows without NaN.
        columns: Of the matrix, those of the rows, ascending; fitted.columns are among them. Every
            member reads the same rows: copying its own columns would cost as much as a small model.
        name: Begins the names of all it adds, so that members do not collide.
    """
    exporters = {
        "average": _sum,
        "boosted": _sum,
        "constant": _constant,
        "linear": _linear,
        "lightgbm": _lightgbm,
    }
    return exporters[fitted.candidate.family](graph, fitted, source, columns, name)


def _sum(graph: Graph, fitted: Fitted, source: str, columns: np.ndarray, name: str) -> str:
    parts = []
    for number, (member, weight) in enumerate(zip(fitted.members, fitted.weights, strict=True)):
        prefix = f"{name}member_{number}_"
        share = graph.constant(f"{prefix}weight", weight, np.float64)
        margin = add_margin(graph, member, source, columns, prefix)
        parts.append(graph.add("Mul", [margin, share], f"{prefix}part"))
    if fitted.shift:
        parts.append(graph.constant(f"{name}average_shift", [[fitted.shift]], np.float64))
    return graph.add("Sum", parts, f"{name}margin")


def _constant(graph: Graph, fitted: Fitted, source: str, columns: np.ndarray, name: str) -> str:
    axes = graph.constant(f"{name}axes", [1], np.int64)
    nothing = graph.add("ReduceSum", [source, axes], f"{name}total", keepdims=1)
    exact = graph.add("Cast", [nothing], f"{name}total_double", to=TensorProto.DOUBLE)
    # Not the rows' sum but a zero of its shape: 0 * infinity would be no number.
    zero = graph.constant(f"{name}limit", 0.0, np.float64)
    flat = graph.add("Clip", [exact, zero, zero], f"{name}nothing")
    margin = graph.constant(f"{name}constant", [[fitted.model]], np.float64)
    return graph.add("Add", [flat, margin], f"{name}margin")


def _linear(graph: Graph, fitted: Fitted, source: str, columns: np.ndarray, name: str) -> str:
    # As LinearTransform.apply, each step on all columns at once: choosing some would cost more than
    # it saves. Sums in double, since calibrators that are steep would show their rounding.
    transform = fitted.transform
    assert transform is not None
    places, weights = np.searchsorted(columns, fitted.columns), fitted.model.weights

    def add(operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        return graph.add(operator, inputs, name + output, **attributes)

    def constant(output: str, value: Any, dtype: type = np.float32) -> str:
        return graph.constant(name + output, value, dtype)

    def by_column(values: np.ndarray) -> np.ndarray:
        spread = np.zeros(len(columns))  # 0 everywhere makes 0 of what the model does not read
        spread[places] = values
        return spread

    one, minus_one = constant("one", 1.0), constant("minus_one", -1.0)
    size = add("Log", [add("Add", [add("Abs", [source], "size"), one], "size_1")], "log_size")
    # Sign is slow in onnxruntime. What is too small to have a logarithm becomes 0 here too.
    large = add("Mul", [source, constant("huge", 1e30)], "large")
    signs = add("Clip", [add("Mul", [large, size], "larger"), minus_one, one], "signs")
    sign = add("Max", [signs, constant("least", by_column(transform.least_sign)[None])], "sign")
    topped = add("Min", [size, constant("top", by_column(transform.top)[None])], "topped")
    started = add("Sub", [topped, constant("start", by_column(transform.start)[None])], "started")
    signed = add("Mul", [started, sign], "signed")
    exact = add("Cast", [signed], "exact", to=TensorProto.DOUBLE)
    slopes = constant("slopes", by_column(transform.slope * weights)[:, None], np.float64)
    total = add("MatMul", [exact, slopes], "total")
    intercept = constant("intercept", [fitted.model.intercept], np.float64)
    return add("Add", [total, intercept], "margin")


def _lightgbm(graph: Graph, fitted: Fitted, source: str, columns: np.ndarray, name: str) -> str:
    trees, places = Trees(), np.searchsorted(columns, fitted.columns)
    for number, tree in enumerate(fitted.model.dump_model()["tree_info"]):
        _walk(trees, number, tree["tree_structure"], places)
    total = trees.add_to(graph, source, f"{name}trees")
    return graph.add("Cast", [total], f"{name}margin", to=TensorProto.DOUBLE)


def _walk(trees: Trees, number: int, root: dict[str, Any], places: np.ndarray) -> None:
    """Add one LightGBM tree, nodes numbered in the order they are met.

    Its column number c is column places[c] of the rows.
    """
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
        trees.split(number, own, int(places[node["split_feature"]]), threshold, left, right)
        pending += [(node["left_child"], left), (node["right_child"], right)]
