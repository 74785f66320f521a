"""The whole road, step by step. `foretell run` and the Dagster jobs both go through here."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Sequence

from models_ml import registry
from models_ml.dbt_command import dbt_build
from models_ml.errors import ForetellError
from models_ml.events_input import check_events
from models_ml.expected import forget_expected
from models_ml.model_card import publish_cards
from models_ml.outcome_life import raise_life_alarms
from models_ml.publish import Published, publish
from models_ml.score import ScoreSummary, score_predictions
from models_ml.settings import PROJECT, Settings
from models_ml.spark_server import check_server
from models_ml.train_prediction import train_predictions
from models_ml.training_data import present_features
from models_ml.warehouse import Warehouse, open_warehouse

SERVING = "path:dbt_project/models/08_predictions"
DAILY = "tag:daily"  # what an hourly build leaves as it stands
EPHEMERAL = "materialized='ephemeral'"  # in a model's file: it makes no table
Progress = Callable[[str], None]


def build(
    settings: Settings, progress: Progress, scope: str = "everyone", full_refresh: bool = False
) -> None:
    """Bring the warehouse up to as_of: folders 01 to 07.

    Args:
        settings: Where events and warehouse are.
        progress: Called with a line per step.
        scope: everyone (daily) or active (hourly: users with an event since the last run, no
                training snapshots).
        full_refresh: Load all events anew, also those that came too late.

    Raises:
        ForetellError: On events or definitions that cannot be used, or a failed test.
    """
    prepare(settings)
    selection = ["--exclude", SERVING]
    if scope == "active":
        if lacking := lacking_tables(settings):
            progress(f"the warehouse lacks {in_short(lacking)}: all tables are built")
        else:
            selection.append(DAILY)
    if full_refresh:
        selection.append("--full-refresh")
    dbt_build(selection, settings.dbt_environment(), {"scope": scope}, progress)
    with open_warehouse(settings.warehouse, read_only=True) as warehouse:
        check_built(warehouse, settings)
        _tell_of_late_events(warehouse, progress)
        if scope == "everyone":
            _tell_of_rules_without_use(warehouse, progress)


def lacking_tables(settings: Settings) -> list[str]:
    """Return which tables of this version's models the warehouse lacks, in order.

    An hour may go by what stands only if all of them stand: it leaves out what is tagged daily.
    """
    try:
        with open_warehouse(settings.warehouse, read_only=True) as warehouse:
            there = warehouse.table_names()
    except ForetellError:  # nothing is there; or it is in use, and the build will say so
        there = set()
    models = (PROJECT / "dbt_project/models").rglob("*.sql")
    made = {path.stem for path in models if EPHEMERAL not in path.read_text(encoding="utf-8")}
    return sorted(made - there)


def in_short(names: Sequence[str]) -> str:
    """Return the first three names, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _tell_of_late_events(warehouse: Warehouse, progress: Progress) -> None:
    for row in warehouse.rows(
        "select reason, sum(n_rows) as n_rows from stg_ingest_counts where fate = 'late' "
        "group by reason"
    ):
        progress(
            f"{row['n_rows']:,} events are {row['reason']} and kept apart; "
            "`foretell run --full-refresh` takes them in"
        )


def _tell_of_rules_without_use(warehouse: Warehouse, progress: Progress) -> None:
    for row in warehouse.rows("select rule from taxonomy_rules where n_named = 0 order by rule"):
        progress(f"{row['rule']} names nothing that is in the events: is a name misspelt?")


def prepare(settings: Settings) -> None:
    """Refuse events and a server that cannot be used, before anything is built from them."""
    if settings.target == "spark":
        check_server()
    for source in settings.sources:
        if source.events:
            check_events(source.events, source.adapter)
    is_folder = settings.target == "spark"  # Derby's log goes into it
    folder = settings.warehouse if is_folder else settings.warehouse.parent
    folder.mkdir(parents=True, exist_ok=True)


def check_built(warehouse: Warehouse, settings: Settings) -> None:
    """Refuse to go on without a usable event or without a prediction, saying why."""
    if not warehouse.rows("select 1 from stg_as_of"):
        reasons = warehouse.rows(
            "select reason, sum(n_rows) as n_rows from stg_ingest_counts where fate = 'rejected' "
            "group by reason order by 2 desc"
        )
        counted = "; ".join(f"{row['n_rows']:,} rows: {row['reason']}" for row in reasons)
        raise ForetellError(f"no usable event in {settings.input} ({counted or 'no rows'})")
    if not warehouse.rows("select 1 from prediction_definitions"):
        raise ForetellError(
            "no prediction is defined; write one into dbt_project/models/predictions "
            "(see docs/definitions.md) or name its folder in FORETELL_PREDICTIONS"
        )


