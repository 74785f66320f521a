"""Alarms: each check replaces its own rows, holding ones come first."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pytest

from foretell.alarms.alarms import ALARMS, Alarm, current_alarms, refuse_held_back, replace_alarms
from foretell.errors import HeldBack
from foretell.warehouse.open import open_warehouse
from tests.history_tables import ALARMS_TABLE

AS_OF = datetime(2026, 6, 1)


@pytest.fixture
def warehouse(tmp_path):
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"create schema foretell; use foretell; {ALARMS_TABLE}")
    with open_warehouse(path) as opened:
        yield opened


def test_a_check_replaces_only_what_it_raised_before(warehouse):
    clock, gap = Alarm("clock", "1 event is ahead"), Alarm("gap", "2 days are thin", "buys")
    replace_alarms(warehouse, ["clock", "gap"], [clock, gap], AS_OF)
    assert current_alarms(warehouse) == [clock, gap]
    replace_alarms(warehouse, ["clock"], [], AS_OF)
    assert current_alarms(warehouse) == [gap]


def test_holding_alarms_come_first_and_one_prediction_can_be_selected(warehouse):
    warning = Alarm("a", "warning", "buys")
    held = Alarm("b", "held back", "leaves", is_held_back=True)
    replace_alarms(warehouse, ["a", "b"], [warning, held], AS_OF)
    assert current_alarms(warehouse) == [held, warning]
    assert current_alarms(warehouse, "buys") == [warning]


def test_an_older_warehouse_has_none(warehouse):
    warehouse.execute("drop table alarms")
    assert current_alarms(warehouse) == []
    assert ALARMS.names == ["as_of", "raised_at", "prediction", "kind", "is_held_back", "message"]


def test_a_check_of_one_prediction_leaves_the_others_alone(warehouse):
    mine, other = Alarm("a", "mine", "buys"), Alarm("a", "other", "leaves")
    replace_alarms(warehouse, ["a"], [mine, other], AS_OF)
    replace_alarms(warehouse, ["a"], [], AS_OF, ["buys"])
    assert current_alarms(warehouse) == [other]


def test_a_prediction_that_is_not_defined_any_more_has_no_alarms(warehouse):
    replace_alarms(warehouse, ["a"], [Alarm("a", "x", "buys"), Alarm("a", "whole")], AS_OF)
    warehouse.execute("create table prediction_definitions as select 'leaves' as prediction")
    assert current_alarms(warehouse) == [Alarm("a", "whole")]


def test_what_is_held_back_ends_in_an_exit_code_of_its_own():
    held, warning = Alarm("a", "x", "leaves", is_held_back=True), Alarm("b", "y", "buys")
    refuse_held_back([warning])
    refuse_held_back([held], ["buys"])
    for selected in ([], ["leaves"]):
        with pytest.raises(HeldBack, match="held back: leaves; what was published of it before"):
            refuse_held_back([held, warning], selected)
