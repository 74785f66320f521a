"""Outcomes of known days, for the tests of launches and ends."""

from __future__ import annotations

import numpy as np

from foretell.alarms.outcome_days import OutcomeDays
from foretell.alarms.outcome_life import End

FIRST = 20_000  # 2024-10-04


def days(counts, horizon_days=7, volume=None):
    """Return the days of an outcome, its sightings in the middle of each; the last is as_of's own."""
    counts = np.append(np.asarray(counts, dtype=np.int64), 0)
    on = np.flatnonzero(counts)
    return OutcomeDays(
        first_day=FIRST,
        sightings=counts,
        n_events=2 * counts,
        volume=np.append(volume, 1) if volume is not None else np.full(len(counts), 1000),
        as_of_hour=24 * (FIRST + len(counts) - 1) + 1,
        first_hour=24 * (FIRST + int(on[0])) + 12 if len(on) else None,
        last_hour=24 * (FIRST + int(on[-1])) + 12 if len(on) else None,
        horizon_days=horizon_days,
    )


END = End(24 * (FIRST + 94) + 12, 45, 95, 95, 16.0, 1, is_sure=False)
