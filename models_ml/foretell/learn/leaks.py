"""The leakage alarm: columns too good to be true, and columns whose power does not last.

Left out of training, and named, are:
- a column that alone separates nearly all outcomes: it was most likely written after the outcome;
- a column that separated outcomes well in older snapshots and badly at the newest;
- a column that most users with the newest outcomes have, and no user who is scored now: it is
  written when the outcome happens, on all earlier events too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, vstack

from foretell.learn.matrix import Matrix
from foretell.learn.metrics import wilson_interval
from foretell.learn.split import Split

MIN_OF_EACH = 30  # positives, and negatives, without which no alarm is raised
DECIDES = 0.98  # AUROC of one column alone
DECIDES_WITH_GROUP = 0.9  # of a column of the same event or property as one that decides
TELLS = 0.7  # AUROC from which a loss of power matters
LOST_SHARE = 0.5  # of what it separated better than a coin
N_ERRORS = 4.0  # standard errors by which it must have fallen: thousands of columns are looked at
MAX_PER_CLASS = 5000
# Written afterwards: on so much more of the positives than of the others, on at most this share of
# what it is of positives, and by the users scored now less than a quarter of the outcomes are due.
MARKS = 0.3
SELDOM_ELSEWHERE = 0.2
DUE_SHARE = 0.25
Z_MARKS = 3.0  # standard errors: only few columns mark an outcome so well
MARKS_WITH_GROUP = 0.15  # of a column of the same event or property as one that was written
RARE_AMONG_OTHERS = 0.98  # share of negatives below an amount from which on it may be a mark
STRONG = 0.8  # AUROC from which amounts are looked at, not only whether there is one
MAX_STRONG = 300  # columns


@dataclass(frozen=True)
class Quarantine:
    """A column left out of training.

    Attributes:
        column: Number of the column.
        auroc: Of the column alone among older snapshots, turned so that it is at least 0.5.
        later_auroc: Of the column at the newest snapshot, turned the same way; None without one.
        reason: In words.
        is_alarm: Whether it tells of wrong data, not only of a changed world.
    """

    column: int
    auroc: float
    later_auroc: float | None
    reason: str
    is_alarm: bool = False

    def as_row(self, matrix: Matrix, groups: Sequence[str]) -> dict[str, Any]:
        """Return what people see of it, JSON-able."""
        return {
            "feature_id": int(matrix.feature_ids[self.column]),
            "kind": matrix.kinds[self.column],
            "group": str(groups[self.column]),
            "auroc": self.auroc,
            "auroc_out_of_time": self.later_auroc,
            "reason": self.reason,
            "is_alarm": self.is_alarm,
        }


def find_leaks(
    X: csr_matrix,
    y: np.ndarray,
    split: Split,
    groups: Sequence[str],
    newest: np.ndarray | None = None,
    scored: csr_matrix | None = None,
) -> list[Quarantine]:
    """Return the columns to leave out, by column number.

    Args:
        X: Feature rows, shape (n_rows, n_columns).
        y: Labels 0 or 1.
        split: Only rows of users to learn from are looked at.
        groups: Event or property of each column.
        newest: Mask of the rows of the newest snapshot; default: those of the split.
        scored: Rows that will be scored, or evenly chosen ones; None: nothing to compare with.
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
    for column in np.flatnonzero(decides | is_near).tolist():
        words = f"alone it tells {100 * power[column]:.1f} % of pairs apart"
        if not decides[column]:
            words += ", and another column of the same event or property nearly all"
        found[column] = (f"{words}: it may have been written after the outcome", None)
    alarming = set(found)
    if scored is not None:
        rows = (split.later if newest is None else newest) & ~split.test
        for column, words in _written_afterwards(X, y, rows, names, scored).items():
            found[column] = (words, None)
            alarming.add(column)
    new = _auroc_of_some(X, y, split.later)
    if new is not None:
        later = 0.5 + side * (new.auroc - 0.5)
        is_weak = later - 0.5 < (1 - LOST_SHARE) * (power - 0.5)
        is_sure = power - later > N_ERRORS * np.hypot(old.error, new.error)
        for column in np.flatnonzero((power >= TELLS) & is_weak & is_sure).tolist():
            words = f"it separated {100 * power[column]:.0f} % of pairs in older snapshots, "
            words += f"at the newest {100 * later[column]:.0f} %"
            found.setdefault(column, (words, float(later[column])))
    return [
        Quarantine(column, float(power[column]), late, reason, column in alarming)
        for column, (reason, late) in sorted(found.items())
    ]


@dataclass(frozen=True)
class _Aurocs:
    """AUROC per column, shape (n_columns,), and its standard error where a column says nothing."""

    auroc: np.ndarray
    error: float


