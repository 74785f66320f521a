"""A foreign classifier competes only with a graph that gives its numbers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.neighbors import KNeighborsClassifier

from foretell.learn.calibrate import Identity
from foretell.learn.families.foreign import CannotCompete, ForeignClassifier
from foretell.learn.families.linear import LinearClassifier
from foretell.learn.model import CalibratedClassifier
from foretell.learn.onnx.conversion import check_conversion, convert
from tests.sparse_rows import labelled_rows, random_rows

X, Y = labelled_rows(0, 600)
NEW = random_rows(4, 800)
GATE = 1e-6


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_forests_are_exact(kind):
    check_conversion(ForeignClassifier(kind()).fit(X, Y), NEW, GATE)


def test_a_gap_is_refused_with_its_number():
    """skl2onnx 1.20 converts it, and is off by 0.1 and more."""
    with pytest.raises(CannotCompete, match=r"not exact: max \|ONNX - Python\| = .*e-.* > 1e-06"):
        check_conversion(ForeignClassifier(LinearDiscriminantAnalysis()).fit(X, Y), NEW, GATE)


def test_the_gap_of_any_row_counts():
    fitted = ForeignClassifier(RandomForestClassifier()).fit(X, Y)
    with pytest.raises(CannotCompete, match="> 0e\\+00"):
        check_conversion(fitted, NEW, 0.0)


def test_no_graph_is_refused_with_the_reason():
    with pytest.raises(CannotCompete, match="skl2onnx cannot convert it: TypeError: "):
        check_conversion(ForeignClassifier(KNeighborsClassifier()).fit(X, Y), NEW, GATE)


def test_a_graph_that_cannot_be_loaded_is_refused():
    """skl2onnx converts it to an operator that onnxruntime does not have."""
    fitted = ForeignClassifier(GaussianProcessClassifier()).fit(X[:80], Y[:80])
    with pytest.raises(CannotCompete, match="its graph cannot be used: Fail: "):
        check_conversion(fitted, NEW, GATE)


def test_of_our_own_a_failed_conversion_is_an_error(monkeypatch):
    ours = CalibratedClassifier(LinearClassifier(), Identity()).fit(X, Y)
    monkeypatch.setattr("foretell.learn.onnx.export.OPSETS", {"": 1, "ai.onnx.ml": 1})
    with pytest.raises(RuntimeError):
        convert(ours, np.arange(X.shape[1]))


def test_a_value_that_is_no_number_is_a_gap(monkeypatch):
    monkeypatch.setattr("foretell.learn.onnx.conversion.parity", lambda *_: np.nan)
    with pytest.raises(CannotCompete, match="= nan > 1e-06"):
        check_conversion(ForeignClassifier(RandomForestClassifier()).fit(X, Y), NEW, GATE)
