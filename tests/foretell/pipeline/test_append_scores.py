"""New scores beside known ones: what is appended, and each user's rank in the whole cohort."""

from datetime import datetime, timedelta

import duckdb
import pytest

from foretell.pipeline.append_scores import NewScores, newest_served
from foretell.pipeline.registry import CHAMPION, ModelRecord
from foretell.warehouse.open import open_warehouse
from tests.history_tables import PREDICTION_HISTORY

NOW, LATER = datetime(2026, 1, 2), datetime(2026, 1, 2, 1)
MODEL = ModelRecord("m", "buys", "h", NOW, CHAMPION, "")


@pytest.fixture
def warehouse(tmp_path):
    """Five users were scored; a was scored anew, and so was f, whom nobody knew."""
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema foretell; use w.foretell;")
        connection.execute(PREDICTION_HISTORY)
        connection.execute("""
            insert into prediction_history
            select 'buys', user_id, probability, null, 0, '2026-01-02', '2026-01-02', 'm'
            from (values ('a', 0.1), ('b', 0.2), ('c', 0.4), ('d', 0.4), ('e', 0.9))
                as known(user_id, probability);
            create table scoring_rows as
            select 'buys' as prediction, unnest(['a', 'b', 'c', 'd', 'e', 'f']) as user_id;
            create table scored (
                prediction varchar, user_id varchar, probability double, expected_value double);
            insert into scored values ('buys', 'a', 0.5, null), ('buys', 'f', 0.3, null)
        """)
    with open_warehouse(path) as opened:
        yield opened


def rows_at(warehouse, as_of):
    rows = warehouse.rows("select * from prediction_history where as_of = ?", [as_of])
    return {row["user_id"]: (row["probability"], row["percentile"]) for row in rows}


def test_a_rank_is_in_the_whole_cohort_and_counts_each_users_newest_score(warehouse):
    # b 0.2, f 0.3, c and d 0.4, a 0.5, e 0.9: one of five others is below f, four are below a
    assert NewScores(MODEL, LATER, None).append(warehouse, LATER) == 2
    assert rows_at(warehouse, LATER) == {"a": (0.5, 80), "f": (0.3, 20)}


def test_users_who_left_the_cohort_count_no_more(warehouse):
    warehouse.execute("delete from scoring_rows where user_id in ('c', 'd', 'e')")
    assert NewScores(MODEL, LATER, None).append(warehouse, LATER) == 2
    assert rows_at(warehouse, LATER) == {"a": (0.5, 100), "f": (0.3, 50)}


def test_what_another_model_or_a_later_hour_said_is_not_known(warehouse):
    warehouse.execute("update prediction_history set model_id = 'old' where user_id = 'b'")
    warehouse.execute("update prediction_history set as_of = '2026-01-03' where user_id = 'c'")
    assert NewScores(MODEL, LATER, None).append(warehouse, LATER) == 2
    assert rows_at(warehouse, LATER)["a"] == (0.5, pytest.approx(200 / 3))  # of d, e and f


def test_the_sum_of_probabilities_is_what_is_expected_of_the_cohort(warehouse):
    expected = NewScores(MODEL, LATER, None).expected(warehouse)
    assert expected == {
        "n_users": 6,
        "expected": pytest.approx(0.2 + 0.3 + 0.4 + 0.4 + 0.5 + 0.9),
        "amount": None,
    }


def test_nothing_is_appended_twice(warehouse):
    scores = NewScores(MODEL, LATER, None)
    assert [scores.append(warehouse, LATER) for _ in range(2)] == [2, 0]


def test_known_scores_come_from_predictions_and_from_what_was_appended_since(warehouse):
    assert newest_served(warehouse) is None
    warehouse.execute(
        "create table predictions as select * replace (0.0 as probability) from prediction_history"
    )
    served = newest_served(warehouse)
    assert served == NOW
    # The history has been read up to its newest as_of: at that hour both count, the later one first.
    warehouse.execute("delete from prediction_history where user_id <> 'e'")
    warehouse.execute("update prediction_history set scored_at = ?", [NOW + timedelta(minutes=1)])
    assert NewScores(MODEL, LATER, served).append(warehouse, LATER) == 2
    assert rows_at(warehouse, LATER) == {"a": (0.5, 80), "f": (0.3, 60)}


def test_a_replayed_hour_reads_the_history_alone(warehouse):
    warehouse.execute(
        "create table predictions as"
        " select * replace (timestamp '2026-02-01' as as_of, 0.0 as probability) from prediction_history"
    )
    scores = NewScores(MODEL, LATER, newest_served(warehouse))
    assert scores.append(warehouse, LATER) == 2
    assert rows_at(warehouse, LATER) == {"a": (0.5, 80), "f": (0.3, 20)}
