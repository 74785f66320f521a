"""Two stages: who goes on, and that a candidate of another library may win or must drop out."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from foretell.learn import train as train_module
from foretell.learn.candidates import PORTFOLIO, Candidate
from foretell.learn.compete import compete
from foretell.learn.configured import parse_candidates
from foretell.learn.families.constant import ConstantClassifier
from foretell.learn.families.linear import LinearClassifier
from foretell.learn.families.trees import TreesClassifier
from foretell.learn.matrix import Matrix
from foretell.learn.onnx.model import make_session, predict
from foretell.learn.split import honest_split
from foretell.learn.train import train
from foretell.learn.train_settings import TrainSettings
from tests.sparse_rows import training_set

DATA = training_set(0, n_users=500)
OURS = (
    Candidate("base_rate", ConstantClassifier()),
    Candidate("logistic", LinearClassifier()),
    Candidate("trees", TreesClassifier()),
)
FOREST = parse_candidates(["sklearn.ensemble.RandomForestClassifier"], "here")
UNFIT = parse_candidates(
    [
        "sklearn.neighbors.KNeighborsClassifier",
        "sklearn.discriminant_analysis.LinearDiscriminantAnalysis",
        "sklearn.naive_bayes.ComplementNB",
    ],
    "here",
)
TWO_STAGES = {"max_choice_rows": 700, "min_choice_positives": 1}


def settings(portfolio, **others):
    return TrainSettings(n_resamples=5, portfolio=portfolio, **others)


def parity_set():
    """Return rows whose outcome is whether an odd number of three columns is 1, mostly.

    No column tells anything alone: neither a sum nor trees of few leaves find it, a forest does.
    """
    rng = np.random.default_rng(0)
    X = (rng.random((len(DATA.y), 6)) < 0.5).astype(np.float32)
    y = (X[:, :3].sum(axis=1) % 2 == 1) ^ (rng.random(len(X)) < 0.05)
    matrix = Matrix(csr_matrix(X), np.arange(6), ("event_count",) * 6)
    return replace(DATA, matrix=matrix, y=y.astype(np.float32))


def compete_on(data, portfolio, lines=None, **others):
    split = honest_split(data)
    return compete(data, split, settings(portfolio, **others), (lines or []).append)


def test_the_finalists_are_the_base_rate_the_members_and_their_average():
    contests, competition = compete_on(DATA, PORTFOLIO[:6], **TWO_STAGES)
    names = [contest.candidate.name for contest in contests]
    assert names[0] == "base_rate"
    assert names[-1] == "average"
    members = contests[-1].member_weights()
    assert set(names[1:-1]) == set(members)
    assert len(members) == 3  # the best linear model, and the two with trees
    assert competition.rows.sum() > 700


def test_without_an_average_the_best_two_go_on():
    contests, _ = compete_on(DATA, OURS[:2], **TWO_STAGES)
    assert [contest.candidate.name for contest in contests] == ["base_rate", "logistic"]


def test_a_forest_joins_no_average_and_goes_on_where_it_beats_the_base_rate():
    contests, _ = compete_on(DATA, (*OURS, *FOREST), **TWO_STAGES)
    names = [contest.candidate.name for contest in contests]
    assert names == ["base_rate", "logistic", "trees", "RandomForestClassifier", "average"]
    assert list(contests[-1].member_weights()) == ["logistic", "trees"]


@pytest.mark.parametrize("stages", [{}, TWO_STAGES], ids=["one stage", "two stages"])
def test_a_forest_wins_where_only_a_forest_can_tell(stages):
    data = parity_set()
    model = train(data, settings((*PORTFOLIO, *FOREST), **stages))
    assert (model.candidate, model.status) == ("RandomForestClassifier", "accepted")
    assert set(model.feature_ids) >= {0, 1, 2}  # although our trees gain nothing from them
    m = model.metrics
    assert m["log_loss"]["value"] < 0.4 < 0.68 < m["log_loss_base_rate"]["value"]
    assert m["parity"] <= 1e-6
    assert (model.explain_model, m["has_reasons"], m["dropped"]) == (None, False, [])
    own = data.matrix.X[:, model.feature_ids].toarray()
    p = predict(make_session(model.onnx), own)
    assert np.mean((p > 0.5) == data.y) > 0.9


def test_who_cannot_compete_drops_out_with_the_reason_and_stops_nobody():
    lines = []
    model = train(DATA, settings((*OURS, *UNFIT)), progress=lines.append)
    assert model.status == "accepted"
    dropped = {row["candidate"]: row["reason"] for row in model.metrics["dropped"]}
    assert dropped.keys() == {candidate.name for candidate in UNFIT}
    assert dropped["KNeighborsClassifier"].startswith("skl2onnx cannot convert it: TypeError: ")
    inexact = dropped["LinearDiscriminantAnalysis"]
    assert inexact.startswith("its graph is not exact: max |ONNX - Python| = ")
    assert float(inexact.split(" = ")[1].split(" > ")[0]) > 1e-3
    assert dropped["ComplementNB"].startswith("it cannot be fitted: ValueError: Negative values")
    for name, reason in dropped.items():
        assert f"{name} drops out: {reason}" in lines
    assert not dropped.keys() & {row["candidate"] for row in model.metrics["candidates"]}
    alone = train(DATA, settings(OURS))
    assert alone.onnx == model.onnx
    json.dumps(model.metrics)


def test_a_forest_that_competes_changes_nothing_about_ours():
    with_forest, alone = (
        train(DATA, settings(portfolio, **TWO_STAGES)) for portfolio in ((*OURS, *FOREST), OURS)
    )
    assert with_forest.candidate == alone.candidate
    assert with_forest.metrics["log_loss"] == alone.metrics["log_loss"]
    assert list(with_forest.feature_ids) == list(alone.feature_ids)


def test_a_drop_out_of_the_first_stage_is_remembered_after_the_second():
    model = train(DATA, settings((*OURS, UNFIT[0]), **TWO_STAGES))
    assert [row["candidate"] for row in model.metrics["dropped"]] == ["KNeighborsClassifier"]


def test_where_the_winner_fails_on_all_rows_the_next_best_is_taken(monkeypatch):
    real = train_module.parity
    gaps = iter([0.25])

    def parity(*arguments):
        return next(gaps, None) or real(*arguments)

    monkeypatch.setattr(train_module, "parity", parity)
    model = train(parity_set(), settings((*OURS, *FOREST)))
    (dropped,) = model.metrics["dropped"]
    assert dropped["candidate"] == "RandomForestClassifier"
    assert dropped["reason"] == "parity: max |ONNX - Python| = 2.5e-01 > 1e-06"
    assert model.candidate != "RandomForestClassifier"
    assert model.status == "accepted"
