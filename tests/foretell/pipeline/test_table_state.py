"""Which tables an hourly run may leave as they are."""

from __future__ import annotations

import duckdb
import pytest

from foretell.pipeline.table_state import in_short, lacking_tables, why_all_tables
from foretell.settings import Settings

BUILDS = """
    create table builds (
        invocation_id varchar, step varchar, started_at timestamp, set_back_from timestamp);
    insert into builds values ('1', 'started', '2026-06-01', null), ('1', 'done', '2026-06-01', null);
"""


@pytest.fixture
def settings(tmp_path):
    return Settings(events="", warehouse=tmp_path / "w.duckdb")


def execute(settings: Settings, sql: str) -> None:
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute(f"create schema if not exists foretell; use w.foretell; {sql}")


@pytest.fixture
def complete(settings):
    """Return the settings of a warehouse that has every table."""
    tables = lacking_tables(settings)
    execute(settings, "".join(f"create table {name} (i integer);" for name in tables))
    return settings


def test_a_new_warehouse_lacks_every_table(settings):
    lacking = lacking_tables(settings)
    assert {"predictions", "user_features", "stg_events"} <= set(lacking)
    assert why_all_tables(settings).startswith("the warehouse lacks ")


def test_a_complete_warehouse_lacks_none(complete):
    assert lacking_tables(complete) == []
    assert why_all_tables(complete) == ""  # of a version that noted no builds
    execute(complete, BUILDS)
    assert why_all_tables(complete) == ""


def test_a_table_of_a_newer_version_is_named(complete):
    execute(complete, "drop table user_features")
    assert lacking_tables(complete) == ["user_features"]
    assert why_all_tables(complete) == "the warehouse lacks user_features"


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        ("('2', 'started', '2026-06-02', null)", "the daily build before was stopped or failed"),
        (
            "('2', 'started', '2026-06-02', '2026-05-01'), ('2', 'done', '2026-06-02', null)",
            "the run before replayed a past hour",
        ),
    ],
)
def test_a_build_that_was_stopped_or_replayed_is_not_built_upon(complete, last, reason):
    execute(complete, f"{BUILDS} insert into builds values {last}")
    assert why_all_tables(complete) == reason


def test_names_are_shortened():
    assert in_short(["a", "b", "c"]) == "a, b, c"
    assert in_short(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
