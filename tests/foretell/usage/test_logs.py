from __future__ import annotations

import json
from datetime import date

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foretell.errors import ForetellError
from foretell.usage.logs import (
    dbt_queries,
    prediction_sql,
    query_log,
    read_sources,
    sql_files,
    strip_jinja,
)
from foretell.usage.queries import Columns, parse_query
from foretell.warehouse.open import open_warehouse

PLAN = "select event_properties:plan from events"


@pytest.fixture
def warehouse(tmp_path):
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema foretell")
    with open_warehouse(path) as opened:
        yield opened


def write(path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_snowflake_history_as_csv(warehouse, tmp_path):
    """Days are UTC, queries may have several lines, failed ones do not count."""
    path = write(
        tmp_path / "history.csv",
        "QUERY_ID,QUERY_TEXT,START_TIME,USER_NAME,EXECUTION_STATUS,ERROR_CODE\n"
        f'1,"{PLAN}\nlimit 1",2026-05-01 23:30:00.000 -0700,ANA,SUCCESS,\n'
        f'2,"{PLAN}",2026-05-01 12:00:00.000 +0000,BEN,FAIL,2003\n'
        f'3,"{PLAN}",soon,BEN,SUCCESS,\n'
        "4,,2026-05-01 12:00:00.000 +0000,BEN,SUCCESS,\n",
    )
    first, *others = query_log(warehouse, path, None)
    assert (first.sql, first.dialect, first.day, first.person, first.unused) == (
        f"{PLAN}\nlimit 1", "snowflake", date(2026, 5, 2), "ANA", "",
    )  # fmt: skip
    assert [query.unused for query in others] == ["it failed", "no readable time", "no query text"]
    assert others[-1].name == f"row 4 of {path}"


def test_bigquery_jobs_as_ndjson(warehouse, tmp_path):
    """A job that failed is DONE, too; the record of its error shows it. Broken lines are no query."""
    rows = [
        {"query": "select 1", "creation_time": "2026-05-01T10:00:00Z", "user_email": "a@x", "state": "DONE",
         "error_result": None},
        {"query": "select 2", "creation_time": "2026-05-01 10:00:00.5 UTC", "user_email": "b@x", "state": "DONE",
         "error_result": {"reason": "invalidQuery"}},
        {"query": "select 3", "creation_time": "1777629600000", "user_email": "b@x", "state": "RUNNING"},
        {"query": "select 4", "creation_time": "1777629600000", "user_email": "b@x", "state": "DONE"},
    ]  # fmt: skip
    path = write(
        tmp_path / "jobs.ndjson", "\n".join(["not json", *(json.dumps(row) for row in rows)])
    )
    queries = list(query_log(warehouse, path, None))
    assert [query.unused for query in queries] == [
        "no query text", "", "it failed", "status RUNNING", "",
    ]  # fmt: skip
    assert {query.dialect for query in queries} == {"bigquery"}
    assert {query.day for query in queries[1:]} == {date(2026, 5, 1)}


def test_a_record_of_nothing_is_no_error(warehouse, tmp_path):
    error = pa.struct([("reason", pa.string()), ("message", pa.string())])
    table = pa.table(
        {
            "query": ["select 1", "select 2"],
            "creation_time": pa.array([0, 0], pa.timestamp("us", "UTC")),
            "error_result": pa.array([{"reason": None}, {"reason": "stopped"}], error),
        }
    )
    pq.write_table(table, tmp_path / "jobs.parquet")
    queries = query_log(warehouse, str(tmp_path / "*.parquet"), None)
    assert [query.unused for query in queries] == ["", "it failed"]


def test_databricks_history_as_a_table_of_the_warehouse(warehouse):
    warehouse.execute("create schema w.raw")
    warehouse.execute(
        """
        create table w.raw.history as select * from (values
            ('select 1', timestamptz '2026-05-01 10:00:00+00', 'a', 'FINISHED', null),
            ('select 2', timestamptz '2026-05-01 10:00:00+00', 'a', 'CANCELED', null)
        ) as t (statement_text, start_time, executed_by, execution_status, error_message)
        """
    )
    queries = list(query_log(warehouse, "raw.history", None))
    assert [(query.dialect, query.unused) for query in queries] == [
        ("databricks", ""), ("databricks", "status CANCELED"),
    ]  # fmt: skip


def test_duckdb_log_and_a_dialect_of_ones_own(warehouse, tmp_path):
    path = write(tmp_path / "log.csv", "timestamp,message\n2026-05-01 10:00:00,select 1\n")
    assert [query.dialect for query in query_log(warehouse, path, None)] == ["duckdb"]
    assert [query.dialect for query in query_log(warehouse, path, "trino")] == ["trino"]


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ("nowhere.csv", "--log nowhere.csv: no such file"),
        ("raw.nothing", "cannot read --log raw.nothing"),
        ("history.xls", "history.xls"),
        ('x"; drop table y', "neither a file"),
    ],
)
def test_a_log_that_is_not_there_is_named(warehouse, log, message):
    with pytest.raises(ForetellError, match=message):
        list(query_log(warehouse, log, None))


def test_a_log_without_the_columns_is_refused_with_those_it_has(warehouse, tmp_path):
    path = write(tmp_path / "log.csv", "words,moment\na,b\n")
    with pytest.raises(ForetellError, match=r"columns words, moment; .* snowflake: query_text"):
        list(query_log(warehouse, path, None))


