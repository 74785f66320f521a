"""A past hour is replayed on a copy; what is live stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import duckdb
import pytest

from foretell.errors import ForetellError
from foretell.pipeline.replay import (
    newest_as_of,
    of_run,
    refuse_replay,
    replay_path,
    replayed_before,
)
from foretell.settings import Settings

NOW, PAST = datetime(2026, 6, 1), datetime(2026, 5, 1)


@pytest.fixture
def settings(tmp_path):
    """Return the settings of a replay in a warehouse whose newest run was as of NOW."""
    settings = Settings(events="", warehouse=tmp_path / "w.duckdb", as_of=PAST)
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("create schema foretell; use w.foretell")
        connection.execute("create table stg_as_of as select ?::timestamp as as_of", [NOW])
        connection.execute("create table build_state as select ?::timestamp as newest_as_of", [NOW])
    return settings


def test_without_a_warehouse_nothing_is_replayed(settings):
    missing = replace(settings, warehouse=settings.warehouse.with_name("none.duckdb"))
    assert newest_as_of(missing) is None
    assert replayed_before(missing) is None


def test_only_an_hour_before_the_newest_run_is_a_replay(settings):
    assert newest_as_of(settings) == NOW
    assert replayed_before(settings) == NOW
    for other in ({"as_of": NOW}, {"as_of": None}, {"is_replay": True}):
        assert replayed_before(replace(settings, **other)) is None
    assert replayed_before(replace(settings, is_replay_published=True)) is None


def test_a_published_replay_does_not_hide_the_run_before_it(settings):
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("use w.foretell")
        connection.execute("update stg_as_of set as_of = ?", [PAST])
    assert newest_as_of(settings) == NOW


def test_a_run_of_a_past_hour_works_on_a_copy(settings):
    lines = []
    with of_run(settings, "foretell score", lines.append) as used:
        assert used.warehouse == replay_path(settings.warehouse)
        assert used.is_replay
        with duckdb.connect(str(used.warehouse)) as copy:
            copy.execute("drop table w_replay.foretell.stg_as_of")
    assert newest_as_of(settings) == NOW
    (line,) = lines
    assert line.startswith("as of 2026-05-01 00:00 is before the newest run (2026-06-01 00:00)")


def test_a_run_of_now_works_on_the_warehouse_itself(settings):
    now = replace(settings, as_of=NOW)
    with of_run(now, "foretell score", pytest.fail) as used:
        assert used == now
    assert not replay_path(settings.warehouse).exists()


def test_dagster_refuses_a_replay(settings):
    with pytest.raises(ForetellError, match="FORETELL_AS_OF=2026-05-01T00:00 is before"):
        refuse_replay(settings)
    refuse_replay(replace(settings, as_of=None))
