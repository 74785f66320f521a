"""What the UI shows of a model and its scores: for people first, numbers after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from dagster_defs.charts import importance_table, reliability_chart, reliability_table
from models_ml.model_checks import MODEL_CHECKS, check_model
from models_ml.registry import CHAMPION, ModelRecord
from models_ml.score import ScoreSummary

Metadata = dict[str, Any]
HELD_OUT = {
    "out_of_time": "users and weeks that the model had not seen",
    "users_only": "users that the model had not seen (history is too short to hold weeks out too)",
}


def model_check_specs(model: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Return the checks of a model asset. None of them stops the run: other predictions go on."""
    return [
        dg.AssetCheckSpec(name, asset=model, description=description)
        for name, description in MODEL_CHECKS.items()
    ]


def model_check_results(model: ModelRecord) -> list[dg.AssetCheckResult]:
    """Return the results of those checks; what fails is a warning."""
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


def describe_model(model: ModelRecord, label: str) -> Metadata:
    """Return the metadata of a trained model, or of one that could not be trained."""
    status = {
        "Status": f"{model.status}: {model.reason}" if model.reason else model.status,
        "As of (UTC)": str(model.as_of),
        "Model id": model.model_id,
    }
    if model.metrics is None:
        words = f"**{label}**: no model could be trained, {model.reason}. Others are not affected."
        return {"In words": dg.MetadataValue.md(words), **status}
    metrics = model.metrics
    return {
        "In words": dg.MetadataValue.md(_in_words(model, metrics, label)),
        "Is it right?": dg.MetadataValue.md(reliability_table(model.reliability or [])),
        "Is it right? As a picture": dg.MetadataValue.md(
            reliability_chart(model.reliability or [], label)
        ),
        "What does it look at?": dg.MetadataValue.md(importance_table(model.importances or [])),
        "Which models were tried?": dg.MetadataValue.md(_candidates(model, metrics)),
        **status,
        "Model": f"{model.candidate}, {model.calibration} calibration",
        **_numbers(metrics),
    }


def describe_scores(summary: ScoreSummary | None) -> Metadata:
    """Return the metadata of a scoring run."""
    if summary is None:
        return {"In words": "nobody was scored: this prediction has no model yet"}
    return {
        "In words": f"{summary.n_users:,} users scored; {summary.n_appended:,} scores are new",
        "Users scored": summary.n_users,
        "New scores": summary.n_appended,
    }


def _in_words(model: ModelRecord, metrics: Mapping[str, Any], label: str) -> str:
    """What the model is worth, in sentences; those without a number are left out."""
    auroc, loss, lift = metrics["auroc"], metrics["log_loss"], metrics["top_decile_lift"]
    lines = [
        f"**{label}**: it came true in {metrics['base_rate']:.1%} of {metrics['n_rows']:,} cases "
        f"to learn from ({metrics['n_users']:,} users). Measured on {metrics['n_test_rows']:,} "
        f"{HELD_OUT[metrics['evaluation']]}:\n"
    ]
    if auroc["value"] is not None:
        lines.append(
            f"- **Order.** Of one for whom it came true and one for whom it did not, it rates the "
            f"first higher in **{auroc['value']:.0%}** of cases (AUROC; 95% interval "
            f"{auroc['low']:.0%} to {auroc['high']:.0%}; a coin: 50%)."
        )
    if loss["value"] is not None:
        gap = 100 * metrics["expected_calibration_error"]["value"]
        lines.append(
            f"- **Probabilities.** Predicted and observed rates differ by **{gap:.1f} percentage "
            f"points** on average. Log loss {loss['value']:.4f}, where giving everybody the base "
            f"rate has {metrics['log_loss_base_rate']['value']:.4f} (lower is better)."
        )
    if lift["value"] is not None:
        lines.append(
            f"- **Use.** For the tenth of users with the highest probability it came true "
            f"**{lift['value']:.1f} times** as often as for all."
        )
    if model.status != CHAMPION:
        lines.append(f"\nIt does not score: {model.reason}.")
    return "\n".join(lines)


def _candidates(model: ModelRecord, metrics: Mapping[str, Any]) -> str:
    """All models tried, best first, as a table."""
    rows = [
        f"| {row['candidate']}{' ✓' if row['candidate'] == model.candidate else ''} | "
        f"{row['log_loss']:.4f} | {row['log_loss_uncalibrated']:.4f} | {row['calibration']} | "
        f"{row['seconds']:.0f} |"
        for row in sorted(metrics["candidates"], key=lambda row: row["log_loss"])
    ]
    head = ["| model | log loss | uncalibrated | calibration | seconds |", "|---|---|---|---|---|"]
    words = "Each was judged on users it had not seen; the lowest log loss wins (✓).\n"
    return "\n".join([words, *head, *rows])


def _numbers(metrics: Mapping[str, Any]) -> Metadata:
    """The numbers again, each by itself: Dagster draws their history."""
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
    return {name: value for name, value in numbers.items() if value is not None}
