"""How the cost grows on Spark, and what scoring on executors costs beside the graph alone.

    python -m benchmarks.spark [--events 1_000_000 2_000_000 4_000_000 8_000_000] [--folder DIR]

Each size is `foretell run` as a process of its own, from raw Parquet to `predictions`, on
local[2], of one prediction. Then the champion of the largest scores half a million users on the
executors (copies of those there are); beside it the same job without scoring, and onnxruntime
alone on such rows, dense in memory, with as many threads.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from benchmarks.speed.__main__ import EVENTS_PER_USER, NODE, measure
from benchmarks.speed.generate import generate
from foretell.learn.onnx.model import ROWS_PER_CALL, make_session, predict
from foretell.pipeline import registry
from foretell.pipeline.features import load_features
from foretell.pipeline.score_block import feature_ids_of, make_scorer, score_block
from foretell.pipeline.spark_score import block_of, fill_scored, users_to_score
from foretell.project import PACKAGE
from foretell.warehouse.base import Warehouse
from foretell.warehouse.open import open_warehouse

if TYPE_CHECKING:
    from foretell.warehouse.spark import SparkWarehouse

PREDICTIONS = PACKAGE / "benchmarks/speed/predictions"
LINE = re.compile(r"^\s*(\d+) s  +(.*)$")
PREDICTION = "buys_within_7_days"
CORES = 2
USERS_TO_SCORE = 500_000
ROWS_ALONE, PASSES_ALONE = 50_000, 10  # in memory, dense, over and over
console = Console(width=130)


def main() -> None:
    """Measure each size and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark", description=__doc__)
    sizes = [1_000_000, 2_000_000, 4_000_000, 8_000_000]
    parser.add_argument("--events", nargs="+", type=int, default=sizes)
    parser.add_argument("--folder", type=Path, default=PACKAGE / "warehouse/speed_spark")
    arguments = parser.parse_args()
    seconds = {n: _walk(arguments.folder.resolve() / str(n), n) for n in arguments.events}
    _show(seconds)
    _tell_scoring(arguments.folder.resolve() / str(max(arguments.events)) / "spark")


def _walk(folder: Path, n_events: int) -> dict[str, float]:
    """Run the pipeline on so many events; return seconds per folder of models and per step."""
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
    command = [sys.executable, "-m", "foretell.cli", "run", "--select", PREDICTION]
    cost = measure(f"{n_events:,} events", command, {})
    (folder / "output.txt").write_text(cost.output)
    return {**_seconds_of_models(cost.output), **_seconds_of_steps(cost.output, cost.seconds)}


def _seconds_of_models(output: str) -> dict[str, float]:
    """Return seconds per folder of models: a sum, several are built at a time."""
    folder_of = {
        path.stem: path.relative_to(PACKAGE / "dbt_project/models").parts[0]
        for path in (PACKAGE / "dbt_project/models").rglob("*.sql")
    }
    seconds: dict[str, float] = defaultdict(float)
    for line in output.splitlines():
        if match := NODE.match(line):
            seconds[f"models of {folder_of[match[1]]}"] += float(match[2])
    return dict(sorted(seconds.items()))


def _seconds_of_steps(output: str, total: float) -> dict[str, float]:
    """Return wall seconds of the steps of `foretell run`, by the times of its lines."""
    lines = output.splitlines()
    seconds = [(float(match[1]), match[2]) for match in map(LINE.match, lines) if match]
    nodes = [float(match[0].split()[0]) for match in map(NODE.match, lines) if match]
    learning = next(at for at, line in seconds if line.startswith(f"{PREDICTION}:"))
    scoring = next(at for at, line in seconds if line.startswith("scoring "))
    built = max(at for at in nodes if at <= learning)
    scored = min(at for at in nodes if at > scoring)
    return {
        "build, with its tests": built,
        "learning, with a start of Java": scoring - built,
        "scoring, with a start of dbt and Java": scored - scoring,
        "predictions, with their tests": total - scored,
        "whole run": total,
    }


def _show(seconds: dict[int, dict[str, float]]) -> None:
    """Print seconds by folder and size, and the exponent from the smallest to the largest size."""
    sizes = sorted(seconds)
    table = Table(title="Seconds")
    for heading in ("step", *(f"{size:,}" for size in sizes), "exponent"):
        table.add_column(heading, justify="left" if heading == "step" else "right")
    for step in seconds[sizes[0]]:
        values = [seconds[size].get(step, 0.0) for size in sizes]
        shown = ""
        if len(sizes) > 1:
            least, most = (max(value, 0.1) for value in (values[0], values[-1]))
            shown = f"{np.log(most / least) / np.log(sizes[-1] / sizes[0]):.2f}"
        table.add_row(step, *(f"{value:.0f}" for value in values), shown)
    console.print(table)


