from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import duckdb
import pyarrow as pa
import pytest

from foretell.pipeline import registry
from foretell.pipeline.registry import CHALLENGER, CHAMPION, REJECTED, RETIRED, ModelRecord
from foretell.warehouse.open import open_warehouse
from tests.history_tables import create_model_tables

FIRST = ModelRecord(
    model_id="m1", prediction="buys", definition_hash="h", as_of=datetime(2026, 1, 1), status=CHAMPION,
    reason="", candidate="logistic", metrics={"auroc": {"value": 0.7}}, feature_ids=[3, 1], onnx=b"\x00\xff",
    holdout_feature_ids=[1], holdout_onnx=b"\xfe", challenge={"is_promoted": True, "decision": "promoted"},
)  # fmt: skip


def day(number: int, **changes) -> ModelRecord:
    """Return the model of one day in January."""
    return replace(FIRST, model_id=f"m{number}", as_of=datetime(2026, 1, number), **changes)


@pytest.fixture
def warehouse(tmp_path):
    path = create_model_tables(
        tmp_path,
        """
        create table prediction_definitions as select 'buys' as prediction, 'h' as definition_hash;
        create table stg_as_of as select timestamp '2026-01-08' as as_of;
        """,
    )
    with open_warehouse(path) as opened:
        yield opened


def statuses(warehouse) -> dict[str, str]:
    return {
        row["model_id"]: row["status"]
        for row in warehouse.rows("select model_id, status from models")
    }


def champion_as_of(warehouse, as_of: str) -> str | None:
    warehouse.execute("update stg_as_of set as_of = ?", [as_of])
    found = registry.find_champion(warehouse, "buys")
    return found and found.model_id


def test_a_model_comes_back_as_it_was_saved(warehouse):
    registry.save_model(warehouse, FIRST)
    saved = registry.find_champion(warehouse, "buys")
    assert replace(saved, trained_at=None) == FIRST
    assert saved.trained_at is not None


def test_a_new_champion_retires_the_one_before(warehouse):
    registry.save_model(warehouse, FIRST)
    registry.save_model(warehouse, day(2))
    assert statuses(warehouse) == {"m1": RETIRED, "m2": CHAMPION}


def test_the_features_of_a_promoted_model_are_stored(warehouse):
    warehouse.execute(
        """
        insert into features (feature_id, feature_name) values (1, 'week 0'), (2, 'not taken'), (3, 'others, week 1'), (4, 'plan');
        insert into taxonomy_features values
            ('week 0', 'event_count', 5, 'buy', null, null, null, false, 0, true),
            ('others, week 1', 'other_count', 6, 'buy', 'plan', null, 77, true, 1, false),
            ('plan', 'user_property_last', null, null, 'plan', null, 77, false, null, true),
            ('not taken', 'event_count', 7, 'view', null, null, null, false, 0, true);
        insert into taxonomy_other_values values
            ('buy', 'plan', 77, '1.2.*'), ('buy', 'plan', 77, '1.3.*'), ('buy', 'plan', 78, 'x'),
            (null, 'plan', 77, 'pro');
        """
    )
    registry.save_model(warehouse, replace(FIRST, feature_ids=[3, 1], holdout_feature_ids=[4, 1]))
    registry.save_model(warehouse, day(2, status=CHALLENGER))
    registry.save_model(
        warehouse, day(3, status=REJECTED, feature_ids=None, holdout_feature_ids=None)
    )
    rows = warehouse.rows("select * from model_features order by feature_name, value")
    assert [tuple(row.values()) for row in rows] == [
        ("m1", "others, week 1", "other_count", "buy", "plan", "1.2.*", 77, True, 1),
        ("m1", "others, week 1", "other_count", "buy", "plan", "1.3.*", 77, True, 1),
        ("m1", "plan", "user_property_last", None, "plan", "pro", 77, False, None),
        ("m1", "week 0", "event_count", "buy", None, None, None, False, 0),
    ]


def test_of_two_models_of_one_hour_the_later_trained_scores(warehouse):
    registry.save_model(warehouse, replace(FIRST, trained_at=datetime(2026, 1, 1, 12)))
    again = replace(FIRST, model_id="again", trained_at=datetime(2026, 1, 1, 13))
    registry.save_model(warehouse, again)
    assert statuses(warehouse) == {"m1": RETIRED, "again": CHAMPION}
    assert champion_as_of(warehouse, "2026-01-01") == "again"


