"""Where the SQL that people wrote or ran is read from: .sql files, a dbt project, a query log."""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from sqlglot import exp

from foretell.errors import ForetellError
from foretell.sources.events_input import READERS
from foretell.usage.queries import JINJA, Columns, check_dialect
from foretell.warehouse.base import SCHEMA, Warehouse
from foretell.warehouse.duckdb import DuckDBWarehouse

# Successful queries, as Snowflake, BigQuery, Databricks and others call them.
SUCCEEDED = {"", "success", "succeeded", "done", "finished", "completed", "true"}

JINJA_WITHOUT_SQL = [
    (re.compile(r"\{#.*?#\}", re.DOTALL), " "),
    (re.compile(r"\{%-?\s*macro\b.*?\{%-?\s*endmacro\s*-?%\}", re.DOTALL), " "),
    (re.compile(r"\{%-?\s*set\s+\w+\s*-?%\}.*?\{%-?\s*endset\s*-?%\}", re.DOTALL), " "),
    (re.compile(r"\{\{-?\s*config\s*\(.*?\)\s*-?\}\}", re.DOTALL), " "),
    # {{ ',' if not loop.last }}: SQL parsers forgive a comma too many, not one too few
    (re.compile(r"\{\{-?\s*(['\"])(\W*)\1\s+if\b.*?\}\}", re.DOTALL), r"\2"),
]
INNERMOST_IF = re.compile(
    r"\{%-?\s*if\b(?:(?!%\}).)*%\}((?:(?!\{%-?\s*if\b).)*?)\{%-?\s*endif\s*-?%\}", re.DOTALL
)
ELSE = re.compile(r"\{%-?\s*(?:else|elif)\b.*?%\}", re.DOTALL)
JINJA_TAG = re.compile(r"\{%.*?%\}", re.DOTALL)
JINJA_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)


@dataclass(frozen=True)
class Query:
    """One text that somebody wrote or ran.

    Attributes:
        sql: Its text.
        dialect: As sqlglot calls it.
        name: Its place, for people.
        day: When it ran (UTC); None for a file or a model: it holds at any time.
        person: Who ran it, if that is known.
        unused: Why it does not count; empty if it does.
    """

    sql: str
    dialect: str
    name: str
    day: date | None = None
    person: str | None = None
    unused: str = ""


@dataclass(frozen=True)
class Layout:
    """How a system's history names its columns: each a choice, the first that is there counts."""

    dialect: str
    text: tuple[str, ...]
    time: tuple[str, ...]
    person: tuple[str, ...]
    status: tuple[str, ...]
    error: tuple[str, ...]


LAYOUTS = (
    Layout("snowflake", ("query_text",), ("start_time",), ("user_name",), ("execution_status",),
           ("error_code", "error_message")),
    Layout("databricks", ("statement_text",), ("start_time",), ("executed_by",),
           ("execution_status",), ("error_message",)),
    Layout("bigquery", ("query",), ("creation_time",), ("user_email",), ("state",),
           ("error_result",)),
    Layout("duckdb", ("query", "sql", "message"), ("start_time", "timestamp", "time"),
           ("user_name", "user"), ("status", "success"), ("error", "error_message")),
)  # fmt: skip

# What a moment looks like in these exports: ISO text or timestamps, Snowflake's CSV, and BigQuery's
# milliseconds since 1970. Naive times are UTC.
DAY = """
    cast(coalesce(
        try_cast({time} as timestamptz),
        try_strptime({time}, '%Y-%m-%d %H:%M:%S.%g %z'),
        to_timestamp(try_cast({time} as double) / 1000)
    ) at time zone 'UTC' as date)
"""


def read_sources(
    warehouse: Warehouse,
    sql: Path | None,
    log: str | None,
    dbt_project: Path | None,
    dialect: str | None,
    columns: Columns,
) -> dict[str, Iterator[Query]]:
    """Return the queries of each source that is given, by the name under which they are counted.

    Raises:
        ForetellError: If none is given or the dialect is unknown; while reading, what the readers
            below refuse.
    """
    dialect = check_dialect(dialect) if dialect else None
    sources: dict[str, Iterator[Query]] = {}
    if sql:
        sources[f"sql {sql.resolve()}"] = sql_files(sql, dialect or "duckdb")
    if log:
        sources[f"log {log}"] = query_log(warehouse, log, dialect)
    if dbt_project:
        sources[f"dbt {dbt_project.resolve()}"] = dbt_queries(dbt_project, dialect, columns)
    if not sources:
        raise ForetellError("nothing to read: give --sql, --log or --dbt-project (or several)")
    return sources


