"""What the taxonomy says of real events, and that pins and bans take effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from foretell.project import PACKAGE
from tests.conftest import dbt, query

DATA = PACKAGE.parent / "shared/data"
RULES = """
exposures:
  - name: buys
    type: ml
    owner: {name: t}
    depends_on: [ref('predictions')]
    config:
      meta:
        prediction: {outcome: {event: any}, horizon_days: 7}
        taxonomy: RULES
"""
KEPT = "select property, value_type, bool_or(is_kept) from taxonomy where kind = '{}' group by all"


def build(name: str, folder: Path, rules: str) -> Path:
    """Build the taxonomy of a data set under some pins and bans; return the warehouse."""
    events = DATA / name / "events.parquet"
    if not events.exists():  # other people's data, which may not be copied into the project
        pytest.skip(f"no {events}: the real events are kept beside the project, not in it")
    (folder / "p").mkdir(exist_ok=True)
    (folder / "p/rules.yml").write_text(RULES.replace("RULES", rules))
    environment = {
        "FORETELL_EVENTS": str(events),
        "FORETELL_PREDICTIONS": str(folder / "p"),
        "FORETELL_WAREHOUSE": str(folder / "warehouse.duckdb"),
    }
    done = dbt(["run", "--select", "+taxonomy", "+taxonomy_features"], environment, folder)
    assert done.returncode == 0, done.stdout[-3000:]
    return folder / "warehouse.duckdb"


def test_online_retail(tmp_path):
    warehouse = build("online_retail", tmp_path, "{}")
    found = set(query(warehouse, KEPT.format("event property")))
    for row in [
        ("invoice", "identifier", False), ("description", "text", False),
        ("amount", "number", True), ("quantity", "number", True), ("revenue", "number", True),
    ]:  # fmt: skip
        assert row in found
    assert {each for each in found if each[0] in ("invoice", "description")} == {
        ("invoice", "identifier", False), ("description", "text", False),
    }  # fmt: skip
    assert query(warehouse, KEPT.format("user property")) == [("country", "category", True)]


def test_shop_clickstream_with_pins_and_bans(tmp_path):
    warehouse = build("shop_clickstream", tmp_path, "{}")
    assert set(query(warehouse, KEPT.format("event property"))) == {
        ("session_id", "identifier", False), ("platform", "category", True),
    }  # fmt: skip
    features = "select distinct event_name, property, value from taxonomy_features where {}"
    assert ("checkout_bug", "platform", "mobile") not in query(
        warehouse, features.format("event_name = 'checkout_bug'")
    )
    rules = """
          pin: [{event: checkout_bug, property: platform, value: "mob*"}, {user_property: user_cohort}]
          ban: [{event: "pro*"}, {event: catalog, property: "*"}, {user_property: "acq*"}]
    """
    warehouse = build("shop_clickstream", tmp_path, rules)
    assert ("checkout_bug", "platform", "mobile") in query(
        warehouse, features.format("event_name = 'checkout_bug'")
    )
    assert query(warehouse, features.format("event_name like 'pro%'")) == []
    assert (
        query(warehouse, features.format("event_name = 'catalog' and property is not null")) == []
    )
    assert query(warehouse, features.format("event_name = 'catalog'")) != []
    reasons = query(
        warehouse,
        "select distinct property, is_kept, reason from taxonomy where kind = 'user property value' "
        "and property in ('user_cohort', 'acquisition_channel')",
    )
    assert set(reasons) == {
        ("user_cohort", True, "pinned"),
        ("acquisition_channel", False, "banned"),
    }
