"""Each family inside the ONNX graph: rows -> margin (log-odds, or a log amount), in double.

A builder adds the margin of a fitted family to the graph and returns its name, shape (n_rows, 1).
Of a sum its sources are its members' margins, of all others one: float32 rows without missing
values. Every member reads the same rows: copying its own columns would cost as much as a small
model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto

from foretell.learn.families.base import Family
from foretell.learn.families.foreign import EDGE, ForeignClassifier
from foretell.learn.families.linear import Linear
from foretell.learn.families.sums import Sum
from foretell.learn.families.trees import Trees as TreesFamily
from foretell.learn.onnx.graph import Graph, Trees, floor32


def add_sum(graph: Graph, fitted: Sum, sources: list[str]) -> str:
    """Append the weighted sum of members' margins."""
    parts = [
        graph.add("Mul", [margin, graph.constant("weight", weight, np.float64)], "part")
        for margin, weight in zip(sources, fitted.member_weights_, strict=True)
    ]
    if fitted.shift_:
        parts.append(graph.constant("shift", [[fitted.shift_]], np.float64))
    return graph.add("Sum", parts, "sum")


def add_constant(graph: Graph, fitted: Family, sources: list[str]) -> str:
    """Append one margin for every row, whatever it holds, also of rows without columns."""
    axes = graph.constant("axes", [1], np.int64)
    nothing = graph.add("ReduceSum", [sources[0], axes], "total", keepdims=1)
    exact = graph.add("Cast", [nothing], "total_double", to=TensorProto.DOUBLE)
    # Not the rows' sum but a zero of its shape: 0 * infinity would be no number.
    zero = graph.constant("limit", 0.0, np.float64)
    flat = graph.add("Clip", [exact, zero, zero], "nothing")
    margin = graph.constant("constant", [[fitted.constant_]], np.float64)
    return graph.add("Add", [flat, margin], "constant_margin")


def add_linear(graph: Graph, fitted: Linear, sources: list[str]) -> str:
    """Append LinearTransform.apply and the weighted sum.

    Each step is on all columns at once: choosing some would cost more than it saves. Sums are in
    double, since calibrators that are steep would show their rounding.
    """
    transform, (source,) = fitted.transform_, sources

    def by_column(values: np.ndarray) -> np.ndarray:
        spread = np.zeros(fitted.n_features_in_)  # 0 makes 0 of what the model does not read
        spread[fitted.columns_] = values
        return spread

    add, constant = graph.add, graph.constant
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
    slopes = constant("slopes", by_column(transform.slope * fitted.coef_)[:, None], np.float64)
    total = add("MatMul", [exact, slopes], "total")
    intercept = constant("intercept", [fitted.intercept_], np.float64)
    return add("Add", [total, intercept], "linear_margin")


def add_trees(graph: Graph, fitted: TreesFamily, sources: list[str]) -> str:
    """Append the sum of the leaves that rows reach."""
    trees = Trees()
    for number, tree in enumerate(fitted.booster_.dump_model()["tree_info"]):
        _walk(trees, number, tree["tree_structure"], fitted.columns_)
    total = trees.add_to(graph, sources[0], "trees")
    return graph.add("Cast", [total], "trees_margin", to=TensorProto.DOUBLE)


def add_columns(graph: Graph, fitted: ForeignClassifier, sources: list[str]) -> str:
    """Append the rows of the columns that a foreign classifier reads, float32."""
    if len(fitted.columns_) == fitted.n_features_in_:
        return sources[0]
    columns = graph.constant("columns", fitted.columns_, np.int64)
    return graph.add("Gather", [sources[0], columns], "own", axis=1)


def add_foreign(graph: Graph, fitted: ForeignClassifier, sources: list[str]) -> str:
    """Append the log-odds of the second class; the source is what its own converter gives."""
    second = graph.constant("second", [1], np.int64)
    p = graph.add("Gather", [sources[0], second], "second_class", axis=1)
    exact = graph.add("Cast", [p], "second_class_double", to=TensorProto.DOUBLE)
    ends = [graph.constant("end", end, np.float64) for end in (EDGE, 1 - EDGE)]
    p = graph.add("Clip", [exact, *ends], "inner")
    rest = graph.add("Sub", [graph.constant("one_double", 1.0, np.float64), p], "inner_rest")
    logs = [graph.add("Log", [value], "log") for value in (p, rest)]
    return graph.add("Sub", logs, "foreign_margin")


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
