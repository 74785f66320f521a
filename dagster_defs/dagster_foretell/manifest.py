"""dbt's manifest, parsed again whenever files or settings changed."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from foretell.definition_files import FILE_KEY, name_user_files
from foretell.errors import ForetellError
from foretell.pipeline.dbt import dbt_parse
from foretell.project import PACKAGE
from foretell.settings import Settings

# Files that dbt reads; the demo's definitions are in seeds.
SOURCES = ("dbt_project.yml", "profiles.yml", "dbt_project", "seeds", "tests/dbt")
SUFFIXES = (".sql", ".yml", ".yaml", ".csv", ".md")
KEPT_FOLDERS, KEPT_SECONDS = 5, 24 * 3600


@dataclass(frozen=True)
class Prediction:
    """The parts of a definition that Dagster shows.

    Attributes:
        name: E.g. buys_within_7_days.
        label: Its name for people.
        definition: Cohort, outcome and horizon, as written in YAML.
        owner: Team that requested it, or None.
        file: Where it is defined.
    """

    name: str
    label: str
    definition: str
    owner: str | None
    file: str


def prepare_manifest(settings: Settings, target: Path | None = None) -> Path:
    """Return the path of the manifest for the files and settings; parse if there is none yet.

    Each state of files and settings has its own folder, renamed when it is complete: the processes
    of `dagster dev` all load the definitions at once, and `foretell run` writes elsewhere.

    Args:
        settings: Where events, warehouse and definitions are.
        target: Folder of dbt's output for Dagster; default: next to the warehouse.

    Raises:
        ForetellError: If dbt cannot parse the project or the definitions.
    """
    target = target or settings.work_folder / "dagster"
    folder = target / _fingerprint(settings)
    if not (folder / "manifest.json").exists():
        target.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=target, prefix="."))
        try:
            _parse(aside, settings)
            if not (folder / "manifest.json").exists():
                shutil.rmtree(folder, ignore_errors=True)
            aside.rename(folder)
        except OSError:
            if not (folder / "manifest.json").exists():  # else another process was faster
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    (folder / "used").touch()
    _remove_old(target)
    return folder / "manifest.json"


def _parse(folder: Path, settings: Settings) -> None:
    """Have dbt write the manifest; errors name the user's own file, not the staged copy."""
    try:
        dbt_parse(folder, settings.dbt_environment(), {"scope": "everyone"})
    except ForetellError as error:
        raise ForetellError(name_user_files(str(error), settings.staged)) from error


def read_predictions(manifest_path: Path) -> list[Prediction]:
    """Return the predictions among the manifest's exposures, by name.

    Definitions are not checked here: dbt refuses invalid ones when a run starts, with a message.
    """
    manifest = json.loads(manifest_path.read_text())
    exposures = sorted(manifest["exposures"].values(), key=lambda exposure: exposure["name"])
    return [
        _prediction(exposure)
        for exposure in exposures
        if exposure["type"] == "ml" and exposure["config"].get("meta", {}).get("prediction")
    ]


def _prediction(exposure: Mapping[str, Any]) -> Prediction:
    definition = exposure["config"].get("meta", {}).get("prediction", {})
    return Prediction(
        name=exposure["name"],
        label=exposure["label"] or exposure["name"],
        definition=yaml.safe_dump(definition, sort_keys=False, default_flow_style=None).strip(),
        owner=exposure["owner"].get("name"),
        file=exposure["config"].get("meta", {}).get(FILE_KEY) or exposure["original_file_path"],
    )


def _fingerprint(settings: Settings) -> str:
    """Return a hash of everything the manifest depends on."""
    named = (
        settings.target, settings.warehouse, settings.staged or settings.predictions,
        settings.is_demo,
        version("dbt-core"),
    )  # fmt: skip
    digest = hashlib.sha256(repr(named).encode())
    for path in _files(settings):
        digest.update(f"\n{path}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _files(settings: Settings) -> Iterator[Path]:
    roots = [PACKAGE / source for source in SOURCES]
    if settings.project.is_host:
        roots += [each for each in sorted(settings.project.folder.iterdir()) if _is_source(each)]
    definitions = settings.staged or settings.predictions
    for root in [*roots, *([definitions] if definitions else [])]:
        paths = sorted(root.rglob("*")) if root.is_dir() else [root]
        yield from (path for path in paths if path.suffix in SUFFIXES)


def _remove_old(target: Path) -> None:
    """Remove old folders: the five used last stay, and all used within a day."""
    used = {folder: (folder / "used") for folder in target.iterdir() if folder.is_dir()}
    stamps = {folder: mark.stat().st_mtime for folder, mark in used.items() if mark.exists()}
    for folder in sorted(stamps, key=stamps.__getitem__, reverse=True)[KEPT_FOLDERS:]:
        if time.time() - stamps[folder] > KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _is_source(path: Path) -> bool:
    """Return whether dbt reads this file or folder of somebody's project, and does not write it."""
    return path.name not in ("target", "logs") and not path.name.startswith(".")
