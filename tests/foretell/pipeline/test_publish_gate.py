"""What is kept from readers, and what is only reported."""

from __future__ import annotations

from datetime import datetime, timedelta

import duckdb
import pytest

from foretell.alarms.alarms import Alarm, current_alarms, replace_alarms
from foretell.errors import ForetellError, HeldBack
from foretell.pipeline.publish_gate import Limits, pass_gate, read_limits
from foretell.project import PACKAGE
from foretell.settings import Settings
from foretell.warehouse.open import open_warehouse
from tests.history_tables import ALARMS_TABLE

NOW = datetime(2026, 6, 1)


def fill(path, name: str, users: int, as_of: datetime = NOW, extra: str = "", cohort: int = 100):
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"create schema if not exists foretell; use {name}.foretell;")
        connection.execute(
            f"""
            create or replace table predictions as
            select 'buys' as prediction, 'u' || i as user_id, timestamp '{as_of}' as as_of,
                false as is_of_older_definition
            from range({users}) as users (i) {extra};
            create or replace table prediction_definitions as select 'buys' as prediction;
            create or replace table scoring_rows as
            select 'buys' as prediction, 'u' || i as user_id from range({cohort}) as users (i);
            create or replace table stg_as_of as select timestamp '{as_of}' as as_of;
            {ALARMS_TABLE.replace("create table", "create table if not exists")}
            """
        )


@pytest.fixture
def settings(tmp_path):
    """Return the settings of a warehouse whose readers have scores of 100 users."""
    fill(tmp_path / "w_published.duckdb", "w_published", 100)
    return Settings(events="", warehouse=tmp_path / "w.duckdb")


def held_back(settings, **options) -> str:
    lines = []
    with pytest.raises(HeldBack) as held:
        pass_gate(settings, lines.append, **options)
    assert lines == []
    return str(held.value)


def alarms(settings) -> list[Alarm]:
    with open_warehouse(settings.warehouse, read_only=True) as warehouse:
        return current_alarms(warehouse)


@pytest.mark.parametrize(("users", "cohort", "days"), [(100, 100, 1), (50, 50, 0), (130, 130, 35)])
def test_what_changes_from_day_to_day_passes(settings, users, cohort, days):
    fill(settings.warehouse, "w", users, NOW + timedelta(days=days), cohort=cohort)
    pass_gate(settings, pytest.fail)
    assert alarms(settings) == []


def test_the_first_copy_and_one_that_is_torn_are_written(settings, tmp_path):
    fill(settings.warehouse, "w", 3)
    (tmp_path / "w_published.duckdb").write_bytes(b"torn")
    pass_gate(settings, pytest.fail)
    (tmp_path / "w_published.duckdb").unlink()
    pass_gate(settings, pytest.fail)


def test_half_the_users_gone(settings):
    fill(settings.warehouse, "w", 49, cohort=49)
    reason = held_back(settings)
    assert (
        "readers keep the copy before: buys has scores of 49 users where readers have 100: 51%"
        in reason
    )
    assert reason.endswith("publish anyway: --accept")
    assert [alarm.is_held_back for alarm in alarms(settings)] == [True]
    lines = []
    pass_gate(settings, lines.append, is_accepted=True)
    assert "51% fewer" in lines[0]
    assert [alarm.is_held_back for alarm in alarms(settings)] == [False]


def test_all_users_gone_and_a_prediction_that_is_not_defined_any_more(settings):
    fill(settings.warehouse, "w", 0, cohort=0)
    assert "scores of 0 users where readers have 100" in held_back(settings)
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("update w.foretell.prediction_definitions set prediction = 'views'")
    pass_gate(settings, pytest.fail)


def test_users_of_the_cohort_who_lost_their_score(settings):
    fill(settings.warehouse, "w", 94)
    assert "6 of the 100 users of buys lost their score" in held_back(settings)
    fill(settings.warehouse, "w", 95)
    lines = []
    pass_gate(settings, lines.append)
    assert "5 of the 100 users of buys lost their score" in lines[0]


def test_time_goes_back(settings):
    fill(settings.warehouse, "w", 100, NOW - timedelta(hours=1))
    assert "as_of goes back from 2026-06-01 00:00 to 2026-05-31 23:00" in held_back(settings)
    pass_gate(
        Settings(events="", warehouse=settings.warehouse, is_replay_published=True), pytest.fail
    )


def test_time_jumps(settings):
    fill(settings.warehouse, "w", 100, NOW + timedelta(days=36))
    assert "as_of jumps 36 days ahead" in held_back(settings)
    named = Settings(events="", warehouse=settings.warehouse, as_of=NOW + timedelta(days=36))
    pass_gate(named, pytest.fail)


def test_what_another_check_holds_back_was_not_scored_and_the_rest_is_published(settings):
    fill(settings.warehouse, "w", 100)
    held = Alarm("expected_outcomes", "0.07 expected, 70 usual", "buys", is_held_back=True)
    with open_warehouse(settings.warehouse) as warehouse:
        replace_alarms(warehouse, ["expected_outcomes"], [held], NOW)
    pass_gate(settings, lambda line: None)
    with open_warehouse(settings.warehouse) as warehouse:
        whole = Alarm("expected_outcomes", "no event is usable", is_held_back=True)
        replace_alarms(warehouse, ["expected_outcomes"], [whole], NOW)
    assert "no event is usable" in held_back(settings)
    pass_gate(settings, lambda line: None, is_accepted=True)


def test_a_changed_definition_is_reported(settings):
    fill(settings.warehouse, "w", 100)
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("update w.foretell.predictions set is_of_older_definition = true")
    lines = []
    pass_gate(settings, lines.append)
    assert "the definition of buys was changed: its 100 scores, as of 2026-06-01 00:00" in lines[0]
    assert [alarm.kind for alarm in alarms(settings)] == ["older_definition"]


def test_the_limits_stand_in_the_project():
    assert read_limits(PACKAGE) == Limits()


def test_a_limit_that_is_no_share_is_refused(tmp_path):
    (tmp_path / "dbt_project.yml").write_text(
        "vars: {foretell: {publish_gate: {max_lost_users: 50}}}"
    )
    with pytest.raises(ForetellError, match="max_lost_users is 50"):
        read_limits(tmp_path)
