"""Numbers of unseen rows are what they are called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from foretell.learn.calibrate import CalibrationRules, Identity
from foretell.learn.candidates import PORTFOLIO, VALUE_PORTFOLIO, fit_candidate
from foretell.learn.contest import Competition
from foretell.learn.evaluate import describe, evaluate, evaluate_value
from foretell.learn.model import CalibratedClassifier
from foretell.learn.split import honest_split
from foretell.learn.train_settings import TrainSettings
from foretell.learn.value_contest import ValueContest
from foretell.learn.value_model import ValueModel, ValueScale
from tests.sparse_rows import training_set, value_training_set

DATA = value_training_set(0, n_users=500)
SPLIT = honest_split(DATA)
SETTINGS = TrainSettings(n_resamples=20)
GROUPS = [f"event_{column}" for column in range(DATA.matrix.X.shape[1])]


def fitted(value=None):
    model = CalibratedClassifier(PORTFOLIO[1].estimator, Identity(), value)
    return model.fit(DATA.matrix.X[SPLIT.fit], DATA.y[SPLIT.fit], kinds=DATA.matrix.kinds)


def contest():
    ring = Competition(DATA, SPLIT.fit, SPLIT.later, 3, 10_000, CalibrationRules(), seed=0)
    return ring.evaluate_candidate(PORTFOLIO[1])


def values(data=DATA):
    has_any = SPLIT.fit & (data.y > 0)
    amount = fit_candidate(
        VALUE_PORTFOLIO[1], data.matrix.X[has_any], data.value[has_any], data.matrix.kinds, 0
    )
    return ValueModel(amount, 0.0, 9.0, ValueScale())


def test_metrics_are_of_the_test_rows():
    model, won = fitted(), contest()
    metrics = evaluate(DATA, SPLIT, model, won, SETTINGS)
    y, p = DATA.y[SPLIT.test], model.probability(DATA.matrix.X[SPLIT.test])
    assert (metrics["n_test_rows"], metrics["n_test_positives"]) == (len(y), y.sum())
    assert metrics["log_loss"]["value"] == pytest.approx(log_loss(y, p), rel=1e-6)
    assert metrics["auroc"]["value"] == pytest.approx(roc_auc_score(y, p), rel=1e-9)
    assert metrics["mean_probability"] == pytest.approx(p.mean())
    gap = metrics["log_loss"]["value"] - won.random_loss
    assert metrics["generalisation_gap"] == pytest.approx(gap)


def test_importances_name_the_groups_that_the_outcome_hangs_on():
    reliability, importances = describe(
        replace(DATA, value=None), SPLIT, fitted(), GROUPS, SETTINGS
    )
    assert sum(group["n"] for group in reliability) == SPLIT.test.sum()
    assert {row["group"] for row in importances[:2]} <= {"event_0", "event_5", "event_7"}


def test_importances_of_values_are_of_the_expected_value():
    amounts = np.exp(3.0 * (DATA.matrix.X[:, 12].toarray().ravel() > 0))  # tells not whether
    data = replace(DATA, value=DATA.y * amounts)
    model = fitted(values(data))
    _, of_values = describe(data, SPLIT, model, GROUPS, SETTINGS)
    _, of_whether = describe(replace(data, value=None), SPLIT, model, GROUPS, SETTINGS)
    in_values, in_whether = (
        {row["group"]: row["importance"] for row in rows} for rows in (of_values, of_whether)
    )
    assert in_values["event_12"] > 0.1
    assert in_whether.get("event_12", 0.0) < 0.01


def test_without_held_out_users_nothing_is_described():
    nobody = replace(SPLIT, test=np.zeros(len(DATA.y), dtype=bool))
    assert describe(DATA, nobody, fitted(values()), GROUPS, SETTINGS) == ([], [])


def test_metrics_of_values_are_of_the_winner_and_the_test_rows():
    value = values()
    expected = fitted(value).expected(DATA.matrix.X[SPLIT.test])
    contests = [
        ValueContest(candidate, ValueScale(), loss, loss, None, {}, 0.0)
        for candidate, loss in zip(VALUE_PORTFOLIO[:2], (9.0, 8.0), strict=True)
    ]
    found = evaluate_value(DATA, SPLIT, expected, contests, SETTINGS)
    assert (found["candidate"], len(found["candidates"])) == ("gamma", 2)
    error = np.abs(expected - DATA.value[SPLIT.test]).mean()
    assert found["mean_absolute_error"]["value"] == pytest.approx(error)
    assert found["largest_value"] == DATA.value.max()


def test_a_model_of_noise_is_no_better_than_the_base_rate():
    noise = training_set(3, n_users=500, noise=0.3)
    split = honest_split(noise)
    model = CalibratedClassifier(PORTFOLIO[0].estimator, Identity())
    model.fit(noise.matrix.X[split.fit], noise.y[split.fit])
    metrics = evaluate(noise, split, model, contest(), SETTINGS)
    assert metrics["log_loss"]["value"] == pytest.approx(
        metrics["log_loss_base_rate"]["value"], abs=1e-6
    )
