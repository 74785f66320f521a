"""What the UI shows of a model, its alarms and its scores."""

from __future__ import annotations

from dataclasses import replace

import dagster as dg
import pytest

from dagster_foretell.model_page import (
    alarms_check_result,
    alarms_check_spec,
    describe_alarms,
    describe_model,
    describe_scores,
    model_check_results,
    model_check_specs,
)
from foretell.alarms.alarms import Alarm
from foretell.pipeline.registry import REJECTED
from foretell.pipeline.score import ScoreSummary
from tests.foretell.report.test_card import HOSTILE, MODEL

KEY = dg.AssetKey(["models", "buys"])
WARNING = Alarm("gap", "2 days are thin", "buys")
HELD = Alarm("gone", f"{HOSTILE} is gone", "buys", is_held_back=True)
UNTRAINED = replace(MODEL, status=REJECTED, reason="3 | positives", metrics=None)


def test_each_check_has_a_result_and_what_fails_is_a_warning():
    names = [spec.name for spec in model_check_specs(KEY)]
    good, failed = model_check_results(MODEL), model_check_results(UNTRAINED)
    assert [result.check_name for result in good] == names
    assert [result.check_name for result in failed] == names
    assert all(result.passed for result in good)
    assert not any(result.passed for result in failed)
    assert {result.severity for result in failed} == {dg.AssetCheckSeverity.WARN}


@pytest.mark.parametrize(
    ("alarms", "passed", "severity"),
    [([], True, "WARN"), ([WARNING], False, "WARN"), ([WARNING, HELD], False, "ERROR")],
)
def test_only_scores_that_are_held_back_are_an_error(alarms, passed, severity):
    result = alarms_check_result(KEY, alarms)
    assert result.check_name == alarms_check_spec(KEY).name
    assert (result.passed, result.severity.name) == (passed, severity)
    assert [f"{alarm.message}." in result.description for alarm in alarms] == [True] * len(alarms)


def test_alarms_are_listed_with_names_as_text():
    assert describe_alarms([]) == {}
    shown = describe_alarms([WARNING, HELD])["Warnings"].value
    assert "- **Warning.** 2 days are thin." in shown
    assert "- **Held back.** \\<img" in shown


def test_a_model_is_shown_with_its_numbers():
    shown = describe_model(MODEL, HOSTILE, "the card")
    assert shown["Status"] == "champion"
    assert (shown["AUROC"], shown["Log loss"], shown["Labelled rows"]) == (0.8, 0.4, 3000)
    assert shown["Model card"].value == "the card"
    assert "<img" not in shown["Summary"].value.replace("\\<img", "")
    assert not [name for name in shown if "amounts" in name]


def test_a_prediction_without_a_model_shows_why():
    shown = describe_model(UNTRAINED, "Will buy", "")
    assert shown["Status"] == "rejected: 3 | positives"
    assert "no model could be trained, 3 \\| positives" in shown["Summary"].value
    assert "AUROC" not in shown


def test_scores_are_counted():
    shown = describe_scores(ScoreSummary("buys", 1200, 30))
    assert (shown["Users scored"], shown["New scores"]) == (1200, 30)
    assert "1,200 users scored; 30 scores are new" in shown["Summary"]
    held = describe_scores(ScoreSummary("buys", 1200, 0, HELD))
    assert held == {"Summary": "the scores of 1,200 users are held back"}
    assert "no users were scored" in describe_scores(None)["Summary"]
