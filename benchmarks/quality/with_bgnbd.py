"""BG/NBD, fitted by lifetimes: who buys again, from when they bought before and nothing else."""

from __future__ import annotations

import argparse

import numpy as np
from lifetimes import BetaGeoFitter

from benchmarks.quality.bgnbd import buys_again
from benchmarks.quality.rows import Rows, run_method

PENALTY = 0.001  # on the four parameters, so that the fit converges; as lifetimes advises


def probabilities(rows: Rows, arguments: argparse.Namespace) -> np.ndarray:
    """Fit on all customers' purchases before the cut and score those asked about."""
    model = BetaGeoFitter(penalizer_coef=PENALTY)
    model.fit(*rows.histories.T)
    parameters = {name: float(value) for name, value in model.params_.items()}
    print(parameters)
    return buys_again(rows.scored_histories, float(rows.horizon_hours) / 24, **parameters)


if __name__ == "__main__":
    run_method(probabilities)
