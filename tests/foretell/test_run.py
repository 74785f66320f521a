"""What the steps of a run refuse."""

from __future__ import annotations

import duckdb
import pytest

from foretell.errors import ForetellError
from foretell.run import check_built, check_usable, command_name, select_predictions
from foretell.settings import Settings
from foretell.warehouse.open import open_warehouse

TABLES = """
    create schema foretell; use w.foretell;
    create table prediction_definitions as
        from (values ('buys_shoes'), ('leaves')) as t (prediction);
    create table stg_as_of as select timestamp '2026-06-01' as as_of;
    create table stg_checked_events as from (values
        ('rejected', 'no user'), ('rejected', 'no time'), ('rejected', 'no time'), ('accepted', ''))
        as t (status, reason);
"""


@pytest.fixture
def settings(tmp_path):
    return Settings(events="shop.csv", warehouse=tmp_path / "w.duckdb")


@pytest.fixture
def warehouse(settings):
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute(TABLES)
    with open_warehouse(settings.warehouse) as opened:
        yield opened


def test_all_predictions_are_selected_or_those_that_are_named(warehouse):
    assert select_predictions(warehouse) == ["buys_shoes", "leaves"]
    assert select_predictions(warehouse, ["leaves"]) == ["leaves"]
    with pytest.raises(ForetellError, match='unknown prediction "buys"; the nearest is "buys_sho'):
        select_predictions(warehouse, ["buys"])


def test_a_warehouse_without_a_usable_event_is_refused_with_the_reasons(warehouse, settings):
    check_built(warehouse, settings)
    warehouse.execute("delete from stg_as_of")
    with pytest.raises(ForetellError) as refused:
        check_built(warehouse, settings)
    assert str(refused.value) == ("no usable event in shop.csv (2 rows: no time; 1 rows: no user)")
    warehouse.execute("drop table stg_checked_events")
    check_usable(warehouse, settings)  # dbt failed before, and says why


def test_a_warehouse_without_a_definition_is_refused(warehouse, settings):
    warehouse.execute("delete from prediction_definitions")
    with pytest.raises(ForetellError, match="no prediction is defined"):
        check_built(warehouse, settings)


@pytest.mark.parametrize(
    ("trains", "scores", "name"),
    [(True, True, "run"), (True, False, "train"), (False, True, "score")],
)
def test_a_run_is_called_by_its_command(trains, scores, name):
    assert command_name(trains, scores) == name
