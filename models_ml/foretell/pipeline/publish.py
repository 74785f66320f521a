"""A copy of the serving tables for readers, put in place by atomic rename.

While one process writes a DuckDB file no other can read it. BI tools read this copy instead: they
never wait and never see half a run. Storage version v1.0.0: drivers since DuckDB 1.0 can open it.
If little changed since the previous copy, as in an hourly run, its file is copied and only changed
rows are written; these are not sorted until most rows change, as in a daily run.
The score history and, if requested, features are Parquet only (publish_days).
On Spark readers need no copy: the serving tables are views, each replaced at once (serving_table).
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

from foretell.config import project_vars
from foretell.errors import ForetellError
from foretell.machine import bound_database
from foretell.pipeline.publish_days import publish_days, publish_features
from foretell.settings import Settings
from foretell.system.file_modes import restrict
from foretell.warehouse.base import SCHEMA
from foretell.warehouse.duckdb import locked_message

Columns = list[tuple[str, str]]  # name and type
Tables = dict[str, Columns]
# Public tables and their sort order; two that are too large are in publish_days.
PUBLISHED = {
    "predictions": "prediction, percentile desc, user_id",
    "prediction_definitions": "prediction",
    "models": "trained_at",
    "prediction_reasons": "prediction, user_id, place",
    "audiences": "prediction, percentile desc, user_id",
    "prediction_outcomes": "prediction, as_of, user_id",
    "calibration_report": "prediction, kind, property, value",
    "calibration_groups": "all",
    "value_report": "prediction, kind, group_number nulls first",
    "taxonomy": "kind, volume_rank",
    "taxonomy_event_types": "volume_rank",
    "taxonomy_event_properties": "volume_rank",
    "taxonomy_property_values": "volume_rank",
    "taxonomy_user_properties": "property, volume_rank",
    "outcome_relations": "prediction, abs(z_score) desc",
    "labels_rates": "prediction, as_of desc",
    "features": "feature_id",
    "ingest_report": "batch_id",
    "ingest_alarms": "kind",
    "alarms": "is_held_back desc, prediction nulls first, kind",
}
# Columns that are not published: the bytes of models.
HIDDEN = {"models": ("onnx", "holdout_onnx", "explain_model")}
# A copy is updated if at most this share of a table's rows, or this number, differ.
FEW, FEW_ROWS = 0.1, 1_000


@dataclass(frozen=True)
class Published:
    """The place of the published results.

    Attributes:
        database: The DuckDB file of the copy; None if readers query the warehouse itself (Spark).
        parquet: Folder of the copy's Parquet files, and of the model cards.
    """

    database: Path | None
    parquet: Path

    @property
    def place(self) -> str:
        """The place of the tables, for messages."""
        return str(self.database) if self.database else "Spark's metastore"

    def look(self, sql: str) -> str:
        """Return the Python code that shows the rows of a query."""
        if self.database is None:
            return f"spark.sql({sql!r}).show()"
        opened = f"c = duckdb.connect({str(self.database)!r}, read_only=True)"
        return f"{opened}; c.execute('use {SCHEMA}'); c.sql({sql!r}).show()"


def published_paths(settings: Settings) -> Published:
    """Return the place of a warehouse's published results: next to it."""
    stem = settings.warehouse.with_suffix("")
    folder = stem.with_name(f"{stem.name}_published")
    is_copied = settings.target == "duckdb"
    return Published(folder.with_suffix(".duckdb") if is_copied else None, folder)


def publish(settings: Settings) -> Published:
    """Copy the serving tables of the warehouse for readers, unless the engine needs no copy.

    Each file is written under another name and then renamed: readers see the old or the new one.

    Raises:
        ForetellError: If the warehouse is in use by another process, or a table is missing.
    """
    paths = published_paths(settings)
    paths.parquet.mkdir(parents=True, exist_ok=True)
    for path in (paths.parquet, settings.warehouse):
        restrict(path)
    if paths.database is None:
        return paths
    aside = paths.database.with_suffix(f".{os.getpid()}.tmp")
    spill = aside.with_suffix(".spill")
    try:
        with duckdb.connect(config={"temp_directory": str(spill)}) as hub:
            bound_database(hub, spill)
            hub.execute(f"attach {_quoted(settings.warehouse)} as warehouse (read_only)")
            where = settings.location
            read = [f'warehouse."{name}"' for name in (where.schema, where.internal)]
            hub.execute("set search_path = ?", [",".join(dict.fromkeys(read))])
            tables = _tables(hub, where.schema)
            if not _update_copy(hub, tables, paths, aside):
                aside.unlink(missing_ok=True)
                _write_copy(hub, tables, paths, aside)
            publish_days(hub, paths.parquet)
            is_wanted = bool(project_vars(settings.project.dbt_folder).get("publish_features"))
            publish_features(hub, paths.parquet, is_wanted)
    except duckdb.IOException as error:
        raise ForetellError(locked_message(settings.warehouse, str(error))) from error
    else:
        restrict(aside)
        os.replace(aside, paths.database)
    finally:
        aside.unlink(missing_ok=True)
        shutil.rmtree(spill, ignore_errors=True)
    return paths


