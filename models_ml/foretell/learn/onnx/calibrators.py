"""Calibrators inside the ONNX graph: score -> probability, computed in double."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from foretell.learn.calibrate import EDGE, Beta, Calibrator, CentredIsotonic, Identity, Sigmoid
from foretell.learn.onnx.graph import Graph, Trees


def add_calibrator(graph: Graph, calibrator: Calibrator, exact: str, score: str) -> str:
    """Append score -> probability and return its name, float32.

    Args:
        graph: Grows.
        calibrator: The map.
        exact: The score in double, shape (n_rows, 1).
        score: The same in float32.
    """
    if isinstance(calibrator, Identity):
        return score
    if isinstance(calibrator, CentredIsotonic):
        probability = _interpolate(graph, calibrator, exact, score)
    else:
        probability = _bend(graph, calibrator, exact)
    return graph.add("Cast", [probability], "calibrated", to=TensorProto.FLOAT)


def _bend(graph: Graph, calibrator: Sigmoid | Beta, exact: str) -> str:
    """Sigmoid of a weighted sum of log(p) and log(1 - p)."""
    if isinstance(calibrator, Sigmoid):
        gains = {"log_p": calibrator.slope, "log_rest": -calibrator.slope}
    else:
        gains = {"log_p": calibrator.a, "log_rest": -calibrator.b}
    edges = [
        graph.constant("low", EDGE, np.float64),
        graph.constant("high", 1 - EDGE, np.float64),
    ]
    p = graph.add("Clip", [exact, *edges], "clipped")
    rest = graph.add("Sub", [graph.constant("one_double", 1.0, np.float64), p], "rest")
    parts = []
    for source, name in ((p, "log_p"), (rest, "log_rest")):
        log = graph.add("Log", [source], name)
        gain = graph.constant(f"{name}_gain", gains[name], np.float64)
        parts.append(graph.add("Mul", [log, gain], f"{name}_part"))
    shift = graph.constant("bend_shift", calibrator.intercept, np.float64)
    z = graph.add("Add", [graph.add("Add", parts, "bent"), shift], "calibrated_log_odds")
    return graph.add("Sigmoid", [z], "sure")


def _interpolate(graph: Graph, calibrator: CentredIsotonic, exact: str, score: str) -> str:
    """Piecewise-linear interpolation: one index tree (binary search), four Gathers, a lerp."""
    x, y = np.array(calibrator.x), np.array(calibrator.y)
    finder = Trees()
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
        "Cast", [finder.add_to(graph, score, "segment_float")], "segment", to=TensorProto.INT32
    )
    pieces = {"x0": x[:-1], "y0": y[:-1], "width": np.diff(x), "slope": np.diff(y) / np.diff(x)}
    x0, y0, width, slope = (
        graph.add("Gather", [graph.constant(f"{name}_table", values, np.float64), index], name)
        for name, values in pieces.items()
    )
    zero = graph.constant("zero_double", [[0.0]], np.float64)
    inside = graph.add("Max", [graph.add("Sub", [exact, x0], "from_knot"), zero], "inside")
    rise = graph.add("Mul", [graph.add("Min", [inside, width], "step"), slope], "rise")
    return graph.add("Add", [y0, rise], "height")
