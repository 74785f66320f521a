"""What the UI shows of a model and its scores: for people first, numbers after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from dagster_defs.charts import importance_chart, reliability_chart
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
        "Is it right? (predicted and observed)": dg.MetadataValue.md(
            reliability_chart(model.reliability or [], label)
        ),
        "What does it look at?": dg.MetadataValue.md(
            importance_chart(model.importances or [], label)
        ),
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
        "dagster/row_count": summary.n_appended,
        "Model id": summary.model_id,
    }
