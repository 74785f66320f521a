"""A copy of the serving tables for readers, put in place by atomic rename.

DuckDB lets one process write a file and then nobody read it; BI tools read this copy instead, never
block and never see half a run. Storage version v1.0.0, so that drivers since DuckDB 1.0 open it.
On Spark readers need no copy: the serving tables are views put in place at once (serving_table).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import duckdb

from models_ml.duckdb_warehouse import locked_message
from models_ml.errors import ForetellError
from models_ml.settings import Settings
from models_ml.warehouse import SCHEMA

# Table -> what readers get. The ONNX bytes stay in the warehouse.
PUBLISHED = {
    "predictions": "select * from {source} order by prediction, percentile desc, user_id",
    "prediction_definitions": "select * from {source}",
    "models": "select * exclude (onnx, judge_onnx, explain_model) from {source}"
    " order by trained_at",
    "prediction_reasons": "select * from {source} order by prediction, user_id, place",
    "audiences": "select * from {source}",
    "prediction_outcomes": "select * from {source}",
    "calibration_report": "select * from {source} order by prediction, kind, property, value",
    "calibration_groups": "select * from {source} order by all",
    "value_report": "select * from {source} order by prediction, kind, group_number nulls first",
    "taxonomy": "select * from {source} order by kind, volume_rank",
    "taxonomy_event_types": "select * from {source} order by volume_rank",
    "taxonomy_event_properties": "select * from {source} order by volume_rank",
    "taxonomy_property_values": "select * from {source} order by volume_rank",
    "taxonomy_user_properties": "select * from {source} order by property, volume_rank",
    "outcome_relations": "select * from {source} order by prediction, abs(z_score) desc",
    "labels_rates": "select * from {source} order by prediction, as_of desc",
    "features": "select * from {source} order by feature_id",
    "ingest_report": "select * from {source} order by batch_id",
}
# New in 0.2: after an upgrade it is there from the first daily build on.
BUILT_DAILY = ("value_report",)


@dataclass(frozen=True)
class Published:
    """Where readers find the results.

    Attributes:
        database: The DuckDB file of the copy; None if readers ask the warehouse itself (Spark).
        parquet: Folder of the copy's Parquet files, and of the model cards.
    """

    database: Path | None
    parquet: Path

    @property
    def place(self) -> str:
        """Where the tables are, in words."""
        return str(self.database) if self.database else "Spark's metastore"

    def look(self, sql: str) -> str:
        """Return what to type in Python to see the rows of a query."""
        if self.database is None:
            return f"spark.sql({sql!r}).show()"
        return f"duckdb.connect({str(self.database)!r}, read_only=True).sql({sql!r}).show()"


def published_paths(settings: Settings) -> Published:
    """Return where the results of a warehouse are: beside it."""
    stem = settings.warehouse.with_suffix("")
    folder = stem.with_name(f"{stem.name}_published")
    is_copied = settings.target == "duckdb"
    return Published(folder.with_suffix(".duckdb") if is_copied else None, folder)


def publish(settings: Settings) -> Published:
    """Copy the serving tables of the warehouse for readers, where they need a copy.

    Each file is written aside and renamed into place: a reader sees the old one or the new one.

    Raises:
        ForetellError: If the warehouse is in use by another process.
    """
    paths = published_paths(settings)
    paths.parquet.mkdir(parents=True, exist_ok=True)
    if paths.database is None:
        return paths
    aside = paths.database.with_suffix(f".{os.getpid()}.tmp")
    aside.unlink(missing_ok=True)
    try:
        with duckdb.connect() as hub:
            hub.execute(f"attach {_quoted(settings.warehouse)} as warehouse (read_only)")
            hub.execute(f"attach {_quoted(aside)} as published (storage_version 'v1.0.0')")
            _copy(hub, paths.parquet)
            hub.execute("detach published")
    except duckdb.IOException as error:
        raise ForetellError(locked_message(settings.warehouse, str(error))) from error
    else:
        os.replace(aside, paths.database)
    finally:
        aside.unlink(missing_ok=True)
    return paths


def _copy(hub: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Fill the attached database in one transaction, and one Parquet file per table."""
    hub.begin()
    hub.execute(f"create schema published.{SCHEMA}")
    for table, query in PUBLISHED.items():
        if table in BUILT_DAILY and not _has_table(hub, table):
            continue
        rows = query.format(source=f"warehouse.{SCHEMA}.{table}")
        hub.execute(f"create table published.{SCHEMA}.{table} as {rows}")
        aside = folder / f".{table}.{os.getpid()}.tmp"
        hub.execute(f"copy published.{SCHEMA}.{table} to {_quoted(aside)} (format parquet)")
        os.replace(aside, folder / f"{table}.parquet")
    hub.commit()


def _has_table(hub: duckdb.DuckDBPyConnection, table: str) -> bool:
    found = hub.execute(
        "select count(*) from duckdb_tables()"
        " where database_name = 'warehouse' and schema_name = ? and table_name = ?",
        [SCHEMA, table],
    ).fetchall()
    return bool(found[0][0])


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
