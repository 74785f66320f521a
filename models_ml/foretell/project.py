"""The dbt project of a run: a project that has Foretell as a package, or Foretell's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from foretell.errors import ForetellError

INSTALLED = Path(__file__).resolve().parent / "dbt"
# Foretell's dbt project (dbt_project.yml, models, macros): in the wheel, or in a clone its root.
PACKAGE = INSTALLED if INSTALLED.is_dir() else Path(__file__).resolve().parents[2]
DBT_PROJECT, NAME = "dbt_project.yml", "foretell"
LOCAL = re.compile(r"""local:\s*["']?([^"'\s}]+)""")
PROJECT_DIR = "FORETELL_PROJECT_DIR"
EVENTS = ("FORETELL_EVENTS", "FORETELL_SOURCES", "FORETELL_EVENTS_RELATION")


@dataclass(frozen=True)
class Project:
    """Where dbt runs.

    Attributes:
        folder: Holds dbt_project.yml, and what is written by default.
        is_host: True if that project is somebody's, with Foretell as a package.
    """

    folder: Path
    is_host: bool

    @property
    def dbt_folder(self) -> Path:
        """The folder of dbt_project.yml: Foretell's own project may be read-only, and elsewhere."""
        return self.folder if self.is_host else PACKAGE


def find_project(environment: Mapping[str, str], start: Path) -> Project:
    """Return the project that FORETELL_PROJECT_DIR names, or the nearest one at or above a folder.

    Without one, or where events are named, it is Foretell's own, which writes into the clone, or,
    where Foretell is installed, into `start`.

    Args:
        environment: Mapping of variable names to values.
        start: The current folder.

    Raises:
        ForetellError: If the named folder holds no dbt project, or one without Foretell; or if the
            nearest one has no Foretell and no events are named: the demo's would be used.
    """
    if named := environment.get(PROJECT_DIR):
        folder = (start / named).resolve()
        if folder == PACKAGE:
            return _own(start)
        if not (folder / DBT_PROJECT).is_file():
            raise ForetellError(
                f"{PROJECT_DIR}={named}: no {DBT_PROJECT} there; `foretell init {named}` makes one"
            )
        if not has_package(folder):
            raise ForetellError(
                f"{PROJECT_DIR}={named}: this dbt project does not have Foretell as a package; "
                f"`foretell init {named}` adds it"
            )
        return Project(folder, is_host=True)
    for folder in (start.resolve(), *start.resolve().parents):
        if folder == PACKAGE:
            break
        if (folder / DBT_PROJECT).is_file():
            if has_package(folder):
                return Project(folder, is_host=True)
            if not any(environment.get(name) for name in EVENTS):  # else it is run beside it
                raise ForetellError(
                    f"the dbt project {folder} does not have Foretell as a package: "
                    f"`foretell init {folder}` adds it; or name events in FORETELL_EVENTS"
                )
            break
    return _own(start)


def has_package(folder: Path) -> bool:
    """Return whether a dbt project has Foretell among its packages, or lists it."""
    if (folder / "dbt_packages" / NAME).exists():
        return True
    listed = "\n".join(path.read_text(encoding="utf-8") for path in package_lists(folder))
    paths = (folder / path for path in LOCAL.findall(listed))
    return NAME in listed or any(path.resolve() == PACKAGE for path in paths)


def package_lists(folder: Path) -> list[Path]:
    """Return the files in which a dbt project lists its packages."""
    paths = (folder / name for name in ("packages.yml", "dependencies.yml"))
    return [path for path in paths if path.is_file()]


def _own(start: Path) -> Project:
    return Project(start.resolve() if PACKAGE == INSTALLED else PACKAGE, is_host=False)


OWN = _own(Path.cwd())
