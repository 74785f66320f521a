"""Each format's raw rows become the canonical rows written beside them (tests/fixtures)."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from foretell.project import PACKAGE
from foretell.sources.adapters import BY_ADAPTER
from tests.conftest import HERE, SHOP, dbt, query

FIXTURES = Path(__file__).parents[1] / "fixtures"
AMPLITUDE_EXPORT = PACKAGE.parent / "shared/data/amplitude_export/export.json"
NUMBERS = {"int_value": "BIGINT", "float_value": "DOUBLE", "double_value": "DOUBLE"}
PARAMETERS = [{"key": "VARCHAR", "value": {"string_value": "VARCHAR", **NUMBERS}}]
NO_TIMES = ("soon", "yesterday", "noon")
# The formats that also come as Parquet or tables, and the types they have there beside text (as
# json_transform names them).
TYPED = {
    "segment_tracks": {"timestamp": "TIMESTAMPTZ", "received_at": "TIMESTAMPTZ", "total": "DOUBLE"},
    "segment_identifies": {
        "timestamp": "TIMESTAMPTZ",
        "received_at": "TIMESTAMPTZ",
        "seats": "BIGINT",
    },
    "segment_aliases": {"timestamp": "TIMESTAMPTZ", "received_at": "TIMESTAMPTZ"},
    "snowplow": {
        "collector_tstamp": "TIMESTAMP",
        "derived_tstamp": "TIMESTAMP",
        "se_value": "DOUBLE",
        "contexts_com_acme_product_1": [{"category": "VARCHAR", "tags": ["VARCHAR"]}],
        "contexts_com_acme_experiment_1": "VARCHAR",  # as loaders without nested types write it
        "unstruct_event_com_acme_add_to_basket_1": {
            "sku": "VARCHAR",
            "price": "DOUBLE",
            "platform": "VARCHAR",
            "note": "VARCHAR",
        },
    },
    "ga4": {
        "event_timestamp": "BIGINT",
        "event_params": PARAMETERS,
        "user_properties": PARAMETERS,
    },
    "posthog": {"timestamp": "TIMESTAMP", "created_at": "TIMESTAMP"},
}


def raw_rows(adapter: str) -> list[tuple[str, dict[str, Any]]]:
    """The lines of a fixture, each with the canonical row that must come of it."""
    folder = FIXTURES / adapter
    lines = (folder / "events.ndjson").read_text().splitlines()
    expected = (folder / "expected.ndjson").read_text().splitlines()
    return [(line, json.loads(row)) for line, row in zip(lines, expected, strict=True)]


def is_typed(expected: dict[str, Any]) -> bool:
    """False for rows that cannot stand in a table: broken lines, and text in place of a time."""
    return not expected.get("is_broken") and expected.get("event_time") not in NO_TIMES


def make_typed_table(connection: duckdb.DuckDBPyConnection, adapter: str) -> None:
    """Make a table of the lines of a fixture, with the types of TYPED, named after the adapter."""
    lines = [line for line, expected in raw_rows(adapter) if is_typed(expected)]
    keys = dict.fromkeys(key for line in lines for key in json.loads(line))
    types = json.dumps({key: TYPED[adapter].get(key, "VARCHAR") for key in keys})
    connection.execute(
        f"create table {adapter} as"
        f" select unnest(json_transform(line, '{types}')) from (select unnest(?) as line)",
        [lines],
    )


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    """Every fixture as NDJSON, and as Parquet and as a table where the format comes so, at once."""
    folder = tmp_path_factory.mktemp("adapters")
    sources = []
    for adapter in BY_ADAPTER:
        lines = (FIXTURES / adapter / "events.ndjson").read_bytes()
        (folder / f"{adapter}.json.gz").write_bytes(gzip.compress(lines))
        sources.append(
            {"name": adapter, "adapter": adapter, "events": str(folder / f"{adapter}.json.gz")}
        )
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("set TimeZone = 'UTC'; create schema raw; use warehouse.raw")
        for adapter in TYPED:
            make_typed_table(connection, adapter)
            path = str(folder / f"{adapter}.parquet")
            connection.execute(f"copy {adapter} to '{path}'")
            sources += [
                {"name": f"{adapter} parquet", "adapter": adapter, "events": path},
                {"name": f"{adapter} table", "adapter": adapter, "relation": f"raw.{adapter}"},
            ]
    environment = {
        "FORETELL_SOURCES": json.dumps(sources),
        "FORETELL_WAREHOUSE": str(folder / "warehouse.duckdb"),
    }
    done = dbt(["run", "--select", "stg_raw_events"], environment, folder)
    assert done.returncode == 0, done.stdout[-3000:]
    return folder / "warehouse.duckdb"


def canonical_rows(warehouse: Path, source: str) -> list[dict[str, Any]]:
    """Rows of a source as expected.ndjson has them: times in UTC, JSON taken apart, no NULLs."""
    columns = (
        "event_id", "user_id", "device_id", "event_name", "event_time", "received_at",
        "event_properties", "user_properties", "previous_id", "is_broken",
    )  # fmt: skip
    rows = query(
        warehouse,
        f"""
        select
            event_id, user_id, device_id, event_name,
            coalesce(cast(coalesce(
                event_timestamp, try_cast(event_time as timestamptz) at time zone 'UTC'
            ) as varchar), event_time),
            cast(coalesce(
                received_timestamp, try_cast(received_at as timestamptz) at time zone 'UTC'
            ) as varchar),
            event_properties, user_properties, previous_id, is_broken or null
        from stg_raw_events where source = '{source}'
        """,
    )
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    return [{key: value for key, value in row.items() if value is not None} for row in named]


def comparable(row: dict[str, Any]) -> dict[str, Any]:
    """JSON text as sorted pairs: keys in any order, but none twice; what is not JSON as it is."""
    row = dict(row)
    for column in ("event_properties", "user_properties"):
        value = row.get(column)
        text = value if isinstance(value, str) else json.dumps(value)
        try:
            row[column] = json.loads(text, object_pairs_hook=sorted) if column in row else None
        except json.JSONDecodeError:
            row[column] = text
    return row


def assert_same_rows(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    found, expected = map(comparable, found), map(comparable, expected)
    assert sorted(found, key=repr) == sorted(expected, key=repr)


@pytest.mark.parametrize("adapter", BY_ADAPTER)
def test_lines_become_canonical_rows(warehouse, adapter):
    assert_same_rows(canonical_rows(warehouse, adapter), [row for _, row in raw_rows(adapter)])


@pytest.mark.parametrize("form", ["parquet", "table"])
@pytest.mark.parametrize("adapter", TYPED)
def test_typed_columns_become_the_same_rows(warehouse, adapter, form):
    expected = [row for _, row in raw_rows(adapter) if is_typed(row)]
    assert_same_rows(canonical_rows(warehouse, f"{adapter} {form}"), expected)


def test_every_row_has_its_source(warehouse):
    found = query(warehouse, "select distinct source, source_file from stg_raw_events")
    expected = {(adapter, f"{HERE}/{adapter}.json.gz") for adapter in BY_ADAPTER}
    expected |= {(f"{adapter} parquet", f"{HERE}/{adapter}.parquet") for adapter in TYPED}
    expected |= {(f"{adapter} table", f"raw.{adapter}") for adapter in TYPED}
    assert set(found) == expected


def test_a_broken_line_keeps_its_text(warehouse):
    found = query(warehouse, "select source, raw_row from stg_raw_events where is_broken")
    broken = [
        (adapter, line)
        for adapter in BY_ADAPTER
        for line, expected in raw_rows(adapter)
        if expected.get("is_broken")
    ]
    assert sorted(found) == sorted(broken)


@pytest.mark.parametrize("name", ["ga4", "ga4 parquet"])
def test_a_filter_on_the_file_reads_no_other(warehouse, name):
    """What incremental loading relies on: constants reach the reader through the view."""
    ((file,),) = query(
        warehouse, f"select distinct source_file from stg_raw_events where source = '{name}'"
    )
    filtered = f"select count(event_id) from stg_raw_events where source_file in ('{file}')"
    ((_, plan),) = query(warehouse, f"explain analyze {filtered}")
    assert sum(map(int, re.findall(r"Total Files Read: +(\d+)", plan))) == 1


def test_two_sources_end_in_one_stg_events(tmp_path):
    """A visitor that Segment's tracks know by device alone is named by its identifies."""
    sources = [
        {"name": name, "adapter": adapter, "events": str(FIXTURES / adapter / "events.ndjson")}
        for name, adapter in [("it's {{ hers }}", "segment_tracks"), ("2", "segment_identifies")]
    ]
    (tmp_path / "p").mkdir()
    (tmp_path / "p/shop.yml").write_text(SHOP)
    environment = {
        "FORETELL_SOURCES": json.dumps(sources),
        "FORETELL_PREDICTIONS": str(tmp_path / "p"),
        "FORETELL_WAREHOUSE": str(tmp_path / "warehouse.duckdb"),
        "FORETELL_AS_OF": "2026-03-02T00:00",
    }
    done = dbt(["run", "--select", "01_staging"], environment, tmp_path)
    assert done.returncode == 0, done.stdout[-3000:]
    warehouse = tmp_path / "warehouse.duckdb"
    assert query(warehouse, "select event_name, count(*) from stg_events group by 1 order by 1") == [
        ("$identify", 2), ("'; drop table 🛒 {% x %}", 1), ("Order Completed", 1), ("signed_up", 1),
    ]  # fmt: skip
    assert query(warehouse, "select distinct source from stg_raw_events order by 1") == [
        ("2",), ("it's {{ hers }}",),
    ]  # fmt: skip
    owner = """
        select owner.user_id from stg_identities as visitor
        join stg_identity_map as identity_map on visitor.identity_key = identity_map.identity_key
        join stg_identities as owner on identity_map.user_key = owner.identity_key
        where visitor.user_id = 'device:a-2' and identity_map.valid_to_hour = 2147483647
    """
    assert query(warehouse, owner) == [("u2",)]


