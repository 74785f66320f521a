"""Every setting, its value and where it comes from: flag > environment > dbt vars > default.

The one reader of settings for `foretell`, plain dbt (macro `setting`) and Dagster.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from foretell.errors import ForetellError
from foretell.project import DBT_PROJECT, PACKAGE
from foretell.system.secrets import mask

DEFAULT = "default"
INPUTS = ("sources", "events_relation", "events")


@dataclass(frozen=True)
class Setting:
    """A setting that an environment variable names.

    Attributes:
        name: Of the setting; also that of the dbt var, if there is one.
        default: Description of the value where none is set.
        is_var: Whether dbt_project.yml may name it, under `vars: foretell:`.
        flag: The option of `foretell run` that names it; empty: none.
    """

    name: str
    default: str
    is_var: bool = False
    flag: str = ""

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"FORETELL_{self.name.upper()}"


@dataclass(frozen=True)
class Resolved:
    """A setting's value.

    Attributes:
        name: Of the setting.
        value: As it was written; of a default its description.
        source: The flag, the environment variable, dbt_project.yml or default.
    """

    name: str
    value: Any
    source: str


SETTINGS = (
    Setting("project_dir", "the nearest one at or above the current folder", flag="--project-dir"),
    Setting("events", "warehouse/demo_events/*.parquet", is_var=True),
    Setting("adapter", "canonical", is_var=True),
    Setting("sources", "none: events and adapter", is_var=True),
    Setting("events_relation", "none: events are files", is_var=True),
    Setting("predictions", "dbt_project/models/predictions; without events the demo's"),
    Setting("warehouse", "warehouse/local.duckdb; on Spark warehouse/spark"),
    Setting("target", "duckdb"),
    Setting("as_of", "the last full hour of the events", is_var=True, flag="--as-of"),
    Setting("candidates", "none beside Foretell's own", is_var=True),
    Setting("replay", "a past hour is built beside what is live", flag="--publish"),
    Setting("strict", "torn files are left out and reported"),
    Setting("file_mode", "600"),
    Setting("memory_limit", "50%"),
    Setting("threads", "all cores"),
    Setting("spill", "beside the warehouse"),
    Setting("spark_master", "local[*]"),
    Setting("spark_partitions", "200"),
    Setting("spark_memory", "4g"),
)


def project_vars(project: Path) -> Mapping[str, Any]:
    """Return the vars that Foretell's models see in a project.

    Those of its dbt_project.yml under `foretell`, then those that it has for all packages, then the
    defaults of Foretell's own dbt_project.yml.

    Args:
        project: Folder of dbt_project.yml (Project.dbt_folder).

    Raises:
        ForetellError: If the file cannot be read, or `foretell` holds no vars.
    """
    defaults = _vars(PACKAGE)["foretell"]
    given = _vars(project)
    own = given.get("foretell") or {}
    if not isinstance(own, dict):
        raise ForetellError(
            f"{project / DBT_PROJECT}: vars: foretell: is {own!r}; write names and values"
        )
    of_all = {name: value for name, value in given.items() if name in defaults}
    return {**defaults, **of_all, **own}


def _vars(project: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load((project / DBT_PROJECT).read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ForetellError(f"{project / DBT_PROJECT} is no YAML: {reason}") from None
    found = content.get("vars") if isinstance(content, dict) else None
    return found if isinstance(found, dict) else {}


def resolve(
    environment: Mapping[str, str], project: Path, flags: Mapping[str, str | None]
) -> dict[str, Resolved]:
    """Return every setting by name: those of SETTINGS, then all other dbt vars.

    Events come from one of INPUTS: from the first that the environment names; if it names none,
    from the first that dbt_project.yml names.

    Args:
        environment: Mapping of variable names to values; an empty value names nothing.
        project: Folder of dbt_project.yml.
        flags: Values of options by the setting's name; None: not given.
    """
    given = project_vars(project)
    found = {each.name: _resolve(each, environment, given, flags) for each in SETTINGS}
    named = [found[name] for name in INPUTS if found[name].source != DEFAULT]
    if named:  # by the environment, if it names any
        winner = min(named, key=lambda each: each.source == DBT_PROJECT)
        for each in (each for each in SETTINGS if each.name in INPUTS):
            if each.name != winner.name:
                found[each.name] = Resolved(each.name, each.default, DEFAULT)
    others = {name: Resolved(name, value, DBT_PROJECT) for name, value in given.items()}
    return found | {name: value for name, value in others.items() if name not in found}


def as_json(settings: Mapping[str, Resolved]) -> str:
    """Return settings as a JSON list, secrets masked."""
    rows = [asdict(each) | {"value": shown(each)} for each in settings.values()]
    return json.dumps(rows, indent=2, ensure_ascii=False)


def shown(setting: Resolved) -> str:
    """Return a value for people: secrets masked, lists as JSON."""
    value = setting.value
    return mask(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _resolve(
    setting: Setting,
    environment: Mapping[str, str],
    given: Mapping[str, Any],
    flags: Mapping[str, str | None],
) -> Resolved:
    if flag := flags.get(setting.name):
        return Resolved(setting.name, flag, setting.flag)
    if value := environment.get(setting.variable):
        return Resolved(setting.name, value, setting.variable)
    if setting.is_var and given.get(setting.name):
        return Resolved(setting.name, given[setting.name], DBT_PROJECT)
    return Resolved(setting.name, setting.default, DEFAULT)
