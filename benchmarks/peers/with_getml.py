"""getML Community: its FastProp features over weekly lags, from its own engine.

FastProp has no COUNT per category; its SUM over a categorical column adds up 1 where the event has
the type, which is the same. It makes some more features than requested (times between events);
these are dropped. Its windows are (start, end] on times as 64-bit floats, so as_of is put half a
microsecond earlier: [start, end) then. Needs pandas 2.
"""

from __future__ import annotations

import re

import getml
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.peers.task import COLUMNS, N_WEEKS, WEEK_US, Task, read_task

WEEK_SECONDS = WEEK_US // 10**6
HALF_MICROSECOND = pd.Timedelta("500ns")
EVENT_NAME = re.compile(r"SUM\( CASE WHEN t2\.\"event_name\" = '(.*?)' THEN 1 ELSE 0 END \)")
LAG_END = re.compile(r"t2\.\"event_time\" \+ (\d+)\.0+ > t1\.\"as_of\"")


def count(task: Task) -> None:
    """Let the engine build the features of all users and write them as long rows."""
    events = pq.read_table(
        task.files,
        columns=COLUMNS,
        filters=[("event_time", ">=", task.first_at), ("event_time", "<", task.as_of)],
    )
    user_ids = pc.unique(events["user_id"]).to_numpy(zero_copy_only=False)
    home = task.folder / "getml"
    getml.engine.launch(
        home_directory=str(home), launch_browser=False, allow_push_notifications=False
    )
    try:
        getml.engine.set_project("peers")
        matrix, labels = _features(events, user_ids, pd.Timestamp(task.as_of))
    finally:
        getml.engine.shutdown()
    rows, columns = matrix.nonzero()
    names, weeks = zip(*labels, strict=True)
    counts = pd.DataFrame(
        {
            "user_id": user_ids[rows],
            "event_name": np.array(names, dtype=object)[columns],
            "week": np.array(weeks)[columns],
            "n": matrix[rows, columns].astype(int),
        }
    )
    counts.to_parquet(task.counts / "counts.parquet", index=False)


def _features(
    events: pa.Table, user_ids: np.ndarray, as_of: pd.Timestamp
) -> tuple[np.ndarray, list[tuple[str, int]]]:
    # One row per user, one column per (event type, week) of the labels.
    peripheral = getml.DataFrame.from_arrow(
        events,
        "events",
        {"join_key": ["user_id"], "categorical": ["event_name"], "time_stamp": ["event_time"]},
    )
    users = pd.DataFrame({"user_id": user_ids, "as_of": as_of - HALF_MICROSECOND})
    users["target"] = np.arange(len(users)) % 2  # required; only used to choose among features
    population = getml.DataFrame.from_pandas(
        users,
        "users",
        {"join_key": ["user_id"], "time_stamp": ["as_of"], "target": ["target"]},
    )
    model = getml.data.DataModel(population.to_placeholder("users"))
    model.add(peripheral.to_placeholder("events"))
    model.population.join(model.events, on="user_id", time_stamps=("as_of", "event_time"))
    learner = getml.feature_learning.FastProp(
        aggregation=[getml.feature_learning.aggregations.SUM],
        delta_t=WEEK_SECONDS,
        loss_function=getml.feature_learning.loss_functions.CrossEntropyLoss,
        max_lag=N_WEEKS,
        n_most_frequent=pc.count_distinct(events["event_name"]).as_py(),
        num_features=100_000,  # all
        num_threads=2,
    )
    pipeline = getml.pipeline.Pipeline(data_model=model, feature_learners=[learner])
    pipeline.fit(population, {"events": peripheral}, check=False)
    matrix = pipeline.transform(population, {"events": peripheral})
    requested_columns = {column: label for column, label in enumerate(_labels(pipeline)) if label}
    return matrix[:, list(requested_columns)], list(requested_columns.values())


def _labels(pipeline: getml.pipeline.Pipeline) -> list[tuple[str, int] | None]:
    # Event type and week of each feature that counts one in the other, from the SQL behind it.
    labels: list[tuple[str, int] | None] = []
    for feature in pipeline.features:
        name, end = EVENT_NAME.search(feature.sql), LAG_END.search(feature.sql)
        labels.append((name[1], int(end[1]) // WEEK_SECONDS - 1) if name and end else None)
    return labels


if __name__ == "__main__":
    count(read_task("getml", "pandas"))