def _written_afterwards(
    X: csr_matrix, y: np.ndarray, rows: np.ndarray, groups: np.ndarray, scored: csr_matrix
) -> dict[int, str]:
    """Return columns that mark the newest positives and hardly anybody who is scored, with words.

    Of users like those of the newest snapshot, a share of its rate should have the mark now since
    they will do it: an honest mark is there before its outcome. One that is written with the
    outcome is not. A mark that the others have too (a season, a campaign that ended) is none.

    Args:
        X: Feature rows.
        y: Labels 0 or 1.
        rows: Mask of the rows of the newest snapshot.
        groups: Event or property of each column.
        scored: Rows to be scored.
    """
    classes = [np.flatnonzero(rows & (y == label)) for label in (1, 0)]
    if min(len(found) for found in classes) < MIN_OF_EACH or not scored.shape[0]:
        return {}
    positive, negative = (X[_some(found)] for found in classes)
    scored = scored[_some(np.arange(scored.shape[0]))]
    rate = len(classes[0]) / (len(classes[0]) + len(classes[1]))
    has = np.array([_share(each) for each in (positive, negative, scored)])
    marks = _most_telling([has, 1 - has, *_amounts(positive, negative, scored)])
    p, n, s = marks
    sizes = positive.shape[0], negative.shape[0], scored.shape[0]
    most = np.array([wilson_interval(share * sizes[2], sizes[2], Z_MARKS)[1] for share in s])
    error = np.hypot(most - s, Z_MARKS * np.sqrt(n * (1 - n) / sizes[1]))
    gap = np.maximum(p - n, 1e-9)
    is_short = (s - n + error) / gap < DUE_SHARE * rate
    is_mark = (gap >= MARKS) & (n <= SELDOM_ELSEWHERE * p) & is_short
    is_near = np.isin(groups, groups[is_mark]) & (gap >= MARKS_WITH_GROUP)
    return {
        int(column): f"it marks {p[column]:.0%} of the newest users with the outcome, "
        f"{n[column]:.1%} of those without, and {s[column] * sizes[2]:,.0f} of {sizes[2]:,} who "
        "are scored now: it was most likely written when the outcome happened"
        for column in np.flatnonzero(is_mark | is_near)
    }


def _some(rows: np.ndarray) -> np.ndarray:
    """Return at most MAX_PER_CLASS evenly spaced rows."""
    return rows[:: -(-len(rows) // MAX_PER_CLASS)]


def _share(X: csr_matrix) -> np.ndarray:
    """Return the share of rows with a value other than 0, per column."""
    stored = X.indices[X.data != 0]
    return np.asarray(np.bincount(stored, minlength=X.shape[1]) / X.shape[0])


def _most_telling(shares: Sequence[np.ndarray]) -> np.ndarray:
    """Return of several marks, each (positives, negatives, scored), the best per column."""
    stacked = np.array(shares)
    best = np.argmax(stacked[:, 0] - stacked[:, 1], axis=0)
    return np.asarray(np.take_along_axis(stacked, best[None, None, :], axis=0)[0])


def _amounts(
    positive: csr_matrix, negative: csr_matrix, scored: csr_matrix
) -> tuple[np.ndarray, np.ndarray]:
    """Return shares of rows with an amount that few negatives have, large and small, per column.

    Only strong columns are looked at; of others there is no share.
    """
    n_columns = positive.shape[1]
    large, small = np.zeros((3, n_columns)), np.zeros((3, n_columns))
    both = vstack([positive, negative], format="csr")
    y = np.repeat([1.0, 0.0], [positive.shape[0], negative.shape[0]])
    power = np.abs(column_aurocs(both, y) - 0.5) + 0.5
    strong = np.argsort(-power, kind="stable")[:MAX_STRONG]
    strong = strong[power[strong] >= STRONG]
    values = [each[:, strong].toarray() for each in (positive, negative, scored)]
    if len(strong):
        top = np.quantile(values[1], RARE_AMONG_OTHERS, axis=0)
        bottom = np.quantile(values[1], 1 - RARE_AMONG_OTHERS, axis=0)
        large[:, strong] = [(each > top).mean(axis=0) for each in values]
        small[:, strong] = [(each < bottom).mean(axis=0) for each in values]
    return large, small


def _auroc_of_some(X: csr_matrix, y: np.ndarray, rows: np.ndarray) -> _Aurocs | None:
    """Return the AUROC of each column on at most MAX_PER_CLASS evenly spaced rows of each class."""
    classes = [np.flatnonzero(rows & (y == label)) for label in (0, 1)]
    if min(len(found) for found in classes) < MIN_OF_EACH:
        return None
    some = [_some(found) for found in classes]
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
