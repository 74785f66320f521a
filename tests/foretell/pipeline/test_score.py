"""Scoring: one pass over the features serves every champion, and repeating it changes nothing."""

from dataclasses import replace
from datetime import datetime

import duckdb
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from foretell.alarms.alarms import current_alarms
from foretell.learn.candidates import Candidate, fit_candidate
from foretell.learn.families.constant import ConstantClassifier
from foretell.learn.families.linear import LinearClassifier, LinearRegressor
from foretell.learn.value_model import ValueModel, ValueScale
from foretell.pipeline import features, score, score_block
from foretell.pipeline.registry import CHAMPION, ModelRecord
from foretell.pipeline.score import ScoreSummary, score_predictions
from foretell.warehouse.open import open_warehouse
from tests.graphs import columns_read_by, graph_of
from tests.history_tables import ALARMS_TABLE, PREDICTION_HISTORY

N_USERS = 40
IDS = np.array([7, 3, 11])
SPREAD = 2**63 // N_USERS  # keys all over their range, as hashes are
RNG = np.random.default_rng(0)
X = RNG.poisson(1.0, (N_USERS, 3)).astype(np.float32)
Y = (X[:, 0] + RNG.random(N_USERS) > 1.5).astype(np.float32)


def champion(prediction, columns, family=LinearClassifier):
    rows = csr_matrix(X[:, columns])
    fitted = fit_candidate(
        Candidate(prediction, family()), rows, Y, ["event_count"] * len(columns), 0
    )
    onnx = graph_of(fitted, ids=IDS[columns][fitted.columns_])
    record = ModelRecord(
        f"model_of_{prediction}", prediction, "h", datetime(2026, 1, 1), CHAMPION, "",
        feature_ids=[int(i) for i in IDS[columns][fitted.columns_]], onnx=onnx,
    )  # fmt: skip
    return record, fitted.probability(rows)


@pytest.fixture
def warehouse(tmp_path):
    """Everybody is in the cohort of `all`, even users in that of `even`; user 6 has no features."""
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema foretell; use w.foretell;")
        connection.execute(PREDICTION_HISTORY)
        connection.execute("""
            create table scoring_rows (
                prediction varchar, as_of timestamp, user_id varchar, as_of_hour integer,
                user_key bigint, has_features boolean);
            create table features_values (
                as_of_hour integer, user_key bigint, feature_id integer, value float)
        """)
        for user in range(N_USERS):
            for prediction in ("all", "even")[: 2 - user % 2]:
                connection.execute(
                    "insert into scoring_rows values (?, '2026-01-01', ?, 490896, ?, ?)",
                    [prediction, f"u{user}", user * SPREAD, user != 6],
                )
            for column, feature_id in enumerate(IDS):
                if X[user, column] and user != 6:
                    connection.execute(
                        "insert into features_values values (490896, ?, ?, ?)",
                        [user * SPREAD, int(feature_id), float(X[user, column])],
                    )
    with open_warehouse(path) as opened:
        yield opened


def scores(warehouse):
    rows = warehouse.rows("select prediction, user_id, probability from prediction_history")
    return {(row["prediction"], row["user_id"]): row["probability"] for row in rows}


@pytest.mark.parametrize(("per_block", "per_call"), [(1000, 1000), (7, 3), (1, 1)])
def test_every_model_scores_its_own_cohort_on_its_own_columns(
    warehouse, monkeypatch, per_block, per_call
):
    monkeypatch.setattr(score, "ROWS_PER_BLOCK", per_block)
    monkeypatch.setattr(features, "ROWS_PER_BLOCK", per_block)
    monkeypatch.setattr(score_block, "ROWS_PER_CALL", per_call)
    (whole, of_whole), (part, of_part) = champion("all", [0, 1, 2]), champion("even", [2, 0])
    lines = []
    summaries = score_predictions(warehouse, [whole, part], lines.append)
    assert summaries == [ScoreSummary("all", 39, 39), ScoreSummary("even", 19, 19)]
    got = scores(warehouse)
    expected = {("all", f"u{user}"): of_whole[user] for user in range(N_USERS) if user != 6}
    expected |= {("even", f"u{user}"): of_part[user] for user in range(0, N_USERS, 2) if user != 6}
    assert got.keys() == expected.keys()
    for key, probability in expected.items():
        assert got[key] == pytest.approx(probability, abs=1e-6), key
    assert lines[-1].startswith("scored 58 of 58 rows, ")


