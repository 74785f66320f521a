"""Any scikit-learn classifier over the readable columns: its margin is the logit of what it says.

Its graph is skl2onnx's, which is compared with it before it may compete (learn.onnx.conversion).
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import shorten

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import logit
from sklearn.base import ClassifierMixin, clone
from sklearn.utils import get_tags

from foretell.learn.families.base import Family, HeldOut, MarginClassifier, Rows
from foretell.machine import usable_threads

EDGE = 1e-6  # a probability of 0 or 1 has no log-odds
MAX_DENSE_BYTES = 1_000_000_000  # of rows for a classifier that takes no sparse ones
ROWS_PER_CALL = 4_096  # made dense at a time to be scored
# What libraries raise on rows or parameters that they cannot handle.
FAILURES = (
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RuntimeError,
    TypeError, ValueError,
)  # fmt: skip


class CannotCompete(ValueError):
    """A candidate that cannot be fitted or converted; the message says why, with numbers."""


class ForeignClassifier(MarginClassifier, Family):
    """A scikit-learn classifier of two classes.

    Args:
        estimator: Unfitted; a random_state or n_jobs that it leaves open is set.
        with_properties: Whether it reads columns made from event and user properties.
        random_state: Same seed and rows, same model.
        n_jobs: Threads; None: what the machine allows (foretell.machine).

    Attributes:
        estimator_: Fitted on columns_.
    """

    is_foreign = True

    def __init__(
        self,
        estimator: ClassifierMixin,
        with_properties: bool = True,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.with_properties = with_properties
        self.random_state = random_state
        self.n_jobs = n_jobs

    @property
    def class_weight(self) -> str | None:
        """Return the classifier's class_weight; None if it knows none."""
        weight = getattr(self.estimator, "class_weight", None)
        return None if weight is None else str(weight)

    def gain(self) -> np.ndarray:
        """Return the importance of each column, of classifiers that tell it."""
        gain = np.zeros(self.n_features_in_)
        if self.constant_ is None:
            gain[self.columns_] = getattr(self.estimator_, "feature_importances_", 0)
        return gain

    def _fit(self, rows: Rows, held_out: HeldOut | None) -> None:
        self.takes_sparse_ = get_tags(self.estimator).input_tags.sparse
        own = rows.X[:, self.columns_]
        if not self.takes_sparse_ and (size := 4 * own.shape[0] * own.shape[1]) > MAX_DENSE_BYTES:
            raise CannotCompete(
                f"it takes dense rows only, and {own.shape[0]:,} rows of {own.shape[1]:,} columns "
                f"are {size / 1e9:.1f} GB; at most {MAX_DENSE_BYTES / 1e9:.1f} GB are made dense"
            )
        estimator = clone(self.estimator)
        open_ones = {name for name, value in estimator.get_params().items() if value is None}
        given = {"random_state": self.random_state, "n_jobs": self.n_jobs or usable_threads()}
        estimator.set_params(**{k: v for k, v in given.items() if k in open_ones})
        try:
            dense_or_not = own if self.takes_sparse_ else own.toarray()
            self.estimator_ = estimator.fit(dense_or_not, rows.y.astype(np.int64))
        except FAILURES as error:
            raise CannotCompete(f"it cannot be fitted: {first_line(error)}") from error

    def _margin(self, X: csr_matrix) -> np.ndarray:
        own = X[:, self.columns_]
        p = [self.estimator_.predict_proba(block)[:, 1] for block in self._blocks(own)]
        return np.asarray(logit(np.clip(np.concatenate([np.empty(0), *p]), EDGE, 1 - EDGE)))

    def _blocks(self, own: csr_matrix) -> Iterator[csr_matrix | np.ndarray]:
        for start in range(0, own.shape[0], ROWS_PER_CALL):
            block = own[start : start + ROWS_PER_CALL]
            yield block if self.takes_sparse_ else block.toarray()


def first_line(error: BaseException) -> str:
    """Return the first line of an error that says anything, shortened, with the error's kind."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {shorten(lines[0], 160, placeholder=' …') if lines else ''}"
