"""Which events and properties a model's quality rests on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, diags

from foretell.learn.metrics import mean_log_loss

MAX_ROWS = 1500
N_SHORTLIST = 10


def permutation_importance(
    predict: Callable[[csr_matrix], np.ndarray],
    X: csr_matrix,
    y: np.ndarray,
    groups: Sequence[str],
    seed: int,
    n_repeats: int = 2,
    loss: Callable[[np.ndarray, np.ndarray], float] = mean_log_loss,
) -> list[dict[str, float | str]]:
    """Return by how much the loss grows when a group's values are shuffled among held-out rows.

    All groups are shuffled once on a third of the rows; the most important are then measured again.
    Importance says what the model uses, not what causes the outcome.

    Args:
        predict: Rows to calibrated probabilities, or to expected values.
        X: Held-out rows, shape (n_rows, n_features).
        y: Their labels, or values.
        groups: Group of each column, e.g. the event's name.
        seed: Of the shuffles.
        n_repeats: Shuffles per shortlisted group.
        loss: Of (y, what is predicted); lower is better.

    Returns:
        Dicts of group, importance (in the loss's unit, per row) and its std over repeats, largest
        first.

    Source: Breiman (2001), "Random Forests"; Fisher, Rudin, Dominici (2019).
    """
    rng = np.random.default_rng(seed)
    rows = rng.permutation(X.shape[0])[:MAX_ROWS]
    X, y = X[rows], y[rows]
    labels = np.array(groups)
    used = np.unique(labels[np.unique(X.indices)])
    few = slice(0, max(1, len(y) // 3))
    measure = _Growths(predict, loss, labels, rng)
    first = measure.of(X[few], y[few], list(used))
    shortlist = sorted(first, key=lambda group: -first[group])[:N_SHORTLIST]
    repeats = [measure.of(X, y, shortlist) for _ in range(n_repeats)]
    measured: list[dict[str, float | str]] = []
    for group in shortlist:
        growths = [repeat[group] for repeat in repeats]
        measured.append(
            {
                "group": str(group),
                "importance": float(np.mean(growths)),
                "std": float(np.std(growths)),
            }
        )
    return sorted(measured, key=lambda row: -float(row["importance"]))


@dataclass(frozen=True)
class _Growths:
    predict: Callable[[csr_matrix], np.ndarray]
    loss: Callable[[np.ndarray, np.ndarray], float]
    labels: np.ndarray
    rng: np.random.Generator

    def of(self, X: csr_matrix, y: np.ndarray, groups: Sequence[str]) -> dict[str, float]:
        """Return the growth of the loss when each group is shuffled once."""
        before = self.loss(y, self.predict(X))
        growths = {}
        for group in groups:
            is_group = self.labels == group
            shuffled = X[self.rng.permutation(X.shape[0])] @ diags(is_group.astype(np.float32))
            mixed = (X @ diags((~is_group).astype(np.float32)) + shuffled).tocsr()
            mixed.eliminate_zeros()
            growths[group] = self.loss(y, self.predict(mixed)) - before
        return growths
