"""What a person is warned of about a model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from foretell.pipeline.registry import REJECTED
from foretell.report.checks import MODEL_CHECKS, check_model
from tests.foretell.report.test_card import METRICS, MODEL, metric


def passed(model) -> dict[str, bool]:
    return {finding.name: finding.passed for finding in check_model(model)}


def group(mean_p: float, low: float, high: float) -> dict[str, float]:
    return {"n": 100, "mean_p": mean_p, "observed": (low + high) / 2, "low": low, "high": high}


def test_a_good_champion_passes_all():
    assert passed(MODEL) == dict.fromkeys(MODEL_CHECKS, True)


def test_a_prediction_without_a_model_fails_all_with_the_reason():
    findings = check_model(replace(MODEL, metrics=None, status=REJECTED, reason="too few users"))
    assert [finding.name for finding in findings] == list(MODEL_CHECKS)
    assert {(finding.passed, finding.words) for finding in findings} == {(False, "too few users")}


@pytest.mark.parametrize(("gap", "is_passed"), [(1e-6, True), (1.1e-6, False)])
def test_a_file_that_differs_from_the_model_fails(gap, is_passed):
    model = replace(MODEL, metrics=METRICS | {"parity": gap})
    assert passed(model)["onnx_parity"] == is_passed


@pytest.mark.parametrize(
    ("error", "n_outside", "is_passed"),
    [(0.02, 10, True), (0.021, 2, True), (0.021, 3, False), (None, 0, False)],
)
def test_calibration_fails_if_the_error_is_large_and_no_chance(error, n_outside, is_passed):
    groups = [group(0.1, 0.2, 0.4)] * n_outside + [group(0.3, 0.2, 0.4)] * (10 - n_outside)
    metrics = METRICS | {"expected_calibration_error": metric(error)}
    found = check_model(replace(MODEL, metrics=metrics, reliability=groups))[-1]
    assert (found.name, found.passed) == ("calibration", is_passed)
    if error is not None:
        assert f"in {10 - n_outside} of 10 groups" in found.words
