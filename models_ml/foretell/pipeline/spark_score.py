"""Scoring as a Spark job: executors read features, run the ONNX graphs, and write the scores.

No row passes through the driver. Each worker process loads a graph once and uses one thread, as
Spark gives each its core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_matrix

from foretell.learn.matrix import column_lookup
from foretell.pipeline.reasons import Explainer
from foretell.pipeline.registry import ModelRecord
from foretell.pipeline.score_block import (
    Block,
    Scorer,
    explain_block,
    feature_ids_of,
    make_scorer,
    score_block,
)
from foretell.warehouse.base import Warehouse

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from foretell.warehouse.spark import SparkWarehouse

# One row per user, with its predictions and its features. Flat lists are sent to Python
# four times as fast as separate rows (benchmarks/spark/results.md).
USERS = """
    select requested.predictions, requested.user_ids, known.feature_ids, known.feature_values
    from (
        select
            user_key, as_of_hour,
            collect_list(prediction) as predictions, collect_list(user_id) as user_ids
        from scoring_rows
        where has_features and array_contains(:predictions, prediction)
        group by user_key, as_of_hour
    ) as requested
    left join (
        select
            user_key, as_of_hour,
            collect_list(feature_id) as feature_ids, collect_list(value) as feature_values
        from features_values
        where as_of_hour in ({hours})
        group by user_key, as_of_hour
    ) as known
        on requested.user_key = known.user_key and requested.as_of_hour = known.as_of_hour
"""
SCORED = "prediction string, user_id string, probability double, expected_value double"
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
        explainers: Of the predictions whose users also get reasons.
        as_of: The as_of of the scores, by prediction.
        progress: Called with a line.
    """
    spark = cast("SparkWarehouse", warehouse)
    feature_ids = feature_ids_of(models)

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        scorers = _loaded(models, feature_ids)
        for batch in batches:
            for scores in score_block(block_of(batch, feature_ids), scorers):
                yield from scores.to_batches()

    def explain(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        scorers = [each for each in _loaded(models, feature_ids) if each.prediction in explainers]
        for batch in batches:
            block = block_of(batch, feature_ids)
            for scorer in scorers:
                prediction = scorer.prediction
                for reasons in explain_block(
                    block, scorer, explainers[prediction], as_of[prediction]
                ):
                    yield from reasons.to_batches()

    progress(f"scoring {', '.join(as_of)} on Spark")
    users = users_to_score(spark, as_of)
    spark.fill("scored", users.mapInArrow(score, SCORED))
    if explainers:
        progress(f"reasons of {', '.join(explainers)} on Spark")
        users.mapInArrow(explain, REASONS).createOrReplaceTempView("explained")
        spark.session.sql("insert into reasons by name select * from explained")


def users_to_score(spark: SparkWarehouse, as_of: Mapping[str, datetime]) -> DataFrame:
    """Return the users to score for some predictions, one row each, in the columns of USERS."""
    hours = {int(hour.replace(tzinfo=UTC).timestamp()) // 3600 for hour in as_of.values()}
    sql = USERS.format(hours=", ".join(map(str, hours)))
    return spark.session.sql(sql, {"predictions": list(as_of)})


def block_of(batch: pa.RecordBatch, feature_ids: np.ndarray) -> Block:
    """Return rows of USERS as rows of a matrix.

    Args:
        batch: Columns predictions and user_ids, feature_ids and feature_values: lists, the two of a
            pair of equal length; the latter NULL for users without features.
        feature_ids: The matrix' columns, int64.
    """
    ids, values = (
        batch.column(name).flatten().to_numpy(zero_copy_only=True)
        for name in ("feature_ids", "feature_values")
    )
    lengths = _lengths(batch.column("feature_ids"))
    column_of = column_lookup(feature_ids)
    columns = column_of[np.minimum(ids, len(column_of) - 1)]
    is_known = columns >= 0
    if not is_known.all():
        users = np.repeat(np.arange(batch.num_rows), lengths)[is_known]
        lengths = np.bincount(users, minlength=batch.num_rows)
        columns, values = columns[is_known], values[is_known]
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    # Unsorted within rows, as only whole rows are selected. A dbt test refuses repeated features.
    X = csr_matrix((values, columns, indptr), shape=(batch.num_rows, len(feature_ids)))
    place = np.repeat(np.arange(batch.num_rows), _lengths(batch.column("predictions")))
    rows = {
        "prediction": batch.column("predictions").flatten(),
        "user_id": batch.column("user_ids").flatten(),
        "place": place,
    }
    return Block(X, pa.table(rows))


def _lengths(lists: pa.ListArray) -> np.ndarray:
    return np.asarray(pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False))


def _loaded(models: Sequence[ModelRecord], feature_ids: np.ndarray) -> list[Scorer]:
    key = tuple(model.model_id for model in models)
    if key not in _scorers:
        _scorers.clear()  # of an earlier run
        _scorers[key] = [make_scorer(model, feature_ids, threads=1) for model in models]
    return _scorers[key]
