"""Value predictions: what users come to is known, and training must find it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit

from foretell.learn.candidates import VALUE_PORTFOLIO
from foretell.learn.challenge import HoldoutModel, challenge
from foretell.learn.contributions import contributions, unpack
from foretell.learn.matrix import TrainingSet
from foretell.learn.onnx.model import (
    EXPECTED_VALUE,
    has_value,
    make_session,
    predict,
    predict_outputs,
)
from foretell.learn.train import TrainSettings, train
from foretell.learn.value_contest import ValueContest, fit_value
from foretell.learn.value_model import ValueScale
from tests.foretell.learn.test_train import PORTFOLIO
from tests.sparse_rows import (
    random_rows,
    take,
    training_set,
    true_amount,
    true_probability,
    value_training_set,
)

SETTINGS = TrainSettings(n_resamples=20, portfolio=PORTFOLIO[:2])
DATA = value_training_set(0, n_users=1500)
NEW = random_rows(91, 6000)


def expected(model, X, onnx=None, ids=None):
    ids = model.feature_ids if ids is None else ids
    columns = [int(feature_id - 3) // 7 for feature_id in ids]
    session = make_session(onnx or model.onnx)
    return predict(session, X[:, columns].toarray(), EXPECTED_VALUE).astype(float)


@pytest.fixture(scope="module")
def trained():
    return train(DATA, SETTINGS)


def test_expected_values_are_those_that_rows_were_drawn_with(trained):
    truth = true_probability(NEW) * true_amount(NEW)
    found = expected(trained, NEW)
    assert found.sum() == pytest.approx(truth.sum(), rel=0.1)
    assert np.corrcoef(found, truth)[0, 1] > 0.9
    assert np.abs(found - truth).mean() < 0.35 * np.abs(truth.mean() - truth).mean()


def test_the_reported_numbers_are_of_unseen_rows(trained):
    value = trained.metrics["value"]
    test = (DATA.user_bucket < 20) & (DATA.as_of_hour == DATA.as_of_hour.max())
    assert sum(group["n"] for group in value["groups"]) == test.sum()
    said = expected(trained, DATA.matrix.X[test], trained.holdout_onnx, trained.holdout_feature_ids)
    error = np.abs(said - DATA.value[test]).mean()
    assert value["mean_absolute_error"]["value"] == pytest.approx(error, rel=1e-5)
    assert error < 0.9 * value["mean_absolute_error_usual"]["value"]
    assert value["total_ratio"]["low"] < 1 < value["total_ratio"]["high"]
    assert value["parity"] <= SETTINGS.value_tolerance
    assert trained.status == "accepted"


def test_whether_there_is_any_is_the_model_of_that_question(trained):
    alone = train(replace(DATA, value=None), SETTINGS)
    assert alone.metrics["log_loss"] == trained.metrics["log_loss"]
    assert "value" not in alone.metrics
    assert has_value(make_session(trained.onnx))
    assert not has_value(make_session(alone.onnx))


def test_the_same_data_in_any_order_gives_the_same_model(trained):
    shuffled = take(DATA, np.random.default_rng(0).permutation(len(DATA.y)))
    assert train(shuffled, SETTINGS).onnx == trained.onnx


def test_the_unit_is_only_a_factor(trained):
    cents = train(replace(DATA, value=100 * DATA.value), SETTINGS)
    np.testing.assert_allclose(expected(cents, NEW), 100 * expected(trained, NEW), rtol=0.02)


def test_a_graph_whose_values_are_not_exact_is_rejected():
    model = train(DATA, replace(SETTINGS, value_tolerance=0.0))
    assert model.status == "rejected"
    assert model.reason.startswith("parity of values: max |ONNX / Python - 1| = ")


def test_few_who_have_any_are_enough_to_say_what_is_usual():
    few = value_training_set(3, n_users=150, n_snapshots=3)
    rare = few.y * (np.random.default_rng(0).random(len(few.y)) < 0.12)
    data = replace(few, y=rare.astype(np.float32), value=few.value * rare)
    assert 10 <= rare.sum() < 40
    model = train(data, SETTINGS)
    assert model.status == "accepted"
    found = expected(model, NEW)
    assert found.mean() == pytest.approx(data.value.mean(), rel=0.5)
    assert found.max() <= data.value.max() * 1.001


def test_one_amount_for_all_is_found():
    data = replace(DATA, value=7.0 * DATA.y.astype(float))
    X = random_rows(5, 500)
    model = train(data, SETTINGS)
    columns = [int(feature_id - 3) // 7 for feature_id in model.feature_ids]
    p = predict(make_session(model.onnx), X[:, columns].toarray()).astype(float)
    np.testing.assert_allclose(expected(model, X), 7 * p, rtol=1e-3)


def test_a_challenger_is_judged_by_its_values():
    # As good at whether, but amounts are turned round: only values can tell.
    turned = replace(DATA, value=np.where(DATA.y > 0, 1e4 / np.maximum(DATA.value, 1), 0.0))
    good, poor = (
        holdout_model(train(data, SETTINGS), name) for data, name in ((DATA, "g"), (turned, "p"))
    )
    lost = challenge(DATA, 20, poor, good)
    assert not lost.is_promoted
    assert "Tweedie deviance" in lost.decision
    assert lost.comparison.measure == "Tweedie deviance"
    assert challenge(DATA, 20, good, poor).is_promoted


def test_reasons_add_up_to_the_log_odds_of_any(trained):
    columns = [int(feature_id - 3) // 7 for feature_id in trained.feature_ids]
    rows = NEW[:50][:, columns]
    groups = np.arange(len(columns)) % 3
    added, base = contributions(unpack(trained.explain_model), rows, groups, 3)
    (score,) = predict_outputs(make_session(trained.onnx), rows.toarray(), ["score"])
    np.testing.assert_allclose(base + added.sum(axis=1), logit(score.astype(float)), atol=1e-4)


def holdout_model(model, name):
    return HoldoutModel(name, model.holdout_onnx, model.holdout_feature_ids, model.feature_ids)


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (np.ones(3), "value has shape"),
        (np.full(3600, -1.0), "has value -1.0"),
        (np.full(3600, np.nan), "has value nan"),
        (np.ones(3600), "has value 1.0 and label 0"),
    ],
)
def test_values_that_disagree_with_labels_are_refused(value, match):
    data = training_set(0)
    with pytest.raises(ValueError, match=match):
        TrainingSet(**{**data.__dict__, "value": value})


def test_amounts_of_all_stand_in_where_no_row_to_learn_from_has_any(trained):
    contest = ValueContest(VALUE_PORTFOLIO[0], ValueScale(), 0.0, 0.0, None, {}, 0.0)
    nobody = DATA.y == 0
    fitted = fit_value(contest, DATA, nobody, SETTINGS)
    usual = DATA.value[DATA.y > 0].mean()
    np.testing.assert_allclose(fitted.expected(NEW[:3], np.ones(3)), usual)
