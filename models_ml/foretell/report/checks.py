"""Checks of a model, from its row of `models`."""

from __future__ import annotations

from dataclasses import dataclass, field

from foretell.learn.train_settings import TrainSettings
from foretell.pipeline.registry import CHAMPION, ModelRecord

# Average gap between predicted and observed rate that is too small to matter: 2 points in 100.
SMALL_CALIBRATION_ERROR = 0.02
# Of ten groups with a 95 % interval each, more than two miss by chance in 1.2 % of cases.
MOST_GROUPS_OUTSIDE = 2
MODEL_CHECKS = {
    "model_accepted": "The newest model may score: there was enough data and its file is exact.",
    "onnx_parity": "The stored model file gives the same probabilities as the trained model.",
    "calibration": "Of users given a probability of p, a share of about p does it.",
}


@dataclass(frozen=True)
class Finding:
    """One check of a model: its name, whether it passed, a description, and the numbers."""

    name: str
    passed: bool
    words: str
    numbers: dict[str, float | int | str] = field(default_factory=dict)


def check_model(model: ModelRecord, settings: TrainSettings | None = None) -> list[Finding]:
    """Return one finding per MODEL_CHECKS; all fail where there is no model.

    Args:
        model: What training wrote.
        settings: The tolerance that training used.
    """
    if model.metrics is None:
        return [Finding(name, False, model.reason) for name in MODEL_CHECKS]
    return [
        Finding("model_accepted", model.status == CHAMPION, model.reason or "it scores now"),
        _check_parity(model.metrics["parity"], (settings or TrainSettings()).parity_tolerance),
        _check_calibration(model),
    ]


def _check_parity(gap: float, tolerance: float) -> Finding:
    words = f"probabilities differ by at most {gap:.1e}; {tolerance:.0e} is allowed"
    numbers: dict[str, float | int | str] = {"largest difference": gap, "allowed": tolerance}
    return Finding("onnx_parity", gap <= tolerance, words, numbers)


def _check_calibration(model: ModelRecord) -> Finding:
    """Small on average, or no further off than chance explains in groups of this size."""
    error = (model.metrics or {})["expected_calibration_error"]["value"]
    groups = model.reliability or []
    if error is None or not groups:
        return Finding("calibration", False, "no held-out rows to measure it on")
    n_outside = sum(not group["low"] <= group["mean_p"] <= group["high"] for group in groups)
    words = (
        f"predicted and observed rates differ by {100 * error:.1f} percentage points on average; "
        f"in {len(groups) - n_outside} of {len(groups)} groups the difference is within chance"
    )
    numbers: dict[str, float | int | str] = {
        "calibration error": error,
        "groups off": n_outside,
        "groups": len(groups),
    }
    passed = error <= SMALL_CALIBRATION_ERROR or n_outside <= MOST_GROUPS_OUTSIDE
    return Finding("calibration", passed, words, numbers)
