"""The publish gate: the tables of a run are compared with the published copy before publishing.

Nothing is published if too many users of a prediction are lost, as_of goes back or jumps ahead,
or another check holds scores back (alarms). The previous copy stays, until `--accept`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from foretell.alarms.alarms import Alarm, current_alarms, replace_alarms
from foretell.config import project_vars
from foretell.errors import ForetellError, HeldBack, Progress
from foretell.pipeline.publish import published_paths
from foretell.settings import Settings
from foretell.warehouse.base import Warehouse
from foretell.warehouse.open import open_warehouse

KIND = "publish_gate"
OLDER = "older_definition"
FEW_USERS = 10  # a prediction with fewer users may lose all of them by chance


@dataclass(frozen=True)
class Limits:
    """Allowed changes between two copies (dbt_project.yml: publish_gate).

    Attributes:
        max_lost_users: Share of a prediction's users by which it may shrink, 0 to 1.
        max_lost_scores: Share of its users still in the cohort who lost their score, 0 to 1.
        max_jump_days: Days by which as_of may go ahead, if it is not set.
    """

    max_lost_users: float = 0.5
    max_lost_scores: float = 0.05
    max_jump_days: float = 35


@dataclass(frozen=True)
class Change:
    """Change of the scores of one prediction since the previous copy.

    Attributes:
        prediction: Its name.
        n_before: Users whose score readers have.
        n_now: Users with a score now.
        n_lost: Of those before, users still in the cohort without a score now.
        was, now: The newest as_of, before and now; None without a score.
    """

    prediction: str
    n_before: int
    n_now: int
    n_lost: int
    was: datetime | None
    now: datetime | None


# Predictions that are not defined any more were removed on purpose.
CHANGES = """
    with cohort as (select prediction, user_id from scoring_rows),
    kept as (
        select
            before.prediction,
            count(*) as n_before,
            max(before.as_of) as was,
            count(*) filter (where scores.user_id is null and cohort.user_id is not null) as n_lost
        from before.foretell.predictions as before
        left join predictions as scores
            on before.prediction = scores.prediction and before.user_id = scores.user_id
        left join cohort
            on before.prediction = cohort.prediction and before.user_id = cohort.user_id
        group by before.prediction
    ),
    present as (
        select prediction, count(*) as n_now, max(as_of) as now from predictions group by prediction
    )
    select
        kept.prediction, kept.n_before, coalesce(present.n_now, 0) as n_now, kept.n_lost,
        kept.was, present.now
    from kept
    inner join prediction_definitions using (prediction)
    left join present on kept.prediction = present.prediction
    order by kept.prediction
