"""A row of `models` that cannot be read is named and left out; another prediction is not affected."""

from __future__ import annotations

from datetime import datetime

import duckdb
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from foretell.alarms.alarms import current_alarms
from foretell.errors import TornModel
from foretell.pipeline.registry import ModelRecord
from foretell.pipeline.torn_models import (
    KIND,
    check_explainer,
    check_model,
    read_champion,
    write_alarms,
)
from foretell.warehouse.open import open_warehouse
from tests.history_tables import ALARMS_TABLE, CHAMPIONS, MODELS

NOW = datetime(2026, 6, 1)


@pytest.fixture(scope="module")
def graph() -> bytes:
    """Return a graph of three inputs that gives a probability."""
    X = helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 3])
    out = helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, 1])
    weights = numpy_helper.from_array(np.ones((3, 1), dtype=np.float32), "weights")
    nodes = [
        helper.make_node("MatMul", ["X", "weights"], ["sum"]),
        helper.make_node("Sigmoid", ["sum"], ["probability"]),
    ]
    made = helper.make_graph(nodes, "buys", [X], [out], [weights])
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(made, opset_imports=opset, ir_version=8).SerializeToString()


def record(onnx: bytes, **changed) -> ModelRecord:
    given = {"feature_ids": [1, 2, 3], "onnx": onnx, **changed}
    return ModelRecord("m1", "buys", "h", NOW, "champion", "", **given)


def test_a_whole_model_passes(graph):
    assert check_model(record(graph)).onnx == graph
    assert check_explainer(record(graph)).explain_model is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"onnx": b"torn"}, "buys: model m1 is torn, its graph cannot be used"),
        ({"onnx": b""}, "its graph cannot be used"),
        ({"feature_ids": [1, 2]}, "its graph cannot be used"),
        ({"feature_ids": {"1": 2}}, "its feature_ids are no list of numbers"),
        ({"feature_ids": ["1", "2", "3"]}, "its feature_ids are no list of numbers"),
    ],
)
def test_a_torn_model_is_named(graph, changed, message):
    with pytest.raises(TornModel, match=message):
        check_model(record(**{"onnx": graph, **changed}))


@pytest.mark.parametrize("packed", [b"torn", b"", b"PK\x03\x04torn"])
def test_a_torn_explainer_is_left_out(graph, packed):
    assert check_explainer(record(graph, explain_model=packed)).explain_model is None


def test_json_that_is_cut_off_is_an_alarm_of_that_prediction(tmp_path, graph):
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"""
            create schema foretell; use foretell; {MODELS} {ALARMS_TABLE}
            create table prediction_definitions as
            select prediction, 'h' as definition_hash from (values ('buys'), ('views')) as t (prediction);
            create table stg_as_of as select timestamp '2026-06-01' as as_of;
            {CHAMPIONS}
            """
        )
        for prediction, ids in (("buys", "[1, 2"), ("views", "[1, 2, 3]")):
            connection.execute(
                "insert into models by name select ? as model_id, ? as prediction, 'h' as definition_hash,"
                " timestamp '2026-06-01' as as_of, 'champion' as status, '' as reason, ? as feature_ids,"
                " ? as onnx",
                [prediction, prediction, ids, graph],
            )
    with open_warehouse(path) as warehouse:
        for prediction in ("buys", "views"):
            champion, alarms = read_champion(warehouse, prediction)
            write_alarms(warehouse, [prediction], alarms)
            assert (champion is None) == (prediction == "buys")
        (alarm,) = current_alarms(warehouse)
    assert (alarm.kind, alarm.prediction, alarm.is_held_back) == (KIND, "buys", False)
    assert (
        "buys: model buys is torn, its feature_ids are not JSON; it scores no users"
        in alarm.message
    )
