"""Settings of one run, made from what foretell.config reads."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from foretell.config import DEFAULT, Resolved, resolve
from foretell.dbt_profile import Profile, read_profile
from foretell.definition_files import stage_definitions
from foretell.errors import ForetellError
from foretell.machine import check_machine
from foretell.project import DBT_PROJECT, OWN, PROJECT_DIR, Project, find_project
from foretell.sources.adapters import Source, check_adapter, parse_sources
from foretell.sources.torn_files import find_torn_files
from foretell.system.child_process import PARENT
from foretell.warehouse.base import INTERNAL, SCHEMA, Location
from foretell.warehouse.spark_server import server_address

DEFAULT_WAREHOUSES = {"duckdb": "warehouse/local.duckdb", "spark": "warehouse/spark"}
SCHEMAS_FILE = "schemas.json"
REFERENCE = re.compile(r"\s*(ref|source)\(.*\)\s*")  # a model or source of the dbt project
DEMO_EVENTS = "warehouse/demo_events/*.parquet"


@dataclass(frozen=True)
class Settings:
    """Where events come from, where the warehouse is, and which hour counts as now.

    Attributes:
        events: Path or glob of raw events; relative paths start at `folder`.
        warehouse: DuckDB file of the warehouse; on Spark the folder of a local one.
        predictions: Extra folder of definitions, or None for the default.
        staged: What dbt reads in its place (foretell.definition_files); None: nothing yet.
        as_of: The hour that counts as now, naive UTC, or None for the last full hour seen.
        is_demo: True if no events are named, so that the demo's events and definitions are used.
        adapter: The format of `events` (foretell.sources.adapters).
        declared: Several sources, each with its format; if there are any, they take the place of
            `events` and `adapter`.
        target: The engine, a target of profiles.yml.
        is_replay: A past hour on a copy of the warehouse, of which nothing is live.
        is_replay_published: A past hour may take the place of live tables
            (foretell.pipeline.replay).
        project: The dbt project.
        profile: Of somebody's project; None of Foretell's own.
    """

    events: str
    warehouse: Path
    predictions: Path | None = None
    as_of: datetime | None = None
    is_demo: bool = False
    adapter: str = "canonical"
    declared: tuple[Source, ...] = ()
    target: str = "duckdb"
    is_replay: bool = False
    is_replay_published: bool = False
    staged: Path | None = None
    project: Project = OWN
    profile: Profile | None = None

    @property
    def location(self) -> Location:
        """Where the tables are: the schemas that the newest run wrote, or those of the profile."""
        schema = self.profile.schema if self.profile else SCHEMA
        schemas = {"schema": schema, "internal": f"{schema}{INTERNAL.removeprefix(SCHEMA)}"}
        if self.schemas_file.exists():
            schemas = json.loads(self.schemas_file.read_text(encoding="utf-8"))
        spark = self.profile.spark_settings if self.profile else {}
        return Location(self.warehouse, self.target, spark_settings=spark, **schemas)

    @property
    def schemas_file(self) -> Path:
        """Where a run of dbt in somebody's project notes the schemas of its tables."""
        return self.work_folder / SCHEMAS_FILE

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where events come from: what is declared, or the one source of `events`."""
        return self.declared or (Source(self.adapter, self.adapter, self.events),)

    @property
    def input(self) -> str:
        """The sources of events for people: paths, globs and relations."""
        return ", ".join(source.events or source.relation for source in self.sources)

    @property
    def work_folder(self) -> Path:
        """Folder beside the warehouse for what dbt writes: parsed projects, logs, definitions."""
        if self.target == "spark":
            return self.warehouse / "foretell_dbt"
        return self.warehouse.with_name(f"{self.warehouse.stem}_dbt")

    def _torn_files(self) -> str:
        """Return the files that no run can read, and why, as JSON; empty text for none."""
        paths = [] if self.is_demo else [source.events for source in self.sources if source.events]
        torn = find_torn_files(paths, os.environ, self.work_folder)
        return json.dumps(torn) if torn else ""

    def dbt_environment(self) -> dict[str, str]:
        """Return the environment variables under which dbt sees the same settings."""
        named = {
            "FORETELL_EVENTS": "" if self.is_demo else self.events,
            "FORETELL_DEMO_EVENTS": self.events if self.is_demo else "",
            "FORETELL_EVENTS_RELATION": "",  # a relation is one of the declared sources
            "FORETELL_ADAPTER": self.adapter,
            "FORETELL_SOURCES": _as_json(self.declared),
            "FORETELL_WAREHOUSE": str(self.warehouse),
            "FORETELL_TARGET": self.target,
            "FORETELL_PREDICTIONS": str(self.staged or self.predictions or ""),
            "FORETELL_AS_OF": self.as_of.isoformat() if self.as_of else "",
            "FORETELL_REPLAY": "publish" if self.is_replay_published or self.is_replay else "",
            "DBT_TARGET_PATH": str(self.work_folder / "target"),
            "DBT_LOG_PATH": str(self.work_folder / "logs"),
            "FORETELL_TORN_FILES": self._torn_files(),
            PROJECT_DIR: str(self.project.dbt_folder),
            "FORETELL_RUN_TESTS": "true",
            PARENT: str(os.getpid()),
        }
        environment = {**os.environ, **named, "DO_NOT_TRACK": "1"}
        if os.environ.get("SPARK_REMOTE"):  # dbt-spark queries the server's settings: always set
            environment["PYTHONWARNINGS"] = "ignore::UserWarning:pyspark.sql.connect.conf"
        return environment


def read_settings(
    environment: Mapping[str, str] = os.environ,
    folder: Path | None = None,
    as_of: str | None = None,
    publish: bool = False,
) -> Settings:
    """Read the settings of a run: flags, FORETELL_* variables, vars of dbt_project.yml, defaults.

    Args:
        environment: Mapping of variable names to values.
        folder: Where relative paths start; default: the current folder.
        as_of: Overrides FORETELL_AS_OF.
        publish: A replay is meant to be published; so says FORETELL_REPLAY=publish too.

    Returns:
        The settings, paths made absolute.

    Raises:
        ForetellError: If a value cannot be used, naming it.
    """
    folder = folder or Path.cwd()
    project = find_project(environment, folder)
    flags = {"as_of": as_of, "replay": "publish" if publish else None}
    resolved = resolve(environment, project.dbt_folder, flags).values()
    named = {each.name: each for each in resolved if each.source != DEFAULT}
    events, adapter, warehouse, predictions, target, hour, replay = (
        str(named[name].value) if name in named else ""
        for name in ("events", "adapter", "warehouse", "predictions", "target", "as_of", "replay")
    )
    declared = _declared_sources(named, adapter, folder, project)
    profile = read_profile(project.folder, environment) if project.is_host else None
    if profile:
        target = profile.engine
        warehouse = _warehouse_of(profile, warehouse, project)
    target = target or "duckdb"
    if target not in DEFAULT_WAREHOUSES:
        raise ForetellError(
            f"FORETELL_TARGET={target}: unknown; choose one of {', '.join(DEFAULT_WAREHOUSES)}"
        )
    if target == "spark":
        _check_spark(environment)
    check_machine(environment)
    if adapter:
        check_adapter("FORETELL_ADAPTER", adapter)
    if environment.get("FORETELL_ADAPTER") and not events and not declared:
        raise ForetellError(
            f"FORETELL_ADAPTER={adapter} needs events; name files in FORETELL_EVENTS"
        )
    if predictions and not (folder / predictions).is_dir():
        raise ForetellError(
            f"FORETELL_PREDICTIONS={predictions}: no such folder; "
            "name the folder that holds your definition .yml files"
        )
    if set(Path(warehouse).name) & {"'", '"'}:
        raise ForetellError(
            f"FORETELL_WAREHOUSE={warehouse}: dbt cannot open a file with a quote in its name; "
            "folders may have one, name the file e.g. shop.duckdb"
        )
    return Settings(
        events=_absolute(events, _folder_of(named, "events", folder, project))
        if events
        else str(project.folder / DEMO_EVENTS),
        warehouse=folder / warehouse if warehouse else project.folder / DEFAULT_WAREHOUSES[target],
        target=target,
        predictions=(folder / predictions).resolve() if predictions else None,
        as_of=parse_as_of(hour),
        is_demo=not events and not declared,
        adapter=adapter or "canonical",
        declared=declared,
        is_replay_published=replay == "publish",
        project=project,
        profile=profile,
    )


def in_effect(settings: Settings, resolved: Mapping[str, Resolved]) -> dict[str, Resolved]:
    """Return resolved settings with what somebody's project decides: its folder, its profile."""
    folder = Resolved("project_dir", str(settings.project.folder), resolved["project_dir"].source)
    found = {**resolved, "project_dir": folder}
    if settings.profile:
        found["warehouse"] = Resolved("warehouse", str(settings.warehouse), "profiles.yml")
        found["target"] = Resolved("target", settings.target, "profiles.yml")
        if not settings.predictions:
            found["predictions"] = Resolved("predictions", "the model paths", DBT_PROJECT)
    return found


