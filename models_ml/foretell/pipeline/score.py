"""Scores users with the champions' ONNX graphs and appends the results to the history."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from foretell.alarms.alarms import Alarm, replace_alarms
from foretell.alarms.expected import (
    KIND,
    check_amount,
    check_expected,
    population_facts,
    read_usual,
)
from foretell.machine import usable_threads
from foretell.pipeline.features import ROWS_PER_BLOCK, load_features
from foretell.pipeline.reasons import DELETE_REASONS, Explainer, make_explainer
from foretell.pipeline.registry import ModelRecord
from foretell.pipeline.score_block import (
    Block,
    explain_block,
    feature_ids_of,
    make_scorer,
    score_block,
)
from foretell.warehouse.base import Warehouse

SECONDS_PER_LINE = 5
N_KEYS = 2**63  # user keys are hashes below this: equal spans have about equally many users

# Only new or changed scores are appended: a second run on the same data appends nothing. The last
# bits of a score depend on the batch, so scores are equal within 1e-6 (values within a relative
# 1e-5). percentile ranks the user in the whole present cohort; users not scored now count with
# their newest score by the same model. It is computed by ranges of the probability (for values, of
# their logarithm), because one rank over all users would run on one core.
POPULATION = """
    with known as ({known}),
    newest as (
        select known.user_id, known.as_of, known.probability, known.expected_value
        from known
        qualify row_number() over (
            partition by known.user_id order by known.as_of desc, known.scored_at desc
        ) = 1
    ),
    population as (
        select scored.user_id, scored.probability, scored.expected_value, true as is_new
        from scored
        where scored.prediction = $prediction
        union all
        select newest.user_id, newest.probability, newest.expected_value, false as is_new
        from newest
        inner join scoring_rows as cohort
            on cohort.prediction = $prediction and newest.user_id = cohort.user_id
        anti join scored
            on newest.user_id = scored.user_id and scored.prediction = $prediction
    )
"""
EXPECTED = (
    POPULATION
    + """
    select count(*) as n_users, sum(probability) as expected, avg(expected_value) as amount
    from population
    """
)
APPEND = (
    "insert into prediction_history by name"
    + POPULATION
    + """
    , parts as (
        select
            *,
            coalesce(expected_value, probability) as place,
            case
                when expected_value is null then floor(probability * 10000)
                else floor(100 * ln(greatest(expected_value, 1e-9)))
            end as part
        from population
    ),
    sized as (
        select
            part,
            sum(count(*)) over (order by part) - count(*) as n_below,
            sum(count(*)) over () as n_users
        from parts
        group by part
    ),
    ranked as (
        select
            parts.user_id, parts.probability, parts.expected_value, parts.is_new,
            100.0e0 * (
                sized.n_below - 1
                + rank() over (partition by parts.part order by parts.place)
            ) / greatest(sized.n_users - 1, 1) as percentile
        from parts
        inner join sized on parts.part = sized.part
    )
    select
        $prediction as prediction, ranked.user_id, ranked.probability, ranked.expected_value,
        ranked.percentile, $as_of as as_of, $scored_at as scored_at, $model_id as model_id
    from ranked
    left join newest on ranked.user_id = newest.user_id and newest.as_of = $as_of
    where ranked.is_new
    and (
        newest.user_id is null
        or abs(newest.probability - ranked.probability) > 1e-6
        or coalesce(abs(newest.expected_value - ranked.expected_value), 0)
            > 1e-5 * coalesce(ranked.expected_value, 0)
    )
    """
)

# Scores by the same model; the newest of each user counts.
KNOWN = """
    select user_id, as_of, scored_at, probability, expected_value
    from prediction_history
    where prediction = $prediction and model_id = $model_id and as_of <= $as_of
"""
# The history grows by all users every day; `predictions` has its newest scores as of $served_as_of.
KNOWN_SINCE = f"""
    select user_id, as_of, scored_at, probability, expected_value
    from predictions
    where prediction = $prediction and model_id = $model_id
    union all
    {KNOWN} and as_of >= $served_as_of
