"""The stored graph is skl2onnx's of the same pipeline, with a name on it."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import skl2onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestClassifier

from foretell.learn.calibrate import Beta
from foretell.learn.candidates import PORTFOLIO, VALUE_PORTFOLIO, average_of, fit_candidate
from foretell.learn.families.average import AverageClassifier
from foretell.learn.families.foreign import ForeignClassifier
from foretell.learn.model import CalibratedClassifier
from foretell.learn.onnx.export import IR_VERSION, OPSETS, export
from foretell.learn.value_model import ValueModel, ValueScale
from tests.sparse_rows import kinds, labelled_rows, random_rows, true_amount

X, Y = labelled_rows(0, 900)
NEW = random_rows(4, 500)
AVERAGE = average_of("average", AverageClassifier, PORTFOLIO[1:])
AMOUNT = fit_candidate(VALUE_PORTFOLIO[3], X, true_amount(X), kinds(), 0)


def test_the_order_of_operator_sets_is_fixed(monkeypatch):
    """skl2onnx lists operator sets in the order of a set, which differs from process to process."""
    model = fitted(PORTFOLIO[2].estimator)
    pipeline = model.pipeline()
    first = export(pipeline, model.columns_)
    to_onnx = skl2onnx.to_onnx

    def in_another_order(*arguments, **options):
        made = to_onnx(*arguments, **options)
        opsets = list(made.opset_import)[::-1]
        assert len(opsets) == 2
        del made.opset_import[:]
        made.opset_import.extend(opsets)
        return made

    monkeypatch.setattr(skl2onnx, "to_onnx", in_another_order)
    assert export(pipeline, model.columns_) == first


def fitted(estimator, value=None):
    return CalibratedClassifier(estimator, Beta(0.9, 1.1, 0.1), value).fit(X, Y, kinds=kinds())


@pytest.mark.parametrize(
    "model",
    [
        fitted(AVERAGE.estimator),
        fitted(PORTFOLIO[2].estimator, ValueModel(AMOUNT, 0.0, 9.0, ValueScale(1.2, 0.9))),
        fitted(ForeignClassifier(RandomForestClassifier(30))),
    ],
    ids=["average", "values", "forest"],
)
def test_outputs_are_those_of_skl2onnx_to_the_bit(model):
    pipeline, rows = model.pipeline(), NEW[:, model.columns_].toarray()
    stored = onnxruntime.InferenceSession(export(pipeline, model.columns_))
    own = skl2onnx.to_onnx(
        pipeline, initial_types=[("X", FloatTensorType([None, len(model.columns_)]))],
        target_opset=OPSETS,
    )  # fmt: skip
    made = onnxruntime.InferenceSession(own.SerializeToString())
    names = [output.name for output in stored.get_outputs()]
    assert names == ["probability", "score", "expected_value"][: len(names)]
    assert len(names) == 2 + (model.value is not None)
    for one, other in zip(
        stored.run(names, {"X": rows}), made.run(names, {"X": rows}), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    p = pipeline.predict_proba(NEW[:, model.columns_])[:, 1]
    np.testing.assert_allclose(stored.run(names, {"X": rows})[0].ravel(), p, rtol=0, atol=1e-6)


def test_its_versions_are_fixed_and_its_metadata_say_what_it_is():
    model = fitted(PORTFOLIO[1].estimator)
    graph = onnx.load_model_from_string(export(model.pipeline(), model.columns_ + 100, "logistic"))
    assert {opset.domain: opset.version for opset in graph.opset_import} == OPSETS
    assert (graph.ir_version, graph.producer_name) == (IR_VERSION, "foretell")
    meta = {prop.key: prop.value for prop in graph.metadata_props}
    assert (meta["candidate"], meta["calibration"]) == ("logistic", "beta")
    assert json.loads(meta["feature_ids"]) == (model.columns_ + 100).tolist()


def test_the_same_model_gives_the_same_bytes():
    model = fitted(AVERAGE.estimator)
    assert export(model.pipeline(), model.columns_) == export(model.pipeline(), model.columns_)


def test_a_graph_without_columns_takes_rows_without_columns():
    model = fitted(PORTFOLIO[0].estimator)
    session = onnxruntime.InferenceSession(export(model.pipeline(), model.columns_))
    assert session.get_inputs()[0].shape[1] == 0
    p = session.run(["probability"], {"X": np.empty((4, 0), dtype=np.float32)})[0]
    np.testing.assert_allclose(p.ravel(), model.probability(X[:4]), rtol=0, atol=1e-7)
