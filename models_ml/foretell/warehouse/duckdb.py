"""A warehouse in a DuckDB file."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from foretell.errors import ForetellError, InUse
from foretell.machine import bound_database
from foretell.warehouse.base import INTERNAL, SCHEMA, Location, Warehouse


class DuckDBWarehouse(Warehouse):
    """One open DuckDB file. Several threads may use it: one at a time, the others wait."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, schemas: tuple[str, str] = (SCHEMA, INTERNAL)
    ) -> None:
        self._connection = connection
        self._schemas = schemas
        self._alone = threading.RLock()

    def table(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> pa.Table:
        named = isinstance(parameters, Mapping)
        with self._alone:
            found = self._connection.sql(
                sql, params=dict(parameters) if named else list(parameters)
            )
            return found.to_arrow_table()

    def stream(
        self,
        sql: str,
        parameters: Sequence[Any] = (),
        tables: Mapping[str, pa.Table] | None = None,
        batch_rows: int = 250_000,
    ) -> Iterator[pa.RecordBatch]:
        with self._alone:
            cursor = _configured(self._connection.cursor(), self._schemas)
            try:
                for name, table in (tables or {}).items():
                    cursor.register(name, table)
                yield from cursor.sql(sql, params=list(parameters)).to_arrow_reader(batch_rows)
            finally:
                cursor.close()

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> None:
        named = isinstance(parameters, Mapping)
        with self._alone:
            self._connection.execute(sql, dict(parameters) if named else list(parameters))

    def append(self, table: str, rows: pa.Table) -> None:
        with self._alone:
            self._connection.register("appended", rows)
            self._connection.execute(f"insert into {table} by name select * from appended")
            self._connection.unregister("appended")

    def table_names(self) -> set[str]:
        there = "select table_name from information_schema.tables where table_schema in (?, ?)"
        return {row["table_name"] for row in self.rows(there, self._schemas)}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._alone:
            self._connection.begin()
            try:
                yield
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.commit()


@contextmanager
def open_duckdb(where: Location | Path, read_only: bool = False) -> Iterator[DuckDBWarehouse]:
    """Open the file that `dbt build` made.

    Raises:
        ForetellError: If there is no such file or table, or another process has it open.
    """
    where = Location(where) if isinstance(where, Path) else where
    path, schemas = where.path, (where.schema, where.internal)
    if not path.exists():
        raise ForetellError(f"no warehouse at {path}: `foretell run` makes it")
    try:
        connection = duckdb.connect(str(path), read_only=read_only)
    except duckdb.IOException as error:
        kind = InUse if "lock" in str(error) else ForetellError
        raise kind(locked_message(path, str(error))) from error
    try:
        if not connection.execute(
            "select 1 from duckdb_schemas() where schema_name = ? and not internal", [where.schema]
        ).fetchall():
            raise ForetellError(f"{path} has no schema {where.schema}: `foretell run` makes it")
        bound_database(connection, path, share=0.5)  # rows and models in Python take the rest
        yield DuckDBWarehouse(_configured(connection, schemas), schemas)
    finally:
        connection.close()


def _configured(
    connection: duckdb.DuckDBPyConnection, schemas: tuple[str, str]
) -> duckdb.DuckDBPyConnection:
    """Set the existing schemas (with their catalog, which may have the same name) and UTC."""
    there = connection.execute(
        "select database_name, schema_name from duckdb_schemas()"
        " where database_name = current_database() and schema_name in (?, ?) order by schema_name",
        schemas,
    ).fetchall()
    path = ",".join(f"{_quoted(catalog)}.{_quoted(name)}" for catalog, name in there)
    connection.execute("set search_path = ?", [path])
    connection.execute("set TimeZone = 'UTC'")
    return connection


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


def locked_message(path: Path, error: str) -> str:
    """Explain a failure to open the file; one process may write a DuckDB file at a time."""
    if "lock" not in error:
        return f"cannot open the warehouse {path}: {error}"
    return (
        f"the warehouse {path} is in use by another process; wait for it to end, or read the "
        f"published copy beside it, which never blocks"
    )
