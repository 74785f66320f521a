"""A family converted alone gives its margin in double: to 1e-6 of Python's, trees to the bit."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import skl2onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestClassifier

from foretell.learn.families.average import AverageClassifier
from foretell.learn.families.boosted import BoostedClassifier
from foretell.learn.families.constant import ConstantClassifier
from foretell.learn.families.foreign import ForeignClassifier
from foretell.learn.families.linear import LinearClassifier
from foretell.learn.families.trees import TreesClassifier
from foretell.learn.onnx.converters import register
from tests.sparse_rows import N_COLUMNS, kinds, labelled_rows, random_rows

X, Y = labelled_rows(0, 900)
NEW = random_rows(4, 500)
MEMBERS = [("l", LinearClassifier()), ("b", BoostedClassifier()), ("t", TreesClassifier())]


def margin_of_graph(fitted):
    register()
    rows = [("X", FloatTensorType([None, N_COLUMNS]))]
    graph = skl2onnx.to_onnx(fitted, initial_types=rows, target_opset={"": 18, "ai.onnx.ml": 3})
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    (margin,) = session.run(None, {"X": NEW.toarray()})
    return margin


@pytest.mark.parametrize(
    ("family", "tolerance"),
    [
        (ConstantClassifier(), 0),
        (TreesClassifier(), 0),
        (LinearClassifier(), 1e-5),
        (BoostedClassifier(), 1e-5),
        (AverageClassifier(MEMBERS, (0.5, 0.2, 0.3)), 1e-5),
        (ForeignClassifier(RandomForestClassifier(min_samples_leaf=20)), 1e-5),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_margin_is_pythons(family, tolerance):
    useful = np.arange(N_COLUMNS) % 4 > 0  # a family reads some of the columns only
    fitted = family.fit(X, Y, kinds=kinds(), useful=useful)
    margin = margin_of_graph(fitted)
    assert (margin.dtype, margin.shape) == (np.float64, (500, 1))
    np.testing.assert_allclose(margin.ravel(), fitted.margin(NEW), rtol=0, atol=tolerance)


def test_where_nothing_may_be_read_the_margin_is_that_of_everybody():
    nothing = np.zeros(N_COLUMNS, dtype=bool)
    for family in (LinearClassifier(), TreesClassifier(), BoostedClassifier()):
        fitted = family.fit(X, Y, useful=nothing)
        np.testing.assert_array_equal(margin_of_graph(fitted).ravel(), fitted.margin(NEW))
