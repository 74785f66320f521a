"""ONNX against Python on a million rows, and rows scored per second on one core.

    python -m benchmarks.onnx [--rows 1_000_000] [--users 200_000]

Every candidate of the portfolio, and the average with every calibrator, is fitted on 50,000 rows
of 400 features and exported. Half of the rows compared hold a value at a threshold of a split or at
its float32 neighbour, a quarter an odd number (huge, tiny, missing). Then a warehouse of users with
such features is scored, as `foretell score` does it, bound to one core, by an average with as many
trees as real data gives, of the columns that training would leave it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table
from scipy.sparse import csr_matrix

from benchmarks.onnx.rows import N_COLUMNS, kinds, labelled_rows, mean_rows, some_rows, split_points
from foretell.learn.calibrate import (
    Calibrator,
    Identity,
    fit_beta,
    fit_centred_isotonic,
    fit_sigmoid,
)
from foretell.learn.candidates import PORTFOLIO, average_of, fit_candidate
from foretell.learn.contest import columns_by_gain
from foretell.learn.families.average import AverageClassifier
from foretell.learn.families.base import Family
from foretell.learn.model import CalibratedClassifier
from foretell.learn.onnx.export import export
from foretell.learn.onnx.model import ROWS_PER_CALL, make_session, predict
from foretell.learn.train_settings import TrainSettings
from foretell.pipeline.registry import CHAMPION, ModelRecord
from foretell.pipeline.score import N_KEYS, score_predictions
from foretell.warehouse.open import open_warehouse

TRAIN_ROWS, HELD_OUT_ROWS, BLOCK_ROWS = 50_000, 20_000, 20_000
TYPICAL_ROUNDS = 45  # of each boosted member, on Online Retail and the simulator: 30 to 50
FITTERS = {
    "sigmoid": fit_sigmoid,
    "beta": fit_beta,
    "centred isotonic": fit_centred_isotonic,
}
MEMBERS = [c for c in PORTFOLIO if c.estimator.is_linear][:1]
MEMBERS += [c for c in PORTFOLIO if c.estimator.has_trees]
AVERAGE = average_of("average", AverageClassifier, MEMBERS)
AS_OF = datetime(2026, 1, 1)
console = Console(width=100)


def main() -> None:
    """Fit, compare, time, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.onnx", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=200_000)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    X, y = labelled_rows(rng, TRAIN_ROWS)
    held_out = labelled_rows(rng, HELD_OUT_ROWS)
    fitted = _fit_all(X, y, held_out)
    p = fitted["average"].probability(held_out[0])
    maps: dict[str, Calibrator] = {name: fit(p, held_out[1]) for name, fit in FITTERS.items()}
    cases = [(name, model, Identity()) for name, model in fitted.items()]
    cases += [
        (name, fitted[name], calibrator)
        for name in ("logistic_loose", "average")
        for calibrator in maps.values()
    ]
    _tell_parity(cases, rng, arguments.rows)
    rounds = {member.name: TYPICAL_ROUNDS for member in AVERAGE.members}
    singles = [fitted[candidate.name] for candidate in PORTFOLIO]
    useful = columns_by_gain([model.gain() for model in singles], TrainSettings().useful_share)
    average = fit_candidate(AVERAGE, X, y, kinds(), 0, rounds=rounds, useful=useful)
    _tell_speed(average, maps["beta"], rng, arguments.users)


def _fit_all(
    X: csr_matrix, y: np.ndarray, held_out: tuple[csr_matrix, np.ndarray]
) -> dict[str, Family]:
    fitted = {
        candidate.name: fit_candidate(candidate, X, y, kinds(), 0, held_out=held_out)
        for candidate in PORTFOLIO
    }
    fitted["average"] = fit_candidate(AVERAGE, X, y, kinds(), 0, held_out=held_out)
    return fitted


def _graph(model: Family, calibrator: Calibrator) -> bytes:
    pipeline = CalibratedClassifier.of_fitted(model, calibrator).pipeline()
    return export(pipeline, model.columns_)


