"""The floor: the mean of what was seen, for everybody."""

from __future__ import annotations

import numpy as np

from foretell.learn.families.base import Family, MarginClassifier, MarginRegressor, Rows


class Constant(Family):
    """Reads no column: the margin of everybody is that of the mean."""

    is_floor = True

    def _columns(self, rows: Rows) -> np.ndarray:
        return np.empty(0, dtype=np.int64)


class ConstantClassifier(MarginClassifier, Constant):
    """The base rate."""


class ConstantRegressor(MarginRegressor, Constant):
    """The mean amount."""
