"""A look at the raw events before anything runs: do they exist, can they be read, which columns."""

from __future__ import annotations

import difflib
import glob
from pathlib import Path

import duckdb

from models_ml.errors import ForetellError

COLUMNS = (
    "event_id",
    "user_id",
    "device_id",
    "event_name",
    "event_time",
    "received_at",
    "event_properties",
    "user_properties",
)
READERS = {
    ".parquet": "read_parquet(?, union_by_name = true)",
    ".csv": "read_csv(?, all_varchar = true, header = true, union_by_name = true)",
    ".tsv": "read_csv(?, all_varchar = true, header = true, union_by_name = true)",
    ".ndjson": "read_ndjson(?, ignore_errors = true, union_by_name = true)",
    ".jsonl": "read_ndjson(?, ignore_errors = true, union_by_name = true)",
    ".json": "read_ndjson(?, ignore_errors = true, union_by_name = true)",
}


def check_events(path: str) -> None:
    """Refuse events that cannot be used at all, before minutes are spent on them.

    Args:
        path: Path or glob of Parquet, NDJSON or CSV files, local or in an object store.

    Raises:
        ForetellError: If no file matches, a file is empty or broken, or a required column is
            missing; the message names the path, the column and the nearest column there is.
    """
    reader = READERS[_format(path)]
    if "://" not in path:
        _check_files(path)
    try:
        description = duckdb.execute(f"describe select * from {reader}", [path]).fetchall()
        (first,) = duckdb.execute(
            f"select count(*) from (select 1 from {reader} limit 1)", [path]
        ).fetchall()
    except duckdb.Error as error:
        raise ForetellError(
            f"cannot read events from {path}: {str(error).splitlines()[0]}"
        ) from error
    if not first[0]:
        raise ForetellError(f"{path} holds no rows; name a file with events in FORETELL_EVENTS")
    _check_columns(path, [column[0] for column in description])


def _format(path: str) -> str:
    bare = path.split("?")[0].lower().removesuffix(".gz").removesuffix(".zst")
    suffix = Path(bare).suffix
    if suffix not in READERS:
        endings = ", ".join(READERS)
        raise ForetellError(
            f"FORETELL_EVENTS={path}: cannot tell the format; name files ending in {endings} "
            "(also .gz), e.g. events/*.parquet"
        )
    return suffix


def _check_files(path: str) -> None:
    files = glob.glob(path, recursive=True)
    if not files:
        raise ForetellError(
            f"no events at {path}; set FORETELL_EVENTS to a file or glob, "
            "or make demo events with `foretell demo-events`"
        )
    for file in files:
        if Path(file).stat().st_size == 0:
            raise ForetellError(
                f"{file} is empty (0 bytes); remove it or name other files in FORETELL_EVENTS"
            )


def _check_columns(path: str, columns: list[str]) -> None:
    present = {column.lower() for column in columns}
    missing = [column for column in ("event_name", "event_time") if column not in present]
    if not present & {"user_id", "device_id"}:
        missing.append("user_id")
    if not missing:
        return
    unused = [column for column in columns if column.lower() not in COLUMNS]
    near = difflib.get_close_matches(missing[0], unused, n=1, cutoff=0.4)
    hint = f'; did you mean "{near[0]}"? rename it' if near else ""
    raise ForetellError(
        f"{path} has no column {', '.join(missing)}{hint}. "
        f"It has: {', '.join(columns[:30])}. Foretell reads: {', '.join(COLUMNS)}"
    )
