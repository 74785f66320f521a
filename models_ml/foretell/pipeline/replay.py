"""A replay of a past hour: it works on a copy of the warehouse, so that nothing live changes.

A run is a replay if its as_of is before that of the newest run of its warehouse. It works in a
file next to the warehouse, copied from it each time, and publishes to a copy of its own. With
`--publish` it works on the warehouse itself, and its results are published to readers.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb

from foretell.dbt_profile import read_profile
from foretell.errors import ForetellError, Progress
from foretell.pipeline.table_state import is_missing
from foretell.settings import Settings
from foretell.system.run_lock import run_lock
from foretell.warehouse.duckdb import locked_message
from foretell.warehouse.open import open_warehouse

PUBLISH = "publish"  # FORETELL_REPLAY: dbt may replay in the warehouse itself
NEWEST = """
    select max(as_of) as as_of from (
        select as_of from stg_as_of union all select newest_as_of from build_state
    ) as hours
"""


def newest_as_of(settings: Settings) -> datetime | None:
    """Return the as_of of the newest run of a warehouse; None if there was none yet.

    Raises:
        ForetellError: If another process holds the warehouse.
    """
    if settings.target == "duckdb" and not settings.warehouse.exists():
        return None
    try:
        with open_warehouse(settings.location, read_only=True) as warehouse:
            if not {"stg_as_of", "build_state"} <= warehouse.table_names():
                return None
            newest: datetime | None = warehouse.rows(NEWEST)[0]["as_of"]
            return newest
    except ForetellError as error:
        if is_missing(error):
            return None
        raise


def replayed_before(settings: Settings) -> datetime | None:
    """Return the newest run's as_of if a run with these settings would be a replay, else None."""
    is_meant = settings.is_replay or settings.is_replay_published
    newest = newest_as_of(settings) if settings.as_of and not is_meant else None
    return newest if newest and settings.as_of and settings.as_of < newest else None


def refuse_replay(settings: Settings) -> None:
    """Refuse a replay that cannot work on a copy of the warehouse (Dagster).

    Raises:
        ForetellError: If a run with these settings would be a replay.
    """
    if newest := replayed_before(settings):
        raise ForetellError(
            f"FORETELL_AS_OF={settings.as_of:%Y-%m-%dT%H:%M} is before the newest run of this "
            f"warehouse, as of {newest:%Y-%m-%dT%H:%M}: a replay would replace live "
            "scores. Unset it, or replay in a copy with `foretell score --as-of`; "
            f"FORETELL_REPLAY={PUBLISH} allows it"
        )


@contextmanager
def of_run(settings: Settings, what: str, progress: Progress) -> Iterator[Settings]:
    """Hold the lock of a run and yield its settings; a replay gets those of a warehouse copy.

    Args:
        settings: Of the run.
        what: The command, shown to processes that wait for the lock.
        progress: Called with a line if the lock is taken, and for a replay.

    Raises:
        ForetellError: If it is a replay on an engine without copies (Spark).
    """
    with run_lock(settings.warehouse, what, progress):
        newest = replayed_before(settings)
        if newest is None:
            yield settings
            return
        if settings.target != "duckdb":
            refuse_replay(settings)
        copied = replace(settings, warehouse=replay_path(settings.warehouse), is_replay=True)
        _refuse_fixed_path(copied)
        _copy(settings.warehouse, copied.warehouse)
    progress(
        f"as of {settings.as_of:%Y-%m-%d %H:%M} is before the newest run "
        f"({newest:%Y-%m-%d %H:%M}): replayed in {copied.warehouse}, live scores are unchanged; "
        "--publish replaces them"
    )
    with run_lock(copied.warehouse, what, progress):
        yield copied


def _refuse_fixed_path(copied: Settings) -> None:
    """Refuse a replay in somebody's project whose profile would lead dbt to the live warehouse.

    Raises:
        ForetellError: If the path of the profile is not that of FORETELL_WAREHOUSE.
    """
    if copied.profile is None:
        return
    named = {**os.environ, "FORETELL_WAREHOUSE": str(copied.warehouse)}
    if read_profile(copied.project.folder, named).path != copied.warehouse:
        raise ForetellError(
            f"as of {copied.as_of:%Y-%m-%dT%H:%M} is before the newest run: a replay works on a "
            "copy, which dbt cannot open, as the profile's path is fixed. Write there path: "
            "\"{{ env_var('FORETELL_WAREHOUSE', 'FILE') }}\", or replace live scores with --publish"
        )


def replay_path(warehouse: Path) -> Path:
    """Return the file of a warehouse's replays."""
    return warehouse.with_name(f"{warehouse.stem}_replay{warehouse.suffix}")


def _copy(warehouse: Path, copy: Path) -> None:
    """Copy the live warehouse for a replay; its lock must be held, so that nothing writes to it."""
    try:
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute("checkpoint")  # what a killed run left beside the file
    except duckdb.IOException as error:
        raise ForetellError(locked_message(warehouse, str(error))) from error
    copy.with_name(f"{copy.name}.wal").unlink(missing_ok=True)
    aside = copy.with_name(f"{copy.name}.tmp")
    shutil.copyfile(warehouse, aside)
    aside.replace(copy)
