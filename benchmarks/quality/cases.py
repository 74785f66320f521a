"""From events and a cut to files of rows, and to what happened afterwards.

Foretell sees only events before the cut; the same warehouse is then built again one horizon later
and says what happened. The simulator knows that itself, with the true probabilities.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.quality.purchases import histories
from benchmarks.quality.rows import Rows, save_rows
from foretell.pipeline.features import load_features
from foretell.pipeline.training_data import load_training_set, present_features
from foretell.run import build, select_predictions
from foretell.settings import Settings, parse_as_of
from foretell.warehouse.base import Warehouse
from foretell.warehouse.open import open_warehouse

Known = tuple[float, float, float]  # of a user: outcome, true and attainable probability
UNKNOWN: Known = (np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class Case:
    """Events, definitions and a cut.

    Attributes:
        settings: With the cut as as_of, and a warehouse of its own.
        truth: Parquet of the simulator with outcome, p_true and p_attainable per user (see
            attainable.py; null for most), if the events end at the cut.
    """

    settings: Settings
    truth: Path | None = None


@dataclass(frozen=True)
class Task:
    """One prediction at one cut, ready for any method.

    Attributes:
        rows: File of benchmarks.quality.rows.
        base_rate: Of the labelled rows.
        y: What happened to the scored users, 0 or 1; nan where it is not known. Shape (n_scored,).
        p_true: Their true probabilities, or nan. Shape (n_scored,).
        p_attainable: The best that events can tell, or nan. Shape (n_scored,).
        has_histories: Whether the rows hold purchase histories.
    """

    prediction: str
    cut: str
    rows: Path
    base_rate: float
    y: np.ndarray
    p_true: np.ndarray
    p_attainable: np.ndarray
    has_histories: bool


def prepare(case: Case, folder: Path, selected: list[str]) -> list[Task]:
    """Build the warehouse up to the cut, write the rows, find out what happened.

    Args:
        case: What to build.
        folder: For the files of rows.
        selected: Names of predictions; none: all.
    """
    settings = case.settings
    assert settings.as_of is not None
    cut = f"{settings.as_of:%Y-%m-%d}"
    build(settings, quiet)
    tasks: list[tuple[Task, int, list[str]]] = []
    with open_warehouse(settings.location, read_only=True) as warehouse:
        for prediction in select_predictions(warehouse):
            if selected and prediction not in selected:
                continue
            users, rows = read_rows(warehouse, prediction)
            path = folder / f"{prediction}_{cut}.npz"
            save_rows(path, rows)
            unknown = np.full(len(users), np.nan)
            task = Task(
                prediction, cut, path, float(rows.y.mean()), unknown, unknown, unknown,
                len(rows.histories) > 0,
            )  # fmt: skip
            tasks.append((task, int(rows.horizon_hours), users))
    found = []
    for horizon in sorted({horizon for _, horizon, _ in tasks}):
        if not case.truth:
            later = build_later(settings, horizon)
        for task, own, users in tasks:
            if own == horizon:
                happened = (
                    _from_truth(case.truth, task.prediction)
                    if case.truth
                    else _from_future(later, task.prediction, hour_of(settings))
                )
                known = np.array([happened.get(user, UNKNOWN) for user in users])
                y, p_true, p_attainable = known.T
                found.append(replace(task, y=y, p_true=p_true, p_attainable=p_attainable))
    return found


def read_rows(warehouse: Warehouse, prediction: str) -> tuple[list[str], Rows]:
    """Return the users to score, and all rows of one prediction.

    Args:
        warehouse: Built up to the cut.
        prediction: Which one.
    """
    data = load_training_set(warehouse, prediction)
    users = warehouse.table(
        "select user_id, user_key, as_of_hour from scoring_rows where prediction = ? "
        "order by user_key",
        [prediction],
    )
    user_key, as_of_hour = users["user_key"].to_numpy(), users["as_of_hour"].to_numpy()
    groups = [
        row["event_name"] or row["property"] or row["kind"]
        for row in present_features(warehouse, prediction)
    ]
    bought, scored_bought = histories(warehouse, prediction, user_key, int(as_of_hour[0]))
    rows = Rows(
        X=data.matrix.X,
        y=data.y,
        user_key=data.user_key,
        user_bucket=data.user_bucket,
        as_of_hour=data.as_of_hour,
        horizon_hours=np.array(data.horizon_hours),
        feature_ids=data.matrix.feature_ids,
        kinds=np.array(data.matrix.kinds),
        groups=np.array(groups),
        to_score=load_features(warehouse, user_key, as_of_hour, data.matrix.feature_ids),
        histories=bought,
        scored_histories=scored_bought,
    )
    return users["user_id"].to_pylist(), rows


def build_later(settings: Settings, horizon_hours: int) -> Settings:
    """Build the same warehouse when the cut is its newest matured snapshot.

    That is one horizon later, but at least a week (cohort_training_weeks).
    """
    assert settings.as_of is not None
    end = settings.as_of + timedelta(hours=horizon_hours)
    later = replace(settings, as_of=max(end, settings.as_of + timedelta(weeks=1)))
    build(later, quiet)
    with open_warehouse(later.warehouse, read_only=True) as warehouse:
        (last,) = warehouse.rows("select max(event_hour) as hour from stg_events")
    if last["hour"] < hour_of(settings) + horizon_hours - 24:
        raise SystemExit(f"events end before {end}: choose an earlier --cut")
    return later


def _from_future(later: Settings, prediction: str, cut_hour: int) -> dict[str, Known]:
    with open_warehouse(later.warehouse, read_only=True) as warehouse:
        rows = warehouse.rows(
            "select user_id, label from training_rows where prediction = ? and as_of_hour = ?",
            [prediction, cut_hour],
        )
    return {row["user_id"]: (float(row["label"]), np.nan, np.nan) for row in rows}


def _from_truth(truth: Path, prediction: str) -> dict[str, Known]:
    rows = pq.read_table(truth, filters=[("prediction", "=", prediction)]).to_pylist()
    return {
        row["user_id"]: (
            row["outcome"],
            row["p_true"],
            np.nan if row["p_attainable"] is None else row["p_attainable"],
        )
        for row in rows
    }


def hour_of(settings: Settings) -> int:
    """Return as_of in whole hours since 1970-01-01 UTC."""
    epoch = parse_as_of("1970-01-01")
    assert settings.as_of is not None
    assert epoch is not None
    return int((settings.as_of - epoch).total_seconds()) // 3600


def quiet(line: str) -> None:
    """Show nothing of a build's progress."""
    del line


def remove(path: Path) -> None:
    """Delete a file, or a folder with what is in it."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
