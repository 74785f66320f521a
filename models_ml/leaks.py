"""The leakage alarm: columns too good to be true, and columns whose power does not last.

A column that alone tells nearly every outcome was most likely written after the outcome. One that
told much among older snapshots and little at the newest would mislead from now on. Both are left
out of training and named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from models_ml.matrix import Matrix
from models_ml.split import Split

MIN_OF_EACH = 30  # positives, and negatives, without which no alarm is raised
DECIDES = 0.98  # AUROC of one column alone
DECIDES_WITH_GROUP = 0.9  # of a column of the same event or property as one that decides
TELLS = 0.7  # AUROC from which a loss of power matters
LOST_SHARE = 0.5  # of what it told above a coin
N_ERRORS = 4.0  # standard errors by which it must have fallen: thousands of columns are looked at
MAX_PER_CLASS = 5000


@dataclass(frozen=True)
class Quarantine:
    """A column left out of training.

    Attributes:
        column: Number of the column.
        auroc: Of the column alone among older snapshots, turned so that it is at least 0.5.
        later_auroc: Of the column at the newest snapshot, turned the same way; None without one.
        reason: In words.
    """

    column: int
    auroc: float
    later_auroc: float | None
    reason: str

    def as_row(self, matrix: Matrix, groups: Sequence[str]) -> dict[str, Any]:
        """Return what people see of it, JSON-able."""
        return {
            "feature_id": int(matrix.feature_ids[self.column]),
            "kind": matrix.kinds[self.column],
            "group": str(groups[self.column]),
            "auroc": self.auroc,
            "auroc_out_of_time": self.later_auroc,
            "reason": self.reason,
        }


def find_leaks(
    X: csr_matrix, y: np.ndarray, split: Split, groups: Sequence[str]
) -> list[Quarantine]:
    """Return the columns to leave out, by column number.

    Args:
        X: Feature rows, shape (n_rows, n_columns).
        y: Labels 0 or 1.
        split: Only rows of users to learn from are looked at.
        groups: Event or property of each column.
    """
    old = _auroc_of_some(X, y, split.fit)
    if old is None:
        return []
    side = np.where(old.auroc >= 0.5, 1.0, -1.0)
    power = 0.5 + side * (old.auroc - 0.5)
    decides = power >= DECIDES
    names = np.array(groups, dtype=str)
    is_near = np.isin(names, names[decides]) & (power >= DECIDES_WITH_GROUP)
    found: dict[int, tuple[str, float | None]] = {}
    for column in np.flatnonzero(decides | is_near):
        words = f"alone it tells {100 * power[column]:.1f} % of pairs apart"
        if not decides[column]:
            words += ", and another column of the same event or property nearly all"
        found[int(column)] = (f"{words}: it may have been written after the outcome", None)
    new = _auroc_of_some(X, y, split.later)
    if new is not None:
        later = 0.5 + side * (new.auroc - 0.5)
        is_weak = later - 0.5 < (1 - LOST_SHARE) * (power - 0.5)
        is_sure = power - later > N_ERRORS * np.hypot(old.error, new.error)
        for column in np.flatnonzero((power >= TELLS) & is_weak & is_sure):
            words = f"it told {100 * power[column]:.0f} % of pairs apart in older snapshots, "
            words += f"at the newest {100 * later[column]:.0f} %"
            found.setdefault(int(column), (words, float(later[column])))
    return [
        Quarantine(column, float(power[column]), late, reason)
        for column, (reason, late) in sorted(found.items())
    ]


@dataclass(frozen=True)
class _Aurocs:
    """AUROC per column, shape (n_columns,), and its standard error where a column says nothing."""

    auroc: np.ndarray
    error: float


def _auroc_of_some(X: csr_matrix, y: np.ndarray, rows: np.ndarray) -> _Aurocs | None:
    """Return the AUROC of each column on at most MAX_PER_CLASS evenly spaced rows of each class."""
    classes = [np.flatnonzero(rows & (y == label)) for label in (0, 1)]
    if min(len(found) for found in classes) < MIN_OF_EACH:
        return None
    some = [found[:: -(-len(found) // MAX_PER_CLASS)] for found in classes]
    chosen = np.concatenate(some)
    error = np.sqrt((len(chosen) + 1) / (12 * len(some[0]) * len(some[1])))
    return _Aurocs(column_aurocs(X[chosen], y[chosen]), float(error))


def column_aurocs(X: csr_matrix, y: np.ndarray) -> np.ndarray:
    """Return P(value of a positive > value of a negative) + P(equal) / 2 of each column.

    Args:
        X: Rows, shape (n_rows, n_columns); what is not stored is 0.
        y: Labels 0 or 1, both present.

    Returns:
        float64, shape (n_columns,).

    Source: Mann and Whitney (1947); zeros are one block of ties, so that only stored values are
    sorted.
    """
    n_columns, n_positive = X.shape[1], float(y.sum())
    n_negative = len(y) - n_positive
    if not X.nnz:
        return np.full(n_columns, 0.5)
    columns, values = X.indices.astype(np.int64), X.data
    label = np.repeat(y, np.diff(X.indptr)).astype(np.float64)
    order = np.lexsort((values, columns))
    columns, values, label = columns[order], values[order], label[order]
    is_start = np.ones(len(values), dtype=bool)
    is_start[1:] = (columns[1:] != columns[:-1]) | (values[1:] != values[:-1])
    block = np.cumsum(is_start) - 1
    n_blocks = int(is_start.sum())
    positive = np.bincount(block, label, n_blocks)
    negative = np.bincount(block, 1 - label, n_blocks)
    columns, values = columns[is_start], values[is_start]
    zero_positive = n_positive - np.bincount(columns, positive, n_columns)
    zero_negative = n_negative - np.bincount(columns, negative, n_columns)
    before = np.cumsum(negative) - negative  # over all columns: subtract what came before its own
    in_column = np.bincount(columns, negative, n_columns)
    below = before - (np.cumsum(in_column) - in_column)[columns]
    below += np.where(values > 0, zero_negative[columns], 0)
    wins = np.bincount(columns, positive * (below + negative / 2), n_columns)
    minus = np.bincount(columns, np.where(values < 0, negative, 0), n_columns)
    return (wins + zero_positive * (minus + zero_negative / 2)) / (n_positive * n_negative)
