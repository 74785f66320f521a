"""The users most likely to do it, for the terminal: `foretell show`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
from rich.table import Table
from rich.text import Text

from foretell.errors import ForetellError
from foretell.pipeline.publish import Published, published_paths
from foretell.settings import Settings
from foretell.warehouse.base import SCHEMA
from foretell.warehouse.open import open_warehouse

COLUMNS = "prediction, user_id, probability, expected_value, percentile, as_of"
NEWEST = """
    select {columns} from {table}
    where prediction = {prediction}
    order by percentile desc, user_id
    limit {top}
"""
NAMES = "select distinct prediction from {table} order by prediction"


def read_scores(settings: Settings, prediction: str | None, top: int) -> list[dict[str, Any]]:
    """Return the top users of one prediction, or of each.

    They are read from the published copy, which a run never blocks; on Spark, which has none, from
    the warehouse.

    Args:
        settings: Where the warehouse is.
        prediction: Its name; None: every prediction.
        top: Users per prediction.

    Raises:
        ForetellError: If nothing is published yet, or there is no such prediction.
    """
    paths = published_paths(settings)
    names = [row["prediction"] for row in _rows(settings, paths, NAMES, {})]
    if prediction is not None and prediction not in names:
        raise ForetellError(f'no scores of "{prediction}"; there are some of {", ".join(names)}')
    found: list[dict[str, Any]] = []
    for name in [prediction] if prediction is not None else names:
        found += _rows(settings, paths, NEWEST, {"prediction": name, "top": top})
    return found


def _rows(
    settings: Settings, paths: Published, sql: str, parameters: Mapping[str, Any]
) -> list[dict[str, Any]]:
    named = {name: f"${name}" for name in parameters}
    if paths.database is None:
        with open_warehouse(settings.location, read_only=True) as warehouse:
            query = sql.format(columns=COLUMNS, table="predictions", **named)
            return warehouse.rows(query, parameters)
    if not paths.database.exists():
        raise ForetellError(f"nothing is published yet at {paths.database}: `foretell run` does it")
    with duckdb.connect(str(paths.database), read_only=True) as copy:
        query = sql.format(columns=COLUMNS, table=f"{SCHEMA}.predictions", **named)
        rows: list[dict[str, Any]] = (
            copy.sql(query, params=dict(parameters)).to_arrow_table().to_pylist()
        )
        return rows


def scores_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return scores as a table; an id may be any text, and is shown as it is."""
    has_values = any(row["expected_value"] is not None for row in rows)
    table = Table(show_lines=False)
    table.add_column("prediction", overflow="fold")
    table.add_column("user", overflow="fold")
    table.add_column("probability", justify="right")
    if has_values:
        table.add_column("expected value", justify="right")
    table.add_column("percentile", justify="right")
    table.add_column("as of (UTC)")
    before = None
    for row in rows:
        if before not in (None, row["prediction"]):
            table.add_section()
        before = row["prediction"]
        value = row["expected_value"]
        table.add_row(
            Text(row["prediction"]),
            Text(row["user_id"]),
            f"{row['probability']:.1%}",
            *([f"{value:,.2f}" if value is not None else ""] if has_values else []),
            f"{row['percentile']:.1f}",
            f"{row['as_of']:%Y-%m-%d %H:%M}",
        )
    return table


def scores_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return scores as a JSON list, times in ISO format (UTC)."""
    plain = [{**row, "as_of": row["as_of"].isoformat()} for row in rows]
    return json.dumps(plain, indent=2, ensure_ascii=False)