def test_sql_files_are_read_with_their_folders(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/b.sql").write_bytes(b"select '\xff'")
    (tmp_path / "a.sql").write_text("select {{ x }}")
    (tmp_path / "c.txt").write_text("no")
    assert [(query.name, query.day) for query in sql_files(tmp_path, "duckdb")] == [
        ("a.sql", None), ("deep/b.sql", None),
    ]  # fmt: skip
    with pytest.raises(ForetellError, match="nowhere is no folder"):
        list(sql_files(tmp_path / "nowhere", "duckdb"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ForetellError, match=r"holds no \.sql file"):
        list(sql_files(tmp_path / "empty", "duckdb"))


def test_nothing_to_read_is_refused(warehouse, tmp_path):
    with pytest.raises(ForetellError, match="give --sql, --log or --dbt-project"):
        read_sources(warehouse, None, None, None, None, Columns())
    with pytest.raises(ForetellError, match='unknown SQL dialect "nosql"'):
        read_sources(warehouse, tmp_path, None, None, "nosql", Columns())


def test_a_dbt_project_gives_models_analyses_and_exposures(tmp_path):
    def node(name: str, kind: str, package: str = "shop", **more: object) -> dict:
        return {"name": name, "resource_type": kind, "package_name": package, **more}

    prediction = {
        "cohort": [{"event": "any", "within_days": 28}, {"user": {"plan": ["pro"]}}],
        "outcome": {"event": ["buy", "it's"], "where": {"category": "shoes"}, "sum_of": "amount"},
    }
    manifest = {
        "metadata": {"project_name": "shop", "adapter_type": "snowflake"},
        "nodes": {
            "1": node("compiled", "model", raw_code="{{ x }}", compiled_code=PLAN),
            "2": node("raw", "model", raw_code="select * from {{ ref('a') }}"),
            "3": node("python", "model", language="python", raw_code="def model(dbt): ..."),
            "4": node("analysed", "analysis", raw_code="select 1"),
            "5": node("tested", "test", raw_code="select 2"),
            "6": node("foreign", "model", package="other", raw_code="select 3"),
        },
        "exposures": {
            "7": node("board", "exposure", meta={"query": PLAN}, config={"meta": {}}),
            "8": node("boards", "exposure", config={"meta": {"query": [PLAN, PLAN]}}),
            "9": node("buys", "exposure", config={"meta": {"prediction": prediction}}),
            "10": node("plain", "exposure"),
        },
    }
    (tmp_path / "target").mkdir()
    (tmp_path / "target/manifest.json").write_text(json.dumps(manifest))
    queries = list(dbt_queries(tmp_path, None, Columns()))
    assert [query.name for query in queries] == [
        "compiled", "raw", "analysed", "exposure board", "exposure boards", "exposure boards", "exposure buys",
    ]  # fmt: skip
    assert (queries[0].sql, queries[0].dialect) == (PLAN, "snowflake")
    assert queries[1].sql == "select * from __jinja__"


@pytest.mark.parametrize("text", [None, "not json", "[]", "{}"])
def test_a_project_without_a_manifest_is_refused_with_the_command(tmp_path, text):
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ForetellError, match="run `dbt compile`"):
        list(dbt_queries(tmp_path, None, Columns()))


@pytest.mark.parametrize("dialect", ["snowflake", "bigquery", "databricks", "duckdb"])
def test_a_prediction_asks_for_what_it_names(dialect):
    prediction = {
        "cohort": [{"event": "any"}, {"user": {"plan": "pro"}}],
        "outcome": {"event": ["buy", "it's"], "where": {"cate'gory": "shoes"}, "sum_of": "amount"},
    }
    sql = "; ".join(each.sql(dialect) for each in prediction_sql(prediction, Columns()))
    assert [(e.kind, e.property or e.event_name) for e in parse_query(sql, dialect).references] == [
        ("user_property", "plan"), ("event_property", "cate'gory"), ("event_property", "amount"),
        ("event_type", "buy"), ("event_type", "it's"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("template", "sql"),
    [
        ("{{ config(materialized='table') }} select 1", "  select 1"),
        ("select {# event_properties:x #} 1", "select   1"),
        ("a {% if x %} b {% else %} c {% endif %} d", "a  b  d"),
        ("a {%- if x -%} b {% if y %} c {% elif z %} d {% endif %} e {% else %} f {% endif %}", "a  b  c  e "),
        ("{% for k in ks %} {{ k }}{{ ', ' if not loop.last }} {% endfor %}", "  __jinja__,   "),
        ("{% set k = ['a'] %}x{% set long %} y {% endset %}", " x "),
        ("{% macro m(a='b') %} gone {% endmacro %} x", "  x"),
        ("{% raw %} {a} {% endraw %}", "  {a}  "),
        ("select '{not jinja}'", "select '{not jinja}'"),
        ("broken {{ tag", "broken {{ tag"),
    ],
)  # fmt: skip
def test_jinja_goes(template, sql):
    assert strip_jinja(template) == sql


def test_what_a_template_fills_in_is_no_name():
    sql = """
        {% set kinds = ['a', 'b'] %}
        select {% for kind in kinds %}
            count_if(event_name = '{{ kind }}') as n_{{ kind }}{{ ',' if not loop.last }}
        {% endfor %}
        from {{ ref('events') }}
        where event_properties->>'plan' = '{{ var("plan") }}' and event_properties->>'{{ key }}' is null
        {% if is_incremental() %} and event_name = 'login' {% endif %}
    """
    parsed = parse_query(strip_jinja(sql), "duckdb")
    assert not parsed.failures
    assert {each.property or each.event_name for each in parsed.references} == {"plan", "login"}
