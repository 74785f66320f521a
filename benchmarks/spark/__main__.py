"""How the cost grows on Spark, and what scoring on executors costs beside the graph alone.

    python -m benchmarks.spark [--events 1_000_000 2_000_000 4_000_000 8_000_000] [--folder DIR]

Each size is `foretell run` as a process of its own, from raw Parquet to `predictions`, on
local[2]; seconds are those of the models of each folder. Then the champion scores everybody again
(spark_score), and plain onnxruntime the same rows, dense in memory, on as many threads.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.speed.__main__ import EVENTS_PER_USER, measure
from benchmarks.speed.generate import generate
from models_ml import registry
from models_ml.features import load_features
from models_ml.onnx_model import ROWS_PER_CALL, make_session, predict
from models_ml.settings import PROJECT
from models_ml.spark_score import fill_scored
from models_ml.warehouse import Warehouse, open_warehouse

NODE = re.compile(r"^\s*\d+ s\s+\d+/\d+ (\w+) ([\d.]+) s$")
LINE = re.compile(r"^\s*(\d+) s  ")
PREDICTIONS = PROJECT / "benchmarks/speed/predictions"
CORES = 2
MOST_ROWS = 50_000  # in memory, dense
console = Console(width=130)


def main() -> None:
    """Measure each size and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark", description=__doc__)
    sizes = [1_000_000, 2_000_000, 4_000_000, 8_000_000]
    parser.add_argument("--events", nargs="+", type=int, default=sizes)
    parser.add_argument("--folder", type=Path, default=PROJECT / "warehouse/speed_spark")
    arguments = parser.parse_args()
    seconds = {n: _walk(arguments.folder.resolve() / str(n), n) for n in arguments.events}
    _show(seconds)
    _tell_scoring(arguments.folder.resolve() / str(max(arguments.events)) / "spark")


def _walk(folder: Path, n_events: int) -> dict[str, float]:
    """Run the whole road on so many events; return seconds per folder of models, and in all."""
    made = generate(folder / "events", n_events, n_events // EVENTS_PER_USER)
    shutil.rmtree(folder / "spark", ignore_errors=True)
    os.environ |= {
        "FORETELL_TARGET": "spark",
        "FORETELL_SPARK_MASTER": f"local[{CORES}]",
        "FORETELL_SPARK_PARTITIONS": "8",
        "FORETELL_SPARK_MEMORY": "8g",
        "FORETELL_EVENTS": made.events,
        "FORETELL_WAREHOUSE": str(folder / "spark"),
        "FORETELL_PREDICTIONS": str(PREDICTIONS),
    }
    command = [sys.executable, "-m", "models_ml.cli", "run"]
    cost = measure(f"{n_events:,} events", command, {})
    folder_of = {
        path.stem: path.relative_to(PROJECT / "dbt_project/models").parts[0]
        for path in (PROJECT / "dbt_project/models").rglob("*.sql")
    }
    seconds: dict[str, float] = defaultdict(float)
    for line in cost.output.splitlines():
        if match := NODE.match(line):
            seconds[folder_of.get(match[1], "tests")] += float(match[2])
    seconds["all"] = cost.seconds
    seconds["else"] = cost.seconds - sum(value for name, value in seconds.items() if name != "all")
    return dict(seconds)


def _show(seconds: dict[int, dict[str, float]]) -> None:
    """Print seconds by folder and size, and the exponent from the smallest to the largest size."""
    sizes = sorted(seconds)
    table = Table(title="Seconds; else: starts of Java, training, scoring")
    for heading in ("step", *(f"{size:,}" for size in sizes), "exponent"):
        table.add_column(heading, justify="left" if heading == "step" else "right")
    for step in sorted({step for one in seconds.values() for step in one}):
        values = [seconds[size].get(step, 0.0) for size in sizes]
        growth = np.polyfit(np.log(sizes), np.log(np.maximum(values, 0.1)), 1)[0]
        table.add_row(step, *(f"{value:.1f}" for value in values), f"{growth:.2f}")
    console.print(table)


def _tell_scoring(folder: Path) -> None:
    """Print rows per second: the Spark job, and the graph alone on the same rows."""
    with open_warehouse(folder) as warehouse:
        (prediction,) = (
            row["prediction"]
            for row in warehouse.rows("select prediction from prediction_definitions limit 1")
        )
        champion = registry.find_champion(warehouse, prediction)
        assert champion is not None
        (now,) = warehouse.rows(
            "select count(*) as n, any_value(as_of) as as_of from scoring_rows "
            "where has_features and prediction = ?", [prediction]
        )  # fmt: skip
        for attempt in ("first", "again"):
            began = time.monotonic()
            fill_scored(warehouse, [champion], {}, {prediction: now["as_of"]}, lambda line: None)
            spent = time.monotonic() - began
            console.print(
                f"Spark job, {attempt}: {now['n']:,} rows, {now['n'] / spent:,.0f} rows/s"
            )
        console.print(f"graph alone: {_graph_alone(warehouse, champion):,.0f} rows/s")


def _graph_alone(
    warehouse: Warehouse, champion: registry.ModelRecord, n_rows: int = 50_000
) -> float:
    """Return rows per second of plain onnxruntime with a thread per core, rows dense in memory."""
    assert champion.onnx is not None
    rows = warehouse.table(
        "select user_key, as_of_hour from scoring_rows where has_features and prediction = ? "
        "order by user_key limit ?", [champion.prediction, MOST_ROWS]
    )  # fmt: skip
    X = load_features(
        warehouse,
        rows["user_key"].to_numpy(),
        rows["as_of_hour"].to_numpy(),
        np.array(champion.feature_ids, dtype=np.int64),
    ).toarray()
    session = make_session(champion.onnx, threads=CORES)
    began = time.monotonic()
    for start in range(0, len(X), ROWS_PER_CALL):
        predict(session, X[start : start + ROWS_PER_CALL])
    return len(X) / (time.monotonic() - began)


if __name__ == "__main__":
    main()