def test_scoring_again_appends_nothing_and_a_new_model_everything(warehouse):
    (whole, _), (part, _) = champion("all", [0, 1, 2]), champion("even", [2, 0])
    score_predictions(warehouse, [whole, part])
    assert score_predictions(warehouse, [whole, part]) == [
        ScoreSummary("all", 39, 0), ScoreSummary("even", 19, 0),
    ]  # fmt: skip
    other, _ = champion("all", [1])
    renamed = ModelRecord(**{**other.__dict__, "model_id": "newer"})
    assert score_predictions(warehouse, [renamed]) == [ScoreSummary("all", 39, 39)]


RATES = """
    create table prediction_definitions as
        select * from (values ('all', 7), ('even', 7)) as definitions (prediction, horizon_days);
    create table labels_rates as
        select prediction, timestamp '2025-12-01' - to_days(7 * week::integer) as as_of, 'training' as purpose,
            1000 as n_rows, n_positives, 1000 as n_users, null::double as mean_value
        from (values ('all', 1), ('even', 400)) as rates (prediction, n_positives), range(5) as weeks (week);
"""


def test_scores_three_times_off_are_held_back_and_the_others_written(warehouse):
    """Of `all` one user in a thousand did it, of `even` four in ten; both are given about the half."""
    (whole, of_whole), (part, _) = champion("all", [0, 1, 2]), champion("even", [2, 0])
    warehouse.execute(RATES + ALARMS_TABLE)
    lines = []
    held, shown = score_predictions(warehouse, [whole, part], lines.append)
    assert (held.n_users, held.n_appended, held.alarm.is_held_back) == (39, 0, True)
    assert (shown.n_appended, shown.alarm) == (19, None)
    assert {prediction for prediction, _ in scores(warehouse)} == {"even"}
    assert current_alarms(warehouse) == [held.alarm]
    expected = sum(p for user, p in enumerate(of_whole) if user != 6)
    assert held.alarm.message.startswith(f"{expected:,.0f} outcomes are expected of the 39 users")
    assert any(line.startswith("all: held back, ") for line in lines)
    assert not warehouse.has_table("scored")

    taken, _ = score_predictions(warehouse, [whole, part], accepted=["all"])
    assert (taken.n_appended, taken.alarm.is_held_back) == (39, False)


def test_older_scores_and_their_reasons_stay_where_new_ones_are_held_back(warehouse):
    (whole, _) = champion("all", [0, 1, 2])
    score_predictions(warehouse, [whole])
    before = scores(warehouse)
    warehouse.execute(RATES + ALARMS_TABLE)
    warehouse.execute("update scoring_rows set as_of = '2026-01-02', as_of_hour = 490920")
    warehouse.execute("update features_values set as_of_hour = 490920")
    (held,) = score_predictions(warehouse, [whole])
    assert held.alarm.is_held_back
    assert scores(warehouse) == before


def test_an_hour_is_held_beside_the_whole_cohort(warehouse):
    """Five active users alone would be too few to compare; with the others' scores they are not."""
    (whole, _) = champion("all", [0, 1, 2])
    score_predictions(warehouse, [whole])
    warehouse.execute(RATES + ALARMS_TABLE)
    an_hour_later(warehouse)
    (held,) = score_predictions(warehouse, [whole])
    assert "of the 39 users scored now" in held.alarm.message
    warehouse.execute("delete from prediction_history where user_id > 'u2'")
    (few,) = score_predictions(warehouse, [whole])
    assert (
        few.alarm is None
    )  # half of the cohort has no score: who was active is not like the others


NEWEST = """
    select history.* from prediction_history as history
    inner join scoring_rows using (prediction, user_id)
    qualify row_number() over (partition by user_id order by history.as_of desc, scored_at desc) = 1
"""


def an_hour_later(warehouse):
    """Only users 0 to 4 are processed."""
    warehouse.execute("update scoring_rows set has_features = user_key < $1", [5 * SPREAD])
    warehouse.execute(
        "update scoring_rows set as_of = '2026-01-01 01:00', as_of_hour = 490897 where has_features"
    )
    warehouse.execute("update features_values set as_of_hour = 490897")


