"""Raw feature values on a scale a linear model can use. Learned once, then part of the model.

Counts and sums become sign(x) * log(1 + |x|). Hours since an event become closeness,
log(1 + cap) - log(1 + x): large if it just happened, 0 at the cap and if it never happened. User
properties stay 0 or 1. Zero maps to zero everywhere, so a sparse matrix stays sparse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

SIGNED_LOG, CLOSENESS, IDENTITY = 0, 1, 2
SHAPE_OF_KIND = {
    "event_count": SIGNED_LOG,
    "value_count": SIGNED_LOG,
    "value_sum": SIGNED_LOG,
    "active_days": SIGNED_LOG,
    "active_weeks": SIGNED_LOG,
    "hours_since_last": CLOSENESS,
    "hours_since_first": CLOSENESS,
    "user_property": IDENTITY,
}
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Transform:
    """What happens to each column.

    Attributes:
        shapes: SIGNED_LOG, CLOSENESS or IDENTITY per column.
        log_caps: log(1 + largest value learned from) per column, in log hours; closeness only.
    """

    shapes: np.ndarray
    log_caps: np.ndarray


def learn_transform(X: csr_matrix, kinds: tuple[str, ...]) -> Transform:
    """Learn the caps of hours-since columns.

    Args:
        X: Raw values, shape (n_rows, n_columns).
        kinds: Kind per column (matrix.KINDS).
    """
    caps = np.zeros(X.shape[1])
    np.maximum.at(caps, X.indices, X.data)
    shapes = np.array([SHAPE_OF_KIND[kind] for kind in kinds], dtype=np.int64)
    return Transform(shapes, np.log1p(caps))


def apply_transform(transform: Transform, X: csr_matrix) -> csr_matrix:
    """Return the transformed matrix, float64, of the same sparsity.

    Args:
        transform: Of X's columns.
        X: Raw values; see `finite` for what becomes of NaN and infinity.
    """
    X = finite(X)
    shape = transform.shapes[X.indices]
    x = X.data.astype(np.float64)
    log = np.log1p(np.abs(x))
    closeness = np.where(x > 0, np.maximum(0.0, transform.log_caps[X.indices] - log), 0.0)
    values = np.select(
        [shape == SIGNED_LOG, shape == CLOSENESS], [np.sign(x) * log, closeness], default=x
    )
    return csr_matrix((values, X.indices, X.indptr), shape=X.shape)


def finite(X: csr_matrix) -> csr_matrix:
    """Return X with NaN as 0 and infinity as the largest float32, as the ONNX graph does."""
    if np.isfinite(X.data).all():
        return X
    data = np.nan_to_num(X.data, nan=0.0, posinf=LARGEST, neginf=-LARGEST)
    return csr_matrix((data, X.indices, X.indptr), shape=X.shape)
