"""Sizes of the rungs follow from counts alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from foretell.learn.stages import MIN_ROWS, Rungs, plan_rungs

USUAL = {
    "n_rows": 100_000, "values_per_row": 50.0, "rate": 0.1, "n_fits": 21, "first_rows": 15_000,
    "second_rows": 200_000, "min_positives": 150, "budget_seconds": 300.0, "budget_cores": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Rungs(15_000, 100_000)),
        ({"n_rows": 9_000}, Rungs(9_000, 9_000)),  # few rows: one rung
        ({"rate": 0.005}, Rungs(30_000, 100_000)),  # 150 positives of 0.5 %
        ({"rate": 0.0}, Rungs(100_000, 100_000)),
        ({"second_rows": 20_000}, Rungs(15_000, 20_000)),
        ({"budget_seconds": 0.1}, Rungs(MIN_ROWS, MIN_ROWS)),
    ],
)
def test_known_answers(changed, expected):
    assert plan_rungs(**(USUAL | changed)) == expected


def test_wide_rows_and_a_small_budget_take_fewer_rows():
    wide = plan_rungs(**(USUAL | {"values_per_row": 1000.0, "budget_seconds": 60.0}))
    wider = plan_rungs(**(USUAL | {"values_per_row": 2000.0, "budget_seconds": 60.0}))
    assert wide.second == 2 * wider.second
    assert wide.second < 100_000
    assert replace(wide, second=wider.second) == replace(wider, first=wide.first)
