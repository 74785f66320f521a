"""What every warehouse can do from the few calls that its engine gives."""

from __future__ import annotations

import pyarrow as pa
import pytest

from foretell.warehouse.base import Warehouse


class Remembering(Warehouse):
    """An engine that answers each query with its own text."""

    def table(self, sql, parameters=()):
        return pa.table({"sql": [sql], "n_parameters": [len(parameters)]})

    def table_names(self):
        return {"predictions"}

    def stream(self, sql, parameters=(), tables=None, batch_rows=250_000): ...

    def execute(self, sql, parameters=()): ...

    def append(self, table, rows): ...

    def transaction(self): ...


def test_rows_are_those_of_the_table():
    assert Remembering().rows("select ?", [7]) == [{"sql": "select ?", "n_parameters": 1}]


def test_a_table_is_there_if_it_is_named():
    assert Remembering().has_table("predictions")
    assert not Remembering().has_table("models")


def test_an_engine_must_give_every_call():
    class Half(Warehouse):
        def table(self, sql, parameters=()): ...

    with pytest.raises(TypeError, match="abstract methods append, execute, stream"):
        Half()
