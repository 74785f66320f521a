"""Each family inside the ONNX graph: rows -> log-odds."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto
from scipy.special import logit

from models_ml.candidates import Fitted
from models_ml.onnx_graph import Graph, Trees, floor32


def add_margin(graph: Graph, fitted: Fitted, source: str, name: str = "") -> str:
    """Append the log-odds of a fitted candidate and return their name: double, (n_rows, 1).

    Args:
        graph: Grows.
        fitted: A single candidate or an average.
        source: float32 rows over fitted.columns, without NaN.
        name: Begins the names of all it adds, so that members do not collide.
    """
    exporters = {
        "average": _average,
        "constant": _constant,
        "logistic": _logistic,
        "lightgbm": _lightgbm,
    }
    return exporters[fitted.candidate.family](graph, fitted, source, name)


def _average(graph: Graph, fitted: Fitted, source: str, name: str) -> str:
    parts = []
    weights = fitted.candidate.member_weights
    for number, (member, weight) in enumerate(zip(fitted.members, weights, strict=True)):
        own, prefix = source, f"{name}member_{number}_"
        if len(member.columns) < len(fitted.columns):
            places = np.searchsorted(fitted.columns, member.columns)
            chosen = graph.constant(f"{prefix}columns", places, np.int64)
            own = graph.add("Gather", [source, chosen], f"{prefix}rows", axis=1)
        share = graph.constant(f"{prefix}weight", weight, np.float64)
        margin = add_margin(graph, member, own, prefix)
        parts.append(graph.add("Mul", [margin, share], f"{prefix}part"))
    return graph.add("Sum", parts, f"{name}margin")


def _constant(graph: Graph, fitted: Fitted, source: str, name: str) -> str:
    axes = graph.constant(f"{name}axes", [1], np.int64)
    nothing = graph.add("ReduceSum", [source, axes], f"{name}total", keepdims=1)
    exact = graph.add("Cast", [nothing], f"{name}total_double", to=TensorProto.DOUBLE)
    # Not the rows' sum but a zero of its shape: 0 * infinity would be no number.
    zero = graph.constant(f"{name}limit", 0.0, np.float64)
    flat = graph.add("Clip", [exact, zero, zero], f"{name}nothing")
    odds = graph.constant(f"{name}log_odds", [[logit(fitted.model)]], np.float64)
    return graph.add("Add", [flat, odds], f"{name}margin")


def _logistic(graph: Graph, fitted: Fitted, source: str, name: str) -> str:
    # The transformation in float32, as in Python; the sum in double, or calibrators that are steep
    # would show its rounding.
    transform = fitted.transform
    assert transform is not None
    coefficients, intercept = fitted.model.coef_[0][:, None], fitted.model.intercept_

    def add(operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        return graph.add(operator, inputs, name + output, **attributes)

    def constant(output: str, value: Any, dtype: type = np.float32) -> str:
        return graph.constant(name + output, value, dtype)

    one, zero = constant("one", [[1]]), constant("nought", [[0]])
    size = add("Add", [add("Abs", [source], "size"), one], "size_1")
    evened = add("Mul", [add("Sign", [source], "sign"), add("Log", [size], "log_size")], "evened")
    sloped = add("Mul", [evened, constant("column_slope", transform.slope[None, :])], "by_column")
    scaled = add("Add", [sloped, constant("column_offset", transform.offset[None, :])], "scaled")
    floored = add("Max", [scaled, constant("column_floor", transform.floor[None, :])], "floored")
    # Never, or a number of hours that cannot be.
    least = constant("column_least", np.where(transform.is_recency, 0, -np.inf)[None, :])
    is_never = add("Equal", [add("Max", [source, least], "seen"), zero], "is_never")
    transformed = add("Where", [is_never, zero, floored], "transformed")
    exact = add("Cast", [transformed], "transformed_double", to=TensorProto.DOUBLE)
    products = add("MatMul", [exact, constant("weights", coefficients, np.float64)], "products")
    return add("Add", [products, constant("intercept", intercept, np.float64)], "margin")


def _lightgbm(graph: Graph, fitted: Fitted, source: str, name: str) -> str:
    trees = Trees()
    for number, tree in enumerate(fitted.model.dump_model()["tree_info"]):
        _walk(trees, number, tree["tree_structure"])
    total = trees.add_to(graph, source, f"{name}trees")
    return graph.add("Cast", [total], f"{name}margin", to=TensorProto.DOUBLE)


def _walk(trees: Trees, number: int, root: dict[str, Any]) -> None:
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
