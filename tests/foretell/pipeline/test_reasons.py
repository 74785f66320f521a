"""Reasons of users: they add up, speak of the right values, and writing them again changes nothing."""

from collections import defaultdict
from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_matrix

from foretell.learn.candidates import PORTFOLIO, average_of, fit_candidate
from foretell.learn.contributions import pack, parts_of
from foretell.learn.families.average import AverageClassifier
from foretell.pipeline import reasons, score_block
from foretell.pipeline.reasons import make_explainer, reasons_of
from foretell.pipeline.registry import CHAMPION, ModelRecord
from foretell.pipeline.score import score_predictions
from foretell.warehouse.open import open_warehouse
from tests.graphs import graph_of
from tests.history_tables import REASONS

HOSTILE = "'; drop table reasons; -- {{ 1/0 }} 🛒"
AS_OF = datetime(2026, 1, 1)
# feature_id, kind, event_name, property, value
FEATURES = [
    (1, "event_count_ever", HOSTILE, None, None),
    (2, "hours_since_last", HOSTILE, None, None),
    (3, "event_count", None, None, None),
    (4, "event_count", None, None, None),
    (5, "hours_since_last", None, None, None),
    (6, "user_property_last", None, "plan", "pro"),
    (7, "user_property_last", None, "plan", None),
    (8, "user_property_number", None, "age", None),
    (9, "value_sum", HOSTILE, "amount", None),
    (10, "active_days", None, None, None),
    (11, "event_count", "opened", None, None),
    (12, "event_count_ever", "active_days", None, None),
    (13, "user_property_last", None, "opened", "yes"),
]
KINDS = ["user_property" if f[1].startswith("user_prop") else f[1] for f in FEATURES]
N_USERS = 60
RNG = np.random.default_rng(0)
X = csr_matrix(RNG.poisson(1.0, (N_USERS, len(FEATURES))).astype(np.float32))
Y = (X[:, [0]].toarray().ravel() + RNG.random(N_USERS) > 1.5).astype(np.float32)
AVERAGE = average_of("average", AverageClassifier, (PORTFOLIO[1], PORTFOLIO[4]))
FITTED = fit_candidate(AVERAGE, X, Y, KINDS, 0)
IDS = [FEATURES[column][0] for column in FITTED.columns_]
MODEL = ModelRecord(
    "m", "all", "h", AS_OF, CHAMPION, "", feature_ids=IDS,
    onnx=graph_of(FITTED, ids=np.array(IDS)), explain_model=pack(parts_of(FITTED, X)),
)  # fmt: skip