def _tell_parity(
    cases: list[tuple[str, Family, Calibrator]], rng: np.random.Generator, n_rows: int
) -> None:
    """Print the largest |ONNX - Python| of every model over the same rows."""
    points = np.array(sorted(set(split_points(cases[-1][1]))))
    sessions = [
        make_session(_graph(model, calibrator), threads=2) for _, model, calibrator in cases
    ]
    worst, is_apart = np.zeros(len(cases)), np.zeros(len(cases), dtype=int)
    for start in range(0, n_rows, BLOCK_ROWS):
        dense = mean_rows(rng, min(BLOCK_ROWS, n_rows - start), points)
        sparse = csr_matrix(np.nan_to_num(dense, nan=0.0, posinf=None))
        raw: dict[str, np.ndarray] = {}
        for number, (name, model, calibrator) in enumerate(cases):
            if name not in raw:
                raw[name] = model.probability(sparse)
            got = predict(sessions[number], dense[:, model.columns_])
            gap = np.abs(got - calibrator.apply(raw[name]))
            worst[number] = max(worst[number], gap.max())
            is_apart[number] += int((gap > 1e-6).sum())
    table = Table(title=f"largest |ONNX - Python| of a probability, {n_rows:,} rows")
    for heading in ("model", "calibration", "largest gap", "rows apart by more than 1e-6"):
        table.add_column(
            heading, justify="left" if heading in ("model", "calibration") else "right"
        )
    for (name, _, calibrator), gap, apart in zip(cases, worst, is_apart, strict=True):
        table.add_row(name, calibrator.name, f"{gap:.1e}", f"{apart:,}")
    console.print(table)


def _tell_speed(
    model: Family, calibrator: Calibrator, rng: np.random.Generator, n_users: int
) -> None:
    """Print rows per second on one core: the graph alone, and the whole of scoring."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    n_trees = sum(member.rounds_ or 0 for member in model.members_)
    console.print(
        f"the average: {len(model.members_)} members, {n_trees} trees, "
        f"{len(model.columns_)} of {N_COLUMNS} features, beta calibration"
    )
    graph = _graph(model, calibrator)
    session = make_session(graph)
    dense = some_rows(rng, ROWS_PER_CALL).toarray()[:, model.columns_]
    began, n_calls = time.perf_counter(), 1_000
    for _ in range(n_calls):
        predict(session, dense)
    seconds = time.perf_counter() - began
    console.print(f"the graph alone: {n_calls * ROWS_PER_CALL / seconds:,.0f} rows/s")
    with tempfile.TemporaryDirectory() as folder:
        path = _made(Path(folder) / "scoring.duckdb", rng, n_users)
        record = ModelRecord(
            "a", "again", "h", AS_OF, CHAMPION, "", feature_ids=model.columns_.tolist(), onnx=graph
        )
        with open_warehouse(path) as warehouse:
            warehouse.execute("set threads = 1")
            began = time.perf_counter()
            score_predictions(warehouse, [record])
            seconds = time.perf_counter() - began
    console.print(
        f"scoring {n_users:,} users, from features in the warehouse to the history: "
        f"{n_users / seconds:,.0f} rows/s"
    )


TABLES = """
    create schema foretell;
    use scoring.foretell;
    create table prediction_history (
        prediction varchar, user_id varchar, probability double, expected_value double,
        percentile double, as_of timestamp, scored_at timestamp, model_id varchar
    );
    create table scoring_rows (
        prediction varchar, as_of timestamp, user_id varchar, as_of_hour integer,
        user_key bigint, has_features boolean
    );
    create table features_values (
        as_of_hour integer, user_key bigint, feature_id integer, value float
    );
"""


def _made(path: Path, rng: np.random.Generator, n_users: int) -> Path:
    """Make a warehouse as dbt leaves it: users by key, their features by key."""
    step = N_KEYS // n_users
    with duckdb.connect(str(path)) as connection:
        connection.execute(TABLES)
        connection.execute(
            "insert into scoring_rows select 'again', ?, 'user_' || i, 490896, i * ?, true"
            " from range(?) as users (i)",
            [AS_OF, step, n_users],
        )
        for start in range(0, n_users, BLOCK_ROWS):
            X = some_rows(rng, min(BLOCK_ROWS, n_users - start))
            user = np.repeat(np.arange(start, start + X.shape[0]), np.diff(X.indptr))
            values = pa.table(
                {"user": user, "feature_id": X.indices.astype(np.int32), "value": X.data}
            )
            connection.register("block", values)
            connection.execute(
                "insert into features_values select 490896, user * ?, feature_id, value from block",
                [step],
            )
    return path


if __name__ == "__main__":
    main()
