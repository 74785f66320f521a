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
from foretell.pipeline.append_scores import NewScores, newest_served
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
        now, served_as_of = datetime.now(UTC).replace(tzinfo=None), newest_served(warehouse)
        new = [NewScores(model, as_of[model.prediction], served_as_of) for model in scorable]
        alarms = {}
        for scores in new:
            alarm = _check(warehouse, scores, accepted)
            if alarm:
                alarms[scores.model.prediction] = alarm
        held = {name: alarm for name, alarm in alarms.items() if alarm.is_held_back}
        if held:
            raise _HeldBack(held)
        for scores in new:
            prediction = scores.model.prediction
            alarm = alarms.get(prediction)
            if alarm:
                progress(f"{prediction}: {alarm.message}")
            n_appended = scores.append(warehouse, now)
            summaries[prediction] = ScoreSummary(prediction, n_users[prediction], n_appended, alarm)
        warehouse.execute("drop table scored")
    return summaries


def _check(warehouse: Warehouse, scores: NewScores, accepted: Collection[str]) -> Alarm | None:
    """Compare the outcomes that new and current scores predict with the usual number."""
    prediction = scores.model.prediction
    row = scores.expected(warehouse)
    (cohort,) = warehouse.rows(
        "select count(*) as n_users from scoring_rows where prediction = ?", [prediction]
    )
    facts = population_facts(row, cohort["n_users"])
    if facts is None:
        return None
    usual = read_usual(warehouse, prediction, cohort["n_users"])
    is_accepted = prediction in accepted
    return check_expected(prediction, *facts, usual, is_accepted) or check_amount(
        prediction, row["amount"], facts[1], usual, is_accepted
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
            progress(f"{model.prediction}: no reasons, its model is of another library")
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
