"""A first check of raw files: their format, the result of a trial, the settings to use."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from foretell.errors import ForetellError, Progress
from foretell.pipeline.trial import Trial, try_rows
from foretell.sources.adapters import CANONICAL_COLUMNS, FORMATS, Format, missing_columns, recognise
from foretell.sources.events_input import query_events, read_columns
from foretell.sources.known_formats import find_known, guess_mapping

CHECKED_ROWS = 100_000
SHOWN = 3


@dataclass(frozen=True)
class Inspection:
    """What a check of some raw files found.

    Attributes:
        path: Path or glob, as given.
        form: The format that they were recognised as.
        columns: The columns they have.
        n_rows: Number of rows.
        n_unusable: Of the first CHECKED_ROWS rows, those that lack a required value or are broken.
        unusable: The first few of these: their values as JSON.
        trial: What a run would make of the first CHECKED_ROWS rows; None: not tried.
    """

    path: str
    form: Format
    columns: list[str]
    n_rows: int
    n_unusable: int
    unusable: list[str]
    trial: Trial | None = None


def inspect_source(path: str, progress: Progress | None = None) -> Inspection:
    """Recognise the format of raw files, count their rows and try what a run would make of them.

    Args:
        path: Path or glob of Parquet, NDJSON or CSV files.
        progress: Called with a line per step of the trial; None: rows are not tried.

    Raises:
        ForetellError: If they cannot be read, have none of the formats, or if not a single row
            could be used; the message says what is known about them and what to do.
    """
    form, columns = _recognised(path)
    ((n_rows,),) = query_events(path, "select count(*) from {events}")
    lacking = _lacking(form, columns)
    checked = f"(select * from {{events}} limit {CHECKED_ROWS}) as raw where {lacking}"
    ((n_unusable,),) = query_events(path, f"select count(*) from {checked}")
    unusable = query_events(
        path, f"select cast(to_json(raw) as varchar) from {checked} limit {SHOWN}"
    )
    trial = try_rows(path, form.adapter, CHECKED_ROWS, progress) if progress else None
    if trial and trial.is_hopeless:
        raise ForetellError(
            f"{path} looks like {form.title}, but of the first {trial.n_rows:,} rows none can be "
            f"used ({trial.words()}), e.g. {_first_row(path)[:300]}"
        )
    return Inspection(
        path, form, columns, n_rows, n_unusable, [_values(row) for (row,) in unusable], trial
    )


def _recognised(path: str) -> tuple[Format, list[str]]:
    """Return the format of files and their columns, or say what is known about them."""
    columns = read_columns(path)
    if known := find_known(columns, path):
        raise ForetellError(
            f"{path} is {known.title}, for which there is no adapter yet; {known.advice(path)}"
        )
    form = recognise(columns)
    if form is not None:
        return form, columns
    near = min(FORMATS, key=lambda each: len(_absent_signs(each, columns)) / len(each.signs))
    absent, hint = _absent_signs(near, columns), ""
    if len(absent) < len(near.signs) / 2:
        hint = f"; the nearest is {near.title} ({near.adapter}), which has also {', '.join(absent)}"
    raise ForetellError(
        f"{path} has none of the formats{hint}. It has: {', '.join(columns[:30])}. Bring it into "
        f"Foretell's own columns, e.g. with DuckDB: {guess_mapping(columns, path)}; then "
        "FORETELL_EVENTS=events.parquet"
    )


def _first_row(path: str) -> str:
    ((row,),) = query_events(
        path, "select cast(to_json(raw) as varchar) from (select * from {events} limit 1) as raw"
    )
    return _values(row)


def report(found: Inspection) -> RenderableType:
    """Return the findings as a table and lines: format, mapping, missing columns, settings."""
    present = {column.lower() for column in found.columns}
    table = Table(title=f"{found.form.title}: {found.n_rows:,} rows", title_justify="left")
    for heading in ("canonical column", "made of", "not in the file"):
        table.add_column(heading)
    for column in CANONICAL_COLUMNS:
        names = found.form.mapping.get(column, ())
        absent = [
            name
            for name in names
            if not name.startswith("(") and name.split(".")[0].lower() not in present
        ]
        made_of = ", ".join(names).replace(", (", " (") or "nothing: the format has none"
        table.add_row(column, made_of, ", ".join(absent))
    lines = [f"Missing: {name} is required" for name in missing_columns(found.form, found.columns)]
    if found.n_unusable:
        required = ", ".join(found.form.required).replace("|", " or ")
        lines.append(
            f"{found.n_unusable:,} of the first {min(found.n_rows, CHECKED_ROWS):,} rows are "
            f"broken or lack {required}; they will be rejected, e.g."
        )
        lines += [f"  {row[:200]}" for row in found.unusable]
    lines += _tried(found)
    lines += ["", f"export FORETELL_EVENTS={shlex.quote(found.path)}"]
    lines.append(f"export FORETELL_ADAPTER={found.form.adapter}")
    return Group(Text(), table, Text("\n".join(lines)))


def _tried(found: Inspection) -> list[str]:
    """Return the result of the trial, in lines."""
    trial = found.trial
    if trial is None:
        return []
    tried = (
        f"Tried {trial.n_rows:,} rows as a run would read them: {trial.n_accepted:,} can be used"
    )
    return [f"{tried}; rejected: {trial.words()}" if trial.reasons else tried]


def _values(row: str) -> str:
    """Return a row of JSON without its nulls."""
    values = {name: value for name, value in json.loads(row).items() if value is not None}
    return json.dumps(values, ensure_ascii=False) if values else "(nothing in it can be read)"


def _absent_signs(form: Format, columns: list[str]) -> list[str]:
    present = {column.lower() for column in columns}
    return [sign for sign in form.signs if sign.lower() not in present]


def _lacking(form: Format, columns: list[str]) -> str:
    """Return a condition in SQL: a required value is missing. Only names of ours stand in it."""
    present, empty = {column.lower() for column in columns}, "''"
    conditions = []
    for names in form.required:
        values = [
            f'cast("{name}" as varchar)' for name in names.split("|") if name.lower() in present
        ]
        conditions.append(f"coalesce({', '.join([*values, empty])}) = {empty}")
    return " or ".join(conditions)
