"""What `foretell init` does, and what it says."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from foretell.check_predictions import check_predictions
from foretell.check_predictions import report as report_of_check
from foretell.errors import ForetellError, Progress
from foretell.inspect_source import inspect_source
from foretell.new_project import PREDICTIONS, Source, init_project
from foretell.project import DBT_PROJECT, PROJECT_DIR
from foretell.propose import as_yaml, propose_predictions
from foretell.settings import read_settings


def init(folder: Path, events: str | None, progress: Progress) -> RenderableType:
    """Write a project; with events, look at them and propose predictions.

    Args:
        folder: New, or of a dbt project.
        events: Path or glob of raw events; None: they come later.
        progress: Called with a line per step.

    Returns:
        What was done, and what to do next, for the terminal.

    Raises:
        ForetellError: If the events cannot be used, or the folder cannot hold a project.
    """
    is_new = not (folder / DBT_PROJECT).exists()
    if events is None:
        lines = init_project(folder)
        return _said([*lines, *_next_steps(folder, is_new, False)])
    progress(f"looking at {events}")
    found = inspect_source(events)
    path = os.path.abspath(events) if "://" not in events else events
    lines = init_project(folder, Source(path, found.form.adapter))
    lines.insert(0, f"{events}: {found.form.title}, {found.n_rows:,} rows")
    if not is_new:
        return _said([*lines, *_next_steps(folder, is_new, True)])
    settings = read_settings({**os.environ, PROJECT_DIR: str(folder.resolve())}, folder.resolve())
    proposed = propose_predictions(settings, progress)
    (folder / PREDICTIONS / "first.yml").write_text(as_yaml(proposed), encoding="utf-8")
    lines.append(f"{folder / PREDICTIONS / 'first.yml'}: {len(proposed)} predictions proposed")
    try:
        checked: RenderableType = report_of_check(check_predictions(settings, progress))
    except ForetellError as error:
        checked = Text(str(error))
    return Group(_said(lines), checked, _said(_next_steps(folder, is_new, True)))


def _next_steps(folder: Path, is_new: bool, has_events: bool) -> list[str]:
    go = f"cd {shlex.quote(str(folder))} && " if folder.resolve() != Path.cwd() else ""
    first = ""
    if not has_events:
        what = "put events where dbt_project.yml says" if is_new else "name your events"
        first = f"{what}, then "
    return ["", f"Next: {first}{go}foretell run"]


def _said(lines: list[str]) -> Text:
    return Text("\n".join(lines))
