"""Metadata and checks of models and scores in the UI: text for people first, numbers after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from foretell.alarms.alarms import Alarm
from foretell.markdown_text import escape
from foretell.pipeline.registry import ModelRecord
from foretell.pipeline.score import ScoreSummary
from foretell.report.charts import (
    importance_table,
    reliability_chart,
    reliability_table,
    value_chart,
)
from foretell.report.checks import MODEL_CHECKS, check_model
from foretell.report.words import candidates_table, challenge_in_words, in_words, value_table

Metadata = dict[str, Any]


def model_check_specs(model: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Return the checks of a model asset. None of them stops the run of other predictions."""
    return [
        dg.AssetCheckSpec(name, asset=model, description=description)
        for name, description in MODEL_CHECKS.items()
    ]


def model_check_results(model: ModelRecord) -> list[dg.AssetCheckResult]:
    """Return the results of those checks; a failed check is a warning."""
    return [
        dg.AssetCheckResult(
            check_name=finding.name,
            passed=finding.passed,
            severity=dg.AssetCheckSeverity.WARN,
            description=finding.words,
            metadata=finding.numbers,
        )
        for finding in check_model(model)
    ]


ALARMS_CHECK = "no_alarms"


def alarms_check_spec(asset: dg.AssetKey) -> dg.AssetCheckSpec:
    """Return the check for alarms of a prediction. It stops no other prediction."""
    return dg.AssetCheckSpec(
        ALARMS_CHECK,
        asset=asset,
        description="This prediction has no alarms, and none of its scores are held back.",
    )


def alarms_check_result(asset: dg.AssetKey, alarms: Sequence[Alarm]) -> dg.AssetCheckResult:
    """Return its result: an error if scores are held back, else a warning."""
    is_held = any(alarm.is_held_back for alarm in alarms)
    return dg.AssetCheckResult(
        check_name=ALARMS_CHECK,
        asset_key=asset,
        passed=not alarms,
        severity=dg.AssetCheckSeverity.ERROR if is_held else dg.AssetCheckSeverity.WARN,
        description=" ".join(f"{alarm.message}." for alarm in alarms),
    )


def describe_alarms(alarms: Sequence[Alarm]) -> Metadata:
    """Return the metadata of the alarms, if there are any."""
    if not alarms:
        return {}
    words = [
        f"- **{'Held back' if alarm.is_held_back else 'Warning'}.** {escape(alarm.message)}."
        for alarm in alarms
    ]
    return {"Warnings": dg.MetadataValue.md("\n".join(words))}


def describe_model(model: ModelRecord, label: str, card: str) -> Metadata:
    """Return the metadata of a trained model, or of one that could not be trained.

    Args:
        model: The row that training wrote.
        label: The name of the prediction for people.
        card: The model card as Markdown.
    """
    status = {
        "Status": f"{model.status}: {model.reason}" if model.reason else model.status,
        "As of (UTC)": str(model.as_of),
        "Model id": model.model_id,
    }
    if model.metrics is None:
        words = (
            f"**{escape(label)}**: no model could be trained, {escape(model.reason)}. "
            "Other predictions are not affected."
        )
        return {"Summary": dg.MetadataValue.md(words), **status}
    metrics = model.metrics
    return {
        "Summary": dg.MetadataValue.md(in_words(model, label)),
        "Is it right?": dg.MetadataValue.md(reliability_table(model.reliability or [])),
        "Is it right? As a picture": dg.MetadataValue.md(
            reliability_chart(model.reliability or [], label)
        ),
        **_amounts(model, label),
        "Which inputs matter most?": dg.MetadataValue.md(
            importance_table(
                model.importances or [], "deviance" if "value" in metrics else "log loss"
            )
        ),
        "Which models were tried?": dg.MetadataValue.md(candidates_table(model)),
        "Is it better than the previous champion?": dg.MetadataValue.md(challenge_in_words(model)),
        "Model card": dg.MetadataValue.md(card),
        **status,
        "Model": f"{model.candidate}, {model.calibration} calibration",
        **_numbers(metrics),
    }


def _amounts(model: ModelRecord, label: str) -> Metadata:
    """Return the metadata that only value predictions have."""
    groups = (model.metrics or {}).get("value", {}).get("groups")
    if not groups:
        return {}
    return {
        "Are the amounts right?": dg.MetadataValue.md(value_table(model)),
        "Are the amounts right? As a picture": dg.MetadataValue.md(value_chart(groups, label)),
    }


def describe_scores(summary: ScoreSummary | None) -> Metadata:
    """Return the metadata of a scoring run."""
    if summary is None:
        return {"Summary": "no users were scored: no model may score this prediction"}
    if summary.alarm and summary.alarm.is_held_back:
        return {"Summary": f"the scores of {summary.n_users:,} users are held back"}
    return {
        "Summary": f"{summary.n_users:,} users scored; {summary.n_appended:,} scores are new",
        "Users scored": summary.n_users,
        "New scores": summary.n_appended,
    }


def _numbers(metrics: Mapping[str, Any]) -> Metadata:
    """Return the metrics as separate numbers, whose history Dagster plots."""
    numbers = {
        "AUROC": metrics["auroc"]["value"],
        "Log loss": metrics["log_loss"]["value"],
        "Log loss of guessing the base rate": metrics["log_loss_base_rate"]["value"],
        "Calibration error": metrics["expected_calibration_error"]["value"],
        "Base rate": metrics["base_rate"],
        "Labelled rows": metrics["n_rows"],
        "Users": metrics["n_users"],
        "Snapshots": metrics["n_snapshots"],
    }
    if "value" in metrics:
        value = metrics["value"]
        numbers |= {
            "Total expected value / observed": value["total_ratio"]["value"],
            "Mean absolute error of values": value["mean_absolute_error"]["value"],
            "Mean absolute error of the mean value": value["mean_absolute_error_usual"]["value"],
        }
    return {name: value for name, value in numbers.items() if value is not None}
