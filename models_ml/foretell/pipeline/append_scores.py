"""Appends new or changed scores to the history, with each user's rank in the whole cohort."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from foretell.pipeline.registry import ModelRecord
from foretell.warehouse.base import Warehouse

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
class NewScores:
    """The scores of one model in the temporary table `scored`, beside its earlier ones.

    Attributes:
        model: That scored.
        as_of: Of the scores.
        served_as_of: The newest as_of of `predictions`; None if there is none.
    """

    model: ModelRecord
    as_of: datetime
    served_as_of: datetime | None

    def expected(self, warehouse: Warehouse) -> dict[str, Any]:
        """Return n_users of the present cohort, outcomes expected of them, mean expected amount."""
        (row,) = warehouse.rows(*self._query(EXPECTED))
        return row

    def append(self, warehouse: Warehouse, now: datetime) -> int:
        """Write what is new or changed into the history; return the number of appended rows."""
        (before,) = warehouse.rows("select count(*) as n from prediction_history")
        sql, parameters = self._query(APPEND)
        warehouse.execute(sql, {**parameters, "scored_at": now})
        (after,) = warehouse.rows("select count(*) as n from prediction_history")
        return int(after["n"] - before["n"])

    def _query(self, sql: str) -> tuple[str, dict[str, Any]]:
        parameters = {
            "prediction": self.model.prediction,
            "model_id": self.model.model_id,
            "as_of": self.as_of,
        }
        if self.served_as_of is None or self.served_as_of > self.as_of:  # or an hour is replayed
            return sql.format(known=KNOWN), parameters
        return sql.format(known=KNOWN_SINCE), {**parameters, "served_as_of": self.served_as_of}


def newest_served(warehouse: Warehouse) -> datetime | None:
    """Return the newest as_of of `predictions`; None if missing or empty."""
    if not warehouse.has_table("predictions"):
        return None
    (newest,) = warehouse.rows("select max(as_of) as as_of from predictions")
    as_of: datetime | None = newest["as_of"]
    return as_of
