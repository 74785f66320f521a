"""LightGBM after a random search: folds by user, early stopping, as many trials as time allows."""

from __future__ import annotations

import argparse
import time
from typing import Any

import lightgbm
import numpy as np

from benchmarks.quality.rows import Rows, run_method

N_FOLDS = 4
MAX_ROUNDS = 3_000
PATIENCE = 50
SHARE_OF_SEARCH = 0.85  # of the budget; the rest is for the final fit
FIRST = {"learning_rate": 0.05, "num_leaves": 31, "min_child_samples": 20}


def probabilities(rows: Rows, arguments: argparse.Namespace) -> np.ndarray:
    """Search, then fit the best setting on all labelled rows and score."""
    deadline = time.monotonic() + SHARE_OF_SEARCH * arguments.budget
    random = np.random.default_rng(0)
    folds = rows.user_bucket % N_FOLDS
    best, (best_loss, rounds), n_trials = FIRST, cross_validate(rows, folds, FIRST, np.inf), 1
    while time.monotonic() < deadline:
        trial = draw(random)
        loss, trial_rounds = cross_validate(rows, folds, trial, deadline)
        if loss < best_loss:
            best, rounds, best_loss = trial, trial_rounds, loss
        n_trials += 1
    print(f"{n_trials} trials, log loss {best_loss:.4f}, {rounds} rounds, {best}")
    final = lightgbm.train(_fixed() | best, lightgbm.Dataset(rows.X, rows.y), rounds)
    return final.predict(rows.to_score)


def draw(random: np.random.Generator) -> dict[str, Any]:
    """Return a setting at random, on the scales on which these matter."""
    return {
        "learning_rate": float(np.exp(random.uniform(np.log(0.01), np.log(0.15)))),
        "num_leaves": int(np.exp(random.uniform(np.log(4), np.log(128)))),
        "min_child_samples": int(np.exp(random.uniform(np.log(5), np.log(500)))),
        "feature_fraction": float(random.uniform(0.2, 1)),
        "bagging_fraction": float(random.uniform(0.5, 1)),
        "bagging_freq": 1,
        "lambda_l1": float(np.exp(random.uniform(np.log(1e-3), np.log(10)))),
        "lambda_l2": float(np.exp(random.uniform(np.log(1e-3), np.log(100)))),
    }


def cross_validate(
    rows: Rows, folds: np.ndarray, trial: dict[str, Any], deadline: float
) -> tuple[float, int]:
    """Return the mean log loss on held-out users, and the mean number of rounds that was best.

    Past the deadline (time.monotonic) the trial is given up: its loss is infinite.
    """
    losses, rounds = [], []
    for fold in range(N_FOLDS):
        if time.monotonic() > deadline:
            return np.inf, 1
        inside = folds == fold
        learned = lightgbm.Dataset(rows.X[~inside], rows.y[~inside])
        booster = lightgbm.train(
            _fixed() | trial,
            learned,
            MAX_ROUNDS,
            valid_sets=[lightgbm.Dataset(rows.X[inside], rows.y[inside], reference=learned)],
            callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
        )
        losses.append(booster.best_score["valid_0"]["binary_logloss"])
        rounds.append(booster.best_iteration)
    return float(np.mean(losses)), max(1, round(np.mean(rounds)))


def _fixed() -> dict[str, Any]:
    return {
        "objective": "binary", "metric": "binary_logloss", "num_threads": 2, "seed": 0,
        "verbosity": -1,
    }  # fmt: skip


if __name__ == "__main__":
    run_method(probabilities)
