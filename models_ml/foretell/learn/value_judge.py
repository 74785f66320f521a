"""The honest numbers of expected values, from users and weeks that no model has seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from foretell.learn.contest import best_of
from foretell.learn.matrix import TrainingSet
from foretell.learn.metrics import Z_95, Metric, with_intervals
from foretell.learn.split import Split
from foretell.learn.train_settings import TrainSettings
from foretell.learn.value_contest import AmountContest
from foretell.learn.value_model import mean_deviance

N_GROUPS = 10


def judge_value(
    data: TrainingSet,
    split: Split,
    expected: np.ndarray,
    contests: Sequence[AmountContest],
    settings: TrainSettings,
) -> dict[str, Any]:
    """Return what `models.metrics` holds under `value`, JSON-able.

    Args:
        data: With values.
        split: Whose test rows were never learned from.
        expected: What the measured model expects of the test rows.
        contests: Of the models of amounts.
        settings: Seed and number of resamples.
    """
    assert data.value is not None
    value, winner = data.value[split.test], best_of(contests)
    usual = float(data.value[split.fit].mean())
    return {
        "candidate": winner.candidate.name,
        "scale": winner.scale.name,
        "candidates": [contest.as_row() for contest in contests],
        "mean_value": float(data.value.mean()),
        "largest_value": float(data.value.max()),
        **value_metrics(
            value, expected, data.user_key[split.test], usual, settings.seed, settings.n_resamples
        ),
        "groups": value_groups(value, expected),
    }


def value_metrics(
    value: np.ndarray,
    expected: np.ndarray,
    users: np.ndarray,
    usual: float,
    seed: int = 0,
    n_resamples: int = 200,
) -> dict[str, dict[str, float | None]]:
    """Return each metric of expected values as {value, low, high} (95 %, bootstrap over users).

    Args:
        value: What came, shape (n_rows,).
        expected: What was expected.
        users: User per row.
        usual: The guess to beat: the mean value of the rows learned from.
        seed: Of the bootstrap.
        n_resamples: Bootstrap samples.

    Returns:
        mean_absolute_error and deviance (Tweedie), with the guess's beside them; total_ratio, what
        was expected of all over what came; decile_error, the mean gap between expected and observed
        means of ten groups by expected value, a share of the mean; top_decile_share, what part of
        the total the tenth with the highest expected values brought.
    """
    metrics: dict[str, Metric] = {
        "mean_absolute_error": lambda v, e: float(np.abs(v - e).mean()),
        "mean_absolute_error_usual": lambda v, e: float(np.abs(v - usual).mean()),
        "deviance": mean_deviance,
        "deviance_usual": lambda v, e: mean_deviance(v, np.full(len(v), usual)),
        "total_ratio": lambda v, e: float(e.sum() / v.sum()) if v.any() else None,
        "decile_error": decile_error,
        "top_decile_share": _top_decile_share,
    }
    return with_intervals(metrics, value, expected, users, seed, n_resamples)


def decile_error(value: np.ndarray, expected: np.ndarray) -> float | None:
    """Return the mean |expected - observed mean| of ten equal groups, a share of the mean value."""
    if not value.any():
        return None
    gaps = [abs(expected[rows].mean() - value[rows].mean()) for rows in _tenths(expected)]
    return float(np.mean(gaps) / value.mean())


def value_groups(value: np.ndarray, expected: np.ndarray) -> list[dict[str, Any]]:
    """Compare expected and observed means in ten groups of equal size, the lowest first.

    Returns:
        Per group: n rows, mean_expected, mean_value, and low to high, the 95 % interval of the
        latter (of the normal distribution).
    """
    table = []
    for rows in _tenths(expected):
        mean, half = float(value[rows].mean()), None
        if len(rows) > 1:
            half = Z_95 * float(value[rows].std(ddof=1) / np.sqrt(len(rows)))
        table.append(
            {
                "n": len(rows),
                "mean_expected": float(expected[rows].mean()),
                "mean_value": mean,
                "low": None if half is None else max(0.0, mean - half),
                "high": None if half is None else mean + half,
            }
        )
    return table


def _tenths(expected: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(expected, kind="stable")
    return [rows for rows in np.array_split(order, N_GROUPS) if len(rows)]


def _top_decile_share(value: np.ndarray, expected: np.ndarray) -> float | None:
    if not value.any():
        return None
    top = np.argsort(-expected, kind="stable")[: max(1, len(value) // N_GROUPS)]
    return float(value[top].sum() / value.sum())
