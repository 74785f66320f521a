"""Single nodes of parsed SQL: which read a key, which compare with text."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from foretell.usage.nodes import accessed, compared, duckdb_path, first_argument, restore_arrows


def read(sql: str, dialect: str) -> list[tuple[str, list[str]]]:
    """Return the objects and keys that an expression reads."""
    found = [accessed(node) for node in sqlglot.parse_one(sql, read=dialect).walk()]
    return [(each[0].name, each[1]) for each in found if each]


@pytest.mark.parametrize(
    ("sql", "dialect"),
    [
        ("p:plan", "snowflake"),
        ("p['plan']", "snowflake"),
        ("get(p, 'plan')", "snowflake"),
        ("json_value(p, '$.plan')", "bigquery"),
        ("json_value(p, '$.plan.name')", "bigquery"),
        ("get_json_object(p, '$.plan')", "databricks"),
        ("variant_get(p, '$.plan', 'string')", "databricks"),
        ("p->>'plan'", "duckdb"),
        ("p->>'$.plan.name'", "duckdb"),
        ("json_extract_string(p, '/plan/name')", "duckdb"),
    ],
)
def test_each_dialect_reads_a_key_in_its_way(sql, dialect):
    assert read(sql, dialect) == [("p", ["plan"])]


def test_what_reads_no_key_is_none():
    assert read("upper(p) || 'plan'", "duckdb") == []


def texts(sql: str) -> list[list[str]]:
    """Return the texts that a condition compares the column a with."""
    nodes = sqlglot.parse_one(sql, read="snowflake").walk()
    pairs = [pair for node in nodes for pair in compared(node)]
    return [found for subject, found in pairs if isinstance(subject, exp.Column)]


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("a = 'x'", [["x"]]),
        ("'x' = a", [["x"]]),
        ("a in ('x', 'y')", [["x", "y"]]),
        ("a not in ('x', 'y')", []),
        ("not a = 'x'", []),
        ("case a when 'x' then 1 when 'y' then 2 end", [["x", "y"]]),
        ("decode(a, 'x', 1, 'y', 2, 3)", [["x", "y"]]),
        ("a = 3", [[]]),
    ],
)
def test_what_is_compared_counts_and_what_is_excluded_does_not(sql, found):
    assert texts(sql) == found


def test_duckdbs_path_of_one_key_with_a_dot():
    path = duckdb_path(exp.Literal.string("a.b"))
    assert [
        key for _, key in [accessed(exp.JSONExtract(this=exp.column("p"), expression=path))]
    ] == [["a.b"]]
    assert duckdb_path(exp.Literal.string("$.a.b")) == exp.Literal.string("$.a.b")


def test_an_arrow_inside_a_function_is_no_lambda():
    statement = sqlglot.parse_one("select f(p -> 'plan')", read="duckdb")
    restore_arrows(statement)
    assert statement.find(exp.Lambda) is None
    assert accessed(statement.find(exp.JSONExtract))[1] == ["plan"]
    kept = sqlglot.parse_one("select list_transform(l, x -> x + 1)", read="duckdb")
    restore_arrows(kept)
    assert kept.find(exp.Lambda) is not None


@pytest.mark.parametrize("sql", ["f(p, 'plan')", "f(input => p)"])
def test_the_first_argument_may_be_named(sql):
    assert first_argument(sqlglot.parse_one(sql, read="snowflake")).name == "p"
