"""Pictures and tables of a model as Markdown."""

from __future__ import annotations

import base64
import re

import pytest

from foretell.report.charts import (
    importance_table,
    reliability_chart,
    reliability_table,
    value_chart,
)
from tests.foretell.report.test_card import GROUPS, HOSTILE

VALUES = [
    {"mean_expected": 1.0, "mean_value": 2.0, "low": 1.5, "high": 2.5},
    {"mean_expected": 9.0, "mean_value": 8.0, "low": 7.0, "high": 9.0},
]
ONE_USER = [{"mean_expected": 0.0, "mean_value": 0.0, "low": None, "high": None}]


def picture(markdown: str) -> bytes:
    (data,) = re.findall(r"^!\[[\w ]+\]\(data:image/png;base64,([\w+/=]+)\)$", markdown)
    return base64.b64decode(data)


@pytest.mark.parametrize("label", ["Will buy", HOSTILE, "$x^$ \n two lines"])
def test_a_chart_is_a_picture_whatever_the_label(label):
    assert picture(reliability_chart(GROUPS, label)).startswith(b"\x89PNG")
    assert picture(value_chart(VALUES, label)).startswith(b"\x89PNG")


def test_other_groups_give_another_picture_and_one_user_has_no_interval():
    assert picture(reliability_chart(GROUPS, "a")) != picture(reliability_chart(GROUPS[:1], "a"))
    assert picture(value_chart(ONE_USER, "a")) != picture(value_chart(VALUES, "a"))


def test_a_row_per_group():
    groups = [{"mean_p": 0.1234, "observed": 0.1, "low": 0.05, "high": 0.2}]
    assert reliability_table(groups).splitlines()[-1] == "| 12.3% | 10.0% | 5.0% to 20.0% |"


def test_importances_are_bars_of_the_largest_and_the_useless_are_left_out():
    rows = [
        {"group": HOSTILE, "importance": 0.04},
        {"group": "active_days", "importance": 0.02},
        {"group": "noise", "importance": 0.0},
    ]
    first, second = importance_table(rows).splitlines()[-2:]
    assert first.endswith("| ████████ | 0.0400 |")
    assert "\\<img" in first
    assert second == "| on how many days active | ████ | 0.0200 |"
    assert "(deviance)" in importance_table(rows, "deviance")
