"""Alarms about a trained model, from its row of `models`: too good to be true, or useless."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foretell.alarms.alarms import Alarm, replace_alarms
from foretell.alarms.outcome_days import plain
from foretell.pipeline.registry import ModelRecord
from foretell.warehouse.base import Warehouse

WRITTEN, PERFECT, GUESSING = "written_afterwards", "near_perfect", "no_better_than_guessing"
KINDS = (WRITTEN, PERFECT, GUESSING)
NEAR_PERFECT = 0.98  # a held-out AUROC from this value on is suspicious
SURELY_ABOVE = 0.95  # and its interval lies above this
BASE_RATE = "base_rate"  # the candidate that gives all users one probability
MIN_OF_EACH = 10  # held-out users with, and without, the outcome: fewer prove nothing
NO_GAIN, SMALL_GAIN = 0.01, 0.05  # relative gain in log loss of the best candidate


def model_alarms(model: ModelRecord) -> list[Alarm]:
    """Return the alarms of a model, one sentence each; none for a model without metrics."""
    if model.metrics is None:
        return []
    found = [
        _written_afterwards(model.metrics),
        _near_perfect(model.metrics),
        _guessing(model.metrics),
    ]
    return [
        Alarm(kind, words, model.prediction)
        for kind, words in zip(KINDS, found, strict=True)
        if words
    ]


def _written_afterwards(metrics: Mapping[str, Any]) -> str:
    rows = [row for row in metrics.get("quarantined", []) if row.get("is_alarm")]
    if not rows:
        return ""
    worst = max(rows, key=lambda row: row["auroc"])
    groups = sorted({row["group"] for row in rows})
    more = f" (and {len(groups) - 1} more)" if len(groups) > 1 else ""
    inputs = "1 input is" if len(rows) == 1 else f"{len(rows):,} inputs are"
    return f"{plain(worst['group'])}{more} knows the future, {inputs} left out: {worst['reason']}"


def _near_perfect(metrics: Mapping[str, Any]) -> str:
    auroc = metrics["auroc"]
    if auroc["value"] is None or auroc["value"] < NEAR_PERFECT or auroc["low"] < SURELY_ABOVE:
        return ""
    return (
        f"it ranks {100 * auroc['value']:.1f} % of pairs of held-out users correctly (AUROC), "
        "which is too good to be true for most questions: check its most important inputs for one "
        "that is written only after the outcome has happened"
    )


def is_guessing(metrics: Mapping[str, Any]) -> bool:
    """Return whether a model is no better than giving all users the base rate.

    Few held-out outcomes prove little. So the gain of the best candidate in model selection, on
    many more rows of other users, counts too; it decides alone below ten held-out outcomes.
    """
    gain = metrics.get("log_loss_gain")
    if gain is None or gain["value"] is None:
        return False
    losses = {row["candidate"]: row["log_loss"] for row in metrics.get("candidates", [])}
    base = losses.get(BASE_RATE)
    gained = (base - min(losses.values())) / base if base else 0.0
    n_positives = metrics["n_test_positives"]
    if gain["low"] <= 0 and gained < NO_GAIN:
        return True
    if min(n_positives, metrics["n_test_rows"] - n_positives) < MIN_OF_EACH:
        return False
    return bool(gain["high"] < 0 or (gain["value"] <= 0 and gained < SMALL_GAIN))


def _guessing(metrics: Mapping[str, Any]) -> str:
    if not is_guessing(metrics):
        return ""
    gain = metrics["log_loss_gain"]
    n_users, n_positives = metrics["n_test_rows"], metrics["n_test_positives"]
    return (
        f"it is no better than guessing: on {n_users:,} held-out user{'s' * (n_users != 1)} with "
        f"{n_positives:,} outcome{'s' * (n_positives != 1)} its log loss is "
        f"{metrics['log_loss']['value']:.4f}, that of giving all users the base rate "
        f"{metrics['log_loss_base_rate']['value']:.4f} (gained {gain['value']:+.4f}, 95 % interval "
        f"{gain['low']:+.4f} to {gain['high']:+.4f})"
    )


def raise_model_alarms(warehouse: Warehouse, model: ModelRecord) -> None:
    """Replace the alarms of the previous model by those of this one."""
    if warehouse.has_table("alarms"):
        alarms = model_alarms(model)
        replace_alarms(warehouse, KINDS, alarms, model.as_of, [model.prediction])
