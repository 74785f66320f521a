"""Labelled sparse rows whose true probabilities are known, for tests of the learning core."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit

from foretell.learn.matrix import Matrix, TrainingSet

WEEK = 168
KINDS = (
    "event_count",
    "event_count_ever",
    "value_count",
    "value_sum",
    "value_sum_ever",
    "hours_since_last",
    "hours_since_first",
    "active_days",
    "active_days_ever",
    "active_weeks",
    "active_weeks_ever",
    "user_property",
    "other_count",
    "value_mean_ever",
    "event_days_ever",
    "decayed_days_28",
    "decayed_days_90",
    "hours_since_day_2",
    "hours_since_day_3",
    "hours_since_day_5",
    "mean_gap_days",
    "silence_ratio",
    "outcome_rate",
    "outcome_count",
)
N_COLUMNS = 24


def kinds(n_columns: int = N_COLUMNS) -> tuple[str, ...]:
    """Return one kind per column: all of KINDS in turn."""
    return tuple(KINDS[number % len(KINDS)] for number in range(n_columns))


def random_rows(seed: int, n_rows: int, n_columns: int = N_COLUMNS) -> csr_matrix:
    """Return float32 rows, two thirds empty: counts, signed sums, hours since, days, flags."""
    rng = np.random.default_rng(seed)
    X = np.zeros((n_rows, n_columns), dtype=np.float32)
    for column, kind in enumerate(kinds(n_columns)):
        if kind.startswith("value_sum"):
            values = rng.normal(20, 50, n_rows)
        elif kind.startswith("hours_since"):
            values = rng.integers(1, 2000, n_rows)
        elif kind == "user_property":
            values = np.ones(n_rows)
        else:
            values = rng.gamma(1.5, 2.0, n_rows) + 0.01
        X[:, column] = np.where(rng.random(n_rows) < 0.35, values, 0)
    return csr_matrix(X)


def true_probability(X: csr_matrix, intercept: float = -1.5) -> np.ndarray:
    """Return P(outcome): more with counts (column 0), days (7) and a recent event (5)."""
    dense = X.toarray().astype(float)
    recent = np.where(dense[:, 5] > 0, np.maximum(0, 7.6 - np.log1p(dense[:, 5])), 0)
    return expit(intercept + 1.2 * np.log1p(dense[:, 0]) - 0.8 * np.log1p(dense[:, 7]) + recent)


def labelled_rows(seed: int, n_rows: int) -> tuple[csr_matrix, np.ndarray]:
    """Return rows and labels drawn with their true probabilities."""
    X = random_rows(seed, n_rows)
    y = np.random.default_rng(seed + 1).random(n_rows) < true_probability(X)
    return X, y.astype(np.float32)


def training_set(
    seed: int, n_users: int = 900, n_snapshots: int = 4, noise: float | None = None
) -> TrainingSet:
    """Return every user at every weekly snapshot; `noise` is a rate that no feature explains."""
    rng = np.random.default_rng(seed)
    X = random_rows(seed + 1, n_users * n_snapshots)
    p = true_probability(X) if noise is None else np.full(X.shape[0], noise)
    bucket = rng.integers(0, 100, n_users)
    return TrainingSet(
        matrix=Matrix(X, np.arange(N_COLUMNS, dtype=np.int64) * 7 + 3, kinds()),
        y=(rng.random(len(p)) < p).astype(np.float32),
        user_key=np.tile(np.arange(n_users, dtype=np.int64), n_snapshots),
        user_bucket=np.tile(bucket, n_snapshots),
        as_of_hour=np.repeat(np.arange(n_snapshots, dtype=np.int64) * WEEK + 490_000, n_users),
        horizon_hours=WEEK,
        user_ids=np.array([f"u{user}" for user in range(n_users)], dtype=object),
    )


def value_training_set(seed: int, n_users: int = 900, n_snapshots: int = 4) -> TrainingSet:
    """Return such a set with values: of users who have any, a gamma amount around true_amount."""
    data = training_set(seed, n_users, n_snapshots)
    shape = 2.0
    drawn = np.random.default_rng(seed + 2).gamma(shape, 1 / shape, len(data.y))
    return replace(data, value=data.y * true_amount(data.matrix.X) * drawn)


def true_amount(X: csr_matrix) -> np.ndarray:
    """Return the mean amount of a row that has any: more with counts (columns 0 and 12)."""
    dense = X.toarray().astype(float)
    return 30 * np.exp(0.5 * np.log1p(dense[:, 0]) + 0.4 * np.log1p(dense[:, 12]))


def take(data: TrainingSet, rows: np.ndarray) -> TrainingSet:
    """Return the chosen rows, in the chosen order."""
    m = data.matrix
    return TrainingSet(
        Matrix(m.X[rows], m.feature_ids, m.kinds), data.y[rows], data.user_key[rows],
        data.user_bucket[rows], data.as_of_hour[rows], data.horizon_hours, data.user_ids,
        None if data.value is None else data.value[rows],
    )  # fmt: skip
