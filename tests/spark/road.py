"""The road on Spark, round after round in one process: a JVM that stays is fast after a minute.

    python -m tests.spark.road FOLDER

FOLDER holds batches/N.parquet, which come one by one, and predictions. Every table is left in
FOLDER/tables as Parquet. dbt and Python share one session, as they share tables.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pyarrow.parquet as pq
from dbt.cli.main import dbtRunner
from pyspark.sql import SparkSession

from models_ml.road import SERVING, score_champions
from models_ml.spark_warehouse import SparkWarehouse
from models_ml.train_prediction import train_prediction

# Scope and dbt's command: the last round also runs every unit test and data test.
ROUNDS = (("everyone", "run"), ("active", "run"), ("everyone", "build"))


def main(folder: Path) -> None:
    """Walk the road once per batch, then write down what every table holds."""
    for number, (scope, command) in enumerate(ROUNDS):
        shutil.copy2(folder / f"batches/{number}.parquet", folder / "events")
        dbt(folder, command, scope, "--exclude", SERVING)
        session = SparkSession.builder.getOrCreate()  # the one that dbt has begun
        session.sql("use foretell")
        warehouse = SparkWarehouse(session)
        if scope == "everyone":
            train_prediction(warehouse, "buys", print)
        score_champions(warehouse, ["buys"], print)
        dbt(folder, command, scope, "--select", SERVING)
    (folder / "tables").mkdir()
    for table in session.catalog.listTables("foretell"):
        if not table.isTemporary:
            rows = warehouse.table(f"select * from {table.name}")
            pq.write_table(rows, folder / f"tables/{table.name}.parquet")


def dbt(folder: Path, command: str, scope: str, *selection: str) -> None:
    """Run dbt in this process.

    Raises:
        SystemExit: If a node fails.
    """
    folders = ["--target-path", str(folder / f"target/{scope}"), "--log-path", str(folder / "logs")]
    arguments = [command, "--vars", f"{{scope: {scope}}}", "--no-use-colors", *folders, *selection]
    done = dbtRunner().invoke(arguments)
    if not done.success:
        raise SystemExit(f"dbt {command} failed: {done.exception or ''}")


if __name__ == "__main__":
    os.environ["FORETELL_TARGET"] = "spark"
    main(Path(sys.argv[1]))
