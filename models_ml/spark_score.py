"""Scoring as a Spark job: executors read features, run the ONNX graphs, and write the scores.

No row passes through the driver. Each worker process loads a graph once and uses one thread, as
Spark gives each its core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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

# A row per user, with all that is asked of it and all that is known of it.
USERS = """
    select wanted.predictions, wanted.user_ids, known.features
    from (
        select
            user_key, as_of_hour,
            collect_list(prediction) as predictions, collect_list(user_id) as user_ids
        from scoring_rows
        where has_features and array_contains(:predictions, prediction)
        group by user_key, as_of_hour
    ) as wanted
    left join (
        select
            user_key, as_of_hour,
            collect_list(struct(feature_id, value)) as features
        from features_values
        group by user_key, as_of_hour
    ) as known
        on wanted.user_key = known.user_key and wanted.as_of_hour = known.as_of_hour
"""
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
    users = spark.session.sql(USERS, {"predictions": list(as_of)})
    spark.fill("scored", users.mapInArrow(score, SCORED))
    if explainers:
        progress(f"reasons of {', '.join(explainers)} on Spark")
        users.mapInArrow(explain, REASONS).createOrReplaceTempView("explained")
        spark.session.sql("insert into reasons by name select * from explained")


def block_of(batch: pa.RecordBatch, feature_ids: np.ndarray) -> Block:
    """Return users as they come from USERS as rows of a matrix.

    Args:
        batch: Columns predictions and user_ids (lists of equal length) and features (a list of
            feature_id and value, or NULL for who has none).
        feature_ids: The matrix' columns, int64.
    """
    features = batch.column("features")
    values = features.flatten()
    long = pa.record_batch(
        {
            "row_index": np.repeat(np.arange(batch.num_rows), _lengths(features)),
            "feature_id": values.field("feature_id"),
            "value": values.field("value"),
        }
    )
    rows = {
        "prediction": batch.column("predictions").flatten(),
        "user_id": batch.column("user_ids").flatten(),
        "place": np.repeat(np.arange(batch.num_rows), _lengths(batch.column("predictions"))),
    }
    return Block(csr_from_batches([long], batch.num_rows, feature_ids), pa.table(rows))


def _lengths(lists: pa.ListArray) -> np.ndarray:
    return pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)


def _loaded(models: Sequence[ModelRecord], feature_ids: np.ndarray) -> list[Scorer]:
    key = tuple(model.model_id for model in models)
    if key not in _scorers:
        _scorers.clear()  # of a run before
        _scorers[key] = [make_scorer(model, feature_ids, threads=1) for model in models]
    return _scorers[key]
