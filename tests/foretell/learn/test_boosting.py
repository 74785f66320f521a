"""Rows of LightGBM take the threads of the training they are for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from foretell.learn.boosting import binned
from foretell.machine import share_threads, usable_threads


@pytest.mark.parametrize("by", [1, 2])
def test_rows_are_binned_by_no_more_threads_than_a_training_has(monkeypatch, by):
    """The number of threads is one for the whole process: a default would change that of others."""
    monkeypatch.setenv("FORETELL_THREADS", "2")
    X, y = csr_matrix(np.eye(60, dtype=np.float32)), np.arange(60) % 2

    def threads() -> tuple[int, int]:
        return binned(X, y).params["num_threads"], usable_threads()

    with ThreadPoolExecutor(1, initializer=share_threads, initargs=(by,)) as pool:
        assert pool.submit(threads).result() == (2 // by, 2 // by)
