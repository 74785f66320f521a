"""Writes a small dbt project with Foretell as a package, or what an existing one lacks."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from foretell.errors import ForetellError
from foretell.install_package import LINK, link_package
from foretell.project import DBT_PROJECT, has_package, package_lists

TEMPLATES = Path(__file__).parent / "templates"
PREDICTIONS = "predictions"


@dataclass(frozen=True)
class Source:
    """The events of a new project.

    Attributes:
        events: Path or glob, as the project has it.
        adapter: Their format.
    """

    events: str = "events/*.parquet"
    adapter: str = "canonical"


def init_project(folder: Path, source: Source | None = None) -> list[str]:
    """Write a project into a folder, or add what a dbt project in it lacks.

    Files that exist are left as they are, but for lists of packages and vars, which get an entry at
    their end.

    Args:
        folder: Made if it is not there.
        source: Events; default: a place where they may be put.

    Returns:
        A line per file: what was written, or what is left to do by hand.

    Raises:
        ForetellError: If the folder has a project of Foretell already, or a file in its place.
    """
    if folder.exists() and not folder.is_dir():
        raise ForetellError(f"{folder} is a file; name a folder for the project")
    if (folder / DBT_PROJECT).is_file():
        if has_package(folder):
            raise ForetellError(f"{folder} has Foretell as a package; `foretell run` runs it")
        return _add_to_project(folder, source or Source("ref('my_events')"))
    name = project_name(folder.resolve().name)
    given = source or Source()
    folder.mkdir(parents=True, exist_ok=True)
    values = {"name": name, "events": json.dumps(given.events), "adapter": given.adapter}
    lines = [
        _write(folder / target, _filled(template, values))
        for template, target in (
            ("dbt_project.yml", DBT_PROJECT),
            ("profiles.yml", "profiles.yml"),
            ("packages.yml", "packages.yml"),
            ("gitignore", ".gitignore"),
            ("README.md", "README.md"),
        )
    ]
    (folder / PREDICTIONS).mkdir(exist_ok=True)
    if not any((folder / PREDICTIONS).iterdir()):
        lines.append(_write(folder / PREDICTIONS / "first.yml", _filled("first.yml", values)))
    link_package(folder)
    return lines


def project_name(folder_name: str) -> str:
    """Return a name that dbt accepts: letters, digits and underscores, no digit first."""
    name = re.sub(r"[^a-z0-9_]+", "_", folder_name.lower()).strip("_")
    if not name or name[0].isdigit():
        name = f"shop_{name}".rstrip("_")
    return f"{name}_project" if name == "foretell" else name


def _add_to_project(folder: Path, source: Source) -> list[str]:
    lines = [_add_package(folder), *_add_vars(folder, source)]
    project = _read_yaml(folder / DBT_PROJECT)
    models = (project.get("model-paths") or ["models"])[0]
    target = folder / models / PREDICTIONS
    if not target.exists():
        target.mkdir(parents=True)
        values = {"name": str(project.get("name")), "events": "", "adapter": ""}
        lines.append(_write(target / "first.yml", _filled("first.yml", values)))
    ignored = folder / ".gitignore"
    before = ignored.read_text(encoding="utf-8") if ignored.exists() else ""
    if ".foretell" not in before:
        ignored.write_text(f"{before.rstrip()}\n.foretell/\n".lstrip(), encoding="utf-8")
        lines.append(f"{ignored}: added .foretell/")
    link_package(folder)
    return lines


def _add_package(folder: Path) -> str:
    """Add Foretell to the list of packages that the project has, or write one."""
    if not (lists := package_lists(folder)):
        return _write(folder / "packages.yml", _filled("packages.yml", {}))
    listed = lists[0]
    text = listed.read_text(encoding="utf-8")
    before = (yaml.safe_load(text) or {}).get("packages") or []
    added = text.rstrip() + f"\n  - local: {LINK}\n"
    try:
        after = (yaml.safe_load(added) or {}).get("packages")
    except yaml.YAMLError:
        after = None
    if after != [*before, {"local": LINK}]:
        return f"{listed}: add under `packages:` the line `- local: {LINK}`"
    listed.write_text(added, encoding="utf-8")
    return f"{listed}: added `- local: {LINK}`"


def _add_vars(folder: Path, source: Source) -> list[str]:
    """Add the var that names the events, where the project has no vars yet."""
    path = folder / DBT_PROJECT
    text = path.read_text(encoding="utf-8")
    entry = f"  foretell:\n    events: {json.dumps(source.events)}\n"
    if source.adapter != "canonical":
        entry += f"    adapter: {source.adapter}\n"
    given = _read_yaml(path).get("vars")
    if given is None:
        path.write_text(f"{text.rstrip()}\n\nvars:\n{entry}", encoding="utf-8")
        lines = [f"{path}: added vars: foretell: events: {source.events}"]
    elif "foretell" in given:
        return []
    else:
        lines = [f"{path}: add under `vars:`\n{entry.rstrip()}"]
    if source.events == "ref('my_events')":
        lines.append("name your model of events there, with its project: ref('project', 'model')")
    return lines


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ForetellError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    return found if isinstance(found, dict) else {}


def _filled(template: str, values: dict[str, str]) -> str:
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"<{name}>", value)
    return text


def _write(path: Path, text: str) -> str:
    """Write a file that is not there yet."""
    if path.exists():
        return f"{path}: left as it is"
    path.write_text(text, encoding="utf-8")
    return f"{path}: written"
