"""Every score of the past, and features, as Parquet for readers."""

from __future__ import annotations

import duckdb
import pytest

from foretell.pipeline.publish_days import publish_days, publish_features

TABLES = """
    attach ':memory:' as warehouse;
    create schema warehouse.foretell;
    create schema warehouse.foretell_internal;
    create table warehouse.foretell_internal.stg_as_of as select timestamp '2026-06-02 05:00' as as_of;
    create table warehouse.foretell.user_features as
    select timestamp '2026-06-02 05:00' as as_of, 'u1' as user_id, 1 as feature_id, 2.5 as value
    union all select timestamp '2026-05-26', 'u1', 1, 1.5;
    create table warehouse.foretell.prediction_history as
    select 'buys' as prediction, 'u' || i as user_id, 0.5 as probability,
        timestamp '2026-06-01 23:00' + interval (i) hour as as_of, timestamp '2026-06-02' as scored_at
    from range(3) as t (i);
    set search_path = 'warehouse.foretell,warehouse.foretell_internal';
"""
HISTORY = "select * exclude (as_of_date) from read_parquet('{}/prediction_history/*/*.parquet') order by all"


@pytest.fixture
def hub():
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        yield connection


def test_the_history_is_a_file_per_day_and_only_days_that_grew_are_written(hub, tmp_path):
    publish_days(hub, tmp_path)
    days = sorted((tmp_path / "prediction_history").iterdir())
    assert [day.name for day in days] == ["as_of_date=2026-06-01", "as_of_date=2026-06-02"]
    written = [(day / "scores.parquet").stat().st_mtime_ns for day in days]
    hub.execute(
        "insert into warehouse.foretell.prediction_history values ('buys', 'u9', 0.1, '2026-06-02 07:00', '2026-06-02')"
    )
    publish_days(hub, tmp_path)
    assert (days[0] / "scores.parquet").stat().st_mtime_ns == written[0]
    assert (days[1] / "scores.parquet").stat().st_mtime_ns > written[1]
    shown = hub.execute(HISTORY.format(tmp_path)).fetchall()
    assert (
        shown == hub.execute("from warehouse.foretell.prediction_history order by all").fetchall()
    )
    assert (days[1] / "scores.parquet").stat().st_mode & 0o777 == 0o600


def test_a_torn_file_is_written_again_and_a_day_that_is_gone_goes(hub, tmp_path):
    publish_days(hub, tmp_path)
    torn = tmp_path / "prediction_history/as_of_date=2026-06-02/scores.parquet"
    torn.write_bytes(torn.read_bytes()[:100])
    hub.execute("delete from warehouse.foretell.prediction_history where as_of < '2026-06-02'")
    publish_days(hub, tmp_path)
    shown = hub.execute(HISTORY.format(tmp_path)).fetchall()
    assert (
        shown == hub.execute("from warehouse.foretell.prediction_history order by all").fetchall()
    )


def test_the_same_day_of_another_warehouse_is_written_again(hub, tmp_path):
    publish_days(hub, tmp_path)
    hub.execute(
        "update warehouse.foretell.prediction_history set probability = 0.9, scored_at = '2026-06-03'"
    )
    publish_days(hub, tmp_path)
    shown = hub.execute(HISTORY.format(tmp_path)).fetchall()
    assert (
        shown == hub.execute("from warehouse.foretell.prediction_history order by all").fetchall()
    )


def test_features_of_now_are_published_where_that_is_wanted(hub, tmp_path):
    publish_features(hub, tmp_path, False)
    assert list(tmp_path.iterdir()) == []
    publish_features(hub, tmp_path, True)
    hub.execute("update warehouse.foretell_internal.stg_as_of set as_of = '2026-05-26'")
    publish_features(hub, tmp_path, True)
    (part,) = (tmp_path / "user_features").iterdir()
    assert part.name == "as_of_hour=2026-05-26T00"
    found = hub.execute(f"select user_id, value from '{part}/features.parquet'").fetchall()
    assert found == [("u1", 1.5)]
    publish_features(hub, tmp_path, False)
    assert list((tmp_path / "user_features").iterdir()) == []
