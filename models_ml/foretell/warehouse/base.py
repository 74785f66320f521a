"""The interface of a warehouse: SQL in, Arrow out; one implementation per engine.

SQL is written for DuckDB; implementations for other engines translate it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

SCHEMA = "foretell"  # tables that people may rely on
INTERNAL = "foretell_internal"  # all others


@dataclass(frozen=True)
class Location:
    """Where the tables of a warehouse are.

    Attributes:
        path: The DuckDB file; on Spark the folder of a local warehouse.
        engine: duckdb or spark.
        schema: Of the tables that people may rely on.
        internal: The schema of all others; may be the same.
        spark_settings: Of the session, from a profile; empty: those of Foretell's own.
    """

    path: Path
    engine: str = "duckdb"
    schema: str = SCHEMA
    internal: str = INTERNAL
    spark_settings: Mapping[str, str] = field(default_factory=dict)


class Warehouse(ABC):
    """One open warehouse. Use open_warehouse (foretell.warehouse.open).

    Tables are named without a schema: they are searched in `foretell`, then `foretell_internal`.
    """

    has_executors = False  # True: rows are on other machines, and scoring runs there (spark_score)

    @abstractmethod
    def table(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> pa.Table:
        """Run a query and return the whole result as an Arrow table.

        Args:
            sql: The query.
            parameters: Values of its question marks, or of $name; times are naive UTC, here and in
                the result.
        """

    def rows(
        self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
    ) -> list[dict[str, Any]]:
        """Run a query with a small result and return its rows as dictionaries."""
        rows: list[dict[str, Any]] = self.table(sql, parameters).to_pylist()
        return rows

    @abstractmethod
    def stream(
        self,
        sql: str,
        parameters: Sequence[Any] = (),
        tables: Mapping[str, pa.Table] | None = None,
        batch_rows: int = 250_000,
    ) -> Iterator[pa.RecordBatch]:
        """Run a query and yield its result in Arrow batches, in order.

        Args:
            sql: The query.
            parameters: Values of its question marks.
            tables: Arrow tables that it may read, by name.
            batch_rows: Largest batch.
        """

    @abstractmethod
    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> None:
        """Run a statement; its parameters are question marks, or written $name."""

    @abstractmethod
    def append(self, table: str, rows: pa.Table) -> None:
        """Append an Arrow table to a table of the same column names."""

    @abstractmethod
    def table_names(self) -> set[str]:
        """Return the names of all tables and views of both schemas."""

    def has_table(self, name: str) -> bool:
        """Return whether there is a table or view of this name."""
        return name in self.table_names()

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Commit at the end and roll back on failure, if the engine supports it."""
