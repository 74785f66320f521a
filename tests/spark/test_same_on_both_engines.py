"""Dirty events come in three loads, are learned from and scored, on DuckDB and on Spark: every table
of the road is the same, row by row. `make test-spark` sets up what it needs."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models_ml.duckdb_warehouse import open_duckdb
from models_ml.settings import PROJECT
from tests.conftest import SHOP, write_events
from tests.random_events import arriving_events

pytest.importorskip("pyspark", reason="needs the extra `spark`: make test-spark")
from models_ml.spark_warehouse import open_spark

ROUNDS = (["run"], ["score", "--active-only"], ["run"])
# Times of this run, and when files were written: DuckDB knows seconds.
NOT_COMPARED = {"trained_at", "scored_at", "modified_at", "partition_day"}
# A day's work for a JVM that lives for minutes: no time is spent on making it fast.
FAST_START = {
    "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "FORETELL_SPARK_MASTER": "local[2]",
    "FORETELL_SPARK_PARTITIONS": "2",
    "FORETELL_SPARK_MEMORY": "2g",
}
DEFAULTS = """
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.sql.execution.arrow.maxRecordsPerBatch 7
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with both warehouses after three rounds."""
    folder = tmp_path_factory.mktemp("both")
    for name in ("events", "predictions", "conf"):
        (folder / name).mkdir()
    (folder / "conf/spark-defaults.conf").write_text(DEFAULTS)
    (folder / "predictions/shop.yml").write_text(SHOP.replace("horizon", "reasons: true, horizon"))
    rows = arriving_events(1, n_users=150, n_events=6000)
    cuts = [0, *sorted(random.Random(1).sample(range(len(rows) // 2, len(rows)), 2)), len(rows)]
    for number, command in enumerate(ROUNDS):
        part = rows[cuts[number] : cuts[number + 1]]
        write_events(folder / f"events/{number}.parquet", part)
        for target in ("duckdb", "spark"):
            foretell(folder, target, command)
    return folder


def foretell(folder: Path, target: str, command: list[str]) -> str:
    environment = {
        **os.environ,
        **FAST_START,
        "SPARK_CONF_DIR": str(folder / "conf"),
        "PYTHONPATH": str(PROJECT),
        "FORETELL_TARGET": target,
        "FORETELL_EVENTS": str(folder / "events/*.parquet"),
        "FORETELL_PREDICTIONS": str(folder / "predictions"),
        "FORETELL_WAREHOUSE": str(folder / {"duckdb": "w.duckdb", "spark": "spark"}[target]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "models_ml.cli", *command],
        cwd=folder, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def tables(folder: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Return every table of both warehouses, as Arrow, by name."""
    os.environ.update(FAST_START)
    with open_duckdb(folder / "w.duckdb", read_only=True) as warehouse:
        names = [
            row["table_name"]
            for row in warehouse.rows(
                "select table_name from information_schema.tables where table_schema = 'foretell'"
            )
        ]
        on_duckdb = {name: warehouse.table(f'select * from "{name}"') for name in names}
    with open_spark(folder / "spark") as warehouse:
        on_spark = {name: warehouse.table(f"select * from {name}") for name in names}
    return on_duckdb, on_spark


def test_every_table_is_the_same(tables):
    on_duckdb, on_spark = (
        {name: plain(table, identities(engine)) for name, table in engine.items()}
        for engine in tables
    )
    assert len(on_duckdb) > 60
    assert on_duckdb["predictions"]["rows"]
    assert on_duckdb["reasons"]["rows"]
    different = {
        name: first_difference(on_duckdb[name], on_spark[name])
        for name in on_duckdb
        if first_difference(on_duckdb[name], on_spark[name])
    }
    assert different == {}


def identities(engine: dict[str, Any]) -> dict[int, str]:
    """Return whose key each is: a key is a hash, and each engine has its own."""
    events = engine["stg_checked_events"].select(["identity_key", "user_id", "device_id"])
    return {
        row["identity_key"]: row["user_id"] or f"device:{row['device_id']}"
        for row in events.to_pylist()
    }


def plain(table: Any, names: dict[int, str]) -> dict[str, Any]:
    """Return columns and sorted rows of a table, keys as the identities they stand for."""
    columns = sorted(set(table.column_names) - NOT_COMPARED)
    keys = {column for column in columns if column.endswith("_key")}
    rows = [
        tuple(names.get(row[c], row[c]) if c in keys else row[c] for c in columns)
        for row in table.to_pylist()
    ]
    exact = [[v for v in row if not isinstance(v, float)] for row in rows]
    order = sorted(range(len(rows)), key=lambda i: repr(exact[i]))
    return {"columns": columns, "rows": [rows[i] for i in order]}


def first_difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """Return where two tables differ, in words; empty if they do not."""
    if one["columns"] != other["columns"] or len(one["rows"]) != len(other["rows"]):
        return f"{one['columns']} {len(one['rows'])} / {other['columns']} {len(other['rows'])}"
    for left, right in zip(one["rows"], other["rows"], strict=True):
        for column, a, b in zip(one["columns"], left, right, strict=True):
            if not is_same(column, a, b):
                return f"{column}: {a!r} / {b!r} in {left!r:.500} / {right!r:.500}"
    return ""


def is_same(column: str, a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        close = 1e-6 if column == "probability" else 1e-9
        return math.isclose(a, b, rel_tol=close, abs_tol=close) or (math.isnan(a) and math.isnan(b))
    return a == b
