from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from foretell.errors import ForetellError
from foretell.usage.queries import (
    EVENT_PROPERTY,
    EVENT_TYPE,
    LONGEST_QUERY,
    USER_PROPERTY,
    Columns,
    Reference,
    check_dialect,
    mentions,
    parse_query,
)

CORPUS = Path(__file__).parents[2] / "fixtures/usage"
DIALECTS = ("snowflake", "bigquery", "databricks", "duckdb")


def corpus(dialect: str) -> list[dict]:
    return yaml.safe_load((CORPUS / f"{dialect}.yml").read_text())


def expected(query: dict) -> Counter[Reference]:
    properties = [
        next(iter(each.items())) if isinstance(each, dict) else (each, query.get("of"))
        for each in query.get("properties", [])
    ]
    return Counter(
        [Reference(EVENT_PROPERTY, event_name, key) for key, event_name in properties]
        + [Reference(USER_PROPERTY, None, key) for key in query.get("user_properties", [])]
        + [Reference(EVENT_TYPE, name, None) for name in query.get("events", [])]
    )


def measure(dialects: tuple[str, ...]) -> tuple[float, float]:
    """Recall and precision of references, each with its event type, over a corpus."""
    n_right = n_found = n_expected = 0
    differences = []
    for dialect in dialects:
        for query in corpus(dialect):
            labelled, parsed = expected(query), parse_query(query["sql"], dialect)
            found = Counter(parsed.references)
            if found != labelled or parsed.failures:
                differences += [f"{dialect}, {query['name']}: missing {list(labelled - found)}, "
                                f"too many {list(found - labelled)}, {parsed.failures}"]  # fmt: skip
            n_right += (labelled & found).total()
            n_found += found.total()
            n_expected += labelled.total()
    measured = (
        f"{', '.join(dialects)}: recall {n_right}/{n_expected}, precision {n_right}/{n_found}"
    )
    print("", *differences, measured, sep="\n")  # noqa: T201 - shown by pytest -s, or if it fails
    return n_right / n_expected, n_right / n_found


@pytest.mark.parametrize("dialects", [*((each,) for each in DIALECTS), DIALECTS])
def test_recall_and_precision(dialects):
    recall, precision = measure(dialects)
    assert recall >= 0.95
    assert precision >= 0.95


def queried(sql: str, dialect: str = "duckdb", **columns: str) -> list[str | None]:
    found = parse_query(sql, dialect, Columns(**columns)).references
    return [reference.property or reference.event_name for reference in found]


def test_the_corpus_is_large_enough():
    assert all(len(corpus(dialect)) >= 15 for dialect in DIALECTS)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "sql",
    [
        "",
        ";;;",
        "select event_properties['plan'] from events where",
        "select event_properties[ from",
        "select 'event_properties never closed",
        "select " + "(" * 20_000 + "event_properties" + ")" * 20_000,
        "select " + "case when event_name = 'a' then " * 3_000,
        "event_properties \x00 \ud800 \U0001f600 {{ }} {% %} \\ ''' \"\"\" $$ `",
        "Sehr geehrte Damen und Herren, event_properties!",
        "create procedure p() as begin event_properties end",
        "x" * (LONGEST_QUERY + 1),
    ],
)
def test_no_text_breaks_it(sql, dialect):
    parse_query(sql, dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("mark", ["truncated", "too deep", "too long"])
def test_what_does_not_parse_has_a_reason(mark, dialect):
    sql = {
        "truncated": "select event_properties from events where event_name in ('a', ",
        "too deep": "select " + "(" * 20_000 + "event_properties",
        "too long": " " * (LONGEST_QUERY + 1),
    }[mark]
    parsed = parse_query(sql, dialect)
    assert parsed.references == ()
    assert parsed.failures
    assert "\x1b" not in parsed.failures[0]


def test_every_truncation_of_a_query_is_read_or_refused():
    whole = "with a as (select event_properties->>'plan' as p from events where event_name = 'x') select p from a"
    for end in range(len(whole)):
        assert set(queried(whole[:end])) <= {"plan", "x"}


def test_a_broken_statement_leaves_the_others():
    parsed = parse_query(
        "select event_properties->>'a' from events; select ((; select event_properties->>'b' from events",
        "duckdb",
    )
    assert [reference.property for reference in parsed.references] == ["a", "b"]
    assert len(parsed.failures) == 1


def test_long_queries():
    keys = [f"key_{i}" for i in range(500)]
    sql = f"select {', '.join(f'event_properties.{key}' for key in keys)} from events"
    assert len(sql) > 10_000
    assert queried(sql) == keys
    names = " or ".join("event_name = 'a'" for _ in range(5_000))
    assert queried(f"select 1 from events where {names}") == ["a"] * 5_000


def test_columns_may_be_called_otherwise():
    sql = "select e.Params->>'plan', event_properties->>'x' from logs e where \"type\" = 'login' and event_name = 'y'"
    columns = {"event_properties": "params", "user_properties": "traits", "event_name": "type"}
    assert queried(sql, **columns) == ["plan", "login"]
    assert mentions(sql, Columns(**columns))
    assert not mentions("select 1 from logs", Columns(**columns))


def test_a_column_computed_under_the_same_name_is_another():
    assert queried("with t as (select 'a' as event_name) select event_name = 'b' from t") == []
    assert queried("select m.event_properties->>'a' from (select 1 as event_properties) m") == []


def test_an_unknown_dialect_is_named_with_the_nearest():
    assert check_dialect("snowflake") == "snowflake"
    with pytest.raises(
        ForetellError, match='unknown SQL dialect "snowflak"; the nearest is "snowf'
    ):
        check_dialect("snowflak")
