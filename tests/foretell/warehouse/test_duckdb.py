"""A DuckDB file as a warehouse."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime

import duckdb
import pyarrow as pa
import pytest

from foretell.errors import ForetellError
from foretell.warehouse.duckdb import open_duckdb

TABLE = "create table t (name varchar, n integer)"


@pytest.fixture
def path(tmp_path):
    """Return a file that is called like its schema, in which names are ambiguous."""
    with duckdb.connect(str(tmp_path / "foretell.duckdb")) as connection:
        connection.execute("create schema foretell")
    return tmp_path / "foretell.duckdb"


@pytest.fixture
def warehouse(path):
    with open_duckdb(path) as opened:
        opened.execute(TABLE)
        yield opened


def test_parameters_are_question_marks_or_names(warehouse):
    warehouse.execute("insert into t values (?, ?), (?, ?)", ["a", 1, "b", 2])
    warehouse.execute("update t set n = $n where name = $name", {"n": 7, "name": "a"})
    assert warehouse.rows("select n from t where name = ?", ["a"]) == [{"n": 7}]
    assert warehouse.table("select n from t where name = $name", {"name": "b"}).to_pydict() == {
        "n": [2]
    }
    (hour,) = warehouse.rows("select ? as hour", [datetime(2026, 1, 1)])
    assert hour == {"hour": datetime(2026, 1, 1)}


def test_rows_are_appended_by_the_names_of_their_columns(warehouse):
    warehouse.append("t", pa.table({"n": [1], "name": ["a"]}))
    warehouse.append("t", pa.table({"n": [2]}))
    assert warehouse.rows("select name, n from t order by n") == [
        {"name": "a", "n": 1}, {"name": None, "n": 2},
    ]  # fmt: skip


def test_a_stream_is_in_order_and_may_read_arrow_tables(warehouse):
    given = pa.table({"n": list(range(5000))})
    sql = "select n from given where n < ? order by n desc"
    batches = list(warehouse.stream(sql, [4500], {"given": given}, batch_rows=2048))
    assert max(batch.num_rows for batch in batches) <= 2048
    assert [n for batch in batches for n in batch["n"].to_pylist()] == list(range(4499, -1, -1))
    with pytest.raises(duckdb.CatalogException):
        warehouse.rows("select * from given")


def test_a_transaction_that_fails_changes_nothing(warehouse):
    def fail():
        with warehouse.transaction():
            warehouse.execute("insert into t values ('a', 1)")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert warehouse.rows("from t") == []
    with warehouse.transaction():
        warehouse.execute("insert into t values ('a', 1)")
    assert len(warehouse.rows("from t")) == 1


def test_tables_and_views_of_the_schema_are_named(warehouse):
    warehouse.execute("create view v as from t")
    assert warehouse.table_names() == {"t", "v"}
    assert warehouse.has_table("v")
    assert not warehouse.has_table("nothing")


def test_what_is_no_warehouse_is_refused(tmp_path, path):
    with pytest.raises(ForetellError, match="no warehouse at .*none.duckdb"), open_duckdb(
        tmp_path / "none.duckdb"
    ):
        pass
    with duckdb.connect(str(tmp_path / "other.duckdb")) as connection:
        connection.execute("create table t (i integer)")
    with pytest.raises(ForetellError, match="has no schema foretell"), open_duckdb(
        tmp_path / "other.duckdb"
    ):
        pass
    (tmp_path / "junk.duckdb").write_text("no database" * 1000)
    with pytest.raises(ForetellError, match="cannot open the warehouse"), open_duckdb(
        tmp_path / "junk.duckdb"
    ):
        pass


def test_a_file_that_another_process_holds_is_named(path):
    hold = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); "
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        holder.stdout.readline()
        with pytest.raises(ForetellError, match="is in use by another process"), open_duckdb(path):
            pass
        holder.stdin.close()
