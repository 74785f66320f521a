"""`foretell status`: from the warehouse or, while a run writes to it, from the published copy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb
from rich.console import Group, RenderableType
from rich.text import Text

from foretell.errors import InUse
from foretell.pipeline.publish import published_paths
from foretell.report.summary import summary
from foretell.settings import Settings
from foretell.warehouse.base import SCHEMA, Warehouse
from foretell.warehouse.duckdb import DuckDBWarehouse
from foretell.warehouse.open import open_warehouse

# What the copy does not have, as far as the summary asks.
STAND_INS = """
    create temp view champions as
    select prediction, model_id from models where status = 'champion';
    create temp view scoring_rows as select prediction from predictions;
    create temp view stg_as_of as select max(as_of) as as_of from predictions
"""


def status(settings: Settings) -> RenderableType:
    """Return every prediction with its quality, and where the tables are.

    Raises:
        ForetellError: If nothing was built yet.
    """
    paths = published_paths(settings)
    try:
        with open_warehouse(settings.location, read_only=True) as warehouse:
            return summary(warehouse, paths)
    except InUse:
        if paths.database is None or not paths.database.exists():
            raise
    written = datetime.fromtimestamp(paths.database.stat().st_mtime)
    note = f"A run is writing now: this is the copy of {written:%Y-%m-%d %H:%M}, for readers."
    with open_copy(paths.database) as copy:
        return Group(Text(note, style="yellow"), summary(copy, paths))


@contextmanager
def open_copy(database: Path) -> Iterator[Warehouse]:
    """Open the published copy as a warehouse, with what the summary asks of it."""
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute(f"use {SCHEMA}")
        connection.execute(STAND_INS)
        yield DuckDBWarehouse(connection)
