"""Boosted trees that are fast on sparse rows and add up exactly."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
from scipy.sparse import csr_matrix

from foretell.machine import usable_threads

MAX_ROUNDS = 500
DEFAULT_ROUNDS = 30
FLOAT32_DIGITS = 24
PATIENCE = 15  # rounds without gain after which boosting stops
# Bins from so many rows are as good as from ten times as many, in half the time. Bundles of columns
# that exclude each other would save nothing here, where a third of the cells is filled: the same
# trees without take 40 % less (docs/decisions/0014).
BINS = {"max_bin": 63, "bin_construct_sample_cnt": 20_000, "enable_bundle": False, "verbosity": -1}


def binned(X: csr_matrix, y: np.ndarray) -> lightgbm.Dataset:
    """Return rows for any number of boosters.

    Args:
        X: Shape (n_rows, n_columns).
        y: Labels or amounts.
    """
    # LightGBM drops what no leaf can split.
    own = {**_bins(), "min_data_in_leaf": _least_leaf(len(y))}
    return lightgbm.Dataset(X, y, params=own).construct()


def boost(
    train_set: lightgbm.Dataset,
    asked: dict[str, Any],
    seed: int,
    n_jobs: int,
    held_out: tuple[csr_matrix, np.ndarray] | None,
    rounds: int,
    start: np.ndarray | None = None,
    held_out_start: np.ndarray | None = None,
) -> lightgbm.Booster:
    """Fit trees.

    Args:
        train_set: Of binned.
        asked: Parameters in which boosters differ: objective, is_unbalance, extra_trees.
        seed: Same seed and rows, same trees, whatever n_jobs is.
        n_jobs: Threads.
        held_out: Rows on which it stops early.
        rounds: How many trees, where there are none.
        start: Margin of another model on the rows of train_set, which the trees add to; default:
            they say all.
        held_out_start: The same of held_out.
    """
    parameters = {
        "learning_rate": 0.15, "num_leaves": 15, "lambda_l2": 10.0,
        "min_data_in_leaf": _least_leaf(train_set.num_data()), "feature_fraction": 0.3,
        "bagging_fraction": 0.7, "bagging_freq": 1, "seed": seed,
        "num_threads": n_jobs, "deterministic": True, "force_col_wise": True, **BINS, **asked,
    }  # fmt: skip
    train_set.set_field("init_score", start)  # also where there is none: others share the rows
    if held_out is None:
        return _summing_exactly(lightgbm.train(parameters, train_set, rounds))
    valid = lightgbm.Dataset(
        *held_out, reference=train_set, init_score=held_out_start, params=_bins()
    )
    stopped = lightgbm.train(
        parameters, train_set, MAX_ROUNDS, valid_sets=[valid],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )  # fmt: skip
    best = max(stopped.best_iteration, 1)
    return _summing_exactly(lightgbm.Booster(model_str=stopped.model_to_string(num_iteration=best)))


def _bins() -> dict[str, Any]:
    """Return the parameters of rows, with the threads that this training may use.

    LightGBM keeps the number of threads in one place for the whole process. Rows made with its
    default, all cores, while another training with fewer ran let that one write beyond its own
    buffers: a crash, once in some tens of runs (tests/foretell/learn/test_boosting.py).
    """
    return {**BINS, "num_threads": usable_threads()}


def _least_leaf(n_rows: int) -> int:
    return min(50, max(5, n_rows // 50))


def _summing_exactly(booster: lightgbm.Booster) -> lightgbm.Booster:
    """Round the leaves to a grid on which every sum of them is exact in float32.

    Then the graph, which adds in float32, gives the very log-odds that LightGBM gives. The grid is
    the finest one for the sizes at hand, about 4e-6 in log-odds: it changes no decision.
    """
    leaves = [
        [booster.get_leaf_output(tree, leaf) for leaf in range(n_leaves)]
        for tree, n_leaves in enumerate(_leaf_counts(booster))
    ]
    largest_sum = sum(np.abs(values).max() for values in leaves)
    step = 2.0 ** (np.ceil(np.log2(max(largest_sum, 1.0))) - FLOAT32_DIGITS)
    for tree, values in enumerate(leaves):
        for leaf, value in enumerate(values):
            booster.set_leaf_output(tree, leaf, step * round(value / step))
    return booster


def _leaf_counts(booster: lightgbm.Booster) -> list[int]:
    return [tree["num_leaves"] for tree in booster.dump_model()["tree_info"]]
