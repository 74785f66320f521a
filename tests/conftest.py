"""Small warehouses for tests: events in, `dbt run`, a DuckDB file out."""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from copy import copy
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from foretell.system.no_telemetry import disable_telemetry
from tests.dbt_process import DbtProcess

disable_telemetry()  # before anything imports onnxruntime

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # tests run beside each other on few cores
for name in (
    "EVENTS",
    "EVENTS_RELATION",
    "ADAPTER",
    "SOURCES",
    "WAREHOUSE",
    "PREDICTIONS",
    "AS_OF",
    "TARGET",
):
    os.environ.pop(f"FORETELL_{name}", None)

AFTER_SCORING = "tag:after_scoring"
COLUMNS = (
    "event_id", "user_id", "device_id", "event_name",
    "event_time", "received_at", "event_properties", "user_properties", "previous_id",
)  # fmt: skip
SHOP = """
exposures:
  - name: buys
    label: Buys within a week
    type: ml
    owner: {name: test}
    depends_on: [ref('predictions')]
    config: {meta: {prediction: {
      cohort: [{event: any, within_days: 28}],
      outcome: {event: purchase},
      horizon_days: 7}}}
"""


def write_events(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """Write canonical raw events as Parquet, all columns text; properties may be dictionaries."""
    rows = [
        {c: json.dumps(row[c]) if isinstance(row.get(c), dict) else row.get(c) for c in COLUMNS}
        for row in rows
    ]
    schema = pa.schema([(column, pa.string()) for column in COLUMNS])
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


DBT_FOLDER = Path(tempfile.mkdtemp(prefix="foretell_dbt_"))
HERE = DBT_FOLDER / "here"  # what dbt knows a test's folder as
atexit.register(shutil.rmtree, DBT_FOLDER, ignore_errors=True)


def dbt(
    command: list[str], environment: dict[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run dbt on the project, with `folder` under one name for all tests.

    dbt parses everything anew (10 s) whenever a path or a variable differs from last time: so paths
    never do, and each set of variables has a parsed project of its own. (as_of may: only stg_as_of reads it.)
    """
    HERE.unlink(missing_ok=True)
    HERE.symlink_to(folder, target_is_directory=True)
    environment = {name: text.replace(str(folder), str(HERE)) for name, text in environment.items()}
    environment["DO_NOT_TRACK"] = "1"
    variables = command[command.index("--vars") :][:2] if "--vars" in command else []
    known = sorted(item for item in environment.items() if item[0] != "FORETELL_AS_OF")
    parsed_for = hashlib.md5(repr((known, variables)).encode()).hexdigest()
    code = dbt_process().run(
        ["--no-use-colors", "--log-level-file", "none", "--no-write-json", *command,
         "--target-path", str(DBT_FOLDER / parsed_for), "--log-path", str(folder / "logs")],
        environment,
        folder / "dbt.txt",
    )  # fmt: skip
    return subprocess.CompletedProcess(command, code, (folder / "dbt.txt").read_text())


@lru_cache(maxsize=1)
def dbt_process() -> DbtProcess:
    """Return the process in which this worker's commands run."""
    return DbtProcess()


@pytest.fixture(scope="session")
def shop_after_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a shop after a run (tests.shop.run_shop): to read, or to copy.

    The first process of a test run that needs it makes it for all. Quotes and blanks in the path
    are part of what is tested.
    """
    from tests.shop import run_shop  # which imports this file

    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder = shared / 'it\'s "mine"'
    with FileLock(shared / "shop.lock"):
        if not (folder / "ran").exists():
            shutil.rmtree(folder, ignore_errors=True)
            run_shop(folder)
            (folder / "ran").touch()
    return folder


@pytest.fixture(scope="session")
def warehouse_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that builds all before training from events and gives the DuckDB file."""
    # The same paths every time: dbt parses anew whenever a path it was given changes.
    shared = tmp_path_factory.mktemp("dbt")
    (shared / "predictions").mkdir()

    def make(
        events: Iterable[dict[str, Any]],
        as_of: str = "",
        definitions: str = SHOP,
        rows_at_a_time: int = 100,
    ) -> Path:
        (shared / "predictions/predictions.yml").write_text(definitions)
        (shared / "warehouse.duckdb").unlink(missing_ok=True)
        environment = {
            "FORETELL_EVENTS": str(write_events(shared / "events.parquet", events)),
            "FORETELL_PREDICTIONS": str(shared / "predictions"),
            "FORETELL_WAREHOUSE": str(shared / "warehouse.duckdb"),
            "FORETELL_AS_OF": as_of,
        }
        # Small, so that tests see users in many blocks, and weeks in parts; a block costs 0.1 s.
        blocks = f"{{rows_per_block: {rows_at_a_time}, events_per_fill: {rows_at_a_time}}}"
        done = dbt(["run", "--exclude", AFTER_SCORING, "--vars", blocks], environment, shared)
        assert done.returncode == 0, done.stdout[-3000:]
        made = tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb"
        return (shared / "warehouse.duckdb").rename(made)

    return make


class WarehouseFolder:
    """Event files, definitions and the warehouse that dbt builds from them, in one folder.

    Attributes:
        path: The DuckDB file.
        source: Variables of the environment that say where the events are.
    """

    def __init__(self, folder: Path, definitions: str = SHOP) -> None:
        for name in ("events", "predictions"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.path = folder / "warehouse.duckdb"
        self.source = {"FORETELL_EVENTS": str(folder / "events/*.parquet")}
        self.define(definitions)

    def define(self, definitions: str) -> None:
        (self.folder / "predictions/shop.yml").write_text(definitions)

    def dbt(self, scope: str, selection: list[str], variables: str = "", as_of: str = "") -> str:
        """Run dbt and return what it printed; an hour leaves out what is daily.

        Args:
            scope: everyone or active.
            selection: E.g. ["--exclude", AFTER_SCORING]; --exclude last, for daily to be added to it.
            variables: More vars, as YAML.
            as_of: The hour that counts as now; default: of the events.
        """
        if scope == "active":
            selection = [
                *selection,
                *([] if "--exclude" in selection else ["--exclude"]),
                "tag:daily",
            ]
        done = self._dbt("run", scope, selection, variables, as_of)
        assert done.returncode == 0, done.stdout[-3000:]
        return done.stdout

    def failed_tests(self, scope: str, tables: list[str]) -> set[str]:
        """Run the data tests of some tables and return the names of those that fail.

        On a copy that is named as its schema, as the default warehouse is.
        """
        renamed = copy(self)
        renamed.path = self.folder / "foretell.duckdb"
        shutil.copyfile(self.path, renamed.path)
        selection = ["--select", *(f"{table},resource_type:test" for table in tables)]
        done = renamed._dbt("test", scope, selection)
        failed = set(re.findall(r"FAIL \d+ (\w+) \.\.", done.stdout))
        assert done.returncode == (1 if failed else 0), done.stdout[-3000:]
        return failed

    def _dbt(
        self, command: str, scope: str, selection: list[str], variables: str = "", as_of: str = ""
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            **self.source,
            "FORETELL_PREDICTIONS": str(self.folder / "predictions"),
            "FORETELL_WAREHOUSE": str(self.path),
            "FORETELL_AS_OF": as_of,
            "FORETELL_REPLAY": "publish",
        }
        variables = f"{{scope: {scope}, {variables}}}"
        return dbt([command, "--vars", variables, *selection], environment, self.folder)

    def dbt_output(self, command: str, scope: str, selection: list[str]) -> str:
        """Run dbt, which may fail, and return what it printed."""
        return self._dbt(command, scope, selection).stdout

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return query(self.path, sql)


def query(warehouse: Path, sql: str) -> list[tuple[Any, ...]]:
    """Run a query in the schemas of a warehouse file."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("set search_path = 'warehouse.foretell,warehouse.foretell_internal'")
        return connection.execute(sql).fetchall()
