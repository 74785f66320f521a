"""A warehouse on Apache Spark: tables in its metastore, work on its executors.

The session has the settings of dbt (profiles.yml), or is the server of SPARK_REMOTE (Spark Connect).
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml
from jinja2 import Template
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from foretell.errors import ForetellError
from foretell.project import PACKAGE
from foretell.warehouse.spark_server import check_server
from foretell.warehouse.spark_sql import changed_table, remaining_rows, translated
from foretell.warehouse.base import Location, Warehouse

BUILDING = (
    "__building"  # suffix of a table until it replaces another (macros/warehouse/tables)
)


class SparkWarehouse(Warehouse):
    """One Spark session in the internal schema; the public tables are read through temporary views."""

    has_executors = True

    def __init__(self, session: SparkSession, where: Location) -> None:
        self.session = session
        self._schema, self._internal = where.schema, where.internal
        session.sql(f"use {self._internal}")
        self._public = set(self._names(self._schema))
        for name in self._public:  # Spark knows no search path
            session.sql(
                f"create or replace temporary view {name} as select * from {self._schema}.{name}"
            )

    def table(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> pa.Table:
        return _naive(self._query(translated(sql), parameters).toArrow())

    def stream(
        self,
        sql: str,
        parameters: Sequence[Any] = (),
        tables: Mapping[str, pa.Table] | None = None,
        batch_rows: int = 250_000,
    ) -> Iterator[pa.RecordBatch]:
        for name, rows in (tables or {}).items():
            self.session.createDataFrame(rows).createOrReplaceTempView(name)
        try:
            yield from self.table(sql, parameters).to_batches(max_chunksize=batch_rows)
        finally:
            for name in tables or {}:
                self.session.catalog.dropTempView(name)

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> None:
        if changed := changed_table(sql):
            kept = remaining_rows(sql, self.session.table(changed).columns)
            self.replace(self._path(changed), self._query(kept, parameters))
        else:
            self._query(translated(sql, self._path), parameters)

    def append(self, table: str, rows: pa.Table) -> None:
        self.session.createDataFrame(rows).createOrReplaceTempView("appended")
        self.session.sql(f"insert into {self._path(table)} by name select * from appended")
        self.session.catalog.dropTempView("appended")

    def replace(self, table: str, rows: DataFrame) -> None:
        """Replace a table by rows that may have been read from it.

        The rows are written to another table first. If this is stopped between drop and rename, no
        row is lost: the next build finds that table (macro recovered_table).
        """
        self.fill(table + BUILDING, rows)
        self.session.sql(f"drop table {table}")
        self.session.sql(f"alter table {table}{BUILDING} rename to {table}")

    def fill(self, table: str, rows: DataFrame) -> None:
        """Make a table of rows; an existing one of that name is dropped.

        The table is created empty, then filled: an interrupted `saveAsTable` would leave files
        without a table, and Spark refuses a name whose folder has files.
        """
        self.session.sql(f"drop table if exists {table}")
        columns = ", ".join(f"`{f.name}` {f.dataType.simpleString()}" for f in rows.schema)
        self.session.sql(f"create table {table} ({columns}) using parquet")
        rows.write.insertInto(table)

    def table_names(self) -> set[str]:
        return self._public | set(self._names(self._internal))

    def has_table(self, name: str) -> bool:  # cheaper than all names
        return name in self._public or bool(
            self.session.catalog.tableExists(f"{self._internal}.{name}")
        )

    def _names(self, schema: str) -> list[str]:
        rows = self.session.sql(f"show tables in {schema}").collect()
        # What a serving table shows lies in tables of its own (macro serving_table), which come and go.
        names = [row["tableName"] for row in rows if not row["isTemporary"]]
        return [name for name in names if "__20" not in name]

    def _path(self, table: str) -> str:
        """Return the qualified name of a table, for writing."""
        return f"{self._schema if table in self._public else self._internal}.{table}"

    def transaction(self) -> AbstractContextManager[None]:
        """No transaction, as plain files have none: each statement commits alone and can be repeated."""
        return nullcontext()

    def _query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> DataFrame:
        if isinstance(parameters, Mapping):
            return self.session.sql(sql, {name: _aware(v) for name, v in parameters.items()})
        return self.session.sql(sql, [_aware(value) for value in parameters])


@contextmanager
def open_spark(where: Location) -> Iterator[SparkWarehouse]:
    """Open the warehouse that `dbt build` made.

    One process at a time can use a local metastore, so it is released at the end.

    Args:
        where: The folder of a local warehouse, and the schemas.

    Raises:
        ForetellError: If there is none, another process has it open, or the server does not answer.
    """
    check_server()
    folder = where.path
    is_remote = bool(os.environ.get("SPARK_REMOTE"))
    settings = where.spark_settings or session_settings(
        folder, "spark_connect" if is_remote else "spark"
    )
    is_local = settings.get("spark.master", "").startswith("local")
    if is_local and not (folder / "metastore").exists():
        raise ForetellError(f"no warehouse at {folder}: `foretell run` makes it")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # executors need the same packages
    builder = SparkSession.builder
    for name, value in settings.items():
        builder = builder.config(name, value)
    with warnings.catch_warnings():
        # about a setting that Spark deprecates, which makes string literals mean what they say
        warnings.filterwarnings("ignore", "The SQL config 'spark.sql.parser.escaped", UserWarning)
        session = (builder if is_remote else builder.enableHiveSupport()).getOrCreate()
    try:
        try:
            is_there = session.catalog.databaseExists(where.internal)
        except PySparkException as error:
            raise ForetellError(_locked_message(folder, str(error))) from error
        if not is_there:
            raise ForetellError(f"{folder} has no schema {where.schema}: `foretell run` makes it")
        yield SparkWarehouse(session, where)
    finally:
        session.stop()
        if not is_remote:
            _end_java()


def session_settings(folder: Path, target: str = "spark") -> dict[str, str]:
    """Return the settings of the session from profiles.yml, so dbt and Python see the same tables.

    Args:
        folder: Of a local warehouse.
        target: Of profiles.yml: spark, or spark_connect, where the server has the other settings.
    """
    profiles = yaml.safe_load((PACKAGE / "profiles.yml").read_text())
    environment = {**os.environ, "FORETELL_WAREHOUSE": str(folder)}
    return {
        name: Template(value).render(env_var=environment.get)
        for name, value in profiles["foretell"]["outputs"][target]["server_side_parameters"].items()
    }


def _aware(value: Any) -> Any:
    """Return a parameter for Spark, which reads a naive time in the zone of this machine."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and not value.tzinfo else value


def _naive(table: pa.Table) -> pa.Table:
    """Return a table in the types of DuckDB: naive times (UTC), all columns nullable."""
    fields = []
    for field in table.schema:
        is_time = pa.types.is_timestamp(field.type)
        fields.append(pa.field(field.name, pa.timestamp("us") if is_time else field.type))
    return table.cast(pa.schema(fields))


def _locked_message(folder: Path, error: str) -> str:
    if "XSDB6" not in error:
        return f"cannot open the warehouse {folder}: {error.splitlines()[0]}"
    return f"the warehouse {folder} is in use by another process; wait for it to end"


def _end_java() -> None:
    """End the JVM of the session, which releases the local metastore for dbt.

    PySpark has no public call that ends the JVM before the process ends; its own tests do the same.
    """
    from pyspark import SparkContext

    gateway = SparkContext._gateway
    if gateway is None:
        return
    gateway.shutdown()
    java = gateway.proc  # it ends when its input is closed
    java.stdin.close()
    java.wait()
    SparkContext._gateway = SparkContext._jvm = None
