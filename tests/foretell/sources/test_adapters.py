from __future__ import annotations

import re
from pathlib import Path

import pytest

from foretell.errors import ForetellError
from foretell.project import PACKAGE
from foretell.sources.adapters import (
    BY_ADAPTER,
    CANONICAL_COLUMNS,
    Source,
    parse_sources,
    recognise,
)
from foretell.sources.events_input import check_events, read_columns

FIXTURES = Path(__file__).parents[2] / "fixtures"
MACROS = {path.stem: path.read_text() for path in (PACKAGE / "dbt_project/macros").rglob("*.sql")}


def fixture(adapter: str) -> str:
    return str(FIXTURES / adapter / "events.ndjson")


@pytest.mark.parametrize("adapter", BY_ADAPTER)
def test_each_format_is_recognised_and_accepted(adapter):
    assert recognise(read_columns(fixture(adapter))) is BY_ADAPTER[adapter]
    check_events(fixture(adapter), adapter)


@pytest.mark.parametrize("adapter", BY_ADAPTER)
def test_the_table_names_the_columns_that_the_macro_reads(adapter):
    """Two languages, one mapping: what is shown and checked is what dbt reads."""
    sql = "\n".join(MACROS.values())
    macro = "canonical_columns" if adapter == "canonical" else f"{adapter}_columns"
    (body,) = re.findall(rf"macro {macro}\(\) %}}(.*?)endmacro", sql, re.DOTALL)
    assert set(BY_ADAPTER[adapter].columns()) == set(re.findall(r"'(\w+)'", body))
    assert set(BY_ADAPTER[adapter].mapping) <= set(CANONICAL_COLUMNS)


def test_dbt_knows_the_same_adapters():
    (body,) = re.findall(
        r"macro adapter_names\(\) %}(.*?)endmacro", MACROS["read_events"], re.DOTALL
    )
    assert set(re.findall(r"'(\w+)'", body)) == set(BY_ADAPTER)


@pytest.mark.parametrize(
    ("adapter", "column", "message"),
    [
        ("amplitude", "event_type", "has no column event_type"),
        ("segment", "timestamp", "has no column timestamp"),
        ("ga4", "event_timestamp", "has no column event_timestamp"),
        ("posthog", "distinct_id", "has no column distinct_id"),
    ],
)
def test_a_missing_column_is_named_with_the_nearest(tmp_path, adapter, column, message):
    lines = Path(fixture(adapter)).read_text().replace(f'"{column}":', f'"{column}_":')
    (tmp_path / "e.ndjson").write_text(lines)
    with pytest.raises(ForetellError, match=f'{message}; did you mean "{column}_"'):
        check_events(str(tmp_path / "e.ndjson"), adapter)


def test_a_format_taken_for_another_is_named():
    with pytest.raises(
        ForetellError, match=r"Amplitude Export API: set FORETELL_ADAPTER=amplitude"
    ):
        check_events(fixture("amplitude"))


def test_sources_are_parsed():
    given = [
        {"name": "web", "adapter": "ga4", "events": "ga4/*.parquet"},
        {"name": "shop", "relation": "raw.events"},
    ]
    assert parse_sources(given) == (
        Source("web", "ga4", events="ga4/*.parquet"),
        Source("shop", "canonical", relation="raw.events"),
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "web"}, "FORETELL_SOURCES is .*; write a list"),
        (["web"], "source 1 is 'web'; write keys and values"),
        ([{"events": "a.csv"}], 'source 1: key "name" is missing'),
        (
            [{"name": "web", "evnets": "a.csv"}],
            'source 1: unknown key "evnets"; did you mean "events"',
        ),
        (
            [{"name": "web", "adapter": "amplitud", "events": "a.csv"}],
            'source 1: unknown adapter "amplitud"; did you mean "amplitude"',
        ),
        ([{"name": "web", "events": 3}], "source 1: events is 3; write a text"),
        ([{"name": "web"}], r"source 1 \(web\) needs either events .* or relation"),
        ([{"name": "web", "events": "a.csv", "relation": "b"}], "needs either"),
        ([{"name": "web", "events": "a.csv", "loaded_at": "b"}], r"\(web\): loaded_at is a column"),
        ([{"name": "web", "events": "a.csv"}] * 2, 'name "web" is given twice'),
    ],
)
def test_sources_that_cannot_be_used_are_refused(given, message):
    with pytest.raises(ForetellError, match=message):
        parse_sources(given)
