"""Opens a warehouse on its engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foretell.warehouse.base import Location, Warehouse
from foretell.warehouse.duckdb import open_duckdb


@contextmanager
def open_warehouse(where: Location | Path, read_only: bool = False) -> Iterator[Warehouse]:
    """Open the warehouse that `dbt build` made.

    Args:
        where: Its place; of a path alone the engine is that of FORETELL_TARGET.
        read_only: True if nothing is written.

    Raises:
        ForetellError: If there is none, or another process has it open.
    """
    if isinstance(where, Path):
        where = Location(where, os.environ.get("FORETELL_TARGET") or "duckdb")
    if where.engine == "spark":
        from foretell.warehouse.spark import open_spark  # only where pyspark is installed

        with open_spark(where) as warehouse:
            yield warehouse
    else:
        with open_duckdb(where, read_only) as warehouse:
            yield warehouse
