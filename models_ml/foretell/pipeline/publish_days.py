"""Parquet of tables that are too large to copy in every run: the score history and features.

Both are partitioned folders (Hive partitions) next to the other published files. BI tools read each
as one table, and no run waits for a reader. A file is written under another name and then renamed.
"""

from __future__ import annotations

import os
import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from foretell.system.file_modes import restrict

DAYS = """
    select cast(as_of as date) as day, count(*) as n_scores, max(scored_at) as newest
    from prediction_history group by all order by all
"""
DAY_OF_HISTORY = """
    copy (
        select * from prediction_history
        where as_of >= $day and as_of < $next order by prediction, user_id, as_of, scored_at
    ) to '{}' (format parquet)
"""
NOW = "select max(as_of) from stg_as_of"
FEATURES_NOW = """
    copy (select * from user_features where as_of = $now)
    to '{}' (format parquet)
"""


def publish_days(hub: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Bring the folder `prediction_history` up to date: a file per day of as_of.

    The history only grows, so the copy of a day is complete if it has as many rows, and the same
    newest ones: another warehouse may have as many.

    Args:
        hub: A connection that finds the tables of the warehouse by their names.
        folder: Of the published Parquet files.
    """
    days = {f"as_of_date={day}": (day, state) for day, *state in hub.execute(DAYS).fetchall()}
    for name, (day, state) in days.items():
        file = folder / "prediction_history" / name / "scores.parquet"
        if _state(hub, file) != state:
            parameters = {"day": day, "next": day + timedelta(days=1)}
            _write(hub, DAY_OF_HISTORY, parameters, file)
    _remove_others(folder / "prediction_history", set(days))


def publish_features(hub: duckdb.DuckDBPyConnection, folder: Path, is_wanted: bool) -> None:
    """Write the current features into the folder `user_features`, or remove what is there.

    In an hourly run these are the features of active users only.

    Args:
        hub: A connection that finds the tables of the warehouse by their names.
        folder: Of the published Parquet files.
        is_wanted: Setting publish_features.
    """
    now: datetime | None = hub.execute(NOW).fetchall()[0][0]
    if now is None or not is_wanted:
        _remove_others(folder / "user_features", set())
        return
    name = f"as_of_hour={now:%Y-%m-%dT%H}"
    _write(hub, FEATURES_NOW, {"now": now}, folder / "user_features" / name / "features.parquet")
    _remove_others(folder / "user_features", {name})


def _state(hub: duckdb.DuckDBPyConnection, file: Path) -> list[Any] | None:
    """Return the rows and the newest scored_at of a copied day; None if it is missing or torn."""
    try:
        found = hub.execute("select count(*), max(scored_at) from read_parquet(?)", [str(file)])
        return list(found.fetchall()[0])
    except duckdb.Error:
        return None


def _write(
    hub: duckdb.DuckDBPyConnection,
    sql: str,
    parameters: dict[str, date | datetime],
    file: Path,
) -> None:
    for folder in (file.parent.parent, file.parent):
        folder.mkdir(exist_ok=True)
        restrict(folder)
    aside = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    hub.execute(sql.format(str(aside).replace("'", "''")), parameters)
    restrict(aside)
    os.replace(aside, file)


def _remove_others(folder: Path, kept: set[str]) -> None:
    if folder.exists():
        for part in folder.iterdir():
            if part.name not in kept:
                shutil.rmtree(part)