def sql_files(folder: Path, dialect: str) -> Iterator[Query]:
    """Yield the .sql files of a folder and the folders in it.

    Raises:
        ForetellError: If there is no such folder, or no .sql file in it.
    """
    paths = sorted(folder.rglob("*.sql")) if folder.is_dir() else []
    if not paths:
        what = "holds no .sql file" if folder.is_dir() else "is no folder"
        raise ForetellError(f"--sql {folder} {what}; name a folder of .sql files")
    for path in paths:
        text = path.read_text(encoding="utf-8", errors="replace")
        yield Query(strip_jinja(text), dialect, str(path.relative_to(folder)))


def dbt_queries(folder: Path, dialect: str | None, columns: Columns) -> Iterator[Query]:
    """Yield a dbt project's own models and analyses, and what its exposures ask.

    An exposure asks what its meta holds as `query` (SQL, or a list of it); one of type ml asks for
    what its prediction names.

    Args:
        folder: The project; its manifest.json is in it or in its folder `target`.
        dialect: Of the project's SQL; None: as its adapter.
        columns: What predictions' SQL is written with.

    Raises:
        ForetellError: If there is no manifest, or no dialect is known for the adapter.
    """
    manifest = _manifest(folder)
    facts = manifest["metadata"]
    dialect = dialect or check_dialect(facts["adapter_type"])
    for node in _own(manifest["nodes"], facts["project_name"]):
        is_query = node["resource_type"] in ("model", "analysis", "analyses")
        if is_query and node.get("language", "sql") == "sql":
            sql = node.get("compiled_code") or strip_jinja(node.get("raw_code") or "")
            yield Query(sql, dialect, node["name"])
    for node in _own(manifest["exposures"], facts["project_name"]):
        meta = {**(node.get("meta") or {}), **((node.get("config") or {}).get("meta") or {})}
        texts = meta.get("query") or []
        for text in [texts] if isinstance(texts, str) else texts:
            yield Query(str(text), dialect, f"exposure {node['name']}")
        if isinstance(meta.get("prediction"), dict):
            statements = prediction_sql(meta["prediction"], columns)
            sql = "; ".join(each.sql(dialect) for each in statements)
            yield Query(sql, dialect, f"exposure {node['name']}")


def prediction_sql(prediction: Mapping[str, Any], columns: Columns) -> list[exp.Select]:
    """Return a definition (docs/definitions.md) as queries, one per condition."""
    conditions = [*(prediction.get("cohort") or []), prediction.get("outcome")]
    return [_condition_sql(each, columns) for each in conditions if isinstance(each, dict)]


def query_log(warehouse: Warehouse, path: str, dialect: str | None) -> Iterator[Query]:
    """Yield the rows of a query log, as Snowflake, BigQuery, Databricks or DuckDB export it.

    Args:
        warehouse: Reads the file, or holds the table.
        path: File or glob of Parquet, NDJSON or CSV; or a table of the warehouse, e.g. raw.history.
        dialect: Of the queries; None: decided by the columns.

    Raises:
        ForetellError: If it cannot be read, or its columns are of none of these systems.
    """
    relation, parameters = _log_relation(path)
    if warehouse.has_executors:  # a log is read by DuckDB's functions
        warehouse = _reader_of_files(path, bool(parameters))
    try:
        described = warehouse.rows(f"from (describe select * from {relation})", parameters)
    except duckdb.Error as error:
        raise ForetellError(f"cannot read --log {path}: {str(error).splitlines()[0]}") from error
    present = {row["column_name"].lower(): row["column_name"] for row in described}
    layout = next(
        (e for e in LAYOUTS if _chosen(e.text, present) and _chosen(e.time, present)), None
    )
    if layout is None:
        expected = "; ".join(f"{e.dialect}: {e.text[0]}, {e.time[0]}" for e in LAYOUTS)
        raise ForetellError(
            f"--log {path} has the columns {', '.join(present.values())}; a log needs the text and "
            f"the time of its queries, named as one of these systems does: {expected}"
        )
    sql = f"""
        select
            {_text(layout.text, present)} as sql,
            {DAY.format(time=_text(layout.time, present))} as day,
            {_text(layout.person, present)} as person,
            {_text(layout.status, present)} as status,
            {_text(layout.error, present, "cast(to_json({}) as varchar)")} as error
        from {relation}
    """
    n_rows = 0
    for batch in warehouse.stream(sql, parameters, batch_rows=10_000):
        for row in batch.to_pylist():
            n_rows += 1
            yield Query(
                row["sql"] or "",
                dialect or layout.dialect,
                f"row {n_rows} of {path}",
                row["day"],
                row["person"],
                _why_unused(row),
            )


