"""The pipeline on Spark, round after round in one process: a JVM that stays is fast after a minute.

    python -m tests.spark.pipeline FOLDER [--build-only [MODEL]] [--test]

FOLDER holds batches/N, folders of events that come one by one, and predictions. Every table is left
in FOLDER/tables as Parquet. dbt and Python share one session, as they share tables. With --build-only
nothing is learned or scored, and of the models only one is built if it is named; with --test, every
unit test and data test runs too.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

import pyarrow.parquet as pq
from dbt.cli.main import dbtRunner
from pyspark.sql import SparkSession

from foretell.pipeline.train_prediction import train_prediction
from foretell.run import AFTER_SCORING, DAILY, score_champions, select_predictions
from foretell.warehouse.base import Location
from foretell.warehouse.spark import SparkWarehouse

# Scope of each round, and what its builds leave as it is, as foretell.run does.
ROUNDS = (("everyone", []), ("active", [DAILY]))


def main() -> None:
    """Run the pipeline once per batch and write down what every table holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.spark.pipeline", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--build-only", nargs="?", const="*", metavar="MODEL")
    parser.add_argument("--test", action="store_true")
    arguments = parser.parse_args()
    folder = arguments.folder
    n_batches = len(list((folder / "batches").iterdir()))
    for number, (scope, left) in enumerate(ROUNDS[:n_batches]):
        shutil.copytree(folder / f"batches/{number}", folder / "events", dirs_exist_ok=True)
        select = ["--select", arguments.build_only] if arguments.build_only else []
        dbt(folder, "run", scope, *select, "--exclude", AFTER_SCORING, *left)
        session = SparkSession.builder.getOrCreate()  # the one that dbt has begun
        warehouse = SparkWarehouse(session, Location(folder / "spark", "spark"))
        if arguments.build_only:
            continue
        predictions = select_predictions(warehouse)
        if scope == "everyone":
            for prediction in predictions:
                train_prediction(warehouse, prediction, print)
        score_champions(warehouse, predictions, print)
        dbt(
            folder, "run", scope, "--select", AFTER_SCORING, *(["--exclude", *left] if left else [])
        )
    if arguments.test:
        dbt(folder, "test", "active")
    (folder / "tables").mkdir()
    for name in SparkWarehouse(
        session, Location(folder / "spark", "spark")
    ).table_names():  # of the last build
        pq.write_table(warehouse.table(f"select * from {name}"), folder / f"tables/{name}.parquet")


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
    main()
