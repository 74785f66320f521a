"""Files that are no file of their format: half written, damaged on the way, cut off by a full disk.

One of them in a glob would stop everything, or be read up to where it breaks. They are left out and
named in an alarm, and checked again at the next run; with FORETELL_STRICT=1 they stop the run.
"""

from __future__ import annotations

import contextlib
import glob
import gzip
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from foretell.errors import ForetellError

PARQUET_ENDS = b"PAR1"
SMALLEST_PARQUET = 12  # its first and last four bytes, and the length of the footer between
BLOCK = 1 << 20
REMEMBERED = "whole_files.json"
READ_CSV = (
    "read_csv(?, all_varchar = true, header = true, union_by_name = true, max_line_size = 16777216)"
)
TABLES = (".csv", ".tsv")  # their lines have columns, so that a line can be broken


def find_torn_files(
    paths: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
) -> dict[str, str]:
    """Return the files below some local paths or globs that are not whole, and why not.

    A Parquet file ends with the mark with which it begins, written last: only these bytes are read.
    A .gz file ends with the checksum of what is in it, which DuckDB does not compare; of a cut .zst
    it reads what there is; CSV must be parsed. These are read whole, once for each size and time of
    change.

    Args:
        paths: Of sources; those in an object store are not checked.
        environment: FORETELL_STRICT=1 refuses a torn file instead.
        folder: Where it is kept which files were found whole; None: nowhere.

    Raises:
        ForetellError: If all files are torn, or one is and FORETELL_STRICT is set.
    """
    files = sorted(
        {
            file
            for path in paths
            if "://" not in path
            for file in glob.glob(path, recursive=True)
            if Path(file).is_file()
        }
    )
    known = _remembered(folder)
    # What is known of the files of other sources stays.
    checked = set(files)
    whole = {
        file: state for file, state in known.items() if file not in checked and Path(file).exists()
    }
    torn: dict[str, str] = {}
    for file in files:
        stat = Path(file).stat()
        state = [stat.st_size, stat.st_mtime_ns]
        reason = "" if known.get(file) == state else _why_torn(Path(file))
        if reason:
            torn[file] = reason
        elif not file.lower().endswith(".parquet"):
            whole[file] = state
    if folder and whole != known:
        _remember(folder, whole)
    if torn and (len(torn) == len(files) or environment.get("FORETELL_STRICT") == "1"):
        first, reason = next(iter(torn.items()))
        more = f" (and {len(torn) - 1} more)" if len(torn) > 1 else ""
        raise ForetellError(f"{first}{more} {reason}")
    return torn


def _why_torn(file: Path) -> str:
    """Return why a file cannot be read and what to do, empty if it can."""
    name = file.name.lower()
    if file.stat().st_size == 0:
        return "is empty (0 bytes); remove it or name other files in FORETELL_EVENTS"
    if name.endswith(".parquet") and not _is_whole_parquet(file):
        return (
            "cannot be read: half written or cut off (a Parquet file ends in PAR1); write it again "
            "or remove it"
        )
    if name.endswith((".gz", ".zst")):
        try:
            with _unpacked(file) as opened:
                while opened.read(BLOCK):
                    pass
        except (OSError, EOFError, zlib.error) as error:
            return f"cannot be unpacked: {error}; write it again or remove it"
    if name.removesuffix(".gz").removesuffix(".zst").endswith(TABLES):
        try:
            duckdb.execute(f"select count(*) from {READ_CSV}", [str(file)]).fetchall()
        except duckdb.Error as error:
            return f"cannot be read: {one_line(error)}; mend it, write it again or remove it"
    return ""


def _unpacked(file: Path) -> gzip.GzipFile | pa.NativeFile:
    if file.suffix.lower() == ".gz":
        return gzip.open(file)
    return pa.input_stream(str(file), compression="zstd")


def one_line(error: duckdb.Error) -> str:
    """Return what DuckDB says of a file in one line: what it is about, then what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith(("Possible", "*", "LINE", "^"))]
    return " ".join(kept[:3])[:400]


def _is_whole_parquet(file: Path) -> bool:
    size = file.stat().st_size
    if size < SMALLEST_PARQUET:
        return False
    with file.open("rb") as opened:
        begin = opened.read(4)
        opened.seek(-8, os.SEEK_END)
        footer, end = int.from_bytes(opened.read(4), "little"), opened.read(4)
        return begin == end == PARQUET_ENDS and footer <= size - SMALLEST_PARQUET


def _remembered(folder: Path | None) -> dict[str, list[int]]:
    """Return size and time of change, in ns, of the files that were found whole."""
    if folder:
        with contextlib.suppress(OSError, ValueError):
            return dict(json.loads((folder / REMEMBERED).read_text()))
    return {}


def _remember(folder: Path, whole: Mapping[str, list[int]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{REMEMBERED}.{os.getpid()}"
    draft.write_text(json.dumps(whole))
    draft.replace(folder / REMEMBERED)