def _tell_scoring(folder: Path) -> None:
    """Print rows per second: the Spark job, what of it is scoring, and the graph alone."""
    with open_warehouse(folder) as warehouse:
        champion = registry.find_champion(warehouse, PREDICTION)
        assert champion is not None
        rate_alone = _graph_alone(warehouse, champion)
        as_of, n_users = _copy_users(warehouse)
        users = users_to_score(cast("SparkWarehouse", warehouse), {PREDICTION: as_of})
        table = Table(title=f"Scoring {n_users:,} users on {CORES} cores")
        for heading in ("", "seconds", "rows/s"):
            table.add_column(heading, justify="right" if heading else "left")

        def show(what: str, seconds: float) -> None:
            table.add_row(what, f"{seconds:.1f}", f"{n_users / seconds:,.0f}")

        def counted(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            yield pa.record_batch({"n": [sum(batch.num_rows for batch in batches)]})

        feature_ids = feature_ids_of([champion])

        def timed(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            scorers = [make_scorer(champion, feature_ids, threads=1)]
            seconds = 0.0
            for batch in batches:
                began = time.thread_time()  # of the worker alone: Spark's threads use the cores too
                for _ in score_block(block_of(batch, feature_ids), scorers):
                    pass
                seconds += time.thread_time() - began
            yield pa.record_batch({"seconds": [seconds]})

        began = time.monotonic()
        users.mapInArrow(counted, "n long").collect()
        handed = time.monotonic() - began
        began = time.monotonic()
        fill_scored(warehouse, [champion], {}, {PREDICTION: as_of}, lambda line: None)
        scored = time.monotonic() - began
        workers = users.mapInArrow(timed, "seconds double").collect()
        show("graph alone, rows dense in memory", n_users / rate_alone)
        show("scoring within the executors' Python", sum(row.seconds for row in workers) / CORES)
        show("Spark hands the users to Python, which counts them", handed)
        show("the same, scored and written", scored)
        show("what scoring and writing take of that", scored - handed)
        console.print(table)


def _copy_users(warehouse: Warehouse) -> tuple[datetime, int]:
    """Let each user stand for several, in the tables that the job reads; return as_of and users."""
    (now,) = warehouse.rows(
        "select count(*) as n, any_value(as_of) as as_of, any_value(as_of_hour) as as_of_hour "
        "from scoring_rows where has_features and prediction = ?", [PREDICTION]
    )  # fmt: skip
    copies = -(-USERS_TO_SCORE // now["n"])
    sql = cast("SparkWarehouse", warehouse).session.sql
    for name, condition in (
        ("scoring_rows", f"has_features and prediction = '{PREDICTION}'"),
        ("features_values", f"as_of_hour = {now['as_of_hour']}"),
    ):
        sql(f"drop table if exists {name}_copied")
        sql(
            f"create table {name}_copied using parquet as "
            f"select * except (user_key), user_key + copy.id as user_key "
            f"from {name} cross join range({copies}) as copy where {condition}"
        )
        sql(f"create temporary view {name} as select * from {name}_copied")
    return now["as_of"], now["n"] * copies


def _graph_alone(warehouse: Warehouse, champion: registry.ModelRecord) -> float:
    """Return rows per second of plain onnxruntime on all cores, rows dense in memory.

    Of one thread's own time, as that of the executors' Python is taken.
    """
    assert champion.onnx is not None
    rows = warehouse.table(
        "select user_key, as_of_hour from scoring_rows where has_features and prediction = ? "
        "order by user_key limit ?", [PREDICTION, ROWS_ALONE]
    )  # fmt: skip
    X = load_features(
        warehouse,
        rows["user_key"].to_numpy(),
        rows["as_of_hour"].to_numpy(),
        np.array(champion.feature_ids, dtype=np.int64),
    ).toarray()
    X = np.tile(X, (-(-ROWS_ALONE // len(X)), 1))
    session = make_session(champion.onnx, threads=1)
    began = time.thread_time()
    for _ in range(PASSES_ALONE):
        for start in range(0, len(X), ROWS_PER_CALL):
            predict(session, X[start : start + ROWS_PER_CALL])
    return CORES * PASSES_ALONE * len(X) / (time.thread_time() - began)


if __name__ == "__main__":
    main()
