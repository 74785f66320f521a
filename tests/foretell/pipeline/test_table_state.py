"""Whether an hourly run may go by the tables of the last daily build."""

from __future__ import annotations

from importlib.metadata import version

import duckdb
import pytest

from foretell.pipeline.table_state import why_all_tables
from foretell.settings import Settings

STATE = f"""
    create table build_state as
    select '{version("foretell")}' as version, timestamp '2026-06-01' as newest_as_of, true as is_daily_whole;
    create table stg_as_of as select timestamp '2026-06-01' as as_of;
"""


@pytest.fixture
def settings(tmp_path):
    return Settings(events="", warehouse=tmp_path / "w.duckdb")


def execute(settings: Settings, sql: str) -> None:
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute(
            "create schema if not exists foretell; create schema if not exists foretell_internal;"
            f"use w.foretell_internal; {sql}"
        )


def test_without_a_warehouse_or_a_finished_run_all_tables_are_built(settings):
    assert why_all_tables(settings) == "no run has finished yet"
    execute(settings, "select 1")
    assert why_all_tables(settings) == "no run has finished yet"
    execute(settings, f"{STATE} update build_state set version = null")
    assert why_all_tables(settings) == "no run has finished yet"


def test_after_a_whole_build_an_hour_leaves_the_daily_tables(settings):
    execute(settings, STATE)
    assert why_all_tables(settings) == ""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("is_daily_whole = false", "the previous daily build was stopped or failed"),
        ("newest_as_of = '2026-06-02'", "the previous run replayed a past hour"),
        ("version = '0.2.9'", "the tables are of Foretell 0.2.9"),
    ],
)
def test_a_build_that_was_stopped_or_replayed_is_not_built_upon(settings, change, reason):
    execute(settings, f"{STATE} update build_state set {change}")
    assert why_all_tables(settings) == reason
