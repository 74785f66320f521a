"""Scores users with the champion's ONNX graph and appends the result to the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from models_ml.features import ROWS_PER_BLOCK, load_features
from models_ml.onnx_model import make_session, predict
from models_ml.registry import ModelRecord
from models_ml.warehouse import Warehouse

ROWS_PER_CALL = 4_096

# Only what is new or differs: a second run on the same data appends nothing. Scores differ in the
# last bits by batch, so "the same" is within 1e-6. percentile ranks the user among the whole
# present cohort, those not scored now with their newest score by the same model.
APPEND = """
    insert into prediction_history by name
    with newest as (
        select history.user_id, history.as_of, history.probability
        from prediction_history as history
        where history.prediction = $prediction
        and history.model_id = $model_id
        and history.as_of <= $as_of
        qualify row_number() over (
            partition by history.user_id order by history.as_of desc, history.scored_at desc
        ) = 1
    ),
    population as (
        select scored.user_id, scored.probability, true as is_new from scored
        union all
        select newest.user_id, newest.probability, false as is_new
        from newest
        inner join scoring_rows as cohort
            on cohort.prediction = $prediction and newest.user_id = cohort.user_id
        anti join scored on newest.user_id = scored.user_id
    ),
    ranked as (
        select
            user_id, probability, is_new,
            100 * percent_rank() over (order by probability) as percentile
        from population
    )
    select
        $prediction as prediction, ranked.user_id, ranked.probability, ranked.percentile,
        $as_of as as_of, $scored_at as scored_at, $model_id as model_id
    from ranked
    left join newest on ranked.user_id = newest.user_id and newest.as_of = $as_of
    where ranked.is_new
    and (newest.user_id is null or abs(newest.probability - ranked.probability) > 1e-6)
"""


@dataclass(frozen=True)
class ScoreSummary:
    """What one scoring run did: users scored, and rows that were new to the ledger."""

    prediction: str
    n_users: int
    n_appended: int


def score_prediction(
    warehouse: Warehouse, model: ModelRecord, progress: Callable[[str], None] = lambda line: None
) -> ScoreSummary:
    """Score every user of `scoring_rows` that has features, in one transaction.

    Memory is bounded by a block of users, not by how many there are. A run that fails or is killed
    leaves the ledger as it was.

    Args:
        warehouse: An open warehouse whose models 01 to 07 are built.
        model: The champion.
        progress: Called with a line per block.

    Returns:
        How many users were scored and how many rows were appended.
    """
    (extent,) = warehouse.rows(
        """
        select count(*) as n_users, any_value(as_of) as as_of
        from scoring_rows where prediction = ? and has_features
        """,
        [model.prediction],
    )
    if not extent["n_users"]:
        return ScoreSummary(model.prediction, 0, 0)
    with warehouse.transaction():
        warehouse.execute(
            "create or replace temp table scored (user_id varchar, probability double)"
        )
        n_done = 0
        for block in _score_blocks(warehouse, model):
            warehouse.append("scored", block)
            n_done += block.num_rows
            progress(f"{model.prediction}: {n_done:,} of {extent['n_users']:,} users scored")
        (before,) = warehouse.rows("select count(*) as n from prediction_history")
        warehouse.execute_named(
            APPEND,
            {
                "prediction": model.prediction,
                "model_id": model.model_id,
                "as_of": extent["as_of"],
                "scored_at": datetime.now(UTC).replace(tzinfo=None),
            },
        )
        (after,) = warehouse.rows("select count(*) as n from prediction_history")
        warehouse.execute("drop table scored")
    return ScoreSummary(model.prediction, n_done, after["n"] - before["n"])


def _score_blocks(warehouse: Warehouse, model: ModelRecord) -> Iterator[pa.Table]:
    """Yield (user_id, probability) tables, one per block of users in order of user_key."""
    assert model.onnx is not None
    assert model.feature_ids is not None
    session = make_session(model.onnx)
    feature_ids = np.array(model.feature_ids, dtype=np.int64)
    last_key = -1
    while True:
        users = warehouse.table(
            """
            select user_key, as_of_hour, user_id from scoring_rows
            where prediction = ? and has_features and user_key > ? order by user_key limit ?
            """,
            [model.prediction, last_key, ROWS_PER_BLOCK],
        )
        if not users.num_rows:
            return
        last_key = users["user_key"][-1].as_py()
        matrix = load_features(
            warehouse, users["user_key"].to_numpy(), users["as_of_hour"].to_numpy(), feature_ids
        )
        probability = np.concatenate(
            [
                predict(session, matrix[start : start + ROWS_PER_CALL].toarray())
                for start in range(0, users.num_rows, ROWS_PER_CALL)
            ]
        )
        yield pa.table({"user_id": users["user_id"], "probability": probability.astype(np.float64)})
