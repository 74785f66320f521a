"""Warehouses on DuckDB and on Spark of the same events: dirty ones in two loads, the demo's;
and for CI only what dbt makes of the first load.

Each pair is walked once (Walked); what is compared and what is killed work on it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foretell.demo.events import DemoSettings, write_demo_events
from foretell.project import PACKAGE
from foretell.run import AFTER_SCORING
from foretell.warehouse.duckdb import open_duckdb
from tests.conftest import SHOP, write_events
from tests.random_events import arriving_events

ROUNDS = (["foretell.cli", "run"], ["foretell.cli", "score", "--active-only"])  # as in pipeline.py
DBT_RUN = ["dbt.cli.main", "run", "--target-path", "target/tests"]
SPARK = {
    "FORETELL_SPARK_MASTER": "local[2]",
    "FORETELL_SPARK_PARTITIONS": "2",
    "FORETELL_SPARK_MEMORY": "3g",
}
# So little data is not worth compiling a query for; batches of so few rows meet every edge.
DEFAULTS = """
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.sql.execution.arrow.maxRecordsPerBatch 7
"""
SPENDS = """
exposures:
  - name: spends_within_7_days
    type: ml
    owner: {name: test}
    depends_on: [ref('predictions')]
    config: {meta: {prediction: {outcome: {event: purchase, sum_of: amount}, horizon_days: 7}}}
"""


@dataclass(frozen=True)
class Walked:
    """Where two warehouses are, and every table of each, by name."""

    folder: Path
    on_duckdb: dict[str, pa.Table]
    on_spark: dict[str, pa.Table]


@pytest.fixture(scope="session")
def first_load(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    """Build all before training of the first dirty events."""
    folder = new_folder(tmp_path_factory.mktemp("first_load"))
    write_dirty_events(folder, n_batches=1)
    return walk(folder, [[*DBT_RUN, "--exclude", AFTER_SCORING]], "--build-only")


@pytest.fixture(scope="session")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    """Walk with dirty events that come in two loads; all unit and data tests pass on Spark too."""
    folder = new_folder(tmp_path_factory.mktemp("dirty"))
    write_dirty_events(folder, n_batches=2)
    return walk(folder, ROUNDS, "--test")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    """Walk with events and predictions of the demo, for fewer users."""
    folder = new_folder(tmp_path_factory.mktemp("demo"))
    shutil.copy(PACKAGE / "seeds/demo_predictions/demo_predictions.yml", folder / "predictions")
    write_demo_events(folder / "batches/0", DemoSettings(users=300))
    return walk(folder, ROUNDS[:1])


def new_folder(folder: Path) -> Path:
    """Return the folder with what every walk needs in it."""
    for name in ("events", "batches", "predictions", "conf"):
        (folder / name).mkdir()
    (folder / "conf/spark-defaults.conf").write_text(DEFAULTS)
    return folder


def write_dirty_events(folder: Path, n_batches: int) -> None:
    """Write the events' first batches, of two, and what is predicted of them."""
    (folder / "predictions/shop.yml").write_text(SHOP.replace("horizon", "reasons: true, horizon"))
    (folder / "predictions/spends.yml").write_text(SPENDS)
    rows = arriving_events(1, n_users=150, n_events=6000)
    cuts = [0, len(rows) * 4 // 5, len(rows)]
    for number in range(n_batches):
        (folder / f"batches/{number}").mkdir()
        path = folder / f"batches/{number}/{number}.parquet"
        write_events(path, rows[cuts[number] : cuts[number + 1]])
        os.utime(path, (1e9 + number, 1e9 + number))


def walk(folder: Path, commands: Sequence[list[str]], *options: str) -> Walked:
    """Run the pipeline on both engines, a round per batch.

    Args:
        folder: With the batches.
        commands: Of each round on DuckDB.
        options: Of pipeline.py, for Spark.
    """
    for number, command in enumerate(commands):
        shutil.copytree(folder / f"batches/{number}", folder / "events", dirs_exist_ok=True)
        run(folder, "duckdb", command)
    with open_duckdb(folder / "w.duckdb", read_only=True) as warehouse:
        found = warehouse.rows(
            "select table_name from information_schema.tables where table_schema like 'foretell%'"
        )
        names = [row["table_name"] for row in found]
        on_duckdb = {name: warehouse.table(f'select * from "{name}"') for name in names}
    shutil.rmtree(folder / "events")
    run(folder, "spark", ["tests.spark.pipeline", str(folder), *options])
    on_spark = {name: pq.read_table(folder / f"tables/{name}.parquet") for name in names}
    return Walked(folder, on_duckdb, on_spark)


def run(folder: Path, target: str, module: list[str]) -> None:
    """Run a module of ours with the folder's settings."""
    with (folder / f"{target}.log").open("a") as log:
        code = subprocess.call(
            [sys.executable, "-m", *module],
            cwd=PACKAGE, env=settings(folder, target), stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    assert code == 0, (folder / f"{target}.log").read_text()[-3000:]


def settings(folder: Path, target: str) -> dict[str, str]:
    """Return the environment of a process that works on one of the folder's warehouses."""
    return {
        **os.environ,
        **SPARK,
        "SPARK_CONF_DIR": str(folder / "conf"),
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(PACKAGE),
        "DO_NOT_TRACK": "1",
        "FORETELL_TARGET": target,
        "FORETELL_EVENTS": str(folder / "events/*.parquet"),
        "FORETELL_PREDICTIONS": str(folder / "predictions"),
        "FORETELL_WAREHOUSE": str(folder / {"duckdb": "w.duckdb", "spark": "spark"}[target]),
    }
