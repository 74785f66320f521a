"""What a champion takes stays computed when the taxonomy drops it, and no new model learns from it."""

from __future__ import annotations

import pytest

from foretell.pipeline import registry
from foretell.pipeline.registry import CHAMPION, ModelRecord
from foretell.warehouse.open import open_warehouse
from tests.conftest import AFTER_SCORING, SHOP, WarehouseFolder, write_events
from tests.random_events import arriving_events

WIDE = "max_value_counters: 30, min_value_share: 0.05"
# Next to nothing is kept, and of `category`, `app` and `plan` another set of values than before.
NARROW = (
    "max_value_counters: 1, min_value_share: 0.05, max_sum_counters: 0, max_event_types: 1, "
    "max_values_per_user_property: 1"
)
FEATURES = "select feature_name, is_kept, kept_values_hash is not null from taxonomy_features"
VALUES = """
    select as_of, user_id, feature_name, user_features.value
    from user_features
    inner join features using (feature_id)
    where feature_name in (select feature_name from model_features)
    order by all
"""
KEPT = "select * exclude (counter_id) from taxonomy_features where is_kept order by all"


class Warehouse(WarehouseFolder):
    """A warehouse whose taxonomy is set anew with every build."""

    def add(self, name: str, rows: list[dict]) -> None:
        write_events(self.folder / f"events/{name}.parquet", rows)

    def build(self, variables: str, rules: str = "{}", scope: str = "everyone", *more: str) -> None:
        self.define(SHOP.replace("{meta: {", "{meta: {taxonomy: " + rules + ", "))
        self.dbt(scope, [*more, "--exclude", AFTER_SCORING], variables)

    def crown(self) -> None:
        """Save a champion that takes everything there is."""
        with open_warehouse(self.path) as warehouse:
            (now,) = warehouse.rows(
                "select as_of, definition_hash from stg_as_of, prediction_definitions"
            )
            features = warehouse.rows("select feature_id from features order by feature_id")
            model = ModelRecord(
                "m", "buys", now["definition_hash"], now["as_of"], CHAMPION, "",
                feature_ids=[row["feature_id"] for row in features], holdout_feature_ids=[],
            )  # fmt: skip
            registry.save_model(warehouse, model)


@pytest.fixture(scope="module")
def rows():
    return arriving_events(1)


@pytest.fixture(scope="module")
def reigning(tmp_path_factory, rows):
    """Return a warehouse with a champion of its first build."""
    warehouse = Warehouse(tmp_path_factory.mktemp("champion") / "w")
    warehouse.add("1", rows[:800])
    warehouse.build(WIDE)
    warehouse.crown()
    return warehouse


def test_a_champion_finds_its_features_and_new_models_do_not(reigning, tmp_path, rows):
    features, values = reigning.query(FEATURES), reigning.query(VALUES)
    assert len(values) > 5000
    assert {row[1:] for row in features} == {(True, True), (True, False)}

    reigning.build(NARROW)
    names = {row[0] for row in features}
    assert names <= {row[0] for row in reigning.query(FEATURES)}
    assert reigning.query(VALUES) == values
    dropped = reigning.query("select distinct kind from taxonomy_features where not is_kept")
    assert {kind for (kind,) in dropped} >= {
        "event_count", "value_count", "other_count", "value_sum", "value_mean_ever",
        "user_property_last", "user_property_first",
    }  # fmt: skip
    alone = Warehouse(tmp_path / "alone")
    alone.add("1", rows[:800])
    alone.build(NARROW)
    assert reigning.query(KEPT) == alone.query(KEPT)
    kept = "select * exclude (counter_id) from taxonomy_property_values where is_kept order by all"
    assert reigning.query(kept) == alone.query(kept)

    # What comes in later is counted as if all had come at once, for champion and new models.
    reigning.add("2", rows[800:830])
    reigning.build(NARROW, "{}", "active")
    reigning.add("3", rows[830:])
    reigning.build(NARROW)
    everything = "select * from user_features order by all"
    in_parts = reigning.query(everything)
    reigning.build(NARROW, "{}", "everyone", "--full-refresh")
    assert reigning.query(everything) == in_parts


def test_a_ban_beats_a_champion_and_without_it_nothing_is_kept(reigning):
    reigning.build(
        NARROW, "{ban: [{event: view}, {property: category, value: hats}, {user_property: plan}]}"
    )
    left = reigning.query("select kind, event_name, property, value from taxonomy_features")
    assert not [row for row in left if row[1] == "view" or row[2] == "plan"]
    assert ("value_count", '🛒 "sale"', "category", "shoes") in left
    assert not [row for row in left if row[2] == "category" and row[3] == "hats"]
    # Without it nobody can tell what is neither shoes nor hats.
    assert ("other_count", '🛒 "sale"', "category", None) not in left

    with open_warehouse(reigning.path) as warehouse:
        warehouse.execute("update models set status = 'rejected'")
    reigning.build(NARROW)
    assert reigning.query("select count(*) from taxonomy_features where not is_kept") == [(0,)]
    assert reigning.query(
        "select count(*) from hourly_counters where is_counted and not is_chosen"
    ) == [(0,)]
