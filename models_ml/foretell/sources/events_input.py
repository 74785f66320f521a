"""A check of the raw events before a run: whether they exist and can be read, their columns."""

from __future__ import annotations

import difflib
import glob
import os
from pathlib import Path
from typing import Any

import duckdb

from foretell.errors import ForetellError
from foretell.sources.adapters import BY_ADAPTER, Format, missing_columns, recognise
from foretell.sources.known_formats import find_known
from foretell.sources.text_files import CHECKED_FILES, check_text_file
from foretell.sources.torn_files import READ_CSV, find_torn_files, one_line

READERS = {
    ".parquet": "read_parquet(?, union_by_name = true)",
    ".csv": READ_CSV,
    ".tsv": READ_CSV,
    ".ndjson": "read_ndjson(?, ignore_errors = true, union_by_name = true)",
    ".jsonl": "read_ndjson(?, ignore_errors = true, union_by_name = true)",
    ".json": "read_ndjson(?, ignore_errors = true, union_by_name = true)",
}


def check_events(path: str, adapter: str = "canonical", folder: Path | None = None) -> None:
    """Refuse events that cannot be used at all, before minutes are spent on them.

    Args:
        path: Path or glob of Parquet, NDJSON or CSV files, local or in an object store.
        adapter: The format that is configured for them (foretell.sources.adapters).
        folder: Where it is kept which files were found whole (foretell.sources.torn_files).

    Raises:
        ForetellError: If no file matches, a file is empty or broken, or a required column is
            missing; the message names the path, the column and the nearest column there is.
    """
    columns = read_columns(path, folder)
    if not query_events(path, "select 1 from {events} limit 1", folder):
        raise ForetellError(f"{path} holds no rows; name a file with events in FORETELL_EVENTS")
    _check_columns(path, BY_ADAPTER[adapter], columns)


def read_columns(path: str, folder: Path | None = None) -> list[str]:
    """Return the names of the columns (of NDJSON: the top-level keys), as they stand in the files.

    Raises:
        ForetellError: If no file matches, or a file is empty or cannot be read.
    """
    return [name for name, *_ in query_events(path, "describe select * from {events}", folder)]


def query_events(path: str, sql: str, folder: Path | None = None) -> list[tuple[Any, ...]]:
    """Run a query of ours on raw files; {events} in it becomes their rows.

    Torn files are left out, as in a run (foretell.sources.torn_files).

    Raises:
        ForetellError: If no file matches, or a file is empty or cannot be read.
    """
    reader = READERS[_format(path)]
    read: str | list[str] = path
    if "://" not in path:
        _check_files(path)
        torn = find_torn_files([path], os.environ, folder)
        if torn:
            read = sorted(set(glob.glob(path, recursive=True)) - torn.keys())
    try:
        return duckdb.execute(sql.format(events=reader), [read]).fetchall()
    except duckdb.Error as error:
        raise ForetellError(f"cannot read events from {path}: {one_line(error)}") from error


def _format(path: str) -> str:
    whole = path.split("?")[0].lower()
    bare = whole.removesuffix(".gz").removesuffix(".zst")
    suffix = Path(bare).suffix
    if suffix in READERS:
        return suffix
    if bare != whole:  # as Segment names its files: 1767225600000.a1b2.1.1.1.gz
        return ".ndjson"
    raise ForetellError(
        f"FORETELL_EVENTS={path}: cannot tell the format; name files ending in "
        f"{', '.join(READERS)} (also .gz), e.g. events/*.parquet"
    )


def _check_files(path: str) -> None:
    files = glob.glob(path, recursive=True)
    if not files:
        beside = [file.name for file in Path(path).parent.glob("*")]
        near = difflib.get_close_matches(Path(path).name, beside, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise ForetellError(
            f"no events at {path}{hint}; name a file or glob in FORETELL_EVENTS or "
            "dbt_project.yml, or make demo events with `foretell demo-events`"
        )
    suffix = _format(path)
    for place, file in enumerate(files):
        if suffix != ".parquet" and place < CHECKED_FILES and Path(file).is_file():
            check_text_file(Path(file), is_json=suffix not in (".csv", ".tsv"))


def _check_columns(path: str, form: Format, columns: list[str]) -> None:
    missing = missing_columns(form, columns)
    known = find_known(columns, path)
    if form.adapter == "segment_identifies" and known:  # it has what that needs, and means another
        raise ForetellError(
            f"{path} is {known.title}, not identifies: each row would become $identify; there is "
            "no adapter for it yet, `foretell inspect-source` says how to map it"
        )
    if not missing:
        return
    looks_like = recognise(columns)
    if known:
        hint = f"; it looks like {known.title}, which has no adapter yet: `foretell inspect-source`"
    elif looks_like and looks_like is not form:
        hint = f"; it looks like {looks_like.title}: set FORETELL_ADAPTER={looks_like.adapter}"
    else:
        reads = {column.lower() for column in form.columns()}
        unused = [column for column in columns if column.lower() not in reads]
        near = difflib.get_close_matches(missing[0], unused, n=1, cutoff=0.4)
        hint = f'; did you mean "{near[0]}"? rename it' if near else ""
    reader = "Foretell" if form.adapter == "canonical" else f"Adapter {form.adapter}"
    raise ForetellError(
        f"{path} has no column {', '.join(missing)}{hint}. "
        f"It has: {', '.join(columns[:30])}. {reader} reads: {', '.join(form.columns())}"
    )
