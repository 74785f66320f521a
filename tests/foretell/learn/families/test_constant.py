"""The floor says the mean of everybody."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.learn.families.constant import ConstantClassifier, ConstantRegressor
from tests.sparse_rows import labelled_rows

X, Y = labelled_rows(0, 400)


def test_everybody_gets_the_rate_that_was_seen():
    fitted = ConstantClassifier().fit(X, Y)
    assert (fitted.is_floor, len(fitted.columns_)) == (True, 0)
    np.testing.assert_allclose(fitted.predict_proba(X)[:, 1], Y.mean(dtype=float), rtol=1e-12)


def test_everybody_gets_the_mean_amount_that_was_seen():
    fitted = ConstantRegressor().fit(X, 3 + Y)
    assert fitted.predict(X) == pytest.approx(np.full(400, 3 + Y.mean(dtype=float)))
