"""Alarms about outcomes that began or ended within the history."""

from __future__ import annotations

from collections.abc import Collection

from foretell.alarms.alarms import Alarm, replace_alarms
from foretell.alarms.outcome_days import HOURS
from foretell.alarms.outcome_life import MIN_SILENT_DAYS, End, Life, date_of, outcome_life
from foretell.warehouse.base import Warehouse

BEGAN, GONE = "outcome_began", "outcome_gone"


def life_alarms(
    prediction: str, life: Life, n_taught: int | None, n_snapshots: int, is_accepted: bool = False
) -> list[Alarm]:
    """Return the alarms about an outcome that began or ended.

    Args:
        prediction: Whose outcome.
        life: What was found.
        n_taught: Snapshots as of its beginning or later; None: not counted.
        n_snapshots: All snapshots whose outcome is known.
        is_accepted: A person has accepted that it goes on all the same.
    """
    alarms = []
    if life.began and (n_taught is None or not n_snapshots or n_taught < n_snapshots):
        began = life.began
        words = (
            f"{life.name} began on {date_of(began.hour)}, {began.n_days_since} days before as_of, "
            f"after {began.n_days_before} days of events without it"
        )
        if n_taught is not None:
            words += f": {n_taught} of {n_snapshots} snapshots, those since then, are learned from"
        alarms.append(Alarm(BEGAN, words, prediction))
    if life.ended:
        is_held = life.is_gone and not is_accepted
        alarms.append(
            Alarm(GONE, describe_end(life.name, life.ended, is_held), prediction, is_held)
        )
    alarms += [
        Alarm(GONE, "of its events " + describe_end(name, end, is_held=False), prediction)
        for name, end in life.parts
    ]
    return alarms


def describe_end(name: str, end: End, is_held: bool) -> str:
    """Return one sentence about an end."""
    if end.trickle_per_day:
        words = (
            f"{name} fell from {end.per_day:,.3g} to {end.trickle_per_day:,.2g} a day on "
            f"{date_of(end.hour + 1)}, {end.silent_days} days before as_of"
        )
    else:
        words = (
            f"{name} was last seen on {end.date}, {end.silent_days} days before as_of, though it "
            f"occurred on {end.n_active} of the {end.n_days} days before"
        )
    if end.newcomer:
        words += (
            f"; {end.newcomer.name} began on {date_of(HOURS * end.newcomer.day)} with "
            f"{end.newcomer.per_day:,.3g} a day, where the outcome had {end.per_day:,.3g}: perhaps "
            "its new name"
        )
    elif not end.is_sure and end.longest_gap >= MIN_SILENT_DAYS:
        words += f", and it has paused for {end.longest_gap} days before"
    if is_held:
        words += "; it is neither trained nor scored, and older scores stay, until it is corrected"
    return words


def raise_life_alarms(
    warehouse: Warehouse, prediction: str, accepted: Collection[str] = ()
) -> Life:
    """Check the outcome of a prediction, write its alarms and return what was found.

    Args:
        warehouse: Built; open for writing.
        prediction: Which.
        accepted: Predictions that a person lets go on although they would be held back.
    """
    life = outcome_life(warehouse, prediction)
    if not warehouse.has_table("alarms"):
        return life
    n_taught, n_snapshots = _snapshots(warehouse, prediction, life)
    alarms = life_alarms(prediction, life, n_taught, n_snapshots, prediction in accepted)
    (now,) = warehouse.rows("select as_of from stg_as_of") or [{"as_of": None}]
    replace_alarms(warehouse, [BEGAN, GONE], alarms, now["as_of"], [prediction])
    return life


def _snapshots(warehouse: Warehouse, prediction: str, life: Life) -> tuple[int | None, int]:
    if life.began is None or not warehouse.has_table("labels_rates"):
        return None, 0
    rows = warehouse.rows(
        "select as_of from labels_rates where prediction = ? and purpose = 'training'", [prediction]
    )
    return sum(row["as_of"] >= life.since for row in rows), len(rows)
