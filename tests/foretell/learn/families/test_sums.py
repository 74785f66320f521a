"""A shift is added to a sum, and to nothing else."""

from __future__ import annotations

import numpy as np

from foretell.learn.families.boosted import BoostedClassifier
from tests.sparse_rows import labelled_rows

X, Y = labelled_rows(0, 600)


def test_a_shift_is_added_to_the_margin():
    fitted = BoostedClassifier().fit(X, Y)
    before = fitted.margin(X)
    fitted.shift_ = 0.7
    np.testing.assert_allclose(fitted.margin(X) - before, 0.7, atol=1e-12)
