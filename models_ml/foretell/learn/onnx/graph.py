"""Parts of an ONNX graph under construction: nodes, constants, trees with exact thresholds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import numpy_helper


@dataclass(frozen=True)
class Graph:
    """The graph that skl2onnx is building, as one of our converters adds to it.

    Attributes:
        scope: Gives names that nobody else has.
        container: Holds nodes and constants.
    """

    scope: Any
    container: Any

    def add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Append a node and return its output's name, which begins as `output`."""
        domain = attributes.pop("domain", "")
        name = str(self.scope.get_unique_variable_name(output))
        self.container.add_node(
            operator, inputs, [name], op_domain=domain,
            name=self.scope.get_unique_operator_name(operator), **attributes,
        )  # fmt: skip
        return name

    def constant(self, name: str, value: Any, dtype: type = np.float32) -> str:
        """Append a constant tensor and return its name, which begins as `name`."""
        name = str(self.scope.get_unique_variable_name(name))
        tensor = numpy_helper.from_array(np.array(value, dtype, order="C"), name)
        self.container.add_initializer(name, tensor.data_type, list(tensor.dims), tensor)
        return name

    def give(self, source: str, output: Any) -> None:
        """Make a value an output of the operator that is being converted."""
        self.container.add_node(
            "Identity", [source], [output.full_name],
            name=self.scope.get_unique_operator_name("Identity"),
        )  # fmt: skip


@dataclass
class Trees:
    """Node arrays of a TreeEnsembleRegressor."""

    splits: list[tuple[Any, ...]] = field(default_factory=list)
    leaves: list[tuple[Any, ...]] = field(default_factory=list)

    def split(
        self, tree: int, node: int, column: int, threshold: float, left: int, right: int
    ) -> None:
        """Add `x[column] <= threshold ? left : right`."""
        self.splits.append((tree, node, column, threshold, "BRANCH_LEQ", left, right))

    def leaf(self, tree: int, node: int, value: float) -> None:
        """Add a leaf that adds `value` to the sum."""
        self.splits.append((tree, node, 0, 0.0, "LEAF", 0, 0))
        self.leaves.append((tree, node, 0, float(np.float32(value))))

    def add_to(self, graph: Graph, source: str, output: str) -> str:
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
