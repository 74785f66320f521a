"""Calibrators inside the ONNX graph: score -> probability, in double."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from foretell.learn.calibrate import EDGE, Beta, Calibrator, CentredIsotonic, Identity, Sigmoid
from foretell.learn.onnx.graph import Graph, Trees


def add_calibrator(graph: Graph, calibrator: Calibrator) -> None:
    """Append score -> probability, computed in double."""
    if isinstance(calibrator, Identity):
        graph.add("Identity", ["score"], "probability")
    elif isinstance(calibrator, CentredIsotonic):
        _interpolate(graph, calibrator)
    else:
        _bend(graph, calibrator)


def _bend(graph: Graph, calibrator: Sigmoid | Beta) -> None:
    """Sigmoid of a weighted sum of log(p) and log(1 - p)."""
    if isinstance(calibrator, Sigmoid):
        gains = {"log_p": calibrator.slope, "log_rest": -calibrator.slope}
    else:
        gains = {"log_p": calibrator.a, "log_rest": -calibrator.b}
    edges = [
        graph.constant("low", EDGE, np.float64),
        graph.constant("high", 1 - EDGE, np.float64),
    ]
    p = graph.add("Clip", ["score_double", *edges], "clipped")
    rest = graph.add("Sub", [graph.constant("one_double", 1.0, np.float64), p], "rest")
    parts = []
    for source, name in ((p, "log_p"), (rest, "log_rest")):
        log = graph.add("Log", [source], name)
        gain = graph.constant(f"{name}_gain", gains[name], np.float64)
        parts.append(graph.add("Mul", [log, gain], f"{name}_part"))
    shift = graph.constant("shift", calibrator.intercept, np.float64)
    z = graph.add("Add", [graph.add("Add", parts, "bent"), shift], "calibrated_log_odds")
    graph.add("Cast", [graph.add("Sigmoid", [z], "sure")], "probability", to=TensorProto.FLOAT)


def _interpolate(graph: Graph, calibrator: CentredIsotonic) -> None:
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
