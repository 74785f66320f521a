"""Checks of definitions before any training: how many users, how often the outcome happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from foretell.alarms.alarms import current_alarms, ingest_alarms
from foretell.alarms.data_gaps import KIND as DATA_GAP
from foretell.alarms.data_gaps import gap_alarms, hour_of, outage_alarms, snapshots_without_gaps
from foretell.alarms.outcome_alarms import BEGAN, GONE, life_alarms
from foretell.alarms.outcome_life import outcome_life
from foretell.errors import Progress
from foretell.learn.train_settings import TrainSettings
from foretell.pipeline.replay import of_run
from foretell.run import (
    OURS,
    build_checked,
    check_built,
    check_selected,
    prepare,
    select_predictions,
)
from foretell.settings import Settings, with_staged_definitions
from foretell.warehouse.base import Warehouse
from foretell.warehouse.open import open_warehouse

N_WEEKS = 8
CHECKED_NOW = (BEGAN, GONE, DATA_GAP)
# All users are counted, in eight weeks whose outcome is known. The next run has its own grid again.
VARIABLES: dict[str, Any] = {
    "scope": "everyone",
    "max_snapshots": N_WEEKS,
    "enough_outcomes": 0,
    "max_training_rows": 10**12,
}


@dataclass(frozen=True)
class Week:
    """One as_of of a prediction.

    Attributes:
        as_of: UTC.
        n_users: Users in the starting cohort.
        n_positives: Those to whom the outcome happened; None as of now.
        mean_value: Mean value per user, of value predictions; None as of now.
    """

    as_of: datetime
    n_users: int
    n_positives: int | None
    mean_value: float | None = None

    @property
    def rate(self) -> float | None:
        """Return the share to whom the outcome happened, 0 to 1."""
        if self.n_positives is None or self.n_users == 0:
            return None
        return self.n_positives / self.n_users


@dataclass(frozen=True)
class Check:
    """What is known about one definition.

    Attributes:
        prediction: Its name.
        weeks: Newest first; the first is now.
        missing: What it lacks to learn from; empty if nothing.
        findings: What looks wrong, a sentence part each.
        is_held_back: Whether a run would train and score nothing.
        about_events: What looks wrong in the events themselves: the same for all.
    """

    prediction: str
    weeks: tuple[Week, ...]
    missing: str
    findings: tuple[str, ...]
    is_held_back: bool = False
    about_events: tuple[str, ...] = ()


def check_predictions(
    settings: Settings, progress: Progress, selected: Sequence[str] = ()
) -> list[Check]:
    """Build what is needed and check each definition, or the selected ones.

    Raises:
        ForetellError: On events or definitions that cannot be used, or an unknown selected name.
    """
    settings = with_staged_definitions(settings)
    with of_run(settings, "foretell check-predictions", progress) as settings:
        if selected:
            check_selected(settings, selected, VARIABLES["scope"])
        prepare(settings, progress)
        ends = ("labels_rates", "cohort_outcome_days", "ingest_report", "ingest_alarms")
        selection = ["--select", *(f"+{name},{OURS}" for name in ends)]
        selection += ["--indirect-selection", "cautious"]
        build_checked(settings, selection, VARIABLES, progress)
        with open_warehouse(settings.location, read_only=True) as warehouse:
            check_built(warehouse, settings)
            return check_warehouse(warehouse, selected)


def check_warehouse(warehouse: Warehouse, selected: Sequence[str] = ()) -> list[Check]:
    """Check each definition, or the selected ones, in a warehouse that is built.

    Raises:
        ForetellError: On an unknown selected name.
    """
    return [_check(warehouse, prediction) for prediction in select_predictions(warehouse, selected)]


def _check(warehouse: Warehouse, prediction: str) -> Check:
    rows = warehouse.rows(
        """
        select as_of, n_users, n_positives, mean_value from labels_rates
        where prediction = ? order by as_of desc
        """,
        [prediction],
    )
    weeks = tuple(Week(**row) for row in rows)
    (facts,) = warehouse.rows(
        """
        select horizon_days, (as_of_hour - first_event_hour) // 24 as n_days
        from prediction_definitions
        cross join stg_as_of
        where prediction = ?
        """,
        [prediction],
    )
    life = outcome_life(warehouse, prediction)
    taught = [week for week in weeks[1:] if week.as_of >= life.since]
    alarms = life_alarms(prediction, life, len(taught), len(weeks) - 1)
    gaps = snapshots_without_gaps(warehouse, prediction, life.since_hour)
    alarms += gap_alarms(prediction, gaps)
    taught = [week for week in taught if hour_of(week.as_of) not in gaps.left_out]
    findings = [
        *(alarm.message for alarm in alarms),
        *_reported_by_last_run(warehouse, prediction),
        *check_weeks(weeks),
        *_check_conditions(warehouse, prediction),
    ]
    missing = what_is_missing(taught, facts["horizon_days"], facts["n_days"] or 0)
    if len(weeks) > 1 and not taught:
        missing = f"none of {len(weeks) - 1} snapshots is from after the outcome began"
    about_events = [
        alarm.message for alarm in [*ingest_alarms(warehouse), *outage_alarms(warehouse)]
    ]
    return Check(
        prediction,
        weeks[: N_WEEKS + 1],
        missing,
        tuple(findings),
        life.is_gone,
        tuple(about_events),
    )


def _reported_by_last_run(warehouse: Warehouse, prediction: str) -> list[str]:
    """Return alarms that only training and scoring can raise, as the last run raised them."""
    return [
        f"the last run reported: {alarm.message}"
        for alarm in current_alarms(warehouse, prediction)
        if alarm.prediction == prediction and alarm.kind not in CHECKED_NOW
    ]


def what_is_missing(matured: Sequence[Week], horizon_days: int, n_days: int) -> str:
    """Return what a prediction lacks to learn from; empty if nothing.

    Args:
        matured: The weeks whose outcome is known.
        horizon_days: Its horizon.
        n_days: Days of events there are.
    """
    settings = TrainSettings()
    if not matured:
        return (
            f"there are {n_days} days of events; it needs two weeks before its first as_of and "
            f"{max(horizon_days, 7)} days after it"
        )
    positives = sum(week.n_positives or 0 for week in matured)
    negatives = sum(week.n_users for week in matured) - positives
    lacks = [
        f"{count:,} of {needed} users {with_or_without} the outcome"
        for count, needed, with_or_without in (
            (positives, settings.min_positives, "with"),
            (negatives, settings.min_negatives, "without"),
        )
        if count < needed
    ]
    return f"in {len(matured)} weeks only {' and '.join(lacks)}" if lacks else ""


def check_weeks(weeks: Sequence[Week]) -> list[str]:
    """Return what looks wrong in sizes and rates. weeks: newest first, the first is now."""
    now, matured = weeks[0], weeks[1:]
    most = max((week.n_users for week in matured), default=0)
    findings = []
    if now.n_users == 0:
        findings.append("the starting cohort has no users now")
    elif now.n_users < 0.1 * most:
        findings.append(f"the starting cohort shrinks: {now.n_users:,} users now, {most:,} before")
    rates = [week.rate for week in matured if week.rate is not None]
    if rates and max(rates) == 0:
        findings.append("the outcome never happens")
    if rates and min(rates) == 1:
        findings.append("the outcome always happens")
    return findings


def _check_conditions(warehouse: Warehouse, prediction: str) -> list[str]:
    """Return where cohort and outcome are about the same event."""
    same: list[dict[str, Any]] = warehouse.rows(
        """
        select clauses.from_days_ago, clauses.holds_for_nobody, outcome.max_count = 0 as is_not_done
        from prediction_clauses as clauses
        inner join prediction_conditions as outcome
            on clauses.prediction = outcome.prediction
            and clauses.measure_id = outcome.measure_id and outcome.role = 'outcome'
        inner join prediction_definitions as definitions
            on clauses.prediction = definitions.prediction and not definitions.is_value
        where clauses.prediction = ? and clauses.n_conditions = 1 and clauses.to_days_ago = 0
        order by clauses.clause_id
        """,
        [prediction],
    )
    findings = []
    for row in same:
        ever = "ever" if row["from_days_ago"] is None else f"within {row['from_days_ago']} days"
        if row["is_not_done"] and row["holds_for_nobody"]:
            findings.append(
                f"the cohort is of users who did not do it {ever}, and the outcome is that they "
                "still do not: most will reach it"
            )
        if not row["is_not_done"] and not row["holds_for_nobody"]:
            findings.append(
                f"the cohort is of users who did it {ever}, and the outcome is that they do it "
                "again; for a first time write first_time: true and leave the condition out"
            )
    return findings


def report(checks: Sequence[Check]) -> RenderableType:
    """Return the checks for people: a table, and what to know of each definition below it."""
    table = Table(title="Starting cohorts and outcomes", title_justify="left")
    headings = ["prediction", "as of (UTC)", "users", "with outcome", "rate"]
    has_values = any(week.mean_value is not None for check in checks for week in check.weeks)
    for heading in [*headings, "mean value"] if has_values else headings:
        table.add_column(
            heading, justify="left" if heading in ("prediction", "as of (UTC)") else "right"
        )
    lines = []
    for check in checks:
        for place, week in enumerate(check.weeks):
            table.add_row(
                check.prediction if place == 0 else "",
                f"{week.as_of:%Y-%m-%d %H:%M}",
                f"{week.n_users:,}",
                "not known yet" if week.n_positives is None else f"{week.n_positives:,}",
                "" if week.rate is None else f"{week.rate:.2%}",
                *(["" if week.mean_value is None else f"{week.mean_value:,.4g}"] * has_values),
                end_section=place == len(check.weeks) - 1,
            )
        state = f"cannot learn yet: {check.missing}" if check.missing else "enough to learn from"
        if check.is_held_back:
            state = "will be held back"
        lines.append(Text("; ".join([f"{check.prediction}: {state}", *check.findings])))
    for message in dict.fromkeys(message for check in checks for message in check.about_events):
        lines.append(Text(f"Warning: {message}."))
    return Group(table, *lines)
