"""Sizes of the stages follow from counts alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from foretell.learn.stages import MIN_ROWS, Stages, plan_stages

USUAL = {
    "n_rows": 100_000, "values_per_row": 50.0, "rate": 0.1, "n_fits": 21, "first_rows": 15_000,
    "second_rows": 200_000, "min_positives": 150, "budget_seconds": 300.0, "budget_cores": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Stages(15_000, 100_000)),
        ({"n_rows": 9_000}, Stages(9_000, 9_000)),  # few rows: one stage
        ({"rate": 0.005}, Stages(30_000, 100_000)),  # 150 positives of 0.5 %
        ({"rate": 0.0}, Stages(100_000, 100_000)),
        ({"second_rows": 20_000}, Stages(15_000, 20_000)),
        ({"budget_seconds": 0.1}, Stages(MIN_ROWS, MIN_ROWS)),
    ],
)
def test_known_answers(changed, expected):
    assert plan_stages(**(USUAL | changed)) == expected


def test_wide_rows_and_a_small_budget_take_fewer_rows():
    wide = plan_stages(**(USUAL | {"values_per_row": 1000.0, "budget_seconds": 60.0}))
    wider = plan_stages(**(USUAL | {"values_per_row": 2000.0, "budget_seconds": 60.0}))
    assert wide.second == 2 * wider.second
    assert wide.second < 100_000
    assert replace(wide, second=wider.second) == replace(wider, first=wide.first)
