"""Files that are no file of their format: half written, or cut off by a full disk.

One of them in a glob would stop everything. They are left out and named in an alarm, and looked at
again at the next run; with FORETELL_STRICT=1 they stop the run.
"""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from pathlib import Path

from models_ml.errors import ForetellError

PARQUET_ENDS = b"PAR1"
SMALLEST_PARQUET = 12  # its first and last four bytes, and the length of the footer between


def find_torn_files(paths: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Return the Parquet files below some local paths or globs that are not whole, sorted.

    A Parquet file ends with the mark with which it begins, written last: what was interrupted has
    none. Only these bytes are read.

    Args:
        paths: Of sources; those in an object store are not looked at.
        environment: FORETELL_STRICT=1 refuses a torn file instead.

    Raises:
        ForetellError: If all files are torn, or one is and FORETELL_STRICT is set.
    """
    files = [
        file
        for path in paths
        if "://" not in path and path.lower().endswith(".parquet")
        for file in glob.glob(path, recursive=True)
        if Path(file).is_file()
    ]
    torn = sorted({file for file in files if not _is_whole(Path(file))})
    if torn and (len(torn) == len(set(files)) or environment.get("FORETELL_STRICT") == "1"):
        if Path(torn[0]).stat().st_size == 0:
            raise ForetellError(
                f"{torn[0]} is empty (0 bytes); remove it or name other files in FORETELL_EVENTS"
            )
        more = f" and {len(torn) - 1} more" if len(torn) > 1 else ""
        raise ForetellError(
            f"{torn[0]}{more} cannot be read: half written or cut off (a Parquet file ends in "
            "PAR1); write it again or remove it"
        )
    return torn


def _is_whole(file: Path) -> bool:
    if file.stat().st_size < SMALLEST_PARQUET:
        return False
    with file.open("rb") as opened:
        begin = opened.read(4)
        opened.seek(-4, 2)
        return begin == opened.read(4) == PARQUET_ENDS
