"""Counts that check `predictions`: one row per user of a cohort, probabilities in [0, 1]."""

from __future__ import annotations

from dataclasses import dataclass

from foretell.alarms.alarms import current_alarms
from foretell.pipeline.torn_models import read_champion
from foretell.warehouse.base import Warehouse

COUNTS = """
    select
        definitions.prediction,
        count(cohort.user_id) as n_users,
        count(scores.user_id) as n_scored,
        count(*) filter (where cohort.has_features and scores.user_id is null) as n_missing,
        count(*) filter (where scores.n_rows > 1) as n_repeated,
        coalesce(sum(scores.n_outside), 0)::bigint as n_outside
    from prediction_definitions as definitions
    left join scoring_rows as cohort on definitions.prediction = cohort.prediction
    left join (
        select
            prediction,
            user_id,
            count(*) as n_rows,
            count(*) filter (where (probability between 0 and 1) is not true) as n_outside
        from predictions
        group by prediction, user_id
    ) as scores
        on cohort.prediction = scores.prediction and cohort.user_id = scores.user_id
    group by definitions.prediction
    order by definitions.prediction
"""


@dataclass(frozen=True)
class ScoreCounts:
    """Comparison of the rows of `predictions` with the users of a cohort.

    Attributes:
        prediction: Its name.
        has_model: False if no model may score it: there is none yet, or its scores are held back
            (alarms.py). Then no row is expected.
        n_users: Users in the starting cohort now.
        n_scored: Those of them with a row.
        n_missing: Those without a row whose features this run computed.
        n_repeated: Those with more than one row.
        n_outside: Rows whose probability is null or leaves [0, 1].
    """

    prediction: str
    has_model: bool
    n_users: int
    n_scored: int
    n_missing: int
    n_repeated: int
    n_outside: int

    @property
    def is_one_row_per_user(self) -> bool:
        """True if every user who could be scored has exactly one row."""
        return not self.n_repeated and not (self.has_model and self.n_missing)


def count_scores(warehouse: Warehouse) -> dict[str, ScoreCounts]:
    """Return the counts of every defined prediction, by its name."""
    held = {alarm.prediction for alarm in current_alarms(warehouse) if alarm.is_held_back}
    return {
        row["prediction"]: ScoreCounts(
            has_model=row["prediction"] not in held
            and read_champion(warehouse, row["prediction"])[0] is not None,
            **row,
        )
        for row in warehouse.rows(COUNTS)
    }
