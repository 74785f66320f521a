"""What a linear model sees of sparse features: evened out, and recent = large, never = 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from foretell.learn.matrix import some_rows

MAX_SCALE_ROWS = 20_000
REACH = float(np.log(2))


@dataclass(frozen=True)
class LinearTransform:
    """Counts, sums and hours on a common scale.

    Every value becomes sign(x) slope (min(log(1 + |x|), top) - start): counts and sums their even
    logarithm; hours since an event how much more recent than cap it is, below 0 beyond it; what is
    0 stays 0, since it means none or never; hours below 0, which cannot be, become 0 too. slope
    divides by scale.

    Attributes:
        is_recency: Columns that hold hours since an event, bool, shape (n_columns,).
        cap: Largest |x| of the column in training, shape (n_columns,).
        scale: Largest absolute transformed value in training, > 0, shape (n_columns,).
        reach: How far beyond cap hours still count, in their logarithm: users come to have been
            away for longer than anybody in training (docs/decisions/0026).
    """

    is_recency: np.ndarray
    cap: np.ndarray
    scale: np.ndarray
    reach: float = REACH

    @property
    def slope(self) -> np.ndarray:
        """What is multiplied by in the end, float32, shape (n_columns,)."""
        return np.asarray((np.where(self.is_recency, -1, 1) / self.scale).astype(np.float32))

    @property
    def start(self) -> np.ndarray:
        """What is taken off the logarithm, float32, shape (n_columns,)."""
        return np.where(self.is_recency, np.log1p(self.cap), 0).astype(np.float32)

    @property
    def top(self) -> np.ndarray:
        """The largest logarithm that counts, float32, shape (n_columns,)."""
        top = np.log1p(self.cap) + self.reach
        return np.where(self.is_recency, top, np.inf).astype(np.float32)

    @property
    def least_sign(self) -> np.ndarray:
        """The least sign that counts, float32, shape (n_columns,)."""
        return np.where(self.is_recency, 0, -1).astype(np.float32)

    def apply(self, X: csr_matrix, dtype: type = np.float32) -> csr_matrix:
        """Return the transformed rows; zeros stay zeros.

        Args:
            X: Rows, float32.
            dtype: float32 to learn from, float64 to predict.
        """
        # Tens of millions of values pass here: in place, no branches. Up to the slope in float32
        # always, as in the graph.
        values = np.abs(X.data)
        values += 1
        np.log(values, out=values)
        signs = np.sign(X.data)
        signs *= values > 0  # too small to have a logarithm: as good as 0
        np.maximum(signs, self.least_sign[X.indices], out=signs)
        np.minimum(values, self.top[X.indices], out=values)
        values -= self.start[X.indices]
        values *= signs
        values = values.astype(dtype, copy=False)
        values *= self.slope[X.indices]
        return csr_matrix((values, X.indices, X.indptr), X.shape)


@dataclass(frozen=True)
class LinearPart:
    """A linear model as a part of a sum: weights of transformed values, around their means.

    Attributes:
        transform: Evens values out.
        weights: Per column, float64, shape (n_columns,).
        means: Of transformed values in the rows learned from, shape (n_columns,).
        intercept: Added to the weighted sum.
    """

    transform: LinearTransform
    weights: np.ndarray
    means: np.ndarray
    intercept: float


def learn_transform(X: csr_matrix, kinds: Sequence[str]) -> LinearTransform:
    """Learn caps and scales on evenly spaced rows: they need no exact maximum.

    Args:
        X: Rows to learn from, shape (n_rows, n_columns).
        kinds: Kind of each column (macro feature_kinds).
    """
    some = some_rows(X, MAX_SCALE_ROWS)
    by_column = abs(some).tocsc()
    starts = by_column.indptr[:-1]
    is_filled = np.diff(by_column.indptr) > 0
    cap, least = np.zeros(X.shape[1]), np.full(X.shape[1], np.inf)
    cap[is_filled] = np.maximum.reduceat(by_column.data, starts[is_filled])
    least[is_filled] = np.minimum.reduceat(by_column.data, starts[is_filled])
    is_recency = np.array([kind.startswith("hours_since") for kind in kinds], dtype=bool)
    largest = np.log1p(cap) - np.where(is_recency, np.log1p(np.minimum(least, cap)), 0)
    return LinearTransform(is_recency, cap, np.where(largest > 0, largest, 1.0))
