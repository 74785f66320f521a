"""Jobs and schedules: `daily` trains and scores all users, `hourly` scores active users only."""

from __future__ import annotations

import dagster as dg

from dagster_foretell.prediction_assets import TRAINING
from dagster_foretell.warehouse_assets import BuildConfig, Scope

READS_ALL_FILES = dg.AssetCheckKey(dg.AssetKey(["stg_checked_events"]), "no_raw_row_is_lost")
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
TURN_ON = (
    "Off until you turn it on: its switch under Automation, or `dagster schedule start "
    "--start-all`. It runs as long as `make ui` runs."
)


def _run_config(scope: Scope) -> dg.RunConfig:
    build = BuildConfig(scope=scope)
    return dg.RunConfig(ops={"build_warehouse": build, "build_predictions": build})


daily = dg.define_asset_job(
    "daily",
    executor_def=dg.in_process_executor,
    selection=dg.AssetSelection.all(),
    config=_run_config(Scope.everyone),
    description="Loads new events, trains all models, scores all users, publishes the results.",
)

# Models with the dbt tag daily are not built, as in `foretell score --active-only`.
hourly = dg.define_asset_job(
    "hourly",
    executor_def=dg.in_process_executor,
    selection=dg.AssetSelection.all()
    - dg.AssetSelection.groups(TRAINING)
    - dg.AssetSelection.tag("daily", "")
    - dg.AssetSelection.checks(READS_ALL_FILES),
    config=_run_config(Scope.active),
    description=(
        "Loads new events, scores users active since the last run with the current models, "
        "publishes the results. Trains no model; run `daily` once before."
    ),
)


def build_schedule(
    job: dg.UnresolvedAssetJobDefinition, cron: str, description: str
) -> dg.ScheduleDefinition:
    """Return a schedule in UTC; a tick is skipped while the previous run is unfinished."""

    @dg.schedule(
        name=f"{job.name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        description=f"{description} {TURN_ON}",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        unfinished = dg.RunsFilter(job_name=job.name, statuses=UNFINISHED)
        if context.instance.get_runs_count(unfinished):
            return dg.SkipReason(f"the previous run of {job.name} is not finished")
        return dg.RunRequest()

    return tick


schedules = [
    build_schedule(daily, "15 3 * * *", "Every day at 03:15 UTC."),
    build_schedule(hourly, "5 * * * *", "Every hour, five minutes past."),
]
