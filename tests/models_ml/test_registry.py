from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import duckdb
import pytest

from models_ml import registry
from models_ml.registry import CHAMPION, REJECTED, RETIRED, ModelRecord
from models_ml.warehouse import open_warehouse

FIRST = ModelRecord(
    model_id="m1", prediction="buys", definition_hash="h", as_of=datetime(2026, 1, 1), status=CHAMPION,
    reason="", candidate="logistic", metrics={"auroc": {"value": 0.7}}, feature_ids=[3, 1], onnx=b"\x00\xff",
)  # fmt: skip


@pytest.fixture
def warehouse(tmp_path):
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            create schema foretell; use w.foretell;
            create table models (
                model_id varchar, prediction varchar, definition_hash varchar, trained_at timestamp,
                as_of timestamp, status varchar, reason varchar, candidate varchar, calibration varchar,
                metrics varchar, reliability varchar, importances varchar, feature_ids varchar, onnx blob);
            create table prediction_definitions as select 'buys' as prediction, 'h' as definition_hash;
            create table stg_as_of as select timestamp '2026-01-08' as as_of;
            """
        )
    with open_warehouse(path) as opened:
        yield opened


def statuses(warehouse) -> dict[str, str]:
    return {
        row["model_id"]: row["status"]
        for row in warehouse.rows("select model_id, status from models")
    }


def test_a_model_comes_back_as_it_was_saved(warehouse):
    registry.save_model(warehouse, FIRST)
    saved = registry.find_champion(warehouse, "buys")
    assert replace(saved, trained_at=None) == FIRST
    assert saved.trained_at is not None


def test_a_new_champion_retires_the_one_before(warehouse):
    registry.save_model(warehouse, FIRST)
    registry.save_model(warehouse, replace(FIRST, model_id="m2"))
    assert statuses(warehouse) == {"m1": RETIRED, "m2": CHAMPION}
    registry.promote(warehouse, registry.find_model(warehouse, "m1"))
    assert statuses(warehouse) == {"m1": CHAMPION, "m2": RETIRED}


def test_a_rejected_model_leaves_the_champion_scoring(warehouse):
    registry.save_model(warehouse, FIRST)
    registry.save_model(warehouse, replace(FIRST, model_id="m2", status=REJECTED, reason="parity"))
    assert registry.find_champion(warehouse, "buys").model_id == "m1"


def test_a_model_of_another_definition_does_not_score(warehouse):
    registry.save_model(warehouse, replace(FIRST, definition_hash="older question"))
    assert registry.find_champion(warehouse, "buys") is None


def test_a_model_that_knows_the_future_of_as_of_does_not_score(warehouse):
    registry.save_model(warehouse, replace(FIRST, as_of=datetime(2026, 1, 9)))
    assert registry.find_champion(warehouse, "buys") is None


def test_a_failed_write_leaves_nothing(warehouse):
    registry.save_model(warehouse, FIRST)
    broken = replace(FIRST, model_id="m2", as_of="no time")
    with pytest.raises(duckdb.Error):
        registry.save_model(warehouse, broken)
    assert statuses(warehouse) == {"m1": CHAMPION}