def _write_copy(
    hub: duckdb.DuckDBPyConnection, tables: Tables, paths: Published, aside: Path
) -> None:
    """Write a new copy of all tables in one transaction, sorted."""
    hub.execute(f"attach {_quoted(aside)} as published (storage_version 'v1.0.0')")
    hub.begin()
    hub.execute(f"create schema published.{SCHEMA}")
    for table, columns in tables.items():
        hub.execute(
            f"create table published.{SCHEMA}.{table} as select {_names(columns)}"
            f" from {table} order by {PUBLISHED[table]}"
        )
        _write_parquet(hub, table, paths.parquet)
    hub.commit()
    hub.execute("detach published")


def _update_copy(
    hub: duckdb.DuckDBPyConnection, tables: Tables, paths: Published, aside: Path
) -> bool:
    """Write changed rows into a duplicate of the previous copy; False if none, or many changed."""
    assert paths.database is not None
    if not _is_complete(hub, paths.database, tables):
        return False
    try:
        few = all(_differs_little(hub, table, columns) for table, columns in tables.items())
    except duckdb.IOException:  # a block of the copy is damaged
        few = False
    hub.execute("detach before")
    if not few:
        return False
    shutil.copyfile(paths.database, aside)
    hub.execute(f"attach {_quoted(aside)} as published")
    hub.begin()
    for table, columns in tables.items():
        copy, place = f"published.{SCHEMA}.{table}", "in (select place from {}_{})"
        gone = hub.execute(f"delete from {copy} where rowid {place.format(table, 'gone')}")
        n_changed = gone.fetchall()[0][0]
        new = hub.execute(
            f"insert into {copy} select {_names(columns)} from {table}"
            f" where rowid {place.format(table, 'new')}"
        )
        n_changed += new.fetchall()[0][0]
        if n_changed or not _parquet(table, paths.parquet).exists():
            _write_parquet(hub, table, paths.parquet)
    hub.commit()
    hub.execute("detach published")
    return True


def _is_complete(hub: duckdb.DuckDBPyConnection, database: Path, tables: Tables) -> bool:
    """Attach the previous copy as `before`; return whether it has the same tables and columns."""
    if not database.exists():
        return False
    try:
        hub.execute(f"attach {_quoted(database)} as before (read_only)")
    except duckdb.Error:  # torn by a full disk, or of a newer DuckDB
        return False
    if _columns(hub, "before") != tables:
        hub.execute("detach before")
        return False
    return True


def _differs_little(hub: duckdb.DuckDBPyConnection, table: str, columns: Columns) -> bool:
    """Find a table's removed and new rows; return whether they are few.

    Rows are compared by a hash of all columns. In tables of ten million rows one changed row in
    some hundred billion has the hash of another one and is missed, until most rows change.
    """
    names = _names(columns)
    for database, rows in (("before", f"before.{SCHEMA}.{table}"), ("warehouse", table)):
        hub.execute(
            f"create or replace temp table {database}_rows as select rowid as place,"
            f" hash({names}) as content from {rows}"
        )
    for kind, own, other in (("gone", "before", "warehouse"), ("new", "warehouse", "before")):
        hub.execute(
            f"create or replace temp table {table}_{kind} as"
            f" select place from {own}_rows anti join {other}_rows using (content)"
        )
    n_before, n_now, n_gone, n_new = (
        hub.execute(f"select count(*) from {name}").fetchall()[0][0]
        for name in ("before_rows", "warehouse_rows", f"{table}_gone", f"{table}_new")
    )
    # The numbers do not add up if there are identical rows, which have the same hash.
    return bool(n_before - n_gone + n_new == n_now and n_gone + n_new <= max(FEW_ROWS, FEW * n_now))


def _tables(hub: duckdb.DuckDBPyConnection, schema: str) -> Tables:
    """Return the tables to copy, each with its published columns."""
    there = _columns(hub, "warehouse", schema)
    for table in PUBLISHED:
        if table not in there:
            raise ForetellError(f"the warehouse has no table {table}: `foretell run` makes it")
    return {table: there[table] for table in PUBLISHED}


def _columns(hub: duckdb.DuckDBPyConnection, database: str, schema: str = SCHEMA) -> Tables:
    """Return the tables of a database, each with its published columns."""
    tables: Tables = {}
    for table, name, kind in hub.execute(
        "select table_name, column_name, data_type from duckdb_columns()"
        " where database_name = ? and schema_name = ? order by table_name, column_index",
        [database, schema],
    ).fetchall():
        if name not in HIDDEN.get(table, ()):
            tables.setdefault(table, []).append((name, kind))
    return tables


def _write_parquet(hub: duckdb.DuckDBPyConnection, table: str, folder: Path) -> None:
    aside = folder / f".{table}.{os.getpid()}.tmp"
    hub.execute(f"copy published.{SCHEMA}.{table} to {_quoted(aside)} (format parquet)")
    restrict(aside)
    os.replace(aside, _parquet(table, folder))


def _parquet(table: str, folder: Path) -> Path:
    return folder / f"{table}.parquet"


def _names(columns: Columns) -> str:
    return ", ".join('"' + name.replace('"', '""') + '"' for name, _ in columns)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
