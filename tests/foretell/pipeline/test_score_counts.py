"""Whether `predictions` has every user once, with a probability."""

from __future__ import annotations

import duckdb
import pytest

from foretell.alarms.alarms import Alarm, replace_alarms
from foretell.pipeline import score_counts
from foretell.pipeline.score_counts import count_scores
from foretell.warehouse.open import open_warehouse
from tests.history_tables import ALARMS_TABLE

TABLES = """
    create schema foretell; use w.foretell;
    create table prediction_definitions as
        from (values ('buys'), ('leaves')) as t (prediction);
    create table stg_as_of as select timestamp '2026-06-01' as as_of;
    create table scoring_rows as
        from (values ('buys', 'a', true), ('buys', 'b', true), ('buys', 'c', false))
        as t (prediction, user_id, has_features);
    create table predictions as
        from (values ('buys', 'a', 0.5::double), ('buys', 'b', 0.1)) as t (prediction, user_id, probability);
"""


@pytest.fixture
def warehouse(tmp_path, monkeypatch):
    """Every prediction has a champion; user c was not processed by this run."""
    monkeypatch.setattr(score_counts, "read_champion", lambda *_: (object(), []))
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute(TABLES + ALARMS_TABLE)
    with open_warehouse(tmp_path / "w.duckdb") as opened:
        yield opened


def test_every_user_of_this_run_has_one_score(warehouse):
    buys, leaves = count_scores(warehouse).values()
    assert (buys.n_users, buys.n_scored, buys.n_missing) == (3, 2, 0)
    assert buys.is_one_row_per_user
    assert (leaves.n_users, leaves.is_one_row_per_user) == (0, True)


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ("delete from predictions where user_id = 'a'", (1, 0, 0)),
        ("insert into predictions values ('buys', 'a', 0.5)", (0, 1, 0)),
    ],
)
def test_a_missing_or_second_score_is_counted(warehouse, change, counts):
    warehouse.execute(change)
    buys = count_scores(warehouse)["buys"]
    assert (buys.n_missing, buys.n_repeated, buys.n_outside) == counts
    assert not buys.is_one_row_per_user


@pytest.mark.parametrize("probability", ["1.01", "-0.1", "null", "'nan'::double"])
def test_what_is_no_probability_is_counted(warehouse, probability):
    warehouse.execute(f"update predictions set probability = {probability} where user_id = 'b'")
    assert count_scores(warehouse)["buys"].n_outside == 1


def test_of_a_prediction_that_is_held_back_no_score_is_expected(warehouse):
    warehouse.execute("delete from predictions")
    replace_alarms(warehouse, ["gone"], [Alarm("gone", "x", "buys", is_held_back=True)], None)
    buys = count_scores(warehouse)["buys"]
    assert (buys.has_model, buys.n_missing, buys.is_one_row_per_user) == (False, 2, True)
