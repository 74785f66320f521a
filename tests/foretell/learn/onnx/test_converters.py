"""Converters are known to skl2onnx, and a graph treats what is missing as its pipeline does."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from skl2onnx import get_model_alias

from foretell.learn.calibrate import Identity
from foretell.learn.families.boosted import BoostedClassifier
from foretell.learn.families.linear import LinearClassifier
from foretell.learn.model import CalibratedClassifier, MissingToZero
from foretell.learn.onnx.converters import BUILDERS, register
from tests.graphs import graph_of
from tests.sparse_rows import kinds, labelled_rows, random_rows

X, Y = labelled_rows(0, 600)
FITTED = BoostedClassifier().fit(X, Y, kinds=kinds())


@pytest.mark.parametrize("kind", [*BUILDERS, CalibratedClassifier, MissingToZero])
def test_each_estimator_has_a_converter_also_after_a_second_registration(kind):
    register()
    register()
    assert get_model_alias(kind) == f"Foretell{kind.__name__}"


def test_missing_values_are_scored_as_none_or_never():
    rows = random_rows(3, 200).toarray()
    rows[rows == 0] = np.nan
    session = onnxruntime.InferenceSession(graph_of(FITTED))
    pipeline = CalibratedClassifier.of_fitted(FITTED, Identity()).pipeline()
    own = rows[:, FITTED.columns_]
    p = session.run(["probability"], {"X": own})[0].ravel()
    np.testing.assert_allclose(p, pipeline.predict_proba(own)[:, 1], rtol=0, atol=1e-6)
    np.testing.assert_allclose(p, FITTED.probability(random_rows(3, 200)), rtol=0, atol=1e-6)


def test_a_graph_holds_no_detour():
    """One input for all members, and no Identity but the two that name outputs."""
    graph = onnx.load_model_from_string(graph_of(FITTED)).graph
    operators = [node.op_type for node in graph.node]
    assert operators.count("TreeEnsembleRegressor") == operators.count("MatMul") == 1
    assert operators.count("Identity") <= 2
    assert [output.name for output in graph.output] == ["probability", "score"]
    alone = onnx.load_model_from_string(graph_of(LinearClassifier().fit(X, Y, kinds=kinds()))).graph
    assert "Sum" not in [node.op_type for node in alone.node]
