"""Training on rows with known true probabilities: better than guessing, calibrated, repeatable."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from foretell.learn.candidates import Candidate
from foretell.learn.contest import MUST_BEAT
from foretell.learn.families.base import Family
from foretell.learn.families.constant import ConstantClassifier
from foretell.learn.families.linear import LinearClassifier
from foretell.learn.families.trees import TreesClassifier
from foretell.learn.metrics import mean_log_loss
from foretell.learn.onnx.export import export
from foretell.learn.onnx.model import make_session, predict
from foretell.learn.split import honest_split
from foretell.learn.train import NotEnoughData, TrainSettings, train
from tests.sparse_rows import (
    N_COLUMNS,
    random_rows,
    take,
    training_set,
    true_probability,
    value_training_set,
)

PORTFOLIO = (
    Candidate("base_rate", ConstantClassifier()),
    Candidate("logistic", LinearClassifier()),
    Candidate("logistic_balanced", LinearClassifier(class_weight="balanced")),
)
SMALL = TrainSettings(n_resamples=20, portfolio=PORTFOLIO)
LIGHTGBM = replace(SMALL, portfolio=(Candidate("lightgbm", TreesClassifier()),))
AVERAGE = replace(
    SMALL,
    portfolio=(
        PORTFOLIO[1],
        Candidate("lightgbm", TreesClassifier()),
        Candidate("lightgbm_extra", TreesClassifier(extra_trees=True)),
    ),
)
FAMILIES = pytest.mark.parametrize(
    "settings", [SMALL, LIGHTGBM, AVERAGE], ids=["linear", "lightgbm", "average"]
)
DATA = training_set(0)


TRUE_COLUMNS, AMOUNT_COLUMN = (0, 5, 7), 12  # what tests.sparse_rows makes them from


def columns_of(model):
    return [int(feature_id - 3) // 7 for feature_id in model.feature_ids]


def predictions(model, X):
    return predict(make_session(model.onnx), X[:, columns_of(model)].toarray()).astype(float)


@pytest.fixture(scope="module")
def trained():
    return {
        name: train(DATA, s)
        for name, s in [("linear", SMALL), ("lightgbm", LIGHTGBM), ("average", AVERAGE)]
    }


@pytest.mark.parametrize("family", ["linear", "lightgbm", "average"])
def test_an_accepted_model_beats_the_base_rate_and_is_calibrated_on_unseen_rows(trained, family):
    model = trained[family]
    assert (model.status, model.reason) == ("accepted", "")
    m = model.metrics
    assert m["evaluation"] == "out_of_time"
    assert m["log_loss"]["value"] < m["log_loss_base_rate"]["value"] - 0.03
    n, rate = m["n_test_rows"], m["observed_rate"]
    assert abs(m["mean_probability"] - rate) < 3 * np.sqrt(rate * (1 - rate) / n)
    X = random_rows(77, 4000)
    p, truth = predictions(model, X), true_probability(X)
    assert p.mean() == pytest.approx(truth.mean(), abs=0.03)
    assert np.abs(p - truth).mean() < 0.1
    assert m["parity"] <= 1e-5


def test_the_honest_numbers_count_only_held_out_users_at_the_newest_snapshot(trained):
    m = trained["linear"].metrics
    test = (DATA.user_bucket < 20) & (DATA.as_of_hour == DATA.as_of_hour.max())
    assert m["n_test_rows"] == test.sum()
    assert m["n_test_positives"] == DATA.y[test].sum()
    assert (m["n_rows"], m["n_users"], m["n_snapshots"]) == (3600, 900, 4)
    assert sum(group["n"] for group in trained["linear"].reliability) == test.sum()
    json.dumps([m, trained["linear"].reliability, trained["linear"].importances])


@pytest.mark.parametrize("family", ["linear", "lightgbm", "average"])
def test_the_holdout_graph_gives_the_reported_numbers_and_is_not_the_one_in_use(trained, family):
    model, test = trained[family], honest_split(DATA).test
    columns = [int(feature_id - 3) // 7 for feature_id in model.holdout_feature_ids]
    session = make_session(model.holdout_onnx)
    p = predict(session, DATA.matrix.X[test][:, columns].toarray()).astype(float)
    assert mean_log_loss(DATA.y[test], p) == pytest.approx(
        model.metrics["log_loss"]["value"], abs=1e-6
    )
    assert model.holdout_onnx != model.onnx


def test_labels_of_test_users_never_reach_the_holdout_graph(trained):
    flipped = replace(DATA, y=np.where(DATA.user_bucket < 20, 1 - DATA.y, DATA.y))
    other = train(flipped, LIGHTGBM)
    assert other.holdout_onnx == trained["lightgbm"].holdout_onnx
    assert other.onnx != trained["lightgbm"].onnx


def test_labels_of_test_users_decide_nothing_about_the_choice(trained):
    flipped = replace(DATA, y=np.where(DATA.user_bucket < 20, 1 - DATA.y, DATA.y))
    other = train(flipped, SMALL).metrics["candidates"]
    drop = [{k: v for k, v in row.items() if k != "seconds"} for row in other]
    mine = [
        {k: v for k, v in row.items() if k != "seconds"}
        for row in trained["linear"].metrics["candidates"]
    ]
    assert drop == mine


def test_of_unlike_models_the_average_is_tried_and_named_with_its_members(trained):
    rows = {row["candidate"]: row for row in trained["average"].metrics["candidates"]}
    weights = rows["average"]["members"]
    assert list(weights) == ["lightgbm", "lightgbm_extra", "logistic"]
    assert sum(weights.values()) == pytest.approx(1)
    assert min(weights.values()) > 0.1  # half-way to equal: a sixth at least, but for rounding
    assert rows["logistic"]["members"] == {}
    best = min(rows.values(), key=lambda row: row["log_loss"])
    is_clearly_better = best["log_loss"] <= (1 - MUST_BEAT) * rows["average"]["log_loss"]
    assert trained["average"].candidate == (best["candidate"] if is_clearly_better else "average")
    assert "average" not in {r["candidate"] for r in trained["linear"].metrics["candidates"]}


def test_the_gap_between_random_split_and_later_is_reported(trained):
    for model in trained.values():
        m = model.metrics
        gap = m["log_loss"]["value"] - m["log_loss_random_split"]
        assert m["generalisation_gap"] == pytest.approx(gap)
        row = next(r for r in m["candidates"] if r["candidate"] == model.candidate)
        assert row["log_loss_random_split"] == m["log_loss_random_split"]


def test_a_column_from_the_future_is_left_out_and_named():
    leaked = DATA.matrix.X.tolil()
    leaked[:, 4] = DATA.y[:, None] * 3
    data = replace(DATA, matrix=replace(DATA.matrix, X=leaked.tocsr().astype(np.float32)))
    groups = [f"event_{column}" for column in range(N_COLUMNS)]
    model = train(data, SMALL, groups)
    (row,) = model.metrics["quarantined"]
    assert (row["feature_id"], row["group"]) == (DATA.matrix.feature_ids[4], "event_4")
    assert "100.0 % of pairs" in row["reason"]
    assert row["feature_id"] not in [*model.feature_ids, *model.holdout_feature_ids]
    assert model.metrics["log_loss"]["value"] > 0.1
    json.dumps(model.metrics)


def test_200_users_with_few_positives_are_learned_from_with_wide_intervals(trained):
    data = training_set(33, n_users=200, n_snapshots=2)
    y = np.zeros_like(data.y)
    y[np.random.default_rng(1).permutation(np.flatnonzero(data.y))[:30]] = 1
    data = replace(data, y=y)
    model = train(data, SMALL)
    m, large = model.metrics, trained["linear"].metrics["log_loss"]
    width = (m["log_loss"]["high"] - m["log_loss"]["low"]) / m["log_loss"]["value"]
    assert (model.status, y.sum()) == ("accepted", 30)
    assert m["log_loss"]["value"] < m["log_loss_base_rate"]["value"] + 0.05
    assert predictions(model, random_rows(34, 2000)).mean() < 0.25
    assert width > 2 * (large["high"] - large["low"]) / large["value"]


def test_the_chosen_candidate_has_the_lowest_log_loss_and_the_groups_are_named(trained):
    model = trained["linear"]
    losses = {row["candidate"]: row["log_loss"] for row in model.metrics["candidates"]}
    assert model.candidate == min(losses, key=losses.get)
    assert model.candidate != "base_rate"
    kinds = {row["group"] for row in model.importances}
    assert kinds <= set(DATA.matrix.kinds)
    top = {row["group"] for row in model.importances[:2]}
    assert top == {"event_count", "hours_since_last"}


@FAMILIES
def test_the_order_of_rows_decides_nothing(trained, settings, request):
    family = request.node.callspec.id
    shuffled = take(DATA, np.random.default_rng(5).permutation(len(DATA.y)))
    other, X = train(shuffled, settings), random_rows(8, 500)
    np.testing.assert_allclose(
        predictions(other, X), predictions(trained[family], X), rtol=0, atol=1e-9
    )
    assert other.metrics["log_loss"] == pytest.approx(trained[family].metrics["log_loss"], abs=1e-9)


def test_the_same_seed_gives_the_same_graph(trained):
    assert train(DATA, LIGHTGBM).onnx == trained["lightgbm"].onnx


def test_balanced_weights_come_out_calibrated():
    settings = replace(SMALL, portfolio=PORTFOLIO[2:])
    model = train(DATA, settings)
    X = random_rows(78, 4000)
    assert (model.class_weight, model.calibration != "no") == ("balanced", True)
    assert predictions(model, X).mean() == pytest.approx(true_probability(X).mean(), abs=0.03)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (
            np.arange(3600) < 9,
            "9 positives and 3,591 negatives in 4 snapshots; at least 10 and 10",
        ),
        (np.arange(3600) >= 7, "3,593 positives and 7 negatives in 4 snapshots"),
        (np.zeros(3600), "0 positives and 3,600 negatives in 4 snapshots"),
    ],
)
def test_too_few_of_an_outcome_are_refused_with_the_counts(y, message):
    with pytest.raises(NotEnoughData, match=message):
        train(replace(DATA, y=np.asarray(y, np.float32)), SMALL)


def test_users_to_learn_from_with_one_outcome_are_refused():
    y = (DATA.user_bucket < 20).astype(np.float32)
    n = int((DATA.user_bucket >= 20).sum())
    with pytest.raises(NotEnoughData, match=f"all {n:,} rows of the users to learn from have one"):
        train(replace(DATA, y=y), SMALL)


@FAMILIES
def test_pure_noise_gives_the_base_rate_for_everyone(settings):
    data = training_set(20, n_users=600, noise=0.2)
    model = train(data, settings)
    m = model.metrics
    assert model.status == "accepted"
    assert m["log_loss"]["value"] <= m["log_loss_base_rate"]["value"] + 0.01
    p = predictions(model, random_rows(21, 2000))
    assert np.abs(p - 0.2).mean() < 0.03
    assert mean_log_loss(np.array([1.0] * 20 + [0.0] * 80), np.full(100, p.mean())) < 0.51


def test_a_graph_that_is_not_exact_is_rejected_with_the_reason():
    model = train(DATA, replace(SMALL, portfolio=PORTFOLIO[1:2], parity_tolerance=0.0))
    assert model.status == "rejected"
    assert model.reason == f"parity: max |ONNX - Python| = {model.metrics['parity']:.1e} > 0e+00"
    assert model.metrics["parity"] > 0


def test_a_wrong_graph_is_rejected(monkeypatch):
    def wrong(pipeline, ids, candidate):
        last = pipeline[-1]
        last.set_params(calibrator=shifted(last.calibrator))
        return export(pipeline, ids, candidate)

    monkeypatch.setattr("foretell.learn.onnx.export.export", wrong)
    model = train(DATA, replace(SMALL, portfolio=PORTFOLIO[2:]))
    assert model.status == "rejected"
    assert model.reason.startswith("parity: max |ONNX - Python| = ")


def shifted(calibrator):
    if calibrator.name in ("sigmoid", "beta"):
        return replace(calibrator, intercept=calibrator.intercept + 0.01)
    return replace(calibrator, y=tuple(value * 0.99 for value in calibrator.y))


def test_no_features_at_all_still_give_a_calibrated_model():
    data = replace(DATA, matrix=replace(DATA.matrix, X=DATA.matrix.X * 0))
    data.matrix.X.eliminate_zeros()
    model = train(data, SMALL)
    assert (model.status, len(model.feature_ids)) == ("accepted", 0)
    p = predict(make_session(model.onnx), np.empty((5, 0)))
    np.testing.assert_allclose(p, DATA.y.mean(), atol=0.01)


def test_one_snapshot_is_measured_on_other_users_only():
    data = take(DATA, np.flatnonzero(DATA.as_of_hour == DATA.as_of_hour.max()))
    model = train(data, SMALL)
    assert (model.metrics["evaluation"], model.metrics["n_snapshots"]) == ("users_only", 1)
    assert model.status == "accepted"


def test_row_limits_sample_users_and_still_learn():
    settings = replace(SMALL, max_choice_rows=800, max_finalist_rows=1500)
    model = train(DATA, settings)
    assert model.status == "accepted"
    assert model.metrics["log_loss"]["value"] < model.metrics["log_loss_base_rate"]["value"]
    assert len(model.feature_ids) == N_COLUMNS


def test_a_small_row_limit_still_learns():
    model = train(DATA, replace(SMALL, max_choice_rows=30, portfolio=PORTFOLIO[:2]))
    assert np.isfinite([row["log_loss"] for row in model.metrics["candidates"]]).all()


def test_of_many_rows_the_best_compete_again_on_one_fold_of_nearly_all(monkeypatch):
    learned, fit_rows = [], Family.fit_rows

    def fit(self, rows, held_out=None):
        learned.append(rows.X.shape[0])
        return fit_rows(self, rows, held_out)

    monkeypatch.setattr(Family, "fit_rows", fit)
    n_fit, n_first = int(honest_split(DATA).fit.sum()), 400
    settings = replace(LIGHTGBM, max_choice_rows=n_first, min_choice_positives=1)
    train(DATA, settings)
    *first, one_fold, holdout, final = learned
    assert max(first) < n_first
    assert n_fit / 2 < one_fold < n_fit
    assert (holdout, final) == (n_fit, len(DATA.y))


def test_of_many_rows_only_columns_that_trees_gain_from_are_read_on():
    few_rows = train(DATA, AVERAGE)
    settings = replace(AVERAGE, max_choice_rows=1_000, useful_share=0.6)
    model = train(DATA, settings)
    assert len(few_rows.feature_ids) == N_COLUMNS
    assert set(TRUE_COLUMNS) <= set(columns_of(model))
    assert len(model.feature_ids) < N_COLUMNS / 2
    assert model.metrics["log_loss"]["value"] < few_rows.metrics["log_loss"]["value"]


def test_what_amounts_hang_on_is_not_measured_by_whether_there_is_any():
    data = value_training_set(0)
    settings = replace(AVERAGE, max_choice_rows=1_000, useful_share=0.3)
    assert AMOUNT_COLUMN in columns_of(train(data, settings))
    assert AMOUNT_COLUMN not in columns_of(train(replace(data, value=None), settings))


def test_the_average_in_use_expects_as_many_outcomes_of_its_rows_as_there_were(trained):
    """Its members' mean of log-odds alone would not (docs/decisions/0025)."""
    model = trained["average"]
    assert (model.candidate, model.calibration) == ("average", "no")
    p = predictions(model, DATA.matrix.X)
    assert p.mean() == pytest.approx(DATA.y.mean(), abs=1e-5)
