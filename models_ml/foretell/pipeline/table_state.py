"""Which tables an hourly run may leave as they are: those of the last daily build, if whole."""

from __future__ import annotations

from collections.abc import Sequence

from foretell.errors import ForetellError
from foretell.project import PROJECT
from foretell.settings import Settings
from foretell.warehouse.base import Warehouse
from foretell.warehouse.open import open_warehouse

EPHEMERAL = "materialized='ephemeral'"  # in a model's file: it makes no table
LAST_BUILD = """
    select
        builds.set_back_from is not null as is_replay,
        bool_or(ends.step = 'done') as is_done
    from builds
    inner join builds as ends on builds.invocation_id = ends.invocation_id
    where builds.step = 'started'
    group by builds.invocation_id, builds.started_at, builds.set_back_from
    order by builds.started_at desc
    limit 1
"""


def why_all_tables(settings: Settings) -> str:
    """Return why an hour must make all tables anew; empty if it may leave the daily ones.

    Args:
        settings: Where the warehouse is.
    """
    lacking = lacking_tables(settings)
    if lacking:
        return f"the warehouse lacks {in_short(lacking)}"
    with open_warehouse(settings.warehouse, read_only=True) as warehouse:
        return _why_not_whole(warehouse)


def _why_not_whole(warehouse: Warehouse) -> str:
    """Say what the last build of the daily tables was, if it was no normal one that ended well."""
    if not warehouse.has_table("builds"):  # of an older version
        return ""
    for last in warehouse.rows(LAST_BUILD):
        if last["is_replay"]:
            return "the run before replayed a past hour"
        if not last["is_done"]:
            return "the daily build before was stopped or failed"
    return ""


def lacking_tables(settings: Settings) -> list[str]:
    """Return which tables of this version's models the warehouse lacks, in order.

    An hour needs all of them, as it leaves out what is tagged daily.
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
