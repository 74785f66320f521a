"""The measuring instrument of the quality benchmark: what it hands out and what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import duckdb
import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import roots_genlaguerre, roots_jacobi

from benchmarks.quality import references
from benchmarks.quality.bgnbd import buys_again, fit, log_likelihood
from benchmarks.quality.cases import Task
from benchmarks.quality.purchases import bought_event, histories
from benchmarks.quality.references import NotInstalled, references_python
from benchmarks.quality.rows import OF_PROPERTIES, Rows, load_rows, run_method, save_rows
from benchmarks.quality.summary import summary
from benchmarks.quality.table import ATTAINABLE, ORACLE, Result, result_of
from foretell.learn.families import base
from foretell.warehouse.duckdb import DuckDBWarehouse

KINDS_OF_ROWS = ["event_count", "value_count", "user_property", "active_days"]


def some_rows() -> Rows:
    return Rows(
        X=sp.csr_matrix(np.array([[1, 0, 1, 7], [0, 2, 0, 0], [0, 0, 0, 0]], dtype=np.float32)),
        y=np.array([1, 0, 0], dtype=np.float32),
        user_key=np.array([5, 5, 9]),
        user_bucket=np.array([3, 3, 60]),
        as_of_hour=np.array([100, 268, 268]),
        horizon_hours=np.array(168),
        feature_ids=np.array([2, 4, 8, 16]),
        kinds=np.array(KINDS_OF_ROWS),
        groups=np.array(["purchase", "colour", "plan", "active_days"]),
        to_score=sp.csr_matrix(np.array([[0, 0, 3, 0]], dtype=np.float32)),
        histories=np.array([[1.0, 2.0, 3.0]]),
        scored_histories=np.empty((0, 3)),
    )


def test_rows_come_back_from_their_file(tmp_path):
    rows = some_rows()
    save_rows(tmp_path / "rows.npz", rows)
    back = load_rows(tmp_path / "rows.npz")
    for name, value in vars(rows).items():
        got = getattr(back, name)
        if sp.issparse(value):
            assert (got != value).nnz == 0
            value, got = value.data, got.data
        assert got.dtype == value.dtype
        np.testing.assert_array_equal(got, value)


def test_without_properties_columns_of_events_and_activity_are_left():
    rows = some_rows().without_properties()
    assert rows.kinds.tolist() == ["event_count", "active_days"]
    assert rows.feature_ids.tolist() == [2, 16]
    assert rows.groups.tolist() == ["purchase", "active_days"]
    np.testing.assert_array_equal(rows.X.toarray(), [[1, 7], [0, 0], [0, 0]])
    np.testing.assert_array_equal(rows.to_score.toarray(), [[0, 0]])


def test_a_method_reads_rows_and_writes_one_probability_each(tmp_path, monkeypatch):
    save_rows(tmp_path / "rows.npz", some_rows())
    calls = []

    def probabilities(rows, arguments):
        calls.append((rows.X.shape[1], arguments.budget, arguments.preset))
        return np.full(rows.to_score.shape[0], 0.25, dtype=np.float32)

    options = ["--budget", "7", "--preset", "b", "--without-properties"]
    files = [str(tmp_path / "rows.npz"), str(tmp_path / "p.npy")]
    monkeypatch.setattr(sys, "argv", ["with_x", *files, *options])
    run_method(probabilities, ("--preset", str, "a"))
    assert calls == [(2, 7.0, "b")]
    assert np.load(tmp_path / "p.npy").tolist() == [0.25]


def test_references_are_installed_once_and_anew_when_pins_change(tmp_path, monkeypatch):
    commands = []
    ended = subprocess.CompletedProcess([], 0, "", "")
    monkeypatch.setattr(references, "FOLDER", tmp_path)
    monkeypatch.setattr(references, "REQUIREMENTS", tmp_path / "pins.txt")
    monkeypatch.setattr(subprocess, "run", lambda command, **_: commands.append(command) or ended)
    (tmp_path / "pins.txt").write_text("a==1")
    assert references_python() == references_python() == str(tmp_path / "bin/python")
    assert [command[2] for command in commands] == ["venv", "pip"]
    (tmp_path / "pins.txt").write_text("a==2")
    references_python()
    assert len(commands) == 4


def test_references_that_cannot_be_installed_say_why(tmp_path, monkeypatch):
    ended = subprocess.CompletedProcess([], 1, "", "looking\nno matching distribution for a==1")
    monkeypatch.setattr(references, "FOLDER", tmp_path)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ended)
    with pytest.raises(NotInstalled, match="no matching distribution for a==1"):
        references_python()
    assert not (tmp_path / "installed").exists()


@pytest.mark.parametrize("history", [(0, 0.0, 20.0), (1, 3.0, 20.0), (4, 19.0, 20.0)])
def test_bgnbd_is_the_story_that_the_article_tells(history):
    # Purchases at a gamma rate, after each of which the customer leaves with a beta probability.
    x, last, observed = history
    r, alpha, a, b, days = 0.6, 5.0, 0.8, 2.4, 14.0

    # Gauss's nodes for both priors: exact for what is smooth between them.
    rates, rate_weights = roots_genlaguerre(60, r - 1)
    leaves, leave_weights = roots_jacobi(60, b - 1, a - 1)
    rate, leave = rates[:, None] / alpha, (1 + leaves) / 2
    prior = np.outer(rate_weights / rate_weights.sum(), leave_weights / leave_weights.sum())
    stayed = (rate * (1 - leave)) ** x * np.exp(-rate * observed)
    left = rate**x * (1 - leave) ** (x - 1) * leave * np.exp(-rate * last) if x else 0.0
    every = (prior * (stayed + left)).sum()
    buying = (prior * stayed * (1 - np.exp(-rate * days))).sum()
    histories = np.array([history])
    assert log_likelihood(histories, r, alpha, a, b)[0] == pytest.approx(np.log(every), abs=1e-6)
    assert buys_again(histories, days, r, alpha, a, b)[0] == pytest.approx(buying / every, abs=1e-6)


def test_fit_finds_what_customers_were_drawn_from():
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(4000):
        rate, leave, observed = (
            random.gamma(0.8, 1 / 10),
            random.beta(1, 3),
            random.uniform(50, 200),
        )
        x, last = 0, 0.0
        while True:
            following = last + random.exponential(1 / rate)
            if following > observed:
                break
            x, last = x + 1, following
            if random.random() < leave:
                break
        drawn.append((x, last, observed))
    r, alpha, a, b = fit(np.array(drawn))
    assert r == pytest.approx(0.8, rel=0.1)
    assert alpha == pytest.approx(10, rel=0.15)
    assert a / (a + b) == pytest.approx(0.25, rel=0.1)


def test_fit_ends_where_nobody_leaves():
    # Whoever bought did so to the end: the likelihood has its maximum at a = 0.
    everybody = np.array([(x, 99.0 if x else 0.0, 100.0) for x in (0, 1, 2, 3, 5, 9) * 20])
    r, alpha, a, b = fit(everybody)
    assert a / (a + b) < 0.01
    assert np.isfinite([r, alpha, a, b]).all()


def test_buying_again_survives_a_thousand_purchases():
    p = buys_again(np.array([[1000.0, 10.0, 700.0], [1000.0, 700.0, 700.0]]), 7, 0.2, 4, 0.8, 2.4)
    assert p[0] == pytest.approx(0, abs=1e-9)
    assert 0.99 < p[1] < 1


@pytest.mark.parametrize(
    ("outcome", "event"),
    [
        ({"event": "buy"}, "buy"),
        ({"event": "buy", "at_least": 1}, "buy"),
        ({"event": "buy", "at_least": 2}, None),
        ({"event": "buy", "not_done": True}, None),
        ({"event": "item", "sum_of": "amount", "at_least": 1}, None),
        ({"event": ["buy", "return"]}, None),
        ({"event": "any"}, None),
    ],
)
def test_purchases_are_outcomes_of_one_event_at_least_once(outcome, event):
    assert bought_event(json.dumps({"outcome": outcome, "horizon_days": 7})) == event


@pytest.fixture
def shop():
    connection = duckdb.connect()
    connection.execute(
        """
        create table prediction_definitions as
        select 'again' as prediction, '{"outcome": {"event": "buy"}}' as definition;
        create table stg_identity_map (identity_key bigint, user_key bigint, valid_from_hour int, valid_to_hour int);
        insert into stg_identity_map values
            (1, 1, 0, 99999), (2, 2, 0, 99999), (3, 3, 0, 99999), (30, 30, 0, 240), (30, 3, 240, 99999);
        create table stg_events (identity_key bigint, event_name varchar, event_hour int);
        insert into stg_events values
            (1, 'buy', 24), (1, 'buy', 30), (1, 'buy', 47), -- one day
            (2, 'buy', 47), (2, 'buy', 48), (2, 'look', 90), (2, 'buy', 239), (2, 'buy', 240),
            (3, 'buy', 100), (30, 'buy', 0)
        """
    )
    yield DuckDBWarehouse(connection)
    connection.close()


def test_histories_are_days_before_the_cut_of_whoever_it_was_by_then(shop):
    everybody, scored = histories(shop, "again", np.array([2, 3]), 240)
    # The device 30 is user 3 from hour 240 on; day 1 lasts from hour 24 to 47.
    np.testing.assert_array_equal(everybody, [[0, 0, 9], [2, 8, 9], [1, 4, 10]])
    np.testing.assert_array_equal(scored, everybody[1:])


def test_no_histories_if_somebody_never_bought(shop):
    for users in ([2, 4], [0, 2]):
        everybody, scored = histories(shop, "again", np.array(users), 240)
        assert everybody.shape == scored.shape == (0, 3)


def line(method, p, seconds=10.0, prediction="buys", y=(0, 0, 1, 1), p_true=np.nan):
    y, p = np.array(y, dtype=float), np.array(p, dtype=float)
    return Result(
        prediction, "2026-01-01", method, y, p, np.full(len(y), p_true), np.arange(len(y)),
        seconds, 8.0, 1.0,
    )  # fmt: skip


def test_users_of_unknown_outcome_are_left_out(tmp_path):
    y, p_true = np.array([1, np.nan, 0]), np.array([0.8, np.nan, 0.1])
    task = Task("buys", "2026-01-01", tmp_path, 0.5, y, p_true, p_true, False)
    result = result_of(task, "Foretell", np.array([0.9, 0.5, 0.2]))
    assert result.y.tolist() == [1, 0]
    assert result.p.tolist() == [0.9, 0.2]
    assert result.cells()[-4:] == ["0.1000", "", "", ""]  # gap to true p; no process, so no costs
    # (-ln 0.9 - ln 0.8) / 2; (-0.8 ln 0.9 - 0.2 ln 0.1 - 0.1 ln 0.2 - 0.9 ln 0.8) / 2
    assert result.cells()[8:10] == ["0.1643", "0.4533"]


def test_goals_are_read_off_against_the_best_reference():
    good, better, worse = [0.2, 0.2, 0.8, 0.8], [0.1, 0.1, 0.9, 0.9], [0.4, 0.5, 0.5, 0.6]
    results = [
        line("Foretell", good),
        line("Foretell without properties", worse),
        line("LightGBM defaults", worse),
        line("AutoGluon good_quality", better, seconds=40),
        line("base rate", [0.5] * 4, seconds=None),
        line("Foretell", better, prediction="leaves"),
        line("FLAML", worse, prediction="leaves"),
    ]
    text = "\n".join(summary(results))
    # -ln(0.8) + ln(0.9) = 0.1178; -ln(0.9) - (ln 0.6 + ln 0.5) / -2 = -0.4966
    assert "mean -0.1894" in text
    assert "not above it on 1 of 2 sets, worst +0.1178 (buys at 2026-01-01, AutoGluon good" in text
    assert "by more than two standard errors lower on 1, higher on 1 of 2" in text
    assert "mean +0.0625, worst +0.0000 (buys" in text
    assert "lowest on 1 of 2 sets" in text
    # 0.2231 / 0.1054 - 1; 0.1054 / 0.6020 - 1
    assert "against AutoGluon good_quality on 1 sets: log loss +111.79 %, lower on 0" in text
    assert "against FLAML on 1 sets: log loss -82.50 %, lower on 1; AUROC +0.1250, higher" in text
    assert (
        "Foretell 10 s, AutoGluon good_quality 40 s: 0.25 times as long; 1.00 times the CPU" in text
    )
    assert "properties add: log loss -0.3788" in text
    assert "oracle" not in text
    assert "rare" not in text


def test_what_events_can_tell_is_compared_on_the_users_it_is_known_of():
    truth, first_two = [0.2, 0.8, 0.5, 0.5], slice(0, 2)
    results = [
        replace(line(method, p), p_true=np.array(truth))
        for method, p in {
            "Foretell": [0.4, 0.6, 0.01, 0.99],  # far off where the best is not known
            "FLAML": [0.2, 0.6, 0.5, 0.5],
            "base rate": [0.5] * 4,
            ORACLE: truth,
            ATTAINABLE: [0.3, 0.7, 0.5, 0.5],
        }.items()
    ]
    known = {
        name: getattr(results[-1], name)[first_two] for name in ("y", "p", "p_true", "position")
    }
    *_, chance_free, text = summary([*results[:-1], replace(results[-1], **known)])
    # FLAML, of (who did) x (who did not): (0.2 x 0.4 + 0.8 x 1.9 + 2 x 0.5 x 1.3) / 4
    assert "of 4 users: AUROC FLAML 0.7250, Foretell" in chance_free
    assert chance_free.endswith("; ECE FLAML 0.0500, Foretell 0.3450")
    # Two users, alike but mirrored: -0.2 ln p - 0.8 ln(1 - p) at 0.5, 0.4, 0.3 and 0.2.
    assert "2 users: base rate 0.6931, FLAML 0.5462, Foretell 0.5919, best from events 0.5" in text
    assert "oracle (true p) 0.5004; Foretell gains 61 % of what" in text
    assert "gap to the true probability 0.2000, of the best from events 0.1000" in text


def test_rare_outcomes_are_added_up():
    y = [1] + [0] * 499
    p = [0.5] + [0.001] * 499
    results = [
        line("Foretell", p, y=y, prediction="upgrades"),
        line("base rate", [0.002] * 500, y=y, prediction="upgrades"),
        line("Foretell", p, y=y, prediction="downgrades"),
        line("Foretell", [0.2] * 4, prediction="buys"),  # one in two is not rare
    ]
    text = "\n".join(summary(results))
    assert "in total: 2.0 predicted, 2 observed: -0.1 % (by chance alone: 71 %)" in text


def test_without_foretell_there_is_no_summary():
    assert summary([line("FLAML", [0.1, 0.2, 0.3, 0.4])]) == []


def test_benchmark_and_portfolio_leave_out_the_same_properties():
    assert OF_PROPERTIES == base.OF_PROPERTIES
