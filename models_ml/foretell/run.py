"""The whole pipeline, step by step. `foretell run` and the Dagster jobs both go through here."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from foretell.alarms.data_gaps import raise_outage_alarms
from foretell.alarms.expected import forget_expected
from foretell.alarms.outcome_alarms import raise_life_alarms
from foretell.definition_files import name_user_files
from foretell.errors import ForetellError, Progress
from foretell.pipeline.configured_candidates import read_candidates
from foretell.pipeline.dbt import dbt_build, install_package
from foretell.pipeline.publish import Published, publish
from foretell.pipeline.publish_gate import pass_gate
from foretell.pipeline.replay import of_run
from foretell.pipeline.score import ScoreSummary, score_predictions
from foretell.pipeline.table_state import why_all_tables
from foretell.pipeline.torn_models import read_champion, write_alarms
from foretell.pipeline.train_prediction import train_predictions
from foretell.pipeline.training_data import present_features
from foretell.report.card import publish_cards
from foretell.settings import Settings, with_staged_definitions
from foretell.sources.events_input import check_events
from foretell.warehouse.base import Warehouse
from foretell.warehouse.open import open_warehouse
from foretell.warehouse.spark_server import check_server

OURS = "package:foretell"  # a project may have models of its own
AFTER_SCORING = "tag:after_scoring"
EVENTS_TEST = "some_event_is_usable"
DAILY = "tag:daily"  # what an hourly build leaves as it is


def build(
    settings: Settings,
    progress: Progress,
    scope: str = "everyone",
    full_refresh: bool = False,
    loading: Mapping[str, bool] | None = None,
) -> None:
    """Bring the warehouse up to as_of: all that is built before training.

    Args:
        settings: Where events and warehouse are.
        progress: Called with a line per step.
        scope: everyone (daily) or active (hourly: users with an event since the last run, no
            training snapshots).
        full_refresh: Reload all events, also those that were too late.
        loading: dbt vars that say what a load may do: keep_loaded, forget_gone_files, accept_late.

    Raises:
        ForetellError: On events or definitions that cannot be used, or a failed test.
    """
    progress(f"building the tables from {settings.input}")
    prepare(settings, progress)
    selection = ["--select", OURS, "--exclude", AFTER_SCORING]
    if scope == "active":
        selection.append(DAILY)
    if full_refresh:
        selection.append("--full-refresh")
    variables = {"scope": scope, **{name: True for name, is_on in (loading or {}).items() if is_on}}
    build_checked(settings, selection, variables, progress)
    with open_warehouse(settings.location, read_only=True) as warehouse:
        check_built(warehouse, settings)
        _report_late_events(warehouse, progress)
        _report_placeholders(warehouse, progress)
        _report_events_ahead(warehouse, progress)
        for row in warehouse.rows("select message from ingest_alarms order by kind"):
            progress(f"warning: {row['message']}")
        if scope == "everyone":
            _report_unused_rules(warehouse, progress)


def _report_late_events(warehouse: Warehouse, progress: Progress) -> None:
    for row in warehouse.rows(
        "select reason, sum(n_rows) as n_rows from stg_ingest_counts where status = 'late' "
        "group by reason"
    ):
        progress(
            f"{row['n_rows']:,} events are {row['reason']} and kept apart; "
            "`foretell run --full-refresh` loads them"
        )


def _report_placeholders(warehouse: Warehouse, progress: Progress) -> None:
    (row,) = warehouse.rows("select sum(n_placeholder_ids) as n_rows from stg_ingest_counts")
    if row["n_rows"]:
        progress(
            f"{row['n_rows']:,} rows have a placeholder such as null or undefined in place of an "
            "id; it counts as none (ingest_report, placeholder_ids in dbt_project.yml)"
        )


def _report_events_ahead(warehouse: Warehouse, progress: Progress) -> None:
    """Those without a known time of receipt are an alarm (ingest_alarms)."""
    (row,) = warehouse.rows(
        "select sum(n_ahead) as n_ahead, (select count(*) from ingest_alarms "
        "where kind = 'clock_ahead') as n_alarms from ingest_report"
    )
    if row["n_ahead"] and not row["n_alarms"]:
        progress(
            f"{row['n_ahead']:,} events have a later hour than that of their receipt, because of "
            "fast clocks; they are set aside until then (ingest_report.n_ahead)"
        )


def _report_unused_rules(warehouse: Warehouse, progress: Progress) -> None:
    for row in warehouse.rows("select rule from taxonomy_rules where n_named = 0 order by rule"):
        progress(f"{row['rule']} names nothing in the events: is a name misspelt?")


def prepare(settings: Settings, progress: Progress = lambda line: None) -> None:
    """Refuse events, candidates and a server that cannot be used, before anything is built.

    In somebody's project the package is installed first, where it is not yet.
    """
    read_candidates(project=settings.project.dbt_folder)
    if settings.project.is_host:
        install_package(settings.project.folder, settings.dbt_environment, progress)
    if settings.target == "spark":
        check_server()
    for source in settings.sources:
        if source.events:
            check_events(source.events, source.adapter, settings.work_folder)
    is_folder = settings.target == "spark"  # Derby's log goes into it
    folder = settings.warehouse if is_folder else settings.warehouse.parent
    folder.mkdir(parents=True, exist_ok=True)


def check_built(warehouse: Warehouse, settings: Settings) -> None:
    """Refuse to go on without a usable event or without a prediction, saying why."""
    check_usable(warehouse, settings)
    if not warehouse.rows("select 1 from prediction_definitions"):
        raise ForetellError(
            "no prediction is defined; write one into dbt_project/models/predictions "
            "(see docs/definitions.md) or name its folder in FORETELL_PREDICTIONS"
        )


def check_usable(warehouse: Warehouse, settings: Settings) -> None:
    """Refuse to go on without a usable event, saying why none is.

    Raises:
        ForetellError: With the number of rows of each reason.
    """
    if not {"stg_as_of", "stg_checked_events"} <= warehouse.table_names():
        return  # dbt failed before
    if not warehouse.rows("select 1 from stg_as_of"):
        reasons = warehouse.rows(
            "select reason, count(*) as n_rows from stg_checked_events where status = 'rejected' "
            "group by reason order by 2 desc"
        )
        counted = "; ".join(f"{row['n_rows']:,} rows: {row['reason']}" for row in reasons)
        raise ForetellError(f"no usable event in {settings.input} ({counted or 'no rows'})")


def build_checked(
    settings: Settings, selection: list[str], variables: Mapping[str, Any], progress: Progress
) -> None:
    """Run `dbt build`; where it stopped as no event can be used, say so instead of what dbt says.

    Raises:
        ForetellError: If a node fails.
    """
    try:
        dbt_build(selection, settings.dbt_environment(), variables, progress)
    except ForetellError as error:
        if EVENTS_TEST in str(error):
            with open_warehouse(settings.location, read_only=True) as warehouse:
                check_usable(warehouse, settings)
        raise ForetellError(name_user_files(str(error), settings.staged)) from error


def finish(
    settings: Settings,
    progress: Progress,
    scope: str = "everyone",
    is_accepted: bool = False,
) -> Published:
    """Build and test what is tagged after_scoring, `predictions` first, and publish it.

    Raises:
        HeldBack: If something speaks against publishing (foretell.pipeline.publish_gate).
    """
    selection = ["--select", f"{OURS},{AFTER_SCORING}"]
    if scope == "active":
        selection += ["--exclude", DAILY]
    dbt_build(selection, settings.dbt_environment(), {"scope": scope}, progress)
    pass_gate(settings, progress, is_accepted)
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
        with_reasons: Write reasons of all predictions, not only where definitions request them.
        accepted: Predictions whose scores are not held back, whatever the checks say.
    """
    requested = warehouse.rows("select prediction from prediction_definitions where has_reasons")
    explained = set(predictions) if with_reasons else {row["prediction"] for row in requested}
    raise_outage_alarms(warehouse)
    computed = {feature["feature_id"] for feature in present_features(warehouse)}
    champions = []
    alarms = []
    for prediction in predictions:
        is_gone = raise_life_alarms(warehouse, prediction, accepted).is_gone
        forget_expected(warehouse, prediction)
        if is_gone and prediction not in accepted:
            progress(f"{prediction}: held back, what it predicts is gone; older scores stay")
            continue
        champion, torn = read_champion(warehouse, prediction)
        alarms += torn
        for alarm in torn:
            progress(alarm.message)
        if champion is None and not torn:
            progress(f"{prediction}: no model to score with")
        elif champion is not None:
            champions.append(champion)
            lost = len(set(champion.feature_ids or ()) - computed)
            if lost:
                progress(
                    f"{prediction}: {lost:,} of the {len(champion.feature_ids or ()):,} inputs of "
                    f"its model {champion.model_id} are banned or gone and count as none; "
                    "train it again: `foretell run`"
                )
    write_alarms(warehouse, predictions, alarms)
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
    loading: Mapping[str, bool] | None = None,
    is_accepted: bool = False,
) -> Published:
    """Build, train, score, publish. Safe to repeat: the same data changes nothing.

    Raises:
        ForetellError: With the one message that a person should read.
    """
    settings = with_staged_definitions(settings)
    command = f"foretell {command_name(with_training, with_scoring)}"
    with of_run(settings, command, progress) as settings:
        if selected:
            check_selected(settings, selected, scope)
        if scope == "active" and (reason := why_all_tables(settings)):
            progress(f"{reason}: all tables are built, of everybody")
            scope = "everyone"
        build(settings, progress, scope, full_refresh, loading)
        with open_warehouse(settings.location) as warehouse:
            predictions = select_predictions(warehouse, selected)
            accepted = predictions if is_accepted else ()
            if with_training:
                train_predictions(warehouse, predictions, progress, accepted=accepted)
            if with_scoring:
                score_champions(warehouse, predictions, progress, with_reasons, accepted)
        return finish(settings, progress, scope, is_accepted)


def command_name(with_training: bool, with_scoring: bool) -> str:
    """Return the command's name, for those who wait for it to end."""
    return "run" if with_training and with_scoring else "train" if with_training else "score"


def check_selected(settings: Settings, selected: Sequence[str], scope: str) -> None:
    """Refuse an unknown prediction before the long build.

    Raises:
        ForetellError: If a selected name is not defined, with the nearest that is.
    """
    prepare(settings)
    definitions = ["--select", "prediction_definitions", "--indirect-selection", "cautious"]
    build_checked(settings, definitions, {"scope": scope}, lambda line: None)
    with open_warehouse(settings.location, read_only=True) as warehouse:
        select_predictions(warehouse, selected)
