"""The model card: what a model predicts, its training data, its measured quality, its limits.

One text, templates/model_card.md.jinja: as Markdown, and as a page of HTML made from it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2

from foretell.alarms.alarms import current_alarms
from foretell.errors import TornModel
from foretell.markdown_text import escape, to_html
from foretell.pipeline import registry
from foretell.pipeline.publish import published_paths
from foretell.pipeline.registry import ModelRecord
from foretell.report.charts import reliability_chart, reliability_table, value_chart
from foretell.report.definition_words import cohort_in_words, question_in_words
from foretell.report.words import (
    amounts_table,
    candidates_table,
    challenge_in_words,
    importance_sentences,
    in_words,
    left_out_sentences,
    limits,
    time_in_words,
    value_table,
)
from foretell.settings import Settings
from foretell.warehouse.base import Warehouse
from foretell.warehouse.open import open_warehouse

ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,  # Markdown has an escape of its own; HTML is made of it
)
ENVIRONMENT.filters["escape_name"] = escape


def model_card(warehouse: Warehouse, model: ModelRecord) -> str:
    """Return the card of a model of the present definition as Markdown.

    Its decision and measures are those of training; calibration of matured scores, drift and the
    mean probability now are of the newest build.
    """
    (definition,) = warehouse.rows(
        "select label, definition, horizon_days from prediction_definitions where prediction = ?",
        [model.prediction],
    )
    written = json.loads(definition["definition"])
    facts: dict[str, Any] = {
        "model": model,
        "label": definition["label"],
        "horizon_days": definition["horizon_days"],
        "question": question_in_words(written),
        "cohort": cohort_in_words(written),
        "alarms": current_alarms(warehouse, model.prediction),
    }
    if model.metrics is not None:
        facts |= _measured(warehouse, model, definition["label"], definition["horizon_days"])
    return ENVIRONMENT.get_template("model_card.md.jinja").render(facts)


def write_cards(warehouse: Warehouse, predictions: Sequence[str], folder: Path) -> list[Path]:
    """Write the card of each prediction's champion, or of its newest model if there is none.

    A challenger has a card of its own, `<prediction>_challenger`. Each file is put in place by
    rename.

    Returns:
        The HTML files; the same as Markdown (`.md`) is beside each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for prediction in predictions:
        try:
            champion = registry.find_champion(warehouse, prediction)
            newest = registry.find_newest(warehouse, prediction)
        except TornModel:  # an alarm says so; the card before stays
            continue
        is_challenged = champion and newest and newest.status == registry.CHALLENGER
        for name, model in (
            (prediction, champion or newest),
            (f"{prediction}_challenger", newest if is_challenged else None),
        ):
            if model is not None:
                written.append(_write(folder / name, model_card(warehouse, model), name))
            else:  # of a challenger that is none any more
                for suffix in (".md", ".html"):
                    (folder / f"{name}{suffix}").unlink(missing_ok=True)
    return written


def publish_cards(settings: Settings) -> list[Path]:
    """Write the cards of all predictions beside the published tables; see `write_cards`."""
    with open_warehouse(settings.location, read_only=True) as warehouse:
        rows = warehouse.rows("select prediction from prediction_definitions order by prediction")
        folder = published_cards(settings)
        return write_cards(warehouse, [row["prediction"] for row in rows], folder)


def published_cards(settings: Settings) -> Path:
    """Return the folder of the published cards."""
    return published_paths(settings).parquet / "cards"


def _write(path: Path, markdown: str, title: str) -> Path:
    for suffix, text in ((".md", markdown), (".html", to_html(markdown, title))):
        aside = path.with_name(f".{path.name}{suffix}.{os.getpid()}.tmp")
        aside.write_text(text, encoding="utf-8")
        os.replace(aside, path.with_name(path.name + suffix))
    return path.with_name(f"{path.name}.html")


def _measured(
    warehouse: Warehouse, model: ModelRecord, label: str, horizon_days: int
) -> dict[str, Any]:
    """Return the facts of a trained model for the template."""
    named = warehouse.rows("select distinct event_name, property from features")
    groups = (model.metrics or {}).get("value", {}).get("groups", [])
    return {
        "window": _window(model),
        "in_words": in_words(model, label),
        "reliability": reliability_table(model.reliability or []),
        "picture": reliability_chart(model.reliability, label) if model.reliability else "",
        "values": value_table(model),
        "values_picture": value_chart(groups, label) if groups else "",
        "values_by_now": _values_by_now(warehouse, model) if groups else [],
        "calibration": _calibration(warehouse, model),
        "importances": importance_sentences(
            model,
            [row["event_name"] for row in named if row["event_name"]],
            [row["property"] for row in named if row["property"]],
        ),
        "left_out": left_out_sentences(model),
        "candidates": candidates_table(model),
        "amounts": amounts_table(model),
        "challenge": challenge_in_words(model),
        "time": time_in_words(model),
        "drift": _drift(warehouse, model),
        "limits": limits(model, horizon_days),
    }


def _window(model: ModelRecord) -> dict[str, str] | None:
    """Return the oldest and newest snapshot; None where nothing was learned from them."""
    metrics = model.metrics or {}
    if "first_as_of_hour" not in metrics:
        return None
    return {
        name: f"{datetime.fromtimestamp(3600 * metrics[f'{name}_as_of_hour'], UTC):%Y-%m-%d %H:%M}"
        for name in ("first", "newest")
    }


def _calibration(warehouse: Warehouse, model: ModelRecord) -> list[dict[str, Any]]:
    """Return the report's rows: of matured scores, and of this model's held-out ones."""
    if not warehouse.has_table("calibration_report"):
        return []
    return warehouse.rows(
        """
        select * from calibration_report
        where prediction = ? and (model_id is null or model_id = ?)
        order by kind desc, property nulls first, value
        """,
        [model.prediction, model.model_id],
    )


def _values_by_now(warehouse: Warehouse, model: ModelRecord) -> list[dict[str, Any]]:
    """Return the report's rows of all users: of matured scores, and of held-out ones."""
    if not warehouse.has_table("value_report"):
        return []
    return warehouse.rows(
        """
        select * from value_report
        where prediction = ? and group_number is null and (model_id is null or model_id = ?)
        order by kind desc
        """,
        [model.prediction, model.model_id],
    )


def _drift(warehouse: Warehouse, model: ModelRecord) -> dict[str, Any]:
    """Return the outcome's rate by snapshot, and the mean of the scores now."""
    rows = warehouse.rows(
        """
        select * from labels_rates
        where prediction = ? order by as_of desc limit 12
        """,
        [model.prediction],
    )
    now: dict[str, Any] = {"n_users": 0, "mean_probability": None, "mean_expected_value": None}
    if warehouse.has_table("predictions"):
        (now,) = warehouse.rows(
            """
            select
                count(*) as n_users, avg(probability) as mean_probability,
                avg(expected_value) as mean_expected_value
            from predictions where prediction = ? and model_id = ?
            """,
            [model.prediction, model.model_id],
        )
    return {"rows": rows, **now}
