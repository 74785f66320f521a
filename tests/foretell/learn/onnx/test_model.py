"""A stored graph at work: outputs by name, sparse rows in blocks, gaps to Python."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.learn.candidates import VALUE_PORTFOLIO, fit_candidate
from foretell.learn.families.linear import LinearClassifier
from foretell.learn.onnx import model as onnx_model
from foretell.learn.onnx.model import (
    EXPECTED_VALUE,
    PROBABILITY,
    has_value,
    make_session,
    parity,
    predict,
    predict_outputs,
    predict_sparse,
    value_parity,
)
from foretell.learn.value_model import ValueModel, ValueScale
from tests.graphs import graph_of
from tests.sparse_rows import kinds, labelled_rows, random_rows, true_amount

X, Y = labelled_rows(0, 900)
NEW = random_rows(4, 500)
FITTED = LinearClassifier().fit(X, Y, kinds=kinds())
AMOUNT = fit_candidate(VALUE_PORTFOLIO[1], X, true_amount(X), kinds(), 0)
VALUE = ValueModel(AMOUNT, 0.0, 9.0, ValueScale())
PLAIN, WITH_VALUE = graph_of(FITTED), graph_of(FITTED, value=VALUE)


def test_outputs_are_float32_one_per_row():
    session = make_session(WITH_VALUE)
    outputs = predict_outputs(session, NEW.toarray(), [EXPECTED_VALUE, PROBABILITY, "score"])
    assert {output.dtype for output in outputs} == {np.dtype(np.float32)}
    assert {output.shape for output in outputs} == {(500,)}
    expected = VALUE.expected(NEW, FITTED.probability(NEW))
    np.testing.assert_allclose(outputs[0], expected, rtol=1e-5)


def test_only_a_value_model_has_values():
    assert has_value(make_session(WITH_VALUE))
    assert not has_value(make_session(PLAIN))


def test_sparse_rows_are_scored_in_blocks_as_dense_ones_are(monkeypatch):
    whole = predict(make_session(PLAIN), NEW.toarray())
    monkeypatch.setattr(onnx_model, "ROWS_PER_CALL", 33)
    np.testing.assert_array_equal(predict_sparse(make_session(PLAIN), NEW), whole)
    assert predict_sparse(make_session(PLAIN), NEW[:0]).shape == (0,)


def test_parity_is_the_largest_gap():
    p = FITTED.probability(NEW)
    p[77] -= 0.125
    assert parity(PLAIN, p, NEW) == pytest.approx(0.125, abs=1e-6)


def test_parity_of_values_is_a_share_of_the_value_or_of_the_mean():
    expected = VALUE.expected(NEW, FITTED.probability(NEW))
    large, small = int(expected.argmax()), int(expected.argmin())
    for row, size in ((large, expected[large]), (small, expected.mean())):
        off = expected.copy()
        off[row] += 0.01 * size
        assert value_parity(WITH_VALUE, off, NEW) == pytest.approx(0.01, rel=0.02)
