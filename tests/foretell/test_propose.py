"""Which outcomes are proposed as predictions."""

import duckdb
import pytest
import yaml

from foretell.propose import Outcome, as_yaml, choose_outcomes, read_outcomes, read_silent
from foretell.warehouse.open import open_warehouse

DAY = 24
NOW = 490_000


def names(*outcomes):
    return [each.event_name for each in choose_outcomes([Outcome(*given) for given in outcomes])]


def test_a_wanted_name_comes_first_then_the_rarest():
    assert names(("view", 300, 1000), ("share", 100, 1000), ("Order Completed", 200, 1000)) == [
        "Order Completed", "share",
    ]  # fmt: skip


@pytest.mark.parametrize(("n_users", "n_cohort"), [(19, 100), (999, 1000), (20, 100_000), (0, 0)])
def test_what_nearly_all_or_too_few_do_is_not_proposed(n_users, n_cohort):
    assert names(("purchase", n_users, n_cohort)) == []


def test_a_name_that_dbt_would_take_for_code_is_not_proposed():
    assert names(("{{ 1/0 }} order", 200, 1000), ("{% x %}", 200, 1000)) == []


@pytest.fixture
def warehouse(tmp_path):
    """Of three users active before the last two weeks one came back; a fourth is new."""
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute(
            "create schema foretell; create schema foretell_internal; use foretell_internal"
        )
        connection.execute(f"create table stg_as_of as select {NOW} as as_of_hour")
        connection.execute(
            "create table stg_events (identity_key bigint, event_name varchar, event_hour integer)"
        )
        for key, event, days_ago in [
            (1, "view", 20), (1, "buy", 3), (1, "view", 3),
            (2, "view", 20), (2, "view", 15),
            (3, "view", 16),
            (4, "buy", 2), (4, "view", 1),
            (5, "view", 60),
        ]:  # fmt: skip
            connection.execute(
                "insert into stg_events values (?, ?, ?)", [key, event, NOW - days_ago * DAY]
            )
    with open_warehouse(tmp_path / "w.duckdb") as opened:
        yield opened


def test_users_are_those_active_before_the_window(warehouse):
    found = {each.event_name: (each.n_users, each.n_cohort) for each in read_outcomes(warehouse)}
    assert found == {"view": (1, 3), "buy": (1, 3)}
    silent = read_silent(warehouse)
    assert (silent.n_users, silent.n_cohort) == (2, 3)


def test_definitions_are_yaml_whatever_the_event_is_called():
    exposures = [{"name": "a", "config": {"outcome": {"event": 'it\'s: "é" # 😀'}}}]
    assert yaml.safe_load(as_yaml(exposures)) == {"exposures": exposures}
