"""Makes Foretell's dbt project a package of somebody's project: a link, then `dbt deps`."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path

import yaml

from foretell.errors import ForetellError
from foretell.project import DBT_PROJECT, NAME, PACKAGE, package_lists

# The path in packages.yml: the same on every machine, so that the file can be in git.
LINK = ".foretell/package"


def link_package(folder: Path) -> None:
    """Let .foretell/package lead to the installed package, wherever it is on this machine."""
    link = folder / LINK
    if link.resolve() == PACKAGE:
        return
    link.parent.mkdir(exist_ok=True)
    aside = link.with_name(f"package.{os.getpid()}")
    aside.symlink_to(PACKAGE, target_is_directory=True)
    os.replace(aside, link)


def uses_link(folder: Path) -> bool:
    """Return whether a project lists the package by that link."""
    return any(LINK in path.read_text(encoding="utf-8") for path in package_lists(folder))


def is_installed(folder: Path) -> bool:
    """Return whether `dbt deps` has been run since the package was listed or moved.

    Raises:
        ForetellError: If the package is of another version than this command.
    """
    there = folder / "dbt_packages" / NAME / DBT_PROJECT
    if not there.is_file():
        return False
    found = yaml.safe_load(there.read_text(encoding="utf-8")).get("version")
    if found == version("foretell"):
        return True
    if uses_link(folder):
        return False
    raise ForetellError(
        f"{folder}: its dbt package is Foretell {found}, this command is {version('foretell')}; "
        "list the same version in packages.yml and run `dbt deps`"
    )
