"""Tables for people: the result of a run, and the state of the warehouse."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from foretell.alarms.alarms import Alarm, current_alarms
from foretell.pipeline.publish import Published
from foretell.report.fitted_table import Column, FittedTable
from foretell.warehouse.base import SCHEMA, Warehouse

if TYPE_CHECKING:  # it brings a SQL parser, which only `foretell usage` needs
    from foretell.usage.counts import UsageCounts

STALE = timedelta(days=2)  # scores are made once a day; one run may be missed
SUMMARY = """
    select
        definitions.prediction,
        definitions.label,
        scores.n_users,
        scores.mean_expected_value,
        scores.newest_as_of,
        scores.oldest_as_of,
        cohort.n_cohort,
        models.status,
        models.reason,
        models.candidate,
        models.calibration,
        models.metrics,
        models.trained_at
    from prediction_definitions as definitions
    left join (
        select models.* exclude (status),
            case when champions.model_id is null then models.status else 'champion' end as status
        from models
        left join champions on models.model_id = champions.model_id
        qualify row_number() over (
            partition by models.prediction
            order by champions.model_id is null, models.as_of desc, models.trained_at desc
        ) = 1
    ) as models
        on definitions.prediction = models.prediction
        and definitions.definition_hash = models.definition_hash
    left join (
        select
            prediction, count(*) as n_users, avg(expected_value) as mean_expected_value,
            max(as_of) as newest_as_of, min(as_of) as oldest_as_of
        from predictions group by prediction
    ) as scores
        on definitions.prediction = scores.prediction
    left join (
        select prediction, count(*) as n_cohort from scoring_rows group by prediction
    ) as cohort
        on definitions.prediction = cohort.prediction
    order by definitions.prediction
"""

COLUMNS = (
    Column("prediction", is_text=True),
    Column("as of (UTC)"),
    Column("users"),
    Column("base rate", rank=2),
    Column("AUROC", rank=1),
    Column("95 % interval", rank=4),
    Column("log loss", rank=5),
    Column("of base rate", rank=6),
    Column("calibration error", rank=7),
    Column("model", rank=3, is_text=True),
)


def own_command() -> str:
    """Return how this command can be typed: its name, or its path where it is not on PATH."""
    typed = Path(sys.argv[0])
    is_ours = typed.name == "foretell" and not shutil.which("foretell")
    return shlex.quote(str(typed)) if is_ours else "foretell"


def summary(warehouse: Warehouse, published: Published) -> RenderableType:
    """Return the result of a run: sizes, quality, where the table is.

    Quality figures are of users and weeks that the model never saw (foretell.learn.metrics).
    """
    (now,) = warehouse.rows("select as_of from stg_as_of") or [{"as_of": None}]
    table = FittedTable(f"Predictions; events up to {now['as_of']} UTC", COLUMNS)
    alarms = current_alarms(warehouse)
    held = {alarm.prediction for alarm in alarms if alarm.is_held_back}
    rows = warehouse.rows(SUMMARY)
    for row in rows:
        model = "held back, see below" if row["prediction"] in held else _model(row)
        table.add_row(row["prediction"], _moment(row), _coverage(row), *_quality(row), model)
    waiting = [
        f"{row['prediction']}: {row['status'] or 'not trained'}, {row['reason']}"
        for row in rows
        if row["reason"] and row["status"] != "champion" and row["prediction"] not in held
    ]
    values = _values(warehouse)
    lines = [f"\nTable    {SCHEMA}.predictions in {published.place}"]
    if published.database:
        lines.append(f"Parquet  {published.parquet}/predictions.parquet")
    lines.append(f"Look     {own_command()} show")
    return Group(
        table,
        *([values] if values.row_count else []),
        *alarm_lines(alarms),
        *(Text(line, style="yellow") for line in waiting),
        *(Text(line, style="yellow") for line in stale_predictions(rows, now["as_of"])),
        Text(
            "Measured on users and weeks not used for training; [ ] is a 95 % interval. "
            "log loss: lower is better; of base rate: the same if all users get the base rate.",
            style="dim",
        ),
        *(Text(line) for line in lines),
    )


def alarm_lines(alarms: Sequence[Alarm]) -> list[Text]:
    """Return what was held back and what is doubtful, a line each under a heading; or nothing."""
    lines = []
    for is_held_back, heading, style in ((True, "Held back", "red"), (False, "Warnings", "yellow")):
        found = [alarm for alarm in alarms if alarm.is_held_back == is_held_back]
        if found:
            lines.append(Text(f"\n{heading}", style=f"bold {style}"))
        lines += [
            Text(f"- {f'{alarm.prediction}: ' if alarm.prediction else ''}{alarm.message}.")
            for alarm in found
        ]
    return lines


def stale_predictions(rows: Sequence[dict[str, Any]], now: datetime | None) -> list[str]:
    """Return a sentence for each prediction whose newest scores are older than the others are.

    Args:
        rows: Of the query SUMMARY.
        now: The hour that counted as now in the newest run.
    """
    return [
        f"{row['prediction']}: its scores are as of {row['newest_as_of']:%Y-%m-%d %H:%M}, "
        f"{(now - row['newest_as_of']).days:,} days before now, and {_coverage(row)} users have "
        "one: `foretell run` brings it up to date"
        for row in rows
        if now and row["newest_as_of"] and now - row["newest_as_of"] > STALE
    ]


def _moment(row: dict[str, Any]) -> str:
    """Return as of when a prediction's newest scores are, and its oldest if much older."""
    newest, oldest = row["newest_as_of"], row["oldest_as_of"]
    if newest is None:
        return ""
    since = f" (oldest {oldest:%Y-%m-%d})" if newest - oldest > STALE else ""
    return f"{newest:%Y-%m-%d %H:%M}{since}"