@pytest.mark.parametrize("existing", ["nothing", "predictions", "predictions of another hour"])
def test_users_of_an_hour_are_ranked_among_everybody(warehouse, existing):
    whole, _ = champion("all", [0, 1, 2])
    score_predictions(warehouse, [whole])
    if existing != "nothing":
        warehouse.execute(f"create table predictions as {NEWEST}")
    if existing == "predictions of another hour":  # as around a replay
        warehouse.execute("update predictions set as_of = as_of + interval 1 day, probability = 0")
    an_hour_later(warehouse)
    # Since `predictions` was made, a score was added that it does not have.
    warehouse.execute(
        "insert into prediction_history by name select * replace (timestamp '2026-01-01 00:30' as as_of, 1.0"
        " as probability) from prediction_history where user_id = 'u9'"
    )
    assert score_predictions(warehouse, [whole]) == [ScoreSummary("all", 5, 5)]
    everybody = {row["user_id"]: row["probability"] for row in warehouse.rows(NEWEST)}
    assert everybody["u9"] == 1.0
    ranks = {
        row["user_id"]: row["percentile"]
        for row in warehouse.rows(f"select * from ({NEWEST}) where as_of = '2026-01-01 01:00'")
    }
    assert ranks == {
        f"u{user}": pytest.approx(
            100 * sum(other < everybody[f"u{user}"] for other in everybody.values())
            / (len(everybody) - 1)
        )
        for user in range(5)
    }  # fmt: skip
    assert score_predictions(warehouse, [whole]) == [ScoreSummary("all", 5, 0)]


def test_a_model_of_an_empty_cohort_and_one_without_inputs(warehouse):
    warehouse.execute("delete from scoring_rows where prediction = 'even'")
    (part, _), (constant, rate) = (
        champion("even", [2, 0]),
        champion("all", [0, 1], ConstantClassifier),
    )
    assert score_predictions(warehouse, [part, constant]) == [
        ScoreSummary("even", 0, 0), ScoreSummary("all", 39, 39),
    ]  # fmt: skip
    (scored,) = set(scores(warehouse).values())
    assert scored == pytest.approx(rate[0], abs=1e-6)


def value_champion(prediction):
    """Return a champion of values: who is likely to have any is expected to have little."""
    record, p = champion(prediction, [0, 1, 2])
    rows, has_any = csr_matrix(X), Y > 0
    amounts = np.exp(4 - 2 * X[:, 0] + X[:, 1])[has_any]
    amount = fit_candidate(
        Candidate("gamma", LinearRegressor(C=10.0)), rows[has_any], amounts,
        ["event_count"] * 3, 0,
    )  # fmt: skip
    value = ValueModel(
        amount, float(np.log(amounts.min())), float(np.log(amounts.max())), ValueScale()
    )
    classifier = fit_candidate(
        Candidate("linear", LinearClassifier()), rows, Y, ["event_count"] * 3, 0
    )
    columns = columns_read_by(classifier, value)
    ids = [int(i) for i in IDS[columns]]
    onnx = graph_of(classifier, ids=IDS[columns], value=value)
    return replace(record, feature_ids=ids, onnx=onnx), value.expected(rows, p)


def test_values_are_scored_and_ranked_beside_predictions_that_ask_whether(warehouse):
    (spends, expected), (buys, _) = value_champion("all"), champion("even", [2, 0])
    score_predictions(warehouse, [spends, buys])
    rows = warehouse.rows(
        "select * from prediction_history where prediction = 'all' order by expected_value"
    )
    assert len(rows) == N_USERS - 1
    for row in rows:
        assert row["expected_value"] == pytest.approx(expected[int(row["user_id"][1:])], rel=1e-5)
    by_value = [row["percentile"] for row in rows]
    assert by_value == sorted(by_value)
    assert (by_value[0], rows[-1]["percentile"]) == (0, pytest.approx(100, abs=6))
    by_probability = sorted(rows, key=lambda row: row["probability"])
    assert [row["percentile"] for row in by_probability] != sorted(by_value)
    others = warehouse.rows("select * from prediction_history where prediction = 'even'")
    assert {row["expected_value"] for row in others} == {None}
    assert score_predictions(warehouse, [spends, buys]) == [
        ScoreSummary("all", 39, 0), ScoreSummary("even", 19, 0),
    ]  # fmt: skip


def test_a_value_that_changed_is_appended_though_its_probability_did_not(warehouse):
    spends, _ = value_champion("all")
    score_predictions(warehouse, [spends])
    warehouse.execute(
        "update prediction_history set expected_value = expected_value * 1.001 where user_id = 'u3'"
    )
    assert score_predictions(warehouse, [spends]) == [ScoreSummary("all", 39, 1)]


@pytest.mark.parametrize(("gap", "n_written"), [(5e-7, 0), (1e-5, 39)])
def test_scores_are_written_again_where_they_differ_by_more_than_a_millionth(
    warehouse, gap, n_written
):
    record, _ = champion("all", [0, 1, 2])
    assert score_predictions(warehouse, [record]) == [ScoreSummary("all", 39, 39)]
    warehouse.execute("update prediction_history set probability = probability + ?", [gap])
    assert score_predictions(warehouse, [record]) == [ScoreSummary("all", 39, n_written)]
