"""`dbt build` alone: unit tests and data tests pass, with no events, and with every kind of them."""

from __future__ import annotations

from datetime import timedelta

from tests.conftest import SHOP, dbt, query, write_events
from tests.random_events import START, random_events


def test_fresh_clone_without_events(tmp_path):
    """No events and no model: everything is built, tested and empty; dbt's unit tests run here."""
    done = dbt(["build"], {"FORETELL_WAREHOUSE": str(tmp_path / "warehouse.duckdb"),
                           "FORETELL_EVENTS": "", "FORETELL_PREDICTIONS": ""}, tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    assert query(tmp_path / "warehouse.duckdb", "select * from predictions") == []


def test_every_data_test_passes_on_dirty_events(tmp_path):
    (tmp_path / "p").mkdir()
    other = SHOP.replace("name: buys", "name: other").replace(
        "horizon_days: 7", "horizon_days: 7, reasons: true, budget: {minutes: 20, memory_gb: 8}"
    )
    (tmp_path / "p/shop.yml").write_text(SHOP)
    (tmp_path / "p/other.yml").write_text(other)
    environment = {
        "FORETELL_EVENTS": str(write_events(tmp_path / "events.parquet", random_events(11))),
        "FORETELL_PREDICTIONS": str(tmp_path / "p"),
        "FORETELL_WAREHOUSE": str(tmp_path / "warehouse.duckdb"),
        "FORETELL_AS_OF": (START + timedelta(days=70)).isoformat(),
    }
    done = dbt(["build", "--exclude-resource-type", "unit_test"], environment, tmp_path)
    assert done.returncode == 0, done.stdout[-4000:]
    raw, statuses = query(
        tmp_path / "warehouse.duckdb",
        "select count(*) from stg_raw_events union all select sum(n_rows) from stg_ingest_counts",
    )
    assert raw == statuses
    # Reasons, and what training may take, do not change the question: models stay.
    (plain, other) = query(
        tmp_path / "warehouse.duckdb",
        "select definition_hash, has_reasons, budget_minutes, budget_memory_gb"
        " from prediction_definitions order by prediction",
    )
    assert plain[1:] == (False, None, None)
    assert other[1:] == (True, 20, 8)
    assert plain[0] == other[0]
