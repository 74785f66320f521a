"""What Foretell takes of the machine: memory, threads and disk, each set by a variable."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path

import duckdb

from foretell.errors import ForetellError

DEFAULT_MEMORY_LIMIT = "50%"  # as in profiles.yml
MEMORY_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(%|[KMGT]i?B)", re.IGNORECASE)
MAX_THREADS = 1024
_shared = threading.local()


def check_machine(environment: Mapping[str, str]) -> None:
    """Refuse a variable that cannot be used.

    Args:
        environment: Mapping of variable names to values.

    Raises:
        ForetellError: Naming the variable, its value and what to write.
    """
    _memory_limit(environment)
    threads = environment.get("FORETELL_THREADS", "")
    if threads and not (
        threads.isascii() and threads.isdigit() and 1 <= int(threads) <= MAX_THREADS
    ):
        raise ForetellError(
            f"FORETELL_THREADS={threads} is not a number of threads; write 1 to {MAX_THREADS}"
        )
    spill = environment.get("FORETELL_SPILL", "")
    is_folder = os.path.isabs(spill) and os.path.isdir(spill)
    if spill and not (is_folder and os.access(spill, os.W_OK | os.X_OK)):
        raise ForetellError(
            f"FORETELL_SPILL={spill} is not a folder to write to; "
            "write the absolute path of one on a disk with room"
        )


def usable_threads() -> int:
    """Return how many threads to use: FORETELL_THREADS, or the cores this process may use.

    Where several do the same work at once, each gets its share (share_threads).
    """
    named = os.environ.get("FORETELL_THREADS")
    may_be_bound = hasattr(os, "sched_getaffinity")  # not on every system
    cores = len(os.sched_getaffinity(0)) if may_be_bound else os.cpu_count() or 1
    return max(1, (int(named) if named else cores) // getattr(_shared, "by", 1))


def share_threads(by: int) -> None:
    """Say of the calling thread that so many do its work at once."""
    _shared.by = by


def bound_database(connection: duckdb.DuckDBPyConnection, path: Path, share: float = 1) -> None:
    """Bound what a database takes, not only this cursor of it. dbt's part: macro bound_database.

    Args:
        connection: Just opened.
        path: Its file, which names where it spills: two databases never share a folder.
        share: Of the memory limit, where the process needs the rest itself.
    """
    number, unit = _memory_limit(os.environ)
    connection.execute("set memory_limit = ?", [f"{share * number:.3f}{unit}"])
    connection.execute("set threads = ?", [usable_threads()])
    folder = os.environ.get("FORETELL_SPILL")
    if folder:
        name = hashlib.md5(str(path).encode(), usedforsecurity=False).hexdigest()
        connection.execute("set temp_directory = ?", [f"{folder}/foretell_{name}"])


def _memory_limit(environment: Mapping[str, str]) -> tuple[float, str]:
    limit = environment.get("FORETELL_MEMORY_LIMIT") or DEFAULT_MEMORY_LIMIT
    size = MEMORY_SIZE.fullmatch(limit)
    if size is None:
        raise ForetellError(f"FORETELL_MEMORY_LIMIT={limit} is not a size; write e.g. 4GB or 50%")
    return float(size[1]), size[2]
