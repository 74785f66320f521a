"""Daily and hourly counts with the patterns of real products, for the tests of gaps and outages."""

from __future__ import annotations

import numpy as np

FIRST = 20_000  # 2024-10-04


WEEK = np.array([1.0, 1.1, 1.0, 0.9, 1.2, 0.4, 0.3])


def counts(n_days=140, level=1000.0, seed=0, week=WEEK, spread=0.05, growth=0.0):
    """Return daily counts with a weekly pattern, more uneven than chance by `spread`."""
    rng = np.random.default_rng(seed)
    rate = level * np.resize(week, n_days) * np.exp(rng.normal(0, spread, n_days))
    rate *= np.exp(growth * np.arange(n_days))
    return rng.poisson(rate).astype(float)


def thinned(share, first=80, last=90, **options):
    values = counts(**options)
    values[first : last + 1] = np.round(values[first : last + 1] * share)
    return values


DAY = np.array(
    [0, 0, 0, 0, 0, 0.1, 0.3, 0.6, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0.8, 0.8, 0.6, 0.4, 0.2, 0.1]
)


BUSY_WEEK = np.repeat(WEEK, 24) * np.resize(DAY, 168) + 0.02


def hours(n_weeks=10, level=100.0, seed=0, spread=0.1, week=BUSY_WEEK, growth=0.0):
    """Return hourly counts that begin at midnight, fewer at night and at weekends."""
    return counts(168 * n_weeks, level, seed, week, spread, growth / 24)


def silenced(first, last, share=0.0, **options):
    values = hours(**options)
    values[first : last + 1] = np.round(values[first : last + 1] * share)
    return values


def at(week, day, hour):
    return 168 * week + 24 * day + hour
