"""Who and when is held out: the honest split, user folds, and samples of whole users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Split:
    """Row numbers of both sides.

    Attributes:
        fit: Rows to learn and choose from, ascending.
        test: Rows for the one honest look, ascending.
        kind: out_of_time: test users and the test week are both new to the model. users_only:
            the history is too short for that, so only the users are new.
    """

    fit: np.ndarray
    test: np.ndarray
    kind: Literal["out_of_time", "users_only"]


def honest_split(
    user_bucket: np.ndarray, as_of_hour: np.ndarray, horizon_hours: int, test_percent: int = 20
) -> Split:
    """Hold out users of low buckets at the newest snapshot.

    Fit rows are other users' rows whose outcome was known before the newest snapshot
    (as_of + horizon <= newest as_of), so that the test repeats what scoring does: learn from the
    past, predict what has not happened yet. If no snapshot is that old, all of the other users'
    rows are fit rows.

    Args:
        user_bucket: Hash of each row's user, 0 to 99.
        as_of_hour: Snapshot of each row, hours since 1970-01-01 UTC.
        horizon_hours: Length of the label's window.
        test_percent: Users with a bucket below this are test users.

    Returns:
        The split; test may be empty if no test user is in the newest snapshot.

    Raises:
        ValueError: If there are no rows.

    Source: purging as in Lopez de Prado (2018), "Advances in Financial Machine Learning", ch. 7.
    """
    if not len(as_of_hour):
        raise ValueError("no rows to split")
    newest = as_of_hour.max()
    is_test_user = user_bucket < test_percent
    test = np.flatnonzero(is_test_user & (as_of_hour == newest))
    purged = np.flatnonzero(~is_test_user & (as_of_hour + horizon_hours <= newest))
    if len(purged):
        return Split(purged, test, "out_of_time")
    return Split(np.flatnonzero(~is_test_user), test, "users_only")


def fold_of_user(user_key: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    """Return each row's fold, 0 to n_folds - 1; all rows of a user share one.

    Depends on the user and the seed only: not on row order, nor on who else is there.
    """
    return (_hash(user_key, 2 * seed) % np.uint64(n_folds)).astype(np.int64)


def sample_users(user_key: np.ndarray, max_rows: int, seed: int) -> np.ndarray:
    """Choose whole users by hash until max_rows is reached.

    Args:
        user_key: User of each row.
        max_rows: Most rows to keep.
        seed: Another seed, other users.

    Returns:
        Row numbers, ascending; all of them if they are at most max_rows.
    """
    if len(user_key) <= max_rows:
        return np.arange(len(user_key))
    users, user_of_row, n_rows = np.unique(user_key, return_inverse=True, return_counts=True)
    by_hash = np.argsort(_hash(users, 2 * seed + 1), kind="stable")
    is_kept = np.zeros(len(users), dtype=bool)
    is_kept[by_hash[np.cumsum(n_rows[by_hash]) <= max_rows]] = True
    return np.flatnonzero(is_kept[user_of_row])


def _hash(keys: np.ndarray, salt: int) -> np.ndarray:
    """Mix integers into uniform uint64 (splitmix64; Steele, Lea, Flood, OOPSLA 2014)."""
    with np.errstate(over="ignore"):
        mixed = keys.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15) * np.uint64(salt + 1)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))