def _coverage(row: dict[str, Any]) -> str:
    """Return how many users of the starting cohort now have a score."""
    n_users, n_cohort = row["n_users"] or 0, row["n_cohort"] or 0
    return f"{n_users:,}" if n_users == n_cohort else f"{n_users:,} of {n_cohort:,}"


def _values(warehouse: Warehouse) -> Table:
    """Return the expected values of value predictions and their measured quality."""
    table = Table(title="Expected values", title_justify="left")
    for heading in (
        "prediction",
        "expected per user",
        "of all users",
        "expected / observed",
        "error per user",
        "of the mean value",
        "value model",
    ):
        is_text = heading in ("prediction", "value model")
        table.add_column(heading, justify="left" if is_text else "right")
    for row in warehouse.rows(SUMMARY):
        metrics = _metrics(row)
        value, mean = metrics.get("value"), row["mean_expected_value"]
        if value is None or mean is None:
            continue
        error, usual = value["mean_absolute_error"], value["mean_absolute_error_usual"]
        table.add_row(
            row["prediction"],
            f"{mean:,.4g}",
            f"{mean * row['n_users']:,.0f}",
            _with_interval(value["total_ratio"]),
            f"{error['value']:,.4g}" if error["value"] is not None else "",
            f"{usual['value']:,.4g}" if usual["value"] is not None else "",
            value["candidate"],
        )
    return table


def usage_summary(counts: Sequence[UsageCounts], top: Sequence[dict[str, Any]]) -> RenderableType:
    """Return what `foretell usage` read and could not read, and the most queried properties."""
    table = Table(title="Queries read", title_justify="left")
    for heading in ("source", "queries", "parsed", "not of events", "not counted", "unparsed"):
        table.add_column(heading, justify="left" if heading == "source" else "right")
    notes = []
    for each in counts:
        numbers = (each.n_parsed, each.n_elsewhere, each.unused.total(), len(each.unparsed))
        table.add_row(Text(each.source), f"{each.n_queries:,}", *(f"{n:,}" for n in numbers))
        notes += [f"not counted: {n:,} x {why}" for why, n in each.unused.most_common(5)]
        notes += [f"unparsed: {name}: {why}" for name, why in each.unparsed[:5]]
    most = [f"{e['n_queries']:>8,}  {e['property']} ({e['kind']})" for e in top]
    heading = f"\nMost queried (n_queries in {SCHEMA}.event_property_usage, all sources)"
    return Group(table, Text("\n".join(notes), style="dim"), Text("\n".join([heading, *most])))


def _quality(row: dict[str, Any]) -> list[str]:
    metrics = _metrics(row)
    base_rate = metrics.get("base_rate")
    return [
        f"{base_rate:.2%}" if base_rate is not None else "",
        *_auroc(metrics.get("auroc")),
        _number(metrics.get("log_loss")),
        _number(metrics.get("log_loss_base_rate")),
        _number(metrics.get("expected_calibration_error")),
    ]


def _metrics(row: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of a model; none if its row is torn, which an alarm says."""
    try:
        metrics = json.loads(row["metrics"] or "{}")
    except ValueError:
        return {}
    return metrics if isinstance(metrics, dict) else {}


def _model(row: dict[str, Any]) -> str:
    if row["status"] == "champion":
        return f"{row['candidate']}, {row['calibration']} calibration"
    return f"{row['status'] or 'not trained'}{', see below' if row['reason'] else ''}"


def _number(metric: dict[str, Any] | None) -> str:
    return f"{metric['value']:.4f}" if metric and metric["value"] is not None else ""


def _auroc(metric: dict[str, Any] | None) -> tuple[str, str]:
    """Return the value and its interval."""
    value, _, interval = _with_interval(metric).partition(" ")
    return value, interval.strip("[]").replace(", ", " to ")


def _with_interval(metric: dict[str, Any] | None) -> str:
    if not metric or metric["value"] is None:
        return ""
    return f"{metric['value']:.3f} [{metric['low']:.3f}, {metric['high']:.3f}]"
