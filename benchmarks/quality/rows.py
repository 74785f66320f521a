"""The rows of one prediction as a file: what every method is handed, and nothing else.

Foretell's package is not needed to read it, so that other people's tools can run in an environment
of their own. What happened after the cut is not in it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp

# As in foretell.learn.families.base: methods run where only NumPy and SciPy are sure to be there.
OF_PROPERTIES = ("value_", "other_", "user_")


@dataclass(frozen=True)
class Rows:
    """Labelled rows to learn from, and the rows to score at the cut.

    Attributes:
        X: Features of the labelled rows, float32, shape (n_rows, n_features).
        y: Did the outcome happen? float32 0 or 1, shape (n_rows,).
        user_key: Whose row, int64.
        user_bucket: Hash of the user, 0 to 99: what is grouped by user is grouped by it.
        as_of_hour: The snapshot, whole hours since 1970-01-01 UTC, int64.
        horizon_hours: Length of the label's window, int64, shape ().
        feature_ids: Catalogue id per column, int64, shape (n_features,).
        kinds: Kind of feature per column, text.
        groups: Event or property that a column is about, text.
        to_score: Features of the rows to score, float32, shape (n_scored, n_features).
        histories: Purchase histories before the cut, one row per customer: repeat purchases, time
            of the last one and time of observation, both since the first purchase in days. No rows
            where the outcome is not one event that happens at least once. Shape (n_customers, 3).
        scored_histories: The same for the rows to score, shape (n_scored, 3) or (0, 3).
    """

    X: sp.csr_matrix
    y: np.ndarray
    user_key: np.ndarray
    user_bucket: np.ndarray
    as_of_hour: np.ndarray
    horizon_hours: np.ndarray
    feature_ids: np.ndarray
    kinds: np.ndarray
    groups: np.ndarray
    to_score: sp.csr_matrix
    histories: np.ndarray
    scored_histories: np.ndarray

    def without_properties(self) -> Rows:
        """Return the rows with the columns about event types and activity only."""
        kept = np.flatnonzero([not kind.startswith(OF_PROPERTIES) for kind in self.kinds])
        return replace(
            self,
            X=self.X[:, kept],
            to_score=self.to_score[:, kept],
            feature_ids=self.feature_ids[kept],
            kinds=self.kinds[kept],
            groups=self.groups[kept],
        )

    def log_scaled(self) -> tuple[sp.csr_matrix, sp.csr_matrix]:
        """Return labelled rows and rows to score as sign(x) * log(1 + |x|)."""
        return _signed_log(self.X), _signed_log(self.to_score)


def _signed_log(X: sp.csr_matrix) -> sp.csr_matrix:
    return sp.csr_matrix((np.sign(X.data) * np.log1p(np.abs(X.data)), X.indices, X.indptr), X.shape)


def save_rows(path: Path, rows: Rows) -> None:
    """Write the file; a sparse matrix becomes its four arrays."""
    arrays: dict[str, np.ndarray] = {}
    for field in fields(rows):
        value = getattr(rows, field.name)
        if sp.issparse(value):
            arrays[f"{field.name}.shape"] = np.array(value.shape)
            for part in ("data", "indices", "indptr"):
                arrays[f"{field.name}.{part}"] = getattr(value, part)
        else:
            arrays[field.name] = np.asarray(value)
    np.savez(path, **arrays)


def load_rows(path: Path) -> Rows:
    """Read what save_rows wrote."""
    with np.load(path) as file:
        sparse = {
            name: sp.csr_matrix(
                tuple(file[f"{name}.{part}"] for part in ("data", "indices", "indptr")),
                shape=tuple(file[f"{name}.shape"]),
            )
            for name in ("X", "to_score")
        }
        dense = {field.name: file[field.name] for field in fields(Rows) if field.name not in sparse}
    return Rows(**sparse, **dense)


def run_method(
    probabilities: Callable[[Rows, argparse.Namespace], np.ndarray],
    *options: tuple[str, type, object],
) -> None:
    """Be a method's process: read ROWS, write PROBABILITIES.

    Args:
        probabilities: From rows and arguments to one probability per row to score.
        options: Name, type and default of further arguments.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", type=Path)
    parser.add_argument("probabilities", type=Path)
    parser.add_argument("--without-properties", action="store_true")
    parser.add_argument("--budget", type=float, default=300, help="seconds")
    for name, kind, default in options:
        parser.add_argument(name, type=kind, default=default)
    arguments = parser.parse_args()
    rows = load_rows(arguments.rows)
    if arguments.without_properties:
        rows = rows.without_properties()
    np.save(arguments.probabilities, probabilities(rows, arguments).astype(np.float64))