def _warehouse_of(profile: Profile, named: str, project: Project) -> str:
    """Return the warehouse of a profile; refuse another one that is named beside it."""
    if profile.path is None:
        return named
    if named and (project.folder / named).resolve() != profile.path:
        raise ForetellError(
            f"FORETELL_WAREHOUSE={named} has no effect: the path of the project's profile is "
            f"{profile.path}; to choose it, write path: "
            "\"{{ env_var('FORETELL_WAREHOUSE') }}\" there"
        )
    return str(profile.path)


def with_staged_definitions(settings: Settings) -> Settings:
    """Return settings under which dbt reads the definitions that are there now, and nothing else.

    Raises:
        ForetellError: If a definition cannot be read as data, naming its file.
    """
    own = settings.project.dbt_folder / "dbt_project/models/predictions"
    if settings.staged or not settings.predictions or settings.predictions == own:
        return settings
    target = settings.work_folder / "definitions"
    return replace(settings, staged=stage_definitions(settings.predictions, target))


def _check_spark(environment: Mapping[str, str]) -> None:
    """Refuse Spark where it cannot start, saying what is missing."""
    if importlib.util.find_spec("pyspark") is None:
        raise ForetellError(
            "FORETELL_TARGET=spark: Spark is not installed; `FORETELL_TARGET=spark make setup` "
            "does it here, `pip install 'foretell[spark]'` elsewhere"
        )
    if remote := environment.get("SPARK_REMOTE"):
        server_address(remote)
        return
    if not environment.get("JAVA_HOME") and not shutil.which("java", path=environment.get("PATH")):
        raise ForetellError(
            "FORETELL_TARGET=spark: no Java; install Java 17, or name it in JAVA_HOME"
        )


