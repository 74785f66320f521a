"""Our estimators' converters, registered with skl2onnx: `skl2onnx.to_onnx(pipeline)` uses them.

A parser says what an estimator's outputs are and of what its members are, a converter adds nodes.
Our trees' thresholds are rounded down to float32, so that `x <= t` holds for the same float32 x
(docs/decisions/0006).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import TensorProto
from skl2onnx import get_model_alias, update_registered_converter
from skl2onnx.common._registration import register_converter, register_shape_calculator
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType

from foretell.learn.families.average import AverageClassifier, AverageRegressor
from foretell.learn.families.boosted import BoostedClassifier, BoostedRegressor
from foretell.learn.families.constant import ConstantClassifier, ConstantRegressor
from foretell.learn.families.foreign import ForeignClassifier
from foretell.learn.families.linear import LinearClassifier, LinearRegressor
from foretell.learn.families.trees import TreesClassifier, TreesRegressor
from foretell.learn.model import CalibratedClassifier, MissingToZero
from foretell.learn.onnx.calibrators import add_calibrator
from foretell.learn.onnx.families import (
    add_columns,
    add_constant,
    add_foreign,
    add_linear,
    add_sum,
    add_trees,
)
from foretell.learn.onnx.graph import Graph
from foretell.learn.onnx.model import EXPECTED_VALUE, PROBABILITY
from foretell.learn.value_model import ValueModel

Builder = Callable[[Graph, Any, list[str]], str]
BUILDERS: dict[type, Builder] = {
    ConstantClassifier: add_constant,
    ConstantRegressor: add_constant,
    LinearClassifier: add_linear,
    LinearRegressor: add_linear,
    TreesClassifier: add_trees,
    TreesRegressor: add_trees,
    BoostedClassifier: add_sum,
    BoostedRegressor: add_sum,
    AverageClassifier: add_sum,
    AverageRegressor: add_sum,
    ForeignClassifier: add_foreign,
}
COLUMNS = "ForetellColumns"


def register() -> None:
    """Tell skl2onnx how our estimators are converted; again is no trouble."""
    for family, builder in BUILDERS.items():
        update_registered_converter(
            family, _alias(family), _check_nothing, _converter(builder), parser=_parse_family
        )
    update_registered_converter(
        CalibratedClassifier, _alias(CalibratedClassifier), _check_nothing, _convert_calibrated,
        parser=_parse_calibrated,
    )  # fmt: skip
    update_registered_converter(
        MissingToZero, _alias(MissingToZero), _check_nothing, _convert_missing,
        parser=_parse_missing,
    )  # fmt: skip
    register_converter(COLUMNS, _converter(add_columns), overwrite=True)
    register_shape_calculator(COLUMNS, _check_nothing, overwrite=True)


def rows_type(n_columns: int) -> FloatTensorType:
    """Return the type of rows; skl2onnx refuses 0 as a number of columns, so that it stays open."""
    return FloatTensorType([None, n_columns or None])


def _alias(family: type) -> str:
    return f"Foretell{family.__name__}"


def _check_nothing(operator: Any) -> None:
    """Leave types as the parsers declare them."""


def _declare(scope: Any, model: Any, inputs: list[Any], outputs: dict[str, Any]) -> list[Any]:
    """Return the declared outputs, by name and type, of an operator on some inputs."""
    operator = scope.declare_local_operator(_alias(type(model)), model)
    operator.inputs.extend(inputs)
    for name, kind in outputs.items():
        operator.outputs.append(scope.declare_local_variable(name, kind))
    return list(operator.outputs)


def _parse_family(
    scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None
) -> list[Any]:
    if model.constant_ is not None:
        sources = inputs
    elif model.is_foreign:
        sources = _parse_foreign(scope, model, inputs)
    else:
        members = [_parse_family(scope, member, inputs) for member in model.members_]
        sources = [output for outputs in members for output in outputs] or inputs
    return _declare(scope, model, sources, {"margin": DoubleTensorType([None, 1])})


def _parse_foreign(scope: Any, model: ForeignClassifier, inputs: list[Any]) -> list[Any]:
    """Declare the columns it reads, and the classifier itself; return its probabilities."""
    columns = scope.declare_local_operator(COLUMNS, model)
    columns.inputs.extend(inputs)
    own = scope.declare_local_variable("own", FloatTensorType([None, len(model.columns_)]))
    columns.outputs.append(own)
    alias = get_model_alias(type(model.estimator_))
    classifier = scope.declare_local_operator(alias, model.estimator_)
    classifier.inputs.append(own)
    for name, kind in (("label", Int64TensorType()), ("probabilities", FloatTensorType())):
        classifier.outputs.append(scope.declare_local_variable(name, kind))
    return [classifier.outputs[1]]


def _parse_calibrated(
    scope: Any, model: CalibratedClassifier, inputs: list[Any], custom_parsers: Any = None
) -> list[Any]:
    sources = _parse_family(scope, model.estimator_, inputs)
    names = [PROBABILITY, "score"]
    if model.value is not None:
        sources += _parse_family(scope, model.value.amount, inputs)
        names.append(EXPECTED_VALUE)
    return _declare(scope, model, sources, {name: FloatTensorType([None, 1]) for name in names})


def _parse_missing(
    scope: Any, model: MissingToZero, inputs: list[Any], custom_parsers: Any = None
) -> list[Any]:
    return _declare(scope, model, inputs, {"clean": rows_type(model.n_features_in_)})


def _converter(builder: Builder) -> Callable[[Any, Any, Any], None]:
    def convert(scope: Any, operator: Any, container: Any) -> None:
        graph, fitted = Graph(scope, container), operator.raw_operator
        build = builder if fitted.constant_ is None else add_constant
        sources = [variable.full_name for variable in operator.inputs]
        graph.give(build(graph, fitted, sources), operator.outputs[0])

    return convert


def _convert_missing(scope: Any, operator: Any, container: Any) -> None:
    graph, source = Graph(scope, container), operator.inputs[0].full_name
    zero = graph.constant("zero", [[0.0]])
    is_missing = graph.add("IsNaN", [source], "is_missing")
    graph.give(graph.add("Where", [is_missing, zero, source], "known"), operator.outputs[0])


def _convert_calibrated(scope: Any, operator: Any, container: Any) -> None:
    graph, model = Graph(scope, container), operator.raw_operator
    margin, *amounts = [variable.full_name for variable in operator.inputs]
    exact = graph.add("Sigmoid", [margin], "score_double")
    score = graph.add("Cast", [exact], "score_single", to=TensorProto.FLOAT)
    probability = add_calibrator(graph, model.calibrator, exact, score)
    given = [probability, score]
    if model.value is not None:
        given.append(_add_value(graph, model.value, probability, amounts[0]))
    for source, output in zip(given, operator.outputs, strict=True):
        graph.give(source, output)


def _add_value(graph: Graph, value: ValueModel, probability: str, margin: str) -> str:
    """Append probability and log amount -> expected value, computed in double."""
    ends = [
        graph.constant(name, end, np.float64)
        for name, end in (("lowest", value.lowest), ("highest", value.highest))
    ]
    amount = graph.add("Exp", [graph.add("Clip", [margin, *ends], "amount_log")], "amount")
    p = graph.add("Cast", [probability], "probability_double", to=TensorProto.DOUBLE)
    product = graph.add("Mul", [p, amount], "product")
    power = graph.constant("value_power", value.scale.power, np.float64)
    bent = graph.add("Pow", [product, power], "product_bent")
    factor = graph.constant("value_factor", value.scale.scale, np.float64)
    scaled = graph.add("Mul", [bent, factor], "value_double")
    return graph.add("Cast", [scaled], "value_single", to=TensorProto.FLOAT)