def test_a_rejected_model_leaves_the_champion_scoring(warehouse):
    registry.save_model(warehouse, FIRST)
    registry.save_model(warehouse, day(2, status=REJECTED, reason="parity"))
    assert registry.find_champion(warehouse, "buys").model_id == "m1"
    assert registry.find_newest(warehouse, "buys").model_id == "m2"


def test_a_challenger_stays_until_the_next_model_and_never_scores(warehouse):
    registry.save_model(warehouse, FIRST)
    registry.save_model(warehouse, day(2, status=CHALLENGER, reason="worse"))
    assert statuses(warehouse) == {"m1": CHAMPION, "m2": CHALLENGER}
    registry.save_model(warehouse, day(3, status=CHALLENGER, reason="worse"))
    assert statuses(warehouse) == {"m1": CHAMPION, "m2": REJECTED, "m3": CHALLENGER}
    registry.save_model(warehouse, day(4))
    assert statuses(warehouse) == {"m1": RETIRED, "m2": REJECTED, "m3": REJECTED, "m4": CHAMPION}
    assert registry.find_model(warehouse, "m2").reason == "worse"
    for hour, expected in (("01", "m1"), ("02", "m1"), ("03 23:00", "m1"), ("04", "m4")):
        assert champion_as_of(warehouse, f"2026-01-{hour}") == expected


def test_a_replay_decides_nothing_about_later_hours(warehouse):
    """A model trained for an hour between two champions scores there, and only there."""
    registry.save_model(warehouse, day(1))
    registry.save_model(warehouse, day(5))
    before = statuses(warehouse)
    assert champion_as_of(warehouse, "2026-01-03") == "m1"
    registry.update_statuses(warehouse, "buys")
    assert statuses(warehouse) == before
    registry.save_model(warehouse, day(3))
    assert statuses(warehouse) == {"m1": RETIRED, "m3": RETIRED, "m5": CHAMPION}
    assert champion_as_of(warehouse, "2026-01-02") == "m1"
    assert champion_as_of(warehouse, "2026-01-04") == "m3"
    assert champion_as_of(warehouse, "2026-01-08") == "m5"
    registry.save_model(warehouse, day(2, status=CHALLENGER))
    assert statuses(warehouse)["m2"] == REJECTED


def test_a_model_of_another_definition_does_not_score_until_it_is_the_present_one_again(warehouse):
    registry.save_model(warehouse, FIRST)
    warehouse.execute("update prediction_definitions set definition_hash = 'new question'")
    assert registry.find_champion(warehouse, "buys") is None
    registry.save_model(warehouse, day(2, definition_hash="new question"))
    assert statuses(warehouse) == {"m1": RETIRED, "m2": CHAMPION}
    warehouse.execute("update prediction_definitions set definition_hash = 'h'")
    assert registry.find_champion(warehouse, "buys").model_id == "m1"
    registry.update_statuses(warehouse, "buys")
    assert statuses(warehouse) == {"m1": CHAMPION, "m2": RETIRED}


def test_a_model_that_knows_the_future_of_as_of_does_not_score(warehouse):
    registry.save_model(warehouse, day(9))
    assert registry.find_champion(warehouse, "buys") is None
    assert registry.find_newest(warehouse, "buys") is None


def test_held_out_scores_are_kept_of_champion_and_challenger_only(warehouse):
    def scores_of(model_id):
        return pa.Table.from_pylist(
            [{"prediction": "buys", "model_id": model_id, "user_id": f"u{n}"} for n in range(3)]
        )

    def kept():
        return [
            tuple(row.values())
            for row in warehouse.rows(
                "select model_id, count(*) from held_out_scores group by 1 order by 1"
            )
        ]

    registry.save_model(warehouse, day(1), scores_of("m1"))
    registry.save_model(warehouse, day(2, status=CHALLENGER), scores_of("m2"))
    assert kept() == [("m1", 3), ("m2", 3)]
    registry.save_model(warehouse, day(3), scores_of("m3"))
    assert kept() == [("m3", 3)]


def test_a_failed_write_leaves_nothing(warehouse):
    registry.save_model(warehouse, FIRST)
    broken = replace(FIRST, model_id="m2", as_of="no time")
    with pytest.raises(duckdb.Error):
        registry.save_model(warehouse, broken)
    assert statuses(warehouse) == {"m1": CHAMPION}
