"""The statements that Spark gets instead, run on DuckDB, which understands them too."""

from __future__ import annotations

import duckdb
import pytest

from foretell.pipeline import reasons
from foretell.pipeline import registry
from foretell.warehouse.spark_sql import changed_table, remaining_rows, translated


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        connection.execute(
            """
            create table t (id int, status varchar, name varchar);
            insert into t values (1, 'a', 'x'), (2, 'b', 'y'), (3, null, 'z'), (4, 'a', null);
            create table other (id int);
            insert into other values (1), (3);
            """
        )
        yield connection


@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("delete from t", {}),
        ("delete from t where status = $s", {"s": "a"}),
        ("delete from t where name = 'x' or status = $s", {"s": "it's"}),
        ("delete from t where id not in (select id from other)", {}),
        ("update t set status = 'c'", {}),
        ("update t set status = 'c' where status = $s", {"s": "a"}),
        ("update t set status = 'c', name = upper(name) where id in (select id from other)", {}),
        (
            "update t set status = case when id = (select max(id) from other) then 'm' else 'n' end"
            " where name = $n and status is distinct from $s",
            {"n": "z", "s": "a"},
        ),
    ],
)
def test_what_remains_is_what_the_statement_leaves(connection, sql, parameters):
    assert changed_table(sql) == "t"
    query = remaining_rows(sql, ["id", "status", "name"]).replace(":", "$")
    expected = connection.execute(query, parameters).fetchall()
    connection.execute(sql, parameters)
    left = connection.execute("select * from t").fetchall()
    assert sorted(map(repr, expected)) == sorted(map(repr, left))


def test_only_updates_and_deletes_change_a_table():
    assert changed_table("insert into t by name select 1 as id") is None
    assert changed_table("select * from t") is None
    for ours in (registry.UPDATE_PROMOTED, registry.UPDATE_CHALLENGERS):
        assert changed_table(ours) == "models"
    assert changed_table(registry.DELETE_HELD_OUT) == "held_out_scores"
    assert changed_table(reasons.DELETE_REASONS) == "reasons"


def test_words_of_duckdb_become_those_of_spark():
    spark = translated("select a from t where list_contains(?, a) and b = $b order by a")
    assert spark == ("SELECT a FROM t WHERE ARRAY_CONTAINS(?, a) AND b = :b ORDER BY a NULLS LAST")
    newest = "select a from t qualify row_number() over (partition by a order by b) = 1"
    assert "QUALIFY" not in translated(newest).upper()


def test_an_insert_goes_to_the_table_behind_a_view():
    """Spark reads public tables through views, and refuses to insert into one."""
    sql = "with new as (select * from t) insert into t by name select a from new join t using (a)"
    assert " INTO foretell.t " in translated(sql, "foretell.{}".format)
    assert "FROM t" in translated(sql, "foretell.{}".format)
    assert " INTO t " in translated(sql)
    assert translated("select * from t", "foretell.{}".format) == "SELECT * FROM t"
    listed = translated("insert into t (a) select 1", "foretell.{}".format)
    assert listed == "INSERT INTO foretell.t (a) SELECT 1"