def strip_jinja(sql: str) -> str:
    """Return SQL that a parser can read, of a template that cannot be rendered here.

    Comments and control tags go, of an `if` the first branch stays, a loop is walked once, and an
    expression becomes JINJA.
    """
    for tags, kept in JINJA_WITHOUT_SQL:
        sql = tags.sub(kept, sql)
    n_found = 1
    while n_found:
        sql, n_found = INNERMOST_IF.subn(_first_branch, sql)
    return JINJA_EXPRESSION.sub(JINJA, JINJA_TAG.sub(" ", sql))


def _first_branch(match: re.Match[str]) -> str:
    return ELSE.split(match[1], maxsplit=1)[0]


def _manifest(folder: Path) -> dict[str, Any]:
    for path in (folder / "target/manifest.json", folder / "manifest.json"):
        if path.is_file():
            try:
                manifest = json.loads(path.read_text(encoding="utf-8"))
                return {name: manifest[name] for name in ("metadata", "nodes", "exposures")}
            except (ValueError, KeyError, TypeError) as error:
                raise ForetellError(f"{path} is no dbt manifest; run `dbt compile`") from error
    raise ForetellError(f"--dbt-project {folder}: no target/manifest.json; run `dbt compile` there")


def _own(nodes: Mapping[str, dict[str, Any]], project: str) -> Iterable[dict[str, Any]]:
    return (node for node in nodes.values() if node["package_name"] == project)


def _condition_sql(condition: Mapping[str, Any], columns: Columns) -> exp.Select:
    """Return `select 1, event_properties['category'] from events where event_name in ('order')`."""
    keys = [(columns.event_properties, key) for key in condition.get("where") or {}]
    keys += [(columns.event_properties, key) for key in [condition.get("sum_of")] if key]
    keys += [(columns.user_properties, key) for key in condition.get("user") or {}]
    select = exp.select("1").from_("events")
    for column, key in keys:
        path = exp.Literal.string(str(key))
        select = select.select(
            exp.Bracket(this=exp.column(column, quoted=True), expressions=[path])
        )
    event = condition.get("event")
    names = [name for name in (event if isinstance(event, list) else [event]) if name]
    if not names or names == ["any"]:
        return select
    return select.where(exp.column(columns.event_name, quoted=True).isin(*map(str, names)))


def _reader_of_files(path: str, is_file: bool) -> Warehouse:
    """Return an empty warehouse that reads files."""
    if not is_file:
        raise ForetellError(f"--log {path}: on Spark a log must be a file; export that table first")
    connection = duckdb.connect()
    connection.execute(f"create schema {SCHEMA}")
    return DuckDBWarehouse(connection)


def _log_relation(path: str) -> tuple[str, list[str]]:
    """Return what to select from, and the parameters in it."""
    suffix = Path(path.lower().removesuffix(".gz").removesuffix(".zst")).suffix
    if suffix in READERS:
        if "://" not in path and not glob.glob(path, recursive=True):
            raise ForetellError(f"--log {path}: no such file")
        return READERS[suffix], [path]
    if not re.fullmatch(r"\w+(\.\w+){0,2}", path):
        endings = ", ".join(READERS)
        raise ForetellError(
            f"--log {path} is neither a file ending in {endings} (also .gz) nor the name of a "
            "table of the warehouse, e.g. raw.query_history"
        )
    return ".".join(f'"{part}"' for part in path.split(".")), []


def _chosen(names: tuple[str, ...], present: Mapping[str, str]) -> str | None:
    return next((present[name] for name in names if name in present), None)


def _text(
    names: tuple[str, ...], present: Mapping[str, str], to: str = "cast({} as varchar)"
) -> str:
    """Return SQL for the first of the columns that is there, as text; NULL if none is."""
    column = _chosen(names, present)
    quoted = (column or "").replace('"', '""')
    return to.format(f'"{quoted}"') if column else "cast(null as varchar)"


def _why_unused(row: Mapping[str, Any]) -> str:
    if not (row["sql"] or "").strip():
        return "no query text"
    error = json.loads(row["error"] or "null")  # text, or a record whose fields may all be empty
    if any(error.values()) if isinstance(error, dict) else error:
        return "it failed"
    if (row["status"] or "").strip().lower() not in SUCCEEDED:
        return f"status {row['status']}"
    return "" if row["day"] else "no readable time"