@pytest.mark.skipif(
    not AMPLITUDE_EXPORT.exists(), reason="the genuine Amplitude export is not on this machine"
)
def test_a_genuine_amplitude_export(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p/shop.yml").write_text(SHOP)
    environment = {
        "FORETELL_EVENTS": str(AMPLITUDE_EXPORT),
        "FORETELL_ADAPTER": "amplitude",
        "FORETELL_PREDICTIONS": str(tmp_path / "p"),
        "FORETELL_WAREHOUSE": str(tmp_path / "warehouse.duckdb"),
    }
    done = dbt(["run", "--select", "01_staging"], environment, tmp_path)
    assert done.returncode == 0, done.stdout[-3000:]
    warehouse = tmp_path / "warehouse.duckdb"
    assert query(warehouse, "select status, n_rows from stg_ingest_counts") == [("accepted", 13)]
    assert query(
        warehouse,
        """
        select count(distinct user_id), min(event_time)::varchar, max(event_time)::varchar,
            sum((event_properties ->> 'Total Price')::decimal(10, 2))::varchar
        from stg_events
        """,
    ) == [(3, "2025-06-30 03:37:52.846", "2025-07-01 17:18:42.574", "6447.25")]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (
            '[{"name": "web", "adapter": "amplitud", "events": "a.json"}]',
            'unknown adapter "amplitud"; did you mean "amplitude"?',
        ),
        (
            '[{"name": "web", "evnets": "a.json"}]',
            'unknown key "evnets"; did you mean "events"?',
        ),
        ("web: ga4", 'FORETELL_SOURCES is "web: ga4"; write a list'),
    ],
)
def test_dbt_alone_refuses_a_wrong_setting(tmp_path, sources, message):
    environment = {
        "FORETELL_SOURCES": sources,
        "FORETELL_WAREHOUSE": str(tmp_path / "w.duckdb"),
    }
    done = dbt(["compile", "--select", "stg_batches"], environment, tmp_path)
    assert done.returncode != 0
    assert message in " ".join(done.stdout.split())
