"""Alarms: doubts about a run, each one plain sentence with its numbers, kept as rows of `alarms`.

A warning is shown and the run goes on. A holding alarm keeps new scores from readers: what was
published before stays, and the command ends with exit code 3 (errors.HeldBack).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from foretell.errors import HeldBack
from foretell.warehouse.base import Warehouse

ALARMS = pa.schema(
    [
        ("as_of", pa.timestamp("us")),
        ("raised_at", pa.timestamp("us")),
        ("prediction", pa.string()),
        ("kind", pa.string()),
        ("is_held_back", pa.bool_()),
        ("message", pa.string()),
    ]
)


@dataclass(frozen=True)
class Alarm:
    """One doubt.

    Attributes:
        kind: What was checked, e.g. "expected_outcomes": the same word at every run.
        message: One sentence with the numbers that raised it, and what to do.
        prediction: Which one it is about; None: the whole warehouse.
        is_held_back: Whether new scores are kept from readers.
    """

    kind: str
    message: str
    prediction: str | None = None
    is_held_back: bool = False


def replace_alarms(
    warehouse: Warehouse,
    kinds: Sequence[str],
    alarms: Sequence[Alarm],
    as_of: datetime | None,
    predictions: Sequence[str] | None = None,
) -> None:
    """Write the alarms of some checks in place of those that the same checks raised before.

    Args:
        warehouse: Open for writing.
        kinds: The checks that were made, also those that raised nothing.
        alarms: What they raised.
        as_of: The hour that counted as now, naive UTC.
        predictions: Those that the checks were made of; None: of all and of the whole warehouse.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = [
        {**vars(alarm), "as_of": as_of, "raised_at": now} for alarm in alarms if alarm.kind in kinds
    ]
    with warehouse.transaction():
        for kind in kinds:
            if predictions is None:
                warehouse.execute("delete from alarms where kind = ?", [kind])
            for prediction in predictions or ():
                warehouse.execute(
                    "delete from alarms where kind = ? and prediction = ?", [kind, prediction]
                )
        if rows:
            warehouse.append("alarms", pa.Table.from_pylist(rows, schema=ALARMS))


def refuse_held_back(alarms: Sequence[Alarm], selected: Sequence[str] = ()) -> None:
    """End a command whose results were in part held back; the rest is published by then.

    Args:
        alarms: Of the run (current_alarms).
        selected: Only of these predictions; none: of all.

    Raises:
        HeldBack: Exit code 3, with the names; the sentences stand above, in the summary.
    """
    names = sorted(
        {alarm.prediction or "everything" for alarm in alarms
         if alarm.is_held_back and (not selected or alarm.prediction in selected)}
    )  # fmt: skip
    if names:
        raise HeldBack(f"held back: {', '.join(names)}; what was published of it before stays")


def ingest_alarms(warehouse: Warehouse) -> list[Alarm]:
    """Return what dbt says of the events themselves; nothing before the first build."""
    if "ingest_alarms" not in warehouse.table_names():
        return []
    rows = warehouse.rows("select kind, message from ingest_alarms order by kind")
    return [Alarm(**row) for row in rows]


def current_alarms(warehouse: Warehouse, prediction: str | None = None) -> list[Alarm]:
    """Return the alarms of the newest run, holding ones first.

    Args:
        warehouse: Open; before the first build it has none.
        prediction: Only what concerns this one: its own, and warnings of the whole warehouse. None:
            all.
    """
    found = ingest_alarms(warehouse)
    if "alarms" in warehouse.table_names():
        rows = warehouse.rows("select kind, message, prediction, is_held_back from alarms")
        found += [Alarm(**row) for row in rows]
    if warehouse.has_table("prediction_definitions"):  # others are of predictions that are no more
        asked = warehouse.rows("select prediction from prediction_definitions")
        defined = {None, *(row["prediction"] for row in asked)}
        found = [alarm for alarm in found if alarm.prediction in defined]
    found.sort(key=lambda each: (not each.is_held_back, each.prediction or "", each.kind))
    return [
        alarm
        for alarm in found
        if prediction is None
        or alarm.prediction == prediction
        or (alarm.prediction is None and not alarm.is_held_back)
    ]
