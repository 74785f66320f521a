"""The two assets of a prediction: its model, and the scores of its users."""

# No `from __future__ import annotations` here: Dagster reads annotations as they are, not as text.

import dagster as dg

from dagster_foretell.manifest import Prediction
from dagster_foretell.model_page import (
    alarms_check_result,
    alarms_check_spec,
    describe_alarms,
    describe_model,
    describe_scores,
    model_check_results,
    model_check_specs,
)
from dagster_foretell.resources import POOL, readable_errors
from foretell.alarms.alarms import current_alarms
from foretell.pipeline.train_prediction import train_prediction
from foretell.report.card import model_card
from foretell.run import score_champions
from foretell.settings import Settings
from foretell.warehouse.open import open_warehouse

TRAINING, SCORING = "training", "scoring"


def model_key(prediction: str) -> dg.AssetKey:
    """Key of the asset that trains a prediction's model; the graph shows its last part only."""
    return dg.AssetKey(["models", prediction])


def scores_key(prediction: str) -> dg.AssetKey:
    """Key of the asset that scores a prediction's users."""
    return dg.AssetKey(["scores", prediction])


def build_prediction_assets(prediction: Prediction, engine: str) -> list[dg.AssetsDefinition]:
    """Return the two assets of a prediction.

    A prediction with too little data materialises a rejected model, with the reason and a warning;
    other predictions are not affected.

    Args:
        prediction: Its definition.
        engine: Where users are scored: duckdb or spark.
    """
    name = prediction.name
    owners = [f"team:{prediction.owner}"] if prediction.owner else None
    definition = f"Defined in `{prediction.file}`:\n\n```yaml\n{prediction.definition}\n```"

    @dg.asset(
        key=model_key(name),
        deps=["training_rows", "features_values"],
        group_name=TRAINING,
        kinds={"python", "onnx"},
        owners=owners,
        description=f"**{prediction.label}**: the model that estimates how likely it is for a "
        f"user, trained on users of past weeks. Only the job `daily` computes training rows, and "
        f"`hourly` removes them: train with `daily`. {definition}",
        check_specs=[*model_check_specs(model_key(name)), alarms_check_spec(model_key(name))],
        pool=POOL,
    )
    def model(
        context: dg.AssetExecutionContext, foretell_settings: dg.ResourceParam[Settings]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster refuses [...]
        with readable_errors(), open_warehouse(foretell_settings.location) as warehouse:
            trained = train_prediction(warehouse, name, context.log.info)
            card = model_card(warehouse, trained)
            alarms = current_alarms(warehouse, name)
        return dg.MaterializeResult(
            metadata=describe_model(trained, prediction.label, card) | describe_alarms(alarms),
            check_results=[
                *model_check_results(trained),
                alarms_check_result(model_key(name), alarms),
            ],
        )

    @dg.asset(
        key=scores_key(name),
        deps=["scoring_rows", "features_values", model],
        group_name=SCORING,
        kinds={"onnx", engine},
        owners=owners,
        description=f"**{prediction.label}**: a probability for every user it concerns now, "
        f"appended to `prediction_history`. {definition}",
        check_specs=[alarms_check_spec(scores_key(name))],
        pool=POOL,
    )
    def scores(
        context: dg.AssetExecutionContext, foretell_settings: dg.ResourceParam[Settings]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster refuses [...]
        with readable_errors(), open_warehouse(foretell_settings.location) as warehouse:
            summaries = score_champions(warehouse, [name], context.log.info)
            alarms = current_alarms(warehouse, name)
        return dg.MaterializeResult(
            metadata=describe_scores(summaries[0] if summaries else None) | describe_alarms(alarms),
            check_results=[alarms_check_result(scores_key(name), alarms)],
        )

    return [model, scores]
