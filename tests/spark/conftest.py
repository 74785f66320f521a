"""Two warehouses, on DuckDB and on Spark, of the same dirty events that came in two loads."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models_ml.duckdb_warehouse import open_duckdb
from models_ml.settings import PROJECT
from tests.conftest import SHOP, write_events
from tests.random_events import arriving_events

ROUNDS = (["run"], ["score", "--active-only"])  # as in road.py
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


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with batches of events, and a definition."""
    folder = tmp_path_factory.mktemp("both")
    for name in ("events", "batches", "predictions", "conf"):
        (folder / name).mkdir()
    (folder / "conf/spark-defaults.conf").write_text(DEFAULTS)
    (folder / "predictions/shop.yml").write_text(SHOP.replace("horizon", "reasons: true, horizon"))
    rows = arriving_events(1, n_users=150, n_events=6000)
    cuts = [0, len(rows) * 4 // 5, len(rows)]
    for number in range(len(ROUNDS)):
        part = rows[cuts[number] : cuts[number + 1]]
        write_events(folder / f"batches/{number}.parquet", part)
        os.utime(folder / f"batches/{number}.parquet", (1e9 + number, 1e9 + number))
    return folder


@pytest.fixture(scope="session")
def on_duckdb(folder: Path) -> dict[str, pa.Table]:
    """Return every table after two rounds, by name."""
    for number, command in enumerate(ROUNDS):
        shutil.copy2(folder / f"batches/{number}.parquet", folder / "events")
        run(folder, "duckdb", ["models_ml.cli", *command])
    with open_duckdb(folder / "w.duckdb", read_only=True) as warehouse:
        found = warehouse.rows(
            "select table_name from information_schema.tables where table_schema = 'foretell'"
        )
        names = [row["table_name"] for row in found]
        return {name: warehouse.table(f'select * from "{name}"') for name in names}


@pytest.fixture(scope="session")
def on_spark(folder: Path, on_duckdb: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Return the same of Spark; every unit test and data test has passed there too."""
    for file in (folder / "events").iterdir():
        file.unlink()
    run(folder, "spark", ["tests.spark.road", str(folder)])
    return {name: pq.read_table(folder / f"tables/{name}.parquet") for name in on_duckdb}


def run(folder: Path, target: str, module: list[str]) -> None:
    """Run a module of ours with the folder's settings."""
    with (folder / f"{target}.log").open("a") as log:
        code = subprocess.call(
            [sys.executable, "-m", *module],
            cwd=PROJECT, env=settings(folder, target), stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    assert code == 0, (folder / f"{target}.log").read_text()[-3000:]


def settings(folder: Path, target: str) -> dict[str, str]:
    """Return the environment of a process that works on one of the folder's warehouses."""
    return {
        **os.environ,
        **SPARK,
        "SPARK_CONF_DIR": str(folder / "conf"),
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(PROJECT),
        "DO_NOT_TRACK": "1",
        "FORETELL_TARGET": target,
        "FORETELL_EVENTS": str(folder / "events/*.parquet"),
        "FORETELL_PREDICTIONS": str(folder / "predictions"),
        "FORETELL_WAREHOUSE": str(folder / {"duckdb": "w.duckdb", "spark": "spark"}[target]),
    }