def finish(settings: Settings, progress: Progress, scope: str = "everyone") -> Published:
    """Turn the ledger into `predictions` (folder 08, with its tests) and publish for readers."""
    selection = ["--select", SERVING]
    if scope == "active" and not lacking_tables(settings):
        selection += ["--exclude", DAILY]
    dbt_build(selection, settings.dbt_environment(), {"scope": scope}, progress)
    published = publish(settings)
    publish_cards(settings)
    return published


def select_predictions(warehouse: Warehouse, selected: Sequence[str] = ()) -> list[str]:
    """Return the names of the defined predictions, or of the selected ones.

    Raises:
        ForetellError: If a selected name is not defined, with the nearest that is.
    """
    rows = warehouse.rows("select prediction from prediction_definitions order by prediction")
    defined = [row["prediction"] for row in rows]
    for name in selected:
        if name not in defined:
            near = difflib.get_close_matches(name, defined, n=1, cutoff=0)
            raise ForetellError(
                f'unknown prediction "{name}"; the nearest is "{near[0]}"'
                if near
                else f'unknown prediction "{name}"'
            )
    return list(selected) or defined


def score_champions(
    warehouse: Warehouse,
    predictions: Sequence[str],
    progress: Progress,
    with_reasons: bool = False,
    accepted: Collection[str] = (),
) -> list[ScoreSummary]:
    """Score some predictions with their champions; those without one yet are left out.

    Args:
        warehouse: Built; open for writing.
        predictions: Names.
        progress: Called with a line per step.
        with_reasons: Say why of every prediction, not only of those whose definitions ask for it.
        accepted: Predictions whose scores are not held back, whatever the checks say.
    """
    asked = warehouse.rows("select prediction from prediction_definitions where has_reasons")
    explained = set(predictions) if with_reasons else {row["prediction"] for row in asked}
    computed = {feature["feature_id"] for feature in present_features(warehouse)}
    champions = []
    for prediction in predictions:
        champion = registry.find_champion(warehouse, prediction)
        is_gone = raise_life_alarms(warehouse, prediction, accepted).is_gone
        forget_expected(warehouse, prediction)
        if is_gone and prediction not in accepted:
            progress(f"{prediction}: held back, what it predicts is gone; older scores stay")
        elif champion is None:
            progress(f"{prediction}: no model to score with")
        else:
            champions.append(champion)
            lost = len(set(champion.feature_ids or ()) - computed)
            if lost:
                progress(
                    f"{prediction}: {lost:,} of the {len(champion.feature_ids or ()):,} inputs of "
                    f"its model {champion.model_id} are banned or gone and count as none; "
                    "train it again: `foretell run`"
                )
    if not champions:
        return []
    return score_predictions(warehouse, champions, progress, explained, accepted)


def run(
    settings: Settings,
    progress: Progress,
    selected: Sequence[str] = (),
    with_training: bool = True,
    with_scoring: bool = True,
    scope: str = "everyone",
    full_refresh: bool = False,
    with_reasons: bool = False,
    accepted: Collection[str] = (),
) -> Published:
    """Build, train, score, publish. Safe to repeat: the same data changes nothing.

    Raises:
        ForetellError: With the one message that a person should read.
    """
    if selected:
        check_selected(settings, selected, scope)
    build(settings, progress, scope, full_refresh)
    with open_warehouse(settings.warehouse) as warehouse:
        predictions = select_predictions(warehouse, selected)
        if with_training:
            train_predictions(warehouse, predictions, progress, accepted=accepted)
        if with_scoring:
            score_champions(warehouse, predictions, progress, with_reasons, accepted)
    return finish(settings, progress, scope)


def check_selected(settings: Settings, selected: Sequence[str], scope: str) -> None:
    """Refuse an unknown prediction before the long build.

    Raises:
        ForetellError: If a selected name is not defined, with the nearest that is.
    """
    prepare(settings)
    definitions = ["--select", "prediction_definitions", "--indirect-selection", "cautious"]
    dbt_build(definitions, settings.dbt_environment(), {"scope": scope}, lambda line: None)
    with open_warehouse(settings.warehouse, read_only=True) as warehouse:
        select_predictions(warehouse, selected)
