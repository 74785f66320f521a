"""The two-part model of values: its loss, its scale, and that nobody is expected beyond everybody."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import mean_tweedie_deviance

from foretell.learn.candidates import Candidate, fit_candidate
from foretell.learn.evaluate import decile_error, value_groups, value_metrics
from foretell.learn.families.constant import ConstantRegressor
from foretell.learn.families.linear import LinearRegressor
from foretell.learn.families.trees import TreesRegressor
from foretell.learn.value_model import (
    ValueModel,
    ValueScale,
    choose_scale,
    mean_deviance,
    tweedie_losses,
)

RNG = np.random.default_rng(0)
EXPECTED = RNG.gamma(1.0, 20.0, 6000) + 0.1
# Half of the users come to nothing, the others to twice what is expected, give or take.
VALUE = EXPECTED * 2 * (RNG.random(6000) < 0.5) * RNG.gamma(4, 1 / 4, 6000)
FOLDS = np.arange(6000) % 3


def test_the_loss_is_scikit_learns():
    assert mean_deviance(VALUE, EXPECTED) == pytest.approx(
        mean_tweedie_deviance(VALUE, EXPECTED, power=1.5)
    )


def test_the_loss_is_nothing_where_expected_is_exact_and_finite_where_nothing_was_expected():
    value = np.array([0.5, 3.0, 1e6])
    np.testing.assert_allclose(tweedie_losses(value, value), 0, atol=1e-6)
    assert np.isfinite(tweedie_losses(np.array([0.0, 5.0]), np.zeros(2))).all()
    assert (tweedie_losses(np.zeros(3), np.zeros(3)) >= 0).all()


def test_values_that_are_right_stay_as_they_are():
    assert choose_scale(EXPECTED, VALUE, FOLDS, 2.0) == ValueScale()


@pytest.mark.parametrize(("factor", "power"), [(3.0, 1.0), (0.5, 1.0), (2.0, 1.6), (5.0, 0.7)])
def test_what_was_bent_is_bent_back(factor, power):
    bent = factor * EXPECTED**power
    scale = choose_scale(bent, VALUE, FOLDS, 2.0)
    assert scale.name == ("factor" if power == 1 else "power")
    back = scale.apply(bent)
    assert back.sum() == pytest.approx(VALUE.sum(), rel=0.03)
    assert mean_deviance(VALUE, back) == pytest.approx(mean_deviance(VALUE, EXPECTED), rel=0.01)
    if power != 1:
        assert scale.power == pytest.approx(1 / power, rel=0.05)


def test_the_unit_decides_nothing():
    one, cents = (choose_scale(k * 3 * EXPECTED**1.5, k * VALUE, FOLDS, 2.0) for k in (1, 100))
    assert cents.name == one.name
    np.testing.assert_allclose(
        cents.apply(100 * 3 * EXPECTED**1.5), 100 * one.apply(3 * EXPECTED**1.5), rtol=1e-3
    )


def test_where_nobody_came_to_anything_nothing_is_scaled():
    assert choose_scale(EXPECTED, np.zeros(6000), FOLDS, 2.0).power == 1


@pytest.mark.parametrize("family", [LinearRegressor, TreesRegressor, ConstantRegressor])
def test_nobody_is_expected_to_come_to_more_than_anybody_did(family):
    X = csr_matrix(RNG.gamma(1, 2, (500, 2)).astype(np.float32))
    amounts = np.exp(np.asarray(np.log1p(X.toarray()).sum(axis=1)))
    candidate = Candidate("amounts", family())
    fitted = fit_candidate(candidate, X, amounts, ["event_count"] * 2, 0)
    model = ValueModel(fitted, np.log(amounts.min()), np.log(amounts.max()), ValueScale())
    far = csr_matrix(np.array([[1e30, 1e30], [0, 0]], dtype=np.float32))
    expected = model.expected(far, np.ones(2))
    assert (expected <= amounts.max() * (1 + 1e-12)).all()
    assert (expected >= amounts.min() * (1 - 1e-12)).all()
    assert np.mean(model.expected(X, np.ones(500))) == pytest.approx(amounts.mean(), rel=0.15)


def test_metrics_say_what_they_are_called():
    value = np.array([0.0, 0, 0, 0, 0, 0, 0, 0, 0, 10])
    expected = np.array([0.5] * 9 + [8.0])
    found = value_metrics(value, expected, np.arange(10), usual=1.0, n_resamples=20)
    values = {name: metric["value"] for name, metric in found.items()}
    assert values["mean_absolute_error"] == pytest.approx((9 * 0.5 + 2) / 10)
    assert values["mean_absolute_error_usual"] == pytest.approx((9 * 1 + 9) / 10)
    assert values["total_ratio"] == pytest.approx(12.5 / 10)
    assert values["top_decile_share"] == 1
    assert values["decile_error"] == pytest.approx((9 * 0.5 + 2) / 10 / 1.0)
    assert decile_error(np.zeros(3), np.ones(3)) is None


def test_groups_are_tenths_by_what_was_expected():
    groups = value_groups(np.arange(20.0), np.arange(20.0)[::-1])
    assert [group["n"] for group in groups] == [2] * 10
    assert (groups[0]["mean_expected"], groups[0]["mean_value"]) == (0.5, 18.5)
    assert groups[0]["low"] == pytest.approx(18.5 - 1.959964 * 0.5)
    assert value_groups(np.ones(3), np.ones(3))[0]["low"] is None
