"""Which rows a model may learn from, and which it must never have seen when it is measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foretell.learn.matrix import TrainingSet


@dataclass(frozen=True)
class Split:
    """Row masks of an honest evaluation.

    Attributes:
        fit: Rows to learn from, bool, shape (n_rows,).
        later: Rows of the same users at the newest snapshot: they help to choose, and nothing is
            fitted on them; none where history is too short.
        test: Rows of users (and, if out_of_time, of weeks) that are in no fit row.
        kind: out_of_time, or users_only where history is too short to hold weeks out.
    """

    fit: np.ndarray
    later: np.ndarray
    test: np.ndarray
    kind: str


def honest_split(data: TrainingSet, test_percent: int = 20) -> Split:
    """Hold out a share of the users, by hash, at the newest snapshot.

    Fit rows are of other users and of snapshots whose outcome was known at the newest snapshot
    (as_of + horizon <= newest as_of): what training would have had to hand at that time. Without
    such a snapshot only users are held out.

    Args:
        data: Labelled rows.
        test_percent: Share of users held out, 0 to 100.
    """
    newest = data.as_of_hour.max(initial=0)
    is_test_user = data.user_bucket < test_percent
    test = is_test_user & (data.as_of_hour == newest)
    later = ~is_test_user & (data.as_of_hour == newest)
    fit = ~is_test_user & (data.as_of_hour + data.horizon_hours <= newest)
    if len(np.unique(data.y[fit])) == 2:
        return Split(fit, later, test, "out_of_time")
    return Split(~is_test_user, np.zeros(len(data.y), dtype=bool), test, "users_only")


def user_folds(user_bucket: np.ndarray, n_folds: int) -> np.ndarray:
    """Return a fold number per row, 0 to n_folds - 1; all rows of a user share one.

    Args:
        user_bucket: Hash of the user, 0 to 99; independent of the order of rows.
        n_folds: Number of folds.
    """
    return user_bucket.astype(np.int64) % n_folds


def sample_users(user_bucket: np.ndarray, rows: np.ndarray, max_rows: int) -> np.ndarray:
    """Return the rows, or those of a share of users (by hash) where they are more than max_rows.

    Args:
        user_bucket: Hash of the user, 0 to 99, shape (n_rows,).
        rows: Mask of the rows to choose from, bool, shape (n_rows,).
        max_rows: About how many rows to keep; at least 1 % of the users stay.
    """
    if rows.sum() <= max_rows:
        return rows
    # Another order of buckets than the test users', who are the first ones.
    order = user_bucket.astype(np.int64) * 37 % 100
    present = np.unique(order[rows])
    n_kept = max(6, int(len(present) * max_rows / rows.sum()))  # 6 buckets reach all of 3 folds
    return np.asarray(rows & (order <= present[min(n_kept, len(present)) - 1]))
