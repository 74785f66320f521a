"""The end of the pipeline: the checks of `predictions`, and the published copy for readers."""

# No `from __future__ import annotations` here: Dagster reads annotations as they are, not as text.

from collections.abc import Iterator, Sequence

import dagster as dg

from dagster_foretell.manifest import Prediction
from dagster_foretell.resources import POOL, readable_errors
from foretell.pipeline.publish import publish
from foretell.pipeline.publish_gate import pass_gate
from foretell.pipeline.score_counts import ScoreCounts, count_scores
from foretell.report.card import publish_cards, published_cards
from foretell.settings import Settings
from foretell.warehouse.open import open_warehouse

PREDICTIONS = dg.AssetKey(["predictions"])


class PublishConfig(dg.Config):
    """Config in the launchpad: accept publishes scores that the gate would hold back."""

    accept: bool = False


@dg.asset(
    deps=[
        PREDICTIONS,
        dg.AssetKey(["audiences"]),
        dg.AssetKey(["prediction_outcomes"]),
        dg.AssetKey(["calibration_groups"]),
        dg.AssetKey(["calibration_report"]),
        dg.AssetKey(["value_report"]),
    ],
    group_name="published",
    kinds={"duckdb", "parquet"},
    pool=POOL,
)
def published(
    context: dg.AssetExecutionContext,
    config: PublishConfig,
    foretell_settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster refuses [...]
    """The tables for readers: a copy that is replaced at once, so BI tools never wait for a run.

    Written only if every test and check of the tables before it has passed, and the publish gate
    has no objection: too many users without scores, as_of gone back, or scores held back.
    """
    with readable_errors():
        pass_gate(foretell_settings, context.log.warning, config.accept)
        paths = publish(foretell_settings)
        publish_cards(foretell_settings)
        with open_warehouse(foretell_settings.location, read_only=True) as warehouse:
            counts = count_scores(warehouse)
    query = "select * from predictions order by probability desc limit 20"
    look = ("import duckdb\n" if paths.database else "") + paths.look(query)
    return dg.MaterializeResult(
        metadata={
            "Table": f"foretell.predictions in {paths.place}",
            "Parquet files": dg.MetadataValue.path(paths.parquet),
            "Model cards": dg.MetadataValue.path(published_cards(foretell_settings)),
            "Look at it": dg.MetadataValue.md(f"```python\n{look}\n```"),
            "Users": dg.MetadataValue.md(_table(list(counts.values()))),
        }
    )


def build_predictions_checks(
    predictions: Sequence[Prediction],
) -> list[dg.AssetChecksDefinition]:
    """Return the checks of the table `predictions`, two per prediction; they stop publishing."""
    specs = [
        dg.AssetCheckSpec(
            f"{each.name}_{name}", asset=PREDICTIONS, description=description, blocking=True
        )
        for each in predictions
        for name, description in (
            ("one_row_per_user", f"{each.label}: every user of its cohort has exactly one row."),
            ("is_probability", f"{each.label}: every score lies between 0 and 1."),
        )
    ]
    if not specs:
        return []

    @dg.multi_asset_check(name="predictions_are_whole", specs=specs, pool=POOL)
    def predictions_are_whole(
        foretell_settings: dg.ResourceParam[Settings],
    ) -> Iterator[dg.AssetCheckResult]:
        with readable_errors():
            with open_warehouse(foretell_settings.location, read_only=True) as warehouse:
                counts = count_scores(warehouse)
            for each in predictions:
                yield from _check_counts(counts[each.name])

    return [predictions_are_whole]


def _check_counts(counts: ScoreCounts) -> Iterator[dg.AssetCheckResult]:
    numbers = {
        "users in the cohort": counts.n_users,
        "users with a score": counts.n_scored,
        "users without a score": counts.n_missing,
        "users with several scores": counts.n_repeated,
        "scores outside 0 to 1": counts.n_outside,
    }
    yield dg.AssetCheckResult(
        asset_key=PREDICTIONS,
        check_name=f"{counts.prediction}_one_row_per_user",
        passed=counts.is_one_row_per_user,
        metadata=numbers,
        description="" if counts.has_model else "no model yet, so no row is expected",
    )
    yield dg.AssetCheckResult(
        asset_key=PREDICTIONS,
        check_name=f"{counts.prediction}_is_probability",
        passed=counts.n_outside == 0,
        metadata=numbers,
    )


def _table(counts: Sequence[ScoreCounts]) -> str:
    rows = [
        f"| {each.prediction} | {each.n_users:,} | {each.n_scored:,} | "
        f"{'yes' if each.has_model else 'not yet'} |"
        for each in counts
    ]
    head = [
        "| prediction | users in the cohort | with a score | has a model |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *rows])