"""


@dataclass(frozen=True)
class ScoreSummary:
    """The result of one scoring run: users scored, and rows appended to the history.

    If the scores are held back (expected.py), alarm says why and none is appended.
    """

    prediction: str
    n_users: int
    n_appended: int
    alarm: Alarm | None = None


class _HeldBack(Exception):
    """Rolls back the transaction with scores that are held back."""

    def __init__(self, alarms: dict[str, Alarm]) -> None:
        super().__init__()
        self.alarms = alarms


def score_predictions(
    warehouse: Warehouse,
    models: Sequence[ModelRecord],
    progress: Callable[[str], None] = lambda line: None,
    explained: Collection[str] = (),
    accepted: Collection[str] = (),
) -> list[ScoreSummary]:
    """Score every user of `scoring_rows` that has features, in one transaction.

    Scores that predict three times more or fewer outcomes than usual are held back, with their
    reasons: earlier scores stay, and the other predictions are scored again without them.

    Features are read once for all models, a block of users at a time: memory depends on the size of
    a block, not on the number of users. A run that fails or is killed leaves the history unchanged;
    without transactions (Spark), the next run appends only the missing rows.

    Args:
        warehouse: An open warehouse, built up to the scoring rows.
        models: Champions, one per prediction.
        progress: Called with a line every few seconds.
        explained: Predictions whose users also get reasons, in the same transaction.
        accepted: Predictions that are not held back, whatever they predict.

    Returns:
        Per model, the number of users scored and of rows appended.
    """
    cohorts = {
        row["prediction"]: row
        for row in warehouse.rows(
            """
            select prediction, count(*) as n_users, any_value(as_of) as as_of
            from scoring_rows where has_features group by prediction
            """
        )
    }
    scorable = [model for model in models if model.prediction in cohorts]
    summaries = {model.prediction: ScoreSummary(model.prediction, 0, 0) for model in models}
    held: dict[str, Alarm] = {}
    try:
        summaries |= _score_all(warehouse, scorable, cohorts, explained, accepted, progress)
    except _HeldBack as found:
        held = found.alarms
        scorable = [model for model in scorable if model.prediction not in held]
        summaries |= _score_all(warehouse, scorable, cohorts, explained, accepted, progress)
        for prediction, alarm in held.items():
            progress(f"{prediction}: held back, {alarm.message}")
            n_users = cohorts[prediction]["n_users"]
            summaries[prediction] = ScoreSummary(prediction, n_users, 0, alarm)
    if warehouse.has_table("alarms"):
        alarms = [summary.alarm for summary in summaries.values() if summary.alarm]
        as_of = max((each["as_of"] for each in cohorts.values()), default=None)
        replace_alarms(warehouse, [KIND], alarms, as_of, list(summaries))
    return list(summaries.values())


def _score_all(
    warehouse: Warehouse,
    scorable: Sequence[ModelRecord],
    cohorts: Mapping[str, Mapping[str, Any]],
    explained: Collection[str],
    accepted: Collection[str],
    progress: Callable[[str], None],
) -> dict[str, ScoreSummary]:
    """Score all of these models' users, in one transaction.

    Raises:
        _HeldBack: If the scores of some are held back: nothing is written.
    """
    summaries: dict[str, ScoreSummary] = {}
    if not scorable:
        return summaries
    with warehouse.transaction():
        n_users = {model.prediction: cohorts[model.prediction]["n_users"] for model in scorable}
        as_of = {model.prediction: cohorts[model.prediction]["as_of"] for model in scorable}
        explainers = _explainers(warehouse, scorable, explained, progress)
        if warehouse.has_executors:
            from foretell.pipeline.spark_score import fill_scored

            fill_scored(warehouse, scorable, explainers, as_of, progress)
        else:
            _fill_scored(warehouse, scorable, n_users, explainers, as_of, progress)
        now, served_as_of = datetime.now(UTC).replace(tzinfo=None), _served_as_of(warehouse)
        alarms = {}
        for model in scorable:
            alarm = _check(warehouse, model, as_of[model.prediction], served_as_of, accepted)
            if alarm:
                alarms[model.prediction] = alarm
        held = {name: alarm for name, alarm in alarms.items() if alarm.is_held_back}
        if held:
            raise _HeldBack(held)
        for model in scorable:
            alarm = alarms.get(model.prediction)
            if alarm:
                progress(f"{model.prediction}: {alarm.message}")
            summaries[model.prediction] = ScoreSummary(
                model.prediction,
                n_users[model.prediction],
                _append(warehouse, model, as_of[model.prediction], served_as_of, now),
                alarm,
            )
        warehouse.execute("drop table scored")
    return summaries


def _check(
    warehouse: Warehouse,
    model: ModelRecord,
    as_of: datetime,
    served_as_of: datetime | None,
    accepted: Collection[str],
) -> Alarm | None:
    """Compare the outcomes that new and current scores predict with the usual number."""
    parameters = {"prediction": model.prediction, "model_id": model.model_id, "as_of": as_of}
    known, more = _known(as_of, served_as_of)
    (row,) = warehouse.rows(EXPECTED.format(known=known), parameters | more)
    (cohort,) = warehouse.rows(
        "select count(*) as n_users from scoring_rows where prediction = ?", [model.prediction]
    )
    facts = population_facts(row, cohort["n_users"])
    if facts is None:
        return None
    usual = read_usual(warehouse, model.prediction, cohort["n_users"])
    is_accepted = model.prediction in accepted
    return check_expected(model.prediction, *facts, usual, is_accepted) or check_amount(
        model.prediction, row["amount"], facts[1], usual, is_accepted
    )


def _fill_scored(
    warehouse: Warehouse,
    models: Sequence[ModelRecord],
    n_users: Mapping[str, int],
    explainers: Mapping[str, Explainer],
    as_of: Mapping[str, datetime],
    progress: Callable[[str], None],
) -> None:
    """Write scores into the temporary table `scored`, and reasons, with progress."""
    warehouse.execute(
        "create or replace temp table scored"
        " (prediction varchar, user_id varchar, probability double, expected_value double)"
    )
    feature_ids = feature_ids_of(models)
    scorers = [make_scorer(model, feature_ids, threads=usable_threads()) for model in models]
    n_blocks = -(-max(n_users.values()) // ROWS_PER_BLOCK)
    n_rows, n_done = sum(n_users.values()), 0
    began = reported = time.monotonic()
    for block in _read_blocks(warehouse, list(n_users), feature_ids, n_blocks):
        for scores in score_block(block, scorers):
            warehouse.append("scored", scores)
            n_done += scores.num_rows
        for scorer in scorers:
            if scorer.prediction in explainers:
                for reasons in explain_block(
                    block, scorer, explainers[scorer.prediction], as_of[scorer.prediction]
                ):
                    warehouse.append("reasons", reasons)
        if n_done and (n_done == n_rows or time.monotonic() - reported > SECONDS_PER_LINE):
            reported = time.monotonic()
            rate = n_done / (reported - began)
            progress(
                f"scored {n_done:,} of {n_rows:,} rows, {rate:,.0f} rows/s, "
                f"about {(n_rows - n_done) / rate:.0f} s left"
            )


def _explainers(
    warehouse: Warehouse,
    models: Sequence[ModelRecord],
    explained: Collection[str],
    progress: Callable[[str], None],
) -> dict[str, Explainer]:
    """Delete outdated reasons; return the explainer of each prediction that gets new ones."""
    explainers = {}
    for model in models:
        if model.prediction not in explained:
            continue
        explainer = make_explainer(warehouse, model)
        if explainer is None:
            progress(
                f"{model.prediction}: no reasons, its model is of another library or was trained "
                "before Foretell had them"
            )
            warehouse.execute("delete from reasons where prediction = ?", [model.prediction])
            continue
        warehouse.execute(DELETE_REASONS, {"prediction": model.prediction})
        explainers[model.prediction] = explainer
    return explainers


def _read_blocks(
    warehouse: Warehouse, predictions: Sequence[str], feature_ids: np.ndarray, n_blocks: int
) -> Iterator[Block]:
    """Yield the users to score with their features, one span of keys after the other."""
    for number in range(n_blocks):
        span = [number * N_KEYS // n_blocks, (number + 1) * N_KEYS // n_blocks - 1]
        rows = warehouse.table(
            """
            select prediction, user_id, user_key, as_of_hour
            from scoring_rows
            where has_features and user_key between ? and ? and list_contains(?, prediction)
            order by user_key
            """,
            [*span, list(predictions)],
        )
        user_key, first, place = np.unique(
            rows["user_key"].to_numpy(), return_index=True, return_inverse=True
        )
        as_of_hour = rows["as_of_hour"].to_numpy()[first]
        yield Block(
            load_features(warehouse, user_key, as_of_hour, feature_ids),
            rows.select(["prediction", "user_id"]).append_column("place", pa.array(place)),
        )


def _served_as_of(warehouse: Warehouse) -> datetime | None:
    """Return the newest as_of of `predictions`; None if missing, empty or of an older version."""
    if not warehouse.has_table("predictions"):
        return None
    if "expected_value" not in warehouse.table("select * from predictions limit 0").column_names:
        return None
    (newest,) = warehouse.rows("select max(as_of) as as_of from predictions")
    as_of: datetime | None = newest["as_of"]
    return as_of


def _append(
    warehouse: Warehouse,
    model: ModelRecord,
    as_of: datetime,
    served_as_of: datetime | None,
    now: datetime,
) -> int:
    """Move the scores of one prediction into the history; return the number of appended rows."""
    parameters = {
        "prediction": model.prediction,
        "model_id": model.model_id,
        "as_of": as_of,
        "scored_at": now,
    }
    (before,) = warehouse.rows("select count(*) as n from prediction_history")
    known, more = _known(as_of, served_as_of)
    warehouse.execute(APPEND.format(known=known), parameters | more)
    (after,) = warehouse.rows("select count(*) as n from prediction_history")
    return int(after["n"] - before["n"])


def _known(as_of: datetime, served_as_of: datetime | None) -> tuple[str, dict[str, Any]]:
    """Return the query of earlier scores by the same model, and its parameters."""
    if served_as_of is None or served_as_of > as_of:  # or this is a replay of an earlier hour
        return KNOWN, {}
    return KNOWN_SINCE, {"served_as_of": served_as_of}
