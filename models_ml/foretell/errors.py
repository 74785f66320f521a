"""What people read: the lines of progress, and errors as they are, without a traceback."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

Progress = Callable[[str], None]  # called with a line for people while long work goes on

# What the engines and the system say when the machine has no more of something.
OUT_OF_MEMORY = re.compile(
    r"out of memory|could not allocate|cannot allocate memory|java heap space|MemoryError"
    r"|OutOfMemoryError|failed to allocate|failed to pin block",
    re.IGNORECASE,
)
DISK_IS_FULL = re.compile(
    r"no space left on device|disk quota exceeded|could not write all bytes|ENOSPC"
    r"|failed to offload data block|max_temp_directory_size",
    re.IGNORECASE,
)


class ForetellError(Exception):
    """Something the user can mend: the message names the offending value and the fix."""


class InUse(ForetellError):
    """Another process has the warehouse open for writing."""


class HeldBack(ForetellError):
    """A gate kept new scores from readers: what was published before stays. Exit code 3."""


class TornModel(ForetellError):
    """A row of `models` holds bytes or JSON that cannot be read."""

    def __init__(self, prediction: str, model_id: str, reason: str) -> None:
        super().__init__(f"{prediction}: model {model_id} is torn, {reason}")


def explain_resources(error: str) -> str:
    """Return what to do where an error says that memory or the disk is full; empty for others."""
    if DISK_IS_FULL.search(error):
        return (
            f"the disk is full ({_first_line(error, DISK_IS_FULL)}); make room beside the "
            "warehouse, or name a folder on a disk with room in FORETELL_SPILL"
        )
    if OUT_OF_MEMORY.search(error):
        limit = os.environ.get("FORETELL_MEMORY_LIMIT") or "50%"
        return (
            f"out of memory ({_first_line(error, OUT_OF_MEMORY)}); FORETELL_MEMORY_LIMIT is "
            f"{limit}: set it higher where the machine has more, e.g. 8GB, or FORETELL_THREADS "
            "lower"
        )
    return ""


def _first_line(error: str, pattern: re.Pattern[str]) -> str:
    """Return the line in which a pattern is found, shortened."""
    line = next(line for line in error.splitlines() if pattern.search(line))
    return line.strip()[:200]