def parse_as_of(text: str) -> datetime | None:
    """Turn ISO text into a naive UTC hour, rounded down; None for empty text.

    Raises:
        ForetellError: If the text is not an ISO time.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ForetellError(
            f"as_of {text!r} is not an ISO time; write e.g. 2026-05-25T00:00 (UTC)"
        ) from None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.replace(minute=0, second=0, microsecond=0)


def _declared_sources(
    named: Mapping[str, Resolved], adapter: str, folder: Path, project: Project
) -> tuple[Source, ...]:
    """Return several sources, or the one of a relation; none where events are files."""
    if "events_relation" in named:
        relation = str(named["events_relation"].value)
        return (Source(adapter or "canonical", adapter or "canonical", relation=relation),)
    if "events" in named and REFERENCE.fullmatch(str(named["events"].value)):
        relation = str(named["events"].value)
        return (Source(adapter or "canonical", adapter or "canonical", relation=relation),)
    if "sources" not in named:
        return ()
    given = named["sources"]
    if given.source == DBT_PROJECT:
        sources = parse_sources(given.value, f"{DBT_PROJECT}: sources")
    else:
        try:
            sources = parse_sources(json.loads(given.value))
        except json.JSONDecodeError as error:
            raise ForetellError(f"FORETELL_SOURCES is not JSON ({error}): {given.value}") from None
    start = _folder_of(named, "sources", folder, project)
    return tuple(
        replace(source, events=_absolute(source.events, start)) if source.events else source
        for source in sources
    )


def _folder_of(named: Mapping[str, Resolved], name: str, folder: Path, project: Project) -> Path:
    """Return where relative paths of a setting start: those of dbt_project.yml beside it."""
    return project.folder if named[name].source == DBT_PROJECT else folder


def _as_json(sources: tuple[Source, ...]) -> str:
    """Return sources as FORETELL_SOURCES holds them; empty text for none."""
    given = [{key: value for key, value in asdict(each).items() if value} for each in sources]
    return json.dumps(given) if given else ""


def _absolute(path: str, folder: Path) -> str:
    return path if "://" in path else str(folder / Path(path).expanduser())
