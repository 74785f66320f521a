"""Checks if an hourly run may use the tables of the last daily build: table build_state."""

from __future__ import annotations

from importlib.metadata import version

from foretell.errors import ForetellError
from foretell.settings import Settings
from foretell.warehouse.base import Warehouse
from foretell.warehouse.open import open_warehouse


def why_all_tables(settings: Settings) -> str:
    """Return why a run must build all tables; empty if it may use the daily ones as they are.

    Args:
        settings: Where the warehouse is.
    """
    try:
        with open_warehouse(settings.location, read_only=True) as warehouse:
            return _why_not_whole(warehouse)
    except ForetellError as error:
        if is_missing(error):
            return "no run has finished yet"
        raise


def is_missing(error: ForetellError) -> bool:
    """Return whether a warehouse could not be opened because there is none yet."""
    return "`foretell run` makes it" in str(error)


def _why_not_whole(warehouse: Warehouse) -> str:
    states = (
        warehouse.rows("select * from build_state") if warehouse.has_table("build_state") else []
    )
    if not states or states[0]["version"] is None:
        return "no run has finished yet"
    (state,) = states
    if state["version"] != version("foretell"):
        return f"the tables are of Foretell {state['version']}"
    if not state["is_daily_whole"]:
        return "the previous daily build was stopped or failed"
    now = warehouse.rows("select max(as_of) as as_of from stg_as_of")[0]["as_of"]
    if state["newest_as_of"] and now and now < state["newest_as_of"]:
        return "the previous run replayed a past hour"
    return ""
