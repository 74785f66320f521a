from __future__ import annotations

from datetime import date

import duckdb
import pytest
from typer.testing import CliRunner

from foretell.cli import app
from foretell.errors import ForetellError
from foretell.usage.counts import count_usage, fill_usage, top_properties
from foretell.usage.logs import Query
from foretell.usage.queries import Columns
from foretell.warehouse.open import open_warehouse
from tests.conftest import dbt, query
from tests.random_events import random_events

PLAN = "select event_properties->>'plan', event_properties->>'plan' from events"
LOGIN = f"{PLAN} where event_name = 'login'"
MAY = date(2026, 5, 1)


def silent(line: str) -> None:
    pass


def queried(
    sql: str, day: date | None = MAY, person: str | None = "ana", unused: str = ""
) -> Query:
    return Query(sql, "duckdb", "here", day, person, unused)


def test_queries_references_and_people_are_counted_per_day():
    queries = [queried(LOGIN), queried(LOGIN, person="ben"), queried(LOGIN), queried(LOGIN, date(2026, 5, 2), None)]  # fmt: skip
    counts = count_usage("log x", queries, Columns(), silent)
    found = {
        (day, each.kind, each.event_name, each.property): (*tally.values(), len(people))
        for (day, each), (tally, people) in counts.queried.items()
    }
    assert found == {
        (MAY, "event_property", "login", "plan"): (3, 6, 2),
        (MAY, "event_type", "login", None): (3, 3, 2),
        (date(2026, 5, 2), "event_property", "login", "plan"): (1, 2, 0),
        (date(2026, 5, 2), "event_type", "login", None): (1, 1, 0),
    }


def test_every_query_is_accounted_for():
    queries = [queried(PLAN), queried("select 1"), queried(PLAN, unused="it failed"), queried(f"{PLAN} where")]  # fmt: skip
    counts = count_usage("log x", queries, Columns(), silent)
    assert (counts.n_queries, counts.n_parsed, counts.n_elsewhere) == (4, 1, 1)
    assert counts.unused == {"it failed": 1}
    assert [name for name, reason in counts.unparsed if reason] == ["here"]


def test_a_warehouse_of_an_older_version_is_named(tmp_path):
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("create schema foretell")
    with (
        open_warehouse(tmp_path / "w.duckdb") as warehouse,
        pytest.raises(ForetellError, match="no table event_property_usage: `foretell run`"),
    ):
        fill_usage(warehouse, {}, Columns(), silent)


def test_a_run_replaces_its_source_and_the_taxonomy_shows_it(warehouse_of, tmp_path, monkeypatch):
    """From files to n_queries; repeated, it changes nothing; another source is left alone."""
    path = warehouse_of(random_events(11))
    ((event_name, key),) = query(
        path,
        """select event_name, property from volume_values
        where regexp_full_match(event_name || property, '[a-z_]+') order by all limit 1""",
    )
    (tmp_path / "q.sql").write_text(
        f"""select event_properties->>'{key}' from events where event_name = '{event_name}'"""
    )
    monkeypatch.setenv("FORETELL_WAREHOUSE", str(path))
    with open_warehouse(path) as warehouse:
        fill_usage(warehouse, {"log y": [queried(PLAN, date(2999, 1, 1))]}, Columns(), silent)
    for _ in range(2):
        done = CliRunner().invoke(app, ["usage", "--sql", str(tmp_path)])
        assert done.exit_code == 0, done.output
        assert f"{key} (event_property)" in done.output
    with open_warehouse(path) as warehouse:
        assert len(warehouse.rows("select 1 from event_property_usage")) == 3
        assert top_properties(warehouse)[0]["n_queries"] == 1
    built = dbt(
        ["build", "--exclude-resource-type", "unit_test", "--select", "volume_property_usage",
         "taxonomy_event_types", "taxonomy_event_properties", "source:history.event_property_usage",
         "--indirect-selection", "cautious"],
        {"FORETELL_WAREHOUSE": str(path)},
        tmp_path,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout[-3000:]
    counted = "select event_name, n_queries from {} where n_queries > 0"
    assert query(path, counted.format("taxonomy_event_types")) == [(event_name, 1)]
    assert query(path, counted.format("taxonomy_event_properties")) == [(event_name, 1)]