@pytest.fixture
def warehouse(tmp_path):
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            create schema foretell; use w.foretell;
            create table prediction_history (
                prediction varchar, user_id varchar, probability double,
                expected_value double, percentile double,
                as_of timestamp, scored_at timestamp, model_id varchar);
            create table scoring_rows (
                prediction varchar, as_of timestamp, user_id varchar, as_of_hour integer,
                user_key bigint, has_features boolean);
            create table features_values (
                as_of_hour integer, user_key bigint, feature_id integer, value float);
            create table features (
                feature_id integer, kind varchar, event_name varchar, property varchar, value varchar);
            """
            + REASONS
        )
        connection.executemany("insert into features values (?, ?, ?, ?, ?)", FEATURES)
        coo = X.tocoo()
        values = pa.table(
            {"u": coo.row.astype(np.int64), "c": coo.col.astype(np.int32) + 1, "v": coo.data}
        )
        connection.register("block", values)
        connection.execute("insert into features_values select 490896, u * 1000, c, v from block")
        connection.execute(
            "insert into scoring_rows select 'all', ?, 'u' || i, 490896, i * 1000, true"
            " from range(?) as users (i)",
            [AS_OF, N_USERS],
        )
    with open_warehouse(path) as opened:
        yield opened


def reported(warehouse):
    rows = warehouse.rows("select * from reasons order by user_id, place")
    return {(row["user_id"], row["place"]): row for row in rows}


@pytest.mark.parametrize("rows_at_once", [2_000, 7])
def test_the_rows_of_a_user_add_up_to_the_log_odds(warehouse, monkeypatch, rows_at_once):
    monkeypatch.setattr(score_block, "ROWS_TO_EXPLAIN", rows_at_once)
    score_predictions(warehouse, [MODEL], explained=["all"])
    sums = {
        row["user_id"]: row["total"]
        for row in warehouse.rows(
            "select user_id, sum(contribution) as total from reasons group by user_id"
        )
    }
    margins = FITTED.margin(X)
    assert len(sums) == N_USERS
    for user in range(N_USERS):
        assert sums[f"u{user}"] == pytest.approx(margins[user], abs=1e-6)


def test_the_largest_come_first_and_nothing_is_listed_twice(warehouse):
    score_predictions(warehouse, [MODEL], explained=["all"])
    rows = reported(warehouse)
    for user in range(N_USERS):
        own = [rows[f"u{user}", place] for place in range(reasons.N_REASONS + 2)]
        sizes = [abs(row["contribution"]) for row in own[1:-1]]
        assert sizes == sorted(sizes, reverse=True)
        assert own[0]["input"] == "start"
        assert own[-1]["input"] == "all else"
        assert len({(row["input"], row["words"]) for row in own}) == len(own)
        assert {(row["as_of"], row["model_id"], row["prediction"]) for row in own} == {
            (AS_OF, "m", "all")
        }
    assert HOSTILE in {row["input"] for row in rows.values()}


def test_the_words_of_a_reason_are_what_is_known(warehouse, monkeypatch):
    monkeypatch.setattr(reasons, "N_REASONS", 20)  # all of them
    explainer = make_explainer(warehouse, MODEL)
    values = np.zeros((3, len(FEATURES)), dtype=np.float32)
    #            ever, hours, week 0, week 1, hours, pro, other, age, amount, days, opened
    values[0] = [3, 50, 4, 1, 30, 0, 1, 41.5, 9, 12, 0, 0, 1]
    values[1] = [1, 7, 0, 0, 0, 1, 0, 0, 0, 0, 5, 2, 0]
    rows = csr_matrix(values[:, FITTED.columns_])
    table = reasons_of(explainer, rows, pa.array(["a", "b", "c"]), AS_OF).to_pylist()
    words = defaultdict(set)
    for row in table:
        words[row["user_id"], row["input"]].add(row["words"])
    expected = {
        ("a", HOSTILE): "3 in all, the last 2 days ago",
        ("b", HOSTILE): "1 in all, the last 7 hours ago",
        ("c", HOSTILE): "never",
        ("a", "event_count"): "5 in the last 2 weeks",
        ("a", "hours_since_last"): "30 hours ago",
        ("c", "hours_since_last"): "never",
        ("a", "plan"): "another value",
        ("b", "plan"): "pro",
        ("c", "plan"): "not known",
        ("a", "age"): "41.5",
        ("a", "active_days"): {"12", "never"},  # a kind of feature, and an event of that name
        ("b", "active_days"): {"0", "2 in all"},
        ("b", "opened"): {"5 lately", "not known"},  # an event, and a property of that name
    }
    told_of = expected.keys() & words.keys()
    assert told_of == expected.keys()
    for key in told_of:
        assert words[key] == (expected[key] if isinstance(expected[key], set) else {expected[key]})


def test_again_changes_nothing_and_an_hour_replaces_only_its_users(warehouse):
    score_predictions(warehouse, [MODEL], explained=["all"])
    before = reported(warehouse)
    score_predictions(warehouse, [MODEL], explained=["all"])
    assert reported(warehouse) == before
    warehouse.execute("update scoring_rows set has_features = user_id = 'u1'")
    warehouse.execute("delete from scoring_rows where user_id = 'u2'")
    warehouse.execute("update scoring_rows set as_of = '2026-01-01 01:00:00' where user_id = 'u1'")
    score_predictions(warehouse, [MODEL], explained=["all"])
    after = reported(warehouse)
    assert after["u1", 0]["as_of"] == datetime(2026, 1, 1, 1)
    assert after["u3", 0] == before["u3", 0]
    assert ("u2", 0) not in after  # left the cohort
    assert len(after) == len(before) - reasons.N_REASONS - 2


def test_reasons_are_written_on_request_only(warehouse):
    score_predictions(warehouse, [MODEL])
    assert not reported(warehouse)


def test_reasons_of_the_model_before_do_not_outlive_it(warehouse):
    score_predictions(warehouse, [MODEL], explained=["all"])
    assert reported(warehouse)
    forest = ModelRecord(**{**vars(MODEL), "explain_model": None})
    score_predictions(warehouse, [forest], explained=["all"])
    assert not reported(warehouse)


def test_a_model_without_parts_scores_without_reasons_and_reports_it(warehouse):
    old = ModelRecord(**{**vars(MODEL), "explain_model": None})
    lines = []
    (summary,) = score_predictions(warehouse, [old], lines.append, explained=["all"])
    assert summary.n_users == N_USERS
    assert not reported(warehouse)
    assert any(
        line.startswith("all: no reasons, its model is of another library") for line in lines
    )
