"""Graphs of fitted families, for tests."""

from __future__ import annotations

import numpy as np

from foretell.learn.calibrate import Calibrator, Identity
from foretell.learn.families.base import Family
from foretell.learn.model import CalibratedClassifier
from foretell.learn.onnx.export import export
from foretell.learn.value_model import ValueModel


def graph_of(
    fitted: Family,
    calibrator: Calibrator = Identity(),  # noqa: B008  # frozen
    ids: np.ndarray | None = None,
    value: ValueModel | None = None,
    name: str = "",
) -> bytes:
    """Return the graph of a fitted classifier, its calibrator and what it comes to.

    ids: Catalogue ids of columns_read_by; default: their numbers.
    """
    model = CalibratedClassifier.of_fitted(fitted, calibrator, value)
    return export(model.pipeline(), model.columns_ if ids is None else ids, name)


def columns_read_by(fitted: Family, value: ValueModel) -> np.ndarray:
    """Return the columns that the graph of both reads."""
    return CalibratedClassifier.of_fitted(fitted, Identity(), value).columns_
