"""Calibrators inside a graph give what they give in Python, also at their ends."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logit

from foretell.learn.calibrate import Beta, CentredIsotonic, Identity, Sigmoid
from foretell.learn.families.constant import ConstantClassifier
from foretell.learn.onnx.model import make_session, predict
from tests.graphs import graph_of

CALIBRATORS = (
    Identity(), Sigmoid(1.4, -0.3), Beta(0.7, 1.6, 0.2),
    CentredIsotonic((0.1, 0.2, 0.6), (0.05, 0.35, 0.5)),
)  # fmt: skip
SCORES = (1e-7, 1e-4, 0.1, 0.15, 0.2, 0.5, 0.6, 0.99, 1 - 1e-6)


@pytest.mark.parametrize("calibrator", CALIBRATORS, ids=lambda c: c.name)
@pytest.mark.parametrize("score", SCORES)
def test_a_score_is_mapped_as_in_python(calibrator, score):
    fitted = ConstantClassifier().fit(np.zeros((2, 1)), [0, 1])
    fitted.constant_ = logit(score)
    session = make_session(graph_of(fitted, calibrator))
    nobody = np.empty((3, 0))
    expected = calibrator.apply(np.full(3, score))
    np.testing.assert_allclose(predict(session, nobody), expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(predict(session, nobody, "score"), score, rtol=0, atol=1e-7)
