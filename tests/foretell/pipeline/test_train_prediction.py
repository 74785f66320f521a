"""Training in a warehouse: who becomes champion, and that the same data changes nothing."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from foretell.errors import ForetellError
from foretell.learn.candidates import Candidate
from foretell.learn.families.linear import LinearClassifier
from foretell.learn.families.trees import TreesClassifier
from foretell.learn.train import TrainSettings, train
from foretell.pipeline import registry, train_prediction
from foretell.pipeline.registry import CHALLENGER, CHAMPION, REJECTED, RETIRED
from foretell.warehouse.open import open_warehouse
from tests.history_tables import create_model_tables
from tests.sparse_rows import training_set

SETTINGS = TrainSettings(portfolio=(Candidate("logistic", LinearClassifier()),), n_resamples=10)
GOOD = training_set(1, n_users=800, n_snapshots=3)
CATALOGUE = [
    {"event_name": None, "property": None, "kind": kind, "is_kept": True}
    for kind in GOOD.matrix.kinds
]
NOISE = replace(GOOD, y=np.random.default_rng(2).permutation(GOOD.y))
# What is learned from says nothing, what is held out is as it was.
HELD_OUT = (GOOD.user_bucket < 20) & (GOOD.as_of_hour == GOOD.as_of_hour.max())
WORSE = replace(GOOD, y=np.where(HELD_OUT, GOOD.y, NOISE.y))


@pytest.fixture
def warehouse(tmp_path):
    path = create_model_tables(
        tmp_path,
        """
        create table prediction_definitions as select 'buys' as prediction, 'h' as definition_hash,
            null::integer as budget_minutes, null::integer as budget_memory_gb;
        create table stg_as_of (as_of timestamp);
        """,
    )
    with open_warehouse(path) as opened:
        yield opened


@pytest.fixture
def run(warehouse, monkeypatch):
    """Return a function that trains on some data as of some day."""
    monkeypatch.setattr(
        train_prediction, "present_features", lambda warehouse, prediction: CATALOGUE
    )

    def train(day: str, data=GOOD):
        warehouse.execute("delete from stg_as_of")
        warehouse.execute("insert into stg_as_of values (?)", [day])
        monkeypatch.setattr(train_prediction, "load_training_set", lambda *_: data)
        lines = []
        made = train_prediction.train_prediction(warehouse, "buys", lines.append, SETTINGS)
        return made, lines

    return train


def statuses(warehouse) -> list[str]:
    return [row["status"] for row in warehouse.rows("select status from models order by as_of")]


def test_models_compete_day_by_day_and_a_replay_changes_nothing(warehouse, run):
    first, _ = run("2026-01-01")
    assert (first.status, first.challenge["is_promoted"]) == (CHAMPION, True)
    assert first.challenge["decision"] == "promoted: the first model of this definition"
    again, lines = run("2026-01-01")
    assert again == first
    assert lines == [f"buys: no new training data, model {first.model_id} stays"]

    lost, _ = run("2026-01-02", WORSE)
    assert lost.status == CHALLENGER
    assert lost.reason == lost.challenge["decision"]
    assert lost.challenge["champion_id"] == first.model_id
    assert lost.challenge["low"] > 0
    assert registry.find_champion(warehouse, "buys").model_id == first.model_id

    equal, _ = run("2026-01-03")
    assert equal.status == CHAMPION
    assert equal.challenge["difference"] == pytest.approx(0, abs=1e-9)
    assert statuses(warehouse) == [RETIRED, REJECTED, CHAMPION]

    replayed, _ = run("2026-01-01")
    assert (replayed.model_id, replayed.status) == (first.model_id, CHAMPION)
    replayed, _ = run("2026-01-02", WORSE)
    assert (replayed.model_id, replayed.status) == (lost.model_id, REJECTED)
    assert replayed.challenge == lost.challenge
    assert statuses(warehouse) == [RETIRED, REJECTED, CHAMPION]


def test_a_stated_budget_is_kept_and_reported(warehouse, run, monkeypatch):
    usual, _ = run("2026-01-01")
    used = []
    monkeypatch.setattr(train_prediction, "train", lambda *a: used.append(a[1]) or train(*a))
    warehouse.execute("update prediction_definitions set budget_minutes = 1, budget_memory_gb = 8")
    other, _ = run("2026-01-01")
    assert (used[0].budget_seconds, used[0].budget_memory_gb) == (60, 8)
    assert other.model_id != usual.model_id
    budgets = [(m.metrics["budget_seconds"], m.metrics["budget_memory_gb"]) for m in (usual, other)]
    assert budgets == [(300, 4), (60, 8)]


def test_a_champion_without_a_holdout_graph_gives_way(warehouse, run):
    first, _ = run("2026-01-01")
    warehouse.execute("update models set holdout_onnx = null, holdout_feature_ids = null")
    second, _ = run("2026-01-02", WORSE)
    assert second.status == CHAMPION
    assert "before models were kept for comparison" in second.challenge["decision"]
    assert second.challenge["champion_id"] == first.model_id


def test_too_little_data_leaves_the_champion(warehouse, run):
    first, _ = run("2026-01-01")
    few, _ = run("2026-01-02", replace(GOOD, y=np.zeros_like(GOOD.y)))
    assert (few.status, few.challenge) == (REJECTED, None)
    assert "0 positives" in few.reason
    assert registry.find_champion(warehouse, "buys").model_id == first.model_id


def test_held_out_scores_are_those_of_the_reported_numbers(warehouse, run):
    made, _ = run("2026-01-01")
    rows = warehouse.rows("select * from held_out_scores order by user_id")
    assert [row["user_id"] for row in rows] == sorted(f"u{key}" for key in GOOD.user_key[HELD_OUT])
    p = np.array([row["probability"] for row in rows])
    y = np.array([row["outcome"] for row in rows])
    assert -np.log(np.where(y == 1, p, 1 - p)).mean() == pytest.approx(
        made.metrics["log_loss"]["value"], abs=1e-6
    )
    assert {row["model_id"] for row in rows} == {made.model_id}
    assert made.metrics["newest_as_of_hour"] == GOOD.as_of_hour.max()


@pytest.fixture
def three(warehouse, monkeypatch):
    """Return the names of three predictions, each with rows of its own, on a machine of 2 cores."""
    names = ["buys", "leaves", "returns"]
    data = {name: training_set(seed, n_users=400) for seed, name in enumerate(names)}
    warehouse.execute(
        "insert into prediction_definitions by name "
        "select 'h' as definition_hash, unnest(['leaves', 'returns']) as prediction"
    )
    warehouse.execute("insert into stg_as_of values ('2026-01-01')")
    monkeypatch.setattr(
        train_prediction, "present_features", lambda warehouse, prediction: CATALOGUE
    )
    monkeypatch.setattr(train_prediction, "load_training_set", lambda _, name, *more: data[name])
    monkeypatch.setenv("FORETELL_THREADS", "2")
    return names


def test_two_at_a_time_give_the_same_models_as_one_after_the_other(warehouse, three, monkeypatch):
    kept = (
        "select prediction, model_id, status, onnx, explain_model from models order by prediction"
    )
    trees = (Candidate("logistic", LinearClassifier()), Candidate("lightgbm", TreesClassifier()))
    settings = replace(SETTINGS, portfolio=trees)
    both_at_work = threading.Barrier(2, timeout=60)
    lines = []

    def meet(data, settings, groups, progress, *scored):
        both_at_work.wait()
        return train(data, settings, groups, progress)

    monkeypatch.setattr(train_prediction, "train", meet)
    train_prediction.train_predictions(warehouse, three[:2], lines.append, settings)
    together = warehouse.rows(kept)
    assert [row["status"] for row in together] == [CHAMPION, CHAMPION]
    monkeypatch.setattr(train_prediction, "train", train)
    monkeypatch.setattr(train_prediction, "AT_ONCE", 1)
    warehouse.execute("delete from models")
    train_prediction.train_predictions(warehouse, three[:2], lines.append, settings)
    assert warehouse.rows(kept) == together


def test_when_one_fails_the_others_stop_and_what_is_written_stays(warehouse, three, monkeypatch):
    def fail_second(data, settings, groups, progress, *scored):
        if warehouse.rows("select 1 from models"):
            raise ForetellError("no")
        return train(data, settings, groups, progress)

    monkeypatch.setattr(train_prediction, "train", fail_second)
    monkeypatch.setattr(train_prediction, "AT_ONCE", 1)
    with pytest.raises(ForetellError, match="no"):
        train_prediction.train_predictions(warehouse, three, lambda line: None, SETTINGS)
    assert [row["prediction"] for row in warehouse.rows("select prediction from models")] == [
        "buys"
    ]

    def fail_at_once(data, settings, groups, progress, *scored):
        if threading.current_thread().name.endswith("_0"):
            raise ForetellError("never")
        return train(data, settings, groups, progress)

    monkeypatch.setattr(train_prediction, "train", fail_at_once)
    monkeypatch.setattr(train_prediction, "AT_ONCE", 2)
    warehouse.execute("delete from models")
    with pytest.raises(ForetellError, match="never"):
        train_prediction.train_predictions(warehouse, three, lambda line: None, SETTINGS)
    assert warehouse.rows("select prediction from models") == []
