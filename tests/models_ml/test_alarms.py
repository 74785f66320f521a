"""Alarms: each check replaces its own rows, holding ones come first."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pytest

from models_ml.alarms import ALARMS, Alarm, current_alarms, replace_alarms
from models_ml.warehouse import open_warehouse
from tests.ledger import ALARMS_TABLE

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


def test_holding_alarms_come_first_and_one_prediction_can_be_asked_for(warehouse):
    warning = Alarm("a", "warning", "buys")
    held = Alarm("b", "held back", "leaves", is_held_back=True)
    replace_alarms(warehouse, ["a", "b"], [warning, held], AS_OF)
    assert current_alarms(warehouse) == [held, warning]
    assert current_alarms(warehouse, "buys") == [warning]


def test_an_older_warehouse_has_none(warehouse):
    warehouse.execute("drop table alarms")
    assert current_alarms(warehouse) == []
    assert ALARMS.names == ["as_of", "raised_at", "prediction", "kind", "is_held_back", "message"]
