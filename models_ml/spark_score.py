"""Scoring as a Spark job: executors read features, run the ONNX graphs, and write the scores.

No row passes through the driver. Each worker process loads a graph once and uses one thread, as
Spark gives each its core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa

from models_ml.matrix import csr_from_batches
from models_ml.reasons import Explainer
from models_ml.registry import ModelRecord
from models_ml.score_block import (
    Block,
    Scorer,
    explain_block,
    feature_ids_of,
    make_scorer,
    score_block,
)
from models_ml.warehouse import Warehouse

if TYPE_CHECKING:
    from models_ml.spark_warehouse import SparkWarehouse

# What is known of each user (feature_id, value), what is asked (prediction, user_id); user by user.
ROWS = """
    select user_key, as_of_hour, feature_id, value, null as prediction, null as user_id
    from features_values
    where as_of_hour in ({hours})
    union all
    select user_key, as_of_hour, null, null, prediction, user_id
    from scoring_rows
    where has_features and array_contains(:predictions, prediction)
"""
USER = ("user_key", "as_of_hour")
ROWS_PER_BLOCK = 2_000_000  # that a worker holds at once: 100 MB
SCORED = "prediction string, user_id string, probability double"
REASONS = (
    "prediction string, user_id string, as_of timestamp_ntz, model_id string, place int, "
    "input string, words string, contribution double"
)
_scorers: dict[tuple[str, ...], list[Scorer]] = {}  # of this worker process, by the models' ids


def fill_scored(
    warehouse: Warehouse,
    models: Sequence[ModelRecord],
    explainers: Mapping[str, Explainer],
    as_of: Mapping[str, datetime],
    progress: Callable[[str], None],
) -> None:
    """Write the scores of every user of `scoring_rows` that has features into the table `scored`.

    Args:
        warehouse: On Spark, built.
        models: Champions, one per prediction.
        explainers: Of those predictions whose users get their reasons too.
        as_of: The hour that is scored as of, by prediction.
        progress: Called with a line.
    """
    spark = cast("SparkWarehouse", warehouse)
    feature_ids = feature_ids_of(models)

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        scorers = _loaded(models, feature_ids)
        for block in blocks_of(batches, feature_ids):
            for scores in score_block(block, scorers):
                yield from scores.to_batches()

    def explain(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        scorers = [each for each in _loaded(models, feature_ids) if each.prediction in explainers]
        for block in blocks_of(batches, feature_ids):
            for scorer in scorers:
                prediction = scorer.prediction
                for reasons in explain_block(
                    block, scorer, explainers[prediction], as_of[prediction]
                ):
                    yield from reasons.to_batches()

    progress(f"scoring {', '.join(as_of)} on Spark")
    hours = {int(hour.replace(tzinfo=UTC).timestamp()) // 3600 for hour in as_of.values()}
    rows = spark.session.sql(
        ROWS.format(hours=", ".join(map(str, hours))), {"predictions": list(as_of)}
    )
    users = rows.repartition(*USER).sortWithinPartitions(*USER)
    spark.fill("scored", users.mapInArrow(score, SCORED))
    if explainers:
        progress(f"reasons of {', '.join(explainers)} on Spark")
        users.mapInArrow(explain, REASONS).createOrReplaceTempView("explained")
        spark.session.sql("insert into reasons by name select * from explained")


def blocks_of(batches: Iterable[pa.RecordBatch], feature_ids: np.ndarray) -> Iterator[Block]:
    """Yield users by the block, each whole, from rows that come in batches of any size.

    Args:
        batches: Columns as of ROWS, by user.
        feature_ids: The columns of the blocks' matrices, int64.
    """
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(each.num_rows for each in held) >= ROWS_PER_BLOCK:
            rows = pa.Table.from_batches(held)
            begins = int(np.flatnonzero(_is_next_user(rows))[-1])  # of the last, who may go on
            if begins:
                yield block_of(rows.slice(0, begins), feature_ids)
                held = rows.slice(begins).to_batches()
    if held:
        yield block_of(pa.Table.from_batches(held), feature_ids)


def block_of(rows: pa.Table, feature_ids: np.ndarray) -> Block:
    """Return some users as rows of a matrix, and what is asked of them.

    Args:
        rows: Columns as of ROWS, by user.
        feature_ids: The matrix' columns, int64.
    """
    index = np.cumsum(_is_next_user(rows)) - 1
    is_value = rows["feature_id"].is_valid().to_numpy()
    known = rows.select(["feature_id", "value"]).filter(is_value).combine_chunks()
    known = known.add_column(0, "row_index", pa.array(index[is_value]))
    asked = rows.select(["prediction", "user_id"]).filter(~is_value)
    asked = asked.append_column("place", pa.array(index[~is_value]))
    n_users = int(index[-1]) + 1 if len(index) else 0
    return Block(csr_from_batches(known.to_batches(), n_users, feature_ids), asked)


def _is_next_user(rows: pa.Table) -> np.ndarray:
    """Return whether each row is the first of its user, boolean, shape (n_rows,)."""
    is_next = np.zeros(rows.num_rows, dtype=bool)
    is_next[:1] = True
    for column in USER:
        values = rows[column].to_numpy()
        is_next[1:] |= values[1:] != values[:-1]
    return is_next


def _loaded(models: Sequence[ModelRecord], feature_ids: np.ndarray) -> list[Scorer]:
    key = tuple(model.model_id for model in models)
    if key not in _scorers:
        _scorers.clear()  # of a run before
        _scorers[key] = [make_scorer(model, feature_ids, threads=1) for model in models]
    return _scorers[key]
