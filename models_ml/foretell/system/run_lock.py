"""One run at a time on a warehouse, started by the command, Dagster, or dbt alone.

The lock is one of the operating system on a file beside the warehouse. Its end is the end of the
process that holds it, by whatever death; the file stays and says nothing.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from foretell.errors import Progress

try:
    import fcntl
except ImportError:  # no such locks here: DuckDB's own on the file is what remains
    fcntl = None  # type: ignore[assignment]

HELD = "FORETELL_LOCK_HELD"  # the lock that a parent holds for its children, by its path
SECONDS_BETWEEN_TRIES = 0.5
SECONDS_PER_LINE = 30


def lock_path(warehouse: Path) -> Path:
    """Return the lock's file, beside a warehouse (a DuckDB file, or a folder of Spark)."""
    return warehouse.with_name(f"{warehouse.name}.lock")


@contextmanager
def run_lock(warehouse: Path, what: str, progress: Progress) -> Iterator[None]:
    """Hold the lock of a warehouse for a block, waiting until others let go of it.

    Inside a block of the same warehouse, in this process or in a parent, it is held already.

    Args:
        warehouse: Of the run; its folder is made if it is not there.
        what: Who holds it, for those who wait, e.g. "foretell run".
        progress: Called with a line when it has to be waited for, and every half minute.
    """
    path = lock_path(warehouse.resolve())
    if os.environ.get(HELD) == str(path):
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    held = acquire(path, what, progress)
    before = os.environ.get(HELD)
    os.environ[HELD] = str(path)
    try:
        yield
    finally:
        if before is None:
            del os.environ[HELD]
        else:
            os.environ[HELD] = before
        held.close()


def acquire(path: Path, what: str, progress: Progress) -> IO[str]:
    """Wait for a lock and return the open file, which is the lock: closed, it is free again."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8")
    reported = -SECONDS_PER_LINE * 1.0
    while not _is_taken(file):
        if time.monotonic() - reported >= SECONDS_PER_LINE:
            reported = time.monotonic()
            progress(f"waiting for the warehouse: {_holder(file)}")
        time.sleep(SECONDS_BETWEEN_TRIES)
    note = {
        "what": what,
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
    }
    file.seek(0)
    file.truncate()
    file.write(json.dumps(note))
    file.flush()
    return file


def _is_taken(file: IO[str]) -> bool:
    """Try to take the lock; say whether it is ours now."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: IO[str]) -> str:
    """Say who holds the lock, as that process wrote it down."""
    file.seek(0)
    try:
        note = json.loads(file.read())
        return (
            f"{note['what']} (process {note['pid']} on {note['host']}) has it since {note['since']}"
        )
    except (json.JSONDecodeError, KeyError, TypeError):  # being written
        return "another process has it"
