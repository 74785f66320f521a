"""BG/NBD: who buys again, from when they bought before and nothing else."""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.quality.bgnbd import buys_again, fit
from benchmarks.quality.rows import Rows, run_method


def probabilities(rows: Rows, arguments: argparse.Namespace) -> np.ndarray:
    """Fit on all customers' purchases before the cut and score the requested users."""
    r, alpha, a, b = fit(rows.histories)
    print(f"r {r:.3f}, alpha {alpha:.3f}, a {a:.3f}, b {b:.3f}")
    return buys_again(rows.scored_histories, float(rows.horizon_hours) / 24, r, alpha, a, b)


if __name__ == "__main__":
    run_method(probabilities)
