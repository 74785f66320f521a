"""FORETELL_TARGET names the engine."""

from __future__ import annotations

import sys
import types
from contextlib import contextmanager

import duckdb
import pytest

from foretell.warehouse.duckdb import DuckDBWarehouse
from foretell.warehouse.open import open_warehouse


@pytest.fixture
def path(tmp_path):
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("create schema foretell")
    return tmp_path / "w.duckdb"


@pytest.mark.parametrize("target", ["", "duckdb"])
def test_a_file_is_opened_with_duckdb(path, monkeypatch, target):
    monkeypatch.setenv("FORETELL_TARGET", target)
    with open_warehouse(path, read_only=True) as warehouse:
        assert isinstance(warehouse, DuckDBWarehouse)
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            warehouse.execute("create table t (i integer)")


def test_spark_is_imported_only_where_it_is_the_target(path, monkeypatch):
    @contextmanager
    def open_spark(where):
        yield f"Spark in {where.path.name}"

    stand_in = types.SimpleNamespace(open_spark=open_spark)
    monkeypatch.setitem(sys.modules, "foretell.warehouse.spark", stand_in)
    monkeypatch.setenv("FORETELL_TARGET", "spark")
    with open_warehouse(path) as warehouse:
        assert warehouse == "Spark in w.duckdb"
