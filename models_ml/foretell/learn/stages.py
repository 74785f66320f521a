"""How many rows each stage of the contest takes: successive halving within a budget.

All candidates compete on few rows; the average and its members go on to many. The sizes come from
counts and a cost model, never from a clock: the same data and seed give the same sizes on any
machine, however busy.

Source: Jamieson, Talwalkar (2016), "Non-stochastic best arm identification and hyperparameter
optimization", for the halving.
"""

from __future__ import annotations

from dataclasses import dataclass

# Stored values that one fit gets through per second and thread; measured on 65,000 rows by 1,273
# columns (13.6 million values): LightGBM of 100 rounds 8 CPU s, logistic regression 6 to 8.
VALUES_PER_SECOND = 1_500_000
FIRST_SHARE = 1 / 3  # of the budget for the first stage
MIN_ROWS = 2_000
N_FINALISTS = 5  # the best linear model and four with trees
FITS_PER_FINALIST = 3  # on a fold, to be measured, for use


@dataclass(frozen=True)
class Stages:
    """Rows of the first contest, of the second, and whether memory and time allow more.

    Attributes:
        first: Rows on which all candidates compete.
        second: Rows on which the finalists compete and the winner is fitted to be measured.
    """

    first: int
    second: int


def plan_stages(
    n_rows: int,
    values_per_row: float,
    rate: float,
    n_fits: int,
    first_rows: int,
    second_rows: int,
    min_positives: int,
    budget_seconds: float,
    budget_cores: int,
) -> Stages:
    """Return the sizes of the two stages.

    Args:
        n_rows: Rows to learn from.
        values_per_row: Stored values per row, on average.
        rate: Share of the rarer outcome: rare ones take more rows to tell candidates apart.
        n_fits: Fits of the first stage: candidates by folds.
        first_rows: Wanted on the first stage, unless the outcome is rare.
        second_rows: Wanted at most on any stage.
        min_positives: Of the rarer outcome wanted in the first stage.
        budget_seconds: For all fits together.
        budget_cores: Cores that budget_seconds is counted on.
    """
    capacity = budget_seconds * VALUES_PER_SECOND * budget_cores / max(values_per_row, 1.0)
    affordable_first = int(FIRST_SHARE * capacity / n_fits)
    affordable = int((1 - FIRST_SHARE) * capacity / (N_FINALISTS * FITS_PER_FINALIST))
    second = min(n_rows, second_rows, max(affordable, MIN_ROWS))
    wanted = max(first_rows, int(min_positives / max(rate, 1 / max(n_rows, 1))))
    return Stages(min(second, wanted, max(affordable_first, MIN_ROWS)), second)
