"""Opens the warehouse of the engine that FORETELL_TARGET names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foretell.warehouse.base import Warehouse
from foretell.warehouse.duckdb import open_duckdb


@contextmanager
def open_warehouse(path: Path, read_only: bool = False) -> Iterator[Warehouse]:
    """Open the warehouse that `dbt build` made, on the engine that FORETELL_TARGET names.

    Args:
        path: A DuckDB file; on Spark the folder of a local warehouse.
        read_only: True if nothing is written.

    Raises:
        ForetellError: If there is none, or another process has it open.
    """
    if os.environ.get("FORETELL_TARGET") == "spark":
        from foretell.warehouse.spark import open_spark  # only where pyspark is installed

        with open_spark(path) as warehouse:
            yield warehouse
    else:
        with open_duckdb(path, read_only) as warehouse:
            yield warehouse
