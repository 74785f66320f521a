"""Featuretools: users and events in an EntitySet, eight cutoff times per user, one week each.

The counts per event type are COUNT primitives over interesting values, as its documentation does
it. Needs pandas 2: woodwork 0.31 forgets its types on pandas 3.
"""

from __future__ import annotations

import re
import warnings

import featuretools as ft
import numpy as np
import pandas as pd

from benchmarks.peers.task import COLUMNS, N_WEEKS, Task, read_task

WEEK = pd.Timedelta("7D")
NAME = re.compile(r"COUNT\(events WHERE event_name = (.*)\)")


def count(task: Task) -> None:
    """Run deep feature synthesis over the weeks and write its feature matrix as long rows."""
    entities = _entities(task)
    users = entities["users"]["user_id"]
    cutoffs = [
        pd.DataFrame({"user_id": users, "time": pd.Timestamp(task.as_of) - week * WEEK})
        for week in range(N_WEEKS)
    ]
    matrix, _ = ft.dfs(
        entityset=entities,
        target_dataframe_name="users",
        cutoff_time=pd.concat(cutoffs),
        cutoff_time_in_index=True,
        include_cutoff_time=False,  # windows are [cutoff - 7 days, cutoff)
        training_window="7 days",
        agg_primitives=["count"],
        where_primitives=["count"],
        trans_primitives=[],
    )
    _long(matrix, task.as_of).to_parquet(task.counts / "counts.parquet", index=False)


def _entities(task: Task) -> ft.EntitySet:
    events = pd.read_parquet(
        task.files,
        columns=COLUMNS,
        filters=[("event_time", ">=", task.first_at), ("event_time", "<", task.as_of)],
    )
    events["event_id"] = np.arange(len(events))
    entities = ft.EntitySet("shop")
    entities.add_dataframe(
        dataframe_name="events",
        dataframe=events,
        index="event_id",
        time_index="event_time",
        logical_types={"user_id": "Categorical", "event_name": "Categorical"},
    )
    entities.normalize_dataframe("events", "users", index="user_id", make_time_index=False)
    names = sorted(events["event_name"].unique())
    entities.add_interesting_values(dataframe_name="events", values={"event_name": names})
    return entities


def _long(matrix: pd.DataFrame, as_of: object) -> pd.DataFrame:
    matches = {column: NAME.fullmatch(column) for column in matrix.columns}
    by_type = {column: match[1] for column, match in matches.items() if match}
    values = matrix[list(by_type)].to_numpy()
    rows, columns = values.nonzero()
    ages = pd.Timestamp(as_of) - matrix.index.get_level_values("time")
    return pd.DataFrame(
        {
            "user_id": matrix.index.get_level_values("user_id").astype(str).take(rows),
            "event_name": np.array(list(by_type.values()), dtype=object)[columns],
            "week": (ages // WEEK).to_numpy()[rows],
            "n": values[rows, columns].astype(int),
        }
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # that events have no last time index: they are never a target
    count(read_task("featuretools", "pandas"))