"""


def read_limits(project: Path) -> Limits:
    """Return the limits of dbt_project.yml.

    Args:
        project: Folder of dbt_project.yml.

    Raises:
        ForetellError: If one is no number, or a share leaves 0 to 1.
    """
    given = project_vars(project).get("publish_gate") or {}
    for name, value in given.items():
        if name not in Limits.__dataclass_fields__:
            raise ForetellError(f"dbt_project.yml: publish_gate: unknown key {name!r}")
        high = None if name == "max_jump_days" else 1
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or value < 0 or (high is not None and value > high):
            raise ForetellError(f"dbt_project.yml: publish_gate: {name} is {value!r}")
    return replace(Limits(), **given)


def pass_gate(settings: Settings, progress: Progress, is_accepted: bool = False) -> None:
    """Check the tables of a run before publishing, and write what fails into `alarms`.

    Args:
        settings: Where the warehouse is; its models tagged after_scoring are built.
        progress: Called with a line per alarm that was accepted, or is a warning only.
        is_accepted: Publish anyway; the alarms stay, as warnings.

    Raises:
        HeldBack: With the first reason; the previous copy stays.
    """
    if settings.is_replay:  # a replay changes no live scores
        return
    with open_warehouse(settings.location) as warehouse:
        now = _now(warehouse)
        changes = _changes(warehouse, published_paths(settings).database)
        found = compare(changes, read_limits(settings.project.dbt_folder), settings)
        if is_accepted:
            found = [replace(alarm, is_held_back=False) for alarm in found]
        replace_alarms(warehouse, [KIND], found, now)
        replace_alarms(warehouse, [OLDER], older_definitions(warehouse), now)
        alarms = current_alarms(warehouse)
    # Predictions held back by another check were not scored: their older scores are published.
    holding = [
        alarm
        for alarm in alarms
        if alarm.is_held_back and (alarm.kind == KIND or alarm.prediction is None)
    ]
    for alarm in alarms:
        if alarm.kind in (KIND, OLDER) and not alarm.is_held_back:
            progress(alarm.message)
    if holding and not is_accepted:
        more = f" (and {len(holding) - 1} more: `foretell status`)" if len(holding) > 1 else ""
        raise HeldBack(
            f"nothing was published, readers keep the copy before: {holding[0].message}{more}; "
            "publish anyway: --accept"
        )


def compare(changes: Sequence[Change], limits: Limits, settings: Settings) -> list[Alarm]:
    """Return alarms for changes beyond the limits between the previous copy and the tables now.

    Args:
        changes: One per prediction with published scores.
        limits: The allowed changes.
        settings: Whether as_of is set, or a replay is published.
    """
    alarms = []
    for each in changes:
        share = 1 - each.n_now / each.n_before
        if share > limits.max_lost_users and each.n_before >= FEW_USERS:
            message = (
                f"{each.prediction} has scores of {each.n_now:,} users where readers have "
                f"{each.n_before:,}: {share:.0%} fewer, {limits.max_lost_users:.0%} are allowed"
            )
            alarms.append(Alarm(KIND, message, each.prediction, is_held_back=True))
        elif each.n_lost:
            message = (
                f"{each.n_lost:,} of the {each.n_before:,} users of {each.prediction} lost their "
                "score though they are still in its cohort; "
                f"{limits.max_lost_scores:.0%} are allowed"
            )
            is_held_back = each.n_lost > max(limits.max_lost_scores * each.n_before, 1)
            alarms.append(Alarm(KIND, message, each.prediction, is_held_back))
    return alarms + _clock(changes, limits, settings)


def _clock(changes: Sequence[Change], limits: Limits, settings: Settings) -> list[Alarm]:
    """Return the alarm of an as_of that went back, or far ahead without being set."""
    pairs = [(each.was, each.now) for each in changes if each.was and each.now]
    if not pairs:
        return []
    was, now = (max(moments) for moments in zip(*pairs, strict=True))
    moved = f"from {was:%Y-%m-%d %H:%M} to {now:%Y-%m-%d %H:%M}"
    if now < was and not settings.is_replay_published:
        return [Alarm(KIND, f"as_of goes back {moved}", is_held_back=True)]
    if now - was > timedelta(days=limits.max_jump_days) and settings.as_of is None:
        message = (
            f"as_of jumps {(now - was).days:,} days ahead, {moved}; {limits.max_jump_days:g} are "
            "allowed: is a clock wrong, or were no events received for long?"
        )
        return [Alarm(KIND, message, is_held_back=True)]
    return []


def older_definitions(warehouse: Warehouse) -> list[Alarm]:
    """Return a warning for each prediction with scores by an older definition."""
    rows = warehouse.rows(
        """
        select prediction, count(*) as n_users, max(as_of) as as_of
        from predictions where is_of_older_definition group by prediction order by prediction
        """
    )
    return [
        Alarm(
            OLDER,
            f"the definition of {row['prediction']} was changed: its {row['n_users']:,} scores, as "
            f"of {row['as_of']:%Y-%m-%d %H:%M}, are by the older definition until it is "
            "trained again: `foretell run`",
            row["prediction"],
        )
        for row in rows
    ]


def _now(warehouse: Warehouse) -> datetime | None:
    rows = warehouse.rows("select as_of from stg_as_of")
    return rows[0]["as_of"] if rows else None


def _changes(warehouse: Warehouse, database: Path | None) -> list[Change]:
    """Return the changes since the previous copy; none if no copy can be read."""
    if database is None or not database.exists():
        return []
    quoted = "'" + str(database).replace("'", "''") + "'"
    try:
        warehouse.execute(f"attach {quoted} as before (read_only)")
    except duckdb.Error:  # torn by a full disk: it is written again
        return []
    try:
        return [Change(**row) for row in warehouse.rows(CHANGES)]
    except duckdb.BinderException:  # of a version without these columns
        return []
    finally:
        warehouse.execute("detach before")
