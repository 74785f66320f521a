"""`foretell new-prediction`: writes the definition of a prediction, with events that are there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml

from foretell.definition_files import JINJA
from foretell.errors import ForetellError
from foretell.new_project import PREDICTIONS
from foretell.pipeline.publish import published_paths
from foretell.project import DBT_PROJECT
from foretell.settings import Settings
from foretell.warehouse.base import SCHEMA

NAME = re.compile(r"[A-Za-z0-9_]{1,100}")
ANY = "any"


@dataclass(frozen=True)
class Answers:
    """What a definition says.

    Attributes:
        name: Letters, digits and underscores.
        event: That makes the outcome; any: every event.
        horizon_days: By when.
        is_not_done: The outcome is that it does not happen.
        at_least: How often.
        cohort_event: That users must have done to be asked about.
        within_days: In so many days before now.
        label: For people; empty: made of the rest.
    """

    name: str
    event: str
    horizon_days: int = 7
    is_not_done: bool = False
    at_least: int = 1
    cohort_event: str = ANY
    within_days: int = 28
    label: str = ""


def write_prediction(settings: Settings, answers: Answers) -> Path:
    """Write a definition into the project, a file of its own; return the file.

    Args:
        settings: Of the project; the published copy, if there is one, knows the event types.
        answers: Of the person.

    Raises:
        ForetellError: If the name is taken or none that dbt accepts, or an event is not there.
    """
    if not NAME.fullmatch(answers.name):
        raise ForetellError(
            f'"{answers.name}" is no name for a prediction; write letters, digits and underscores'
        )
    known = event_types(settings)
    for event in {answers.event, answers.cohort_event} - {ANY}:
        check_event(event, known)
    folder = definitions_folder(settings)
    path = folder / f"{answers.name}.yml"
    if path.exists():
        raise ForetellError(f"{path} is there already; edit it, or choose another name")
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump({"exposures": [exposure(answers)]}, sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    return path


def event_types(settings: Settings) -> list[str]:
    """Return the event types of the published copy, by volume; none if nothing is published."""
    database = published_paths(settings).database
    if database is None or not database.exists():
        return []
    query = f"select event_name from {SCHEMA}.taxonomy_event_types order by volume_rank"
    with duckdb.connect(str(database), read_only=True) as copy:
        return [name for (name,) in copy.execute(query).fetchall() if name]


def check_event(event: str, known: Sequence[str]) -> None:
    """Refuse an event that the events do not have, or whose name dbt would run as code.

    Raises:
        ForetellError: With the nearest name that there is.
    """
    if JINJA.search(event):
        raise ForetellError(
            f'"{event}" has the marks of Jinja, which dbt would run; write it by hand'
        )
    if known and event not in known:
        near = difflib.get_close_matches(event, known, n=1, cutoff=0)
        raise ForetellError(f'no event is called "{event}"; the nearest is "{near[0]}"')


def definitions_folder(settings: Settings) -> Path:
    """Return where a project's definitions are, or are to be."""
    if settings.predictions:
        return settings.predictions
    folder = settings.project.dbt_folder
    project = yaml.safe_load((folder / DBT_PROJECT).read_text(encoding="utf-8"))
    models: list[str] = project.get("model-paths") or ["models"]
    if PREDICTIONS in models:
        return folder / PREDICTIONS
    return folder / models[0] / PREDICTIONS


def exposure(answers: Answers) -> dict[str, Any]:
    """Return the definition as dbt reads it."""
    outcome: dict[str, Any] = {"event": answers.event}
    if answers.is_not_done:
        outcome["not_done"] = True
    else:
        outcome["at_least"] = answers.at_least
    prediction = {
        "cohort": [{"event": answers.cohort_event, "within_days": answers.within_days}],
        "outcome": outcome,
        "horizon_days": answers.horizon_days,
    }
    return {
        "name": answers.name,
        "label": answers.label or _label(answers),
        "type": "ml",
        "owner": {"name": "Growth"},
        "depends_on": ["ref('foretell', 'predictions')"],
        "config": {"meta": {"prediction": prediction}},
    }


def _label(answers: Answers) -> str:
    what = "come back" if answers.event == ANY else f"do “{answers.event}”"
    often = f" at least {answers.at_least} times" if answers.at_least > 1 else ""
    will = "Will not" if answers.is_not_done else "Will"
    return f"{will} {what}{often} within {answers.horizon_days} days"
