"""Sparse rows as event features are, and the meanest rows for a graph: both float32."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_matrix, random_array
from scipy.special import expit

from foretell.learn.families.base import Family
from foretell.learn.families.trees import Trees
from foretell.learn.matrix import KINDS

N_COLUMNS = 400
FILLED = 0.1  # of the values of a row
ODD = np.float32(
    [1e30, -1e30, 1e-30, -1e-30, 1e-42, -1e-42, 999.999, 1000, 1000.001, 1, -1, 0.5, 1e6, 1e9,
     3.4e38, -3.4e38, np.nan]
)  # fmt: skip


def kinds() -> tuple[str, ...]:
    """Return one kind per column: all of KINDS in turn."""
    return tuple(KINDS[number % len(KINDS)] for number in range(N_COLUMNS))


def some_rows(rng: np.random.Generator, n_rows: int) -> csr_matrix:
    """Return counts, signed sums, hours and flags, one in ten filled; shape (n_rows, 400)."""
    X = random_array((n_rows, N_COLUMNS), density=FILLED, format="csr", rng=rng, dtype=np.float32)
    X = csr_matrix(X)
    kind = np.array(kinds())[X.indices]
    X.data = np.float32(np.floor(rng.gamma(0.8, 4.0, X.nnz)) + 1)
    is_sum = np.char.startswith(kind, "value_")
    X.data[is_sum] = rng.normal(20, 50, is_sum.sum())
    is_hours = np.char.startswith(kind, "hours_since")
    X.data[is_hours] = rng.integers(1, 4000, is_hours.sum())
    X.data[kind == "user_property"] = 1
    return X


def labelled_rows(rng: np.random.Generator, n_rows: int) -> tuple[csr_matrix, np.ndarray]:
    """Return rows and outcomes, one in ten, that a quarter of the columns tell something of."""
    X = some_rows(rng, n_rows)
    weights = np.where(np.arange(N_COLUMNS) % 4 == 0, np.sin(np.arange(N_COLUMNS)), 0)
    evened = csr_matrix((np.sign(X.data) * np.log1p(np.abs(X.data)), X.indices, X.indptr), X.shape)
    y = rng.random(n_rows) < expit(0.5 * evened @ weights - 3)
    return X, y.astype(np.float32)


def mean_rows(rng: np.random.Generator, n_rows: int, points: np.ndarray) -> np.ndarray:
    """Return dense rows: some usual, in most of them values at thresholds or odd numbers.

    Args:
        rng: Source of randomness.
        n_rows: How many.
        points: Columns and thresholds of splits, shape (n_splits, 2).
    """
    dense = some_rows(rng, n_rows).toarray()
    everybody = np.arange(n_rows)
    at = points[rng.integers(0, len(points), n_rows)]
    near = at[:, 1].astype(np.float32)
    beside = np.nextafter(near, np.float32(rng.choice([-np.inf, np.inf], n_rows)))
    is_near = rng.random(n_rows) < 0.5
    values = np.where(rng.random(n_rows) < 0.5, near, beside)
    dense[everybody[is_near], at[is_near, 0].astype(int)] = values[is_near]
    is_odd = rng.random(n_rows) < 0.25
    column = rng.integers(0, N_COLUMNS, n_rows)
    dense[everybody[is_odd], column[is_odd]] = rng.choice(ODD, n_rows)[is_odd]
    dense[rng.random(n_rows) < 0.001] = 0
    return dense


def split_points(fitted: Family) -> Iterator[tuple[int, float]]:
    """Yield (column of the matrix, threshold) of every split of LightGBM, alone or a member."""
    for member in fitted.members_:
        yield from split_points(member)
    if isinstance(fitted, Trees):
        pending = [tree["tree_structure"] for tree in fitted.booster_.dump_model()["tree_info"]]
        while pending:
            node = pending.pop()
            if "split_feature" in node:
                yield int(fitted.columns_[node["split_feature"]]), node["threshold"]
                pending += [node["left_child"], node["right_child"]]
