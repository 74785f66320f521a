"""Calibration repairs probabilities, keeps their order, and stays within what ONNX can follow."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from foretell.learn import calibrate
from foretell.learn.calibrate import (
    MAX_SLOPE,
    Beta,
    CalibrationRules,
    CentredIsotonic,
    Identity,
    Sigmoid,
    choose_calibrator,
    fit_beta,
    fit_centred_isotonic,
    fit_sigmoid,
)
from foretell.learn.metrics import expected_calibration_error, mean_log_loss

GRID = np.linspace(0, 1, 5001)


def draws(seed, n, slope=1.0, intercept=0.0, spread=1.5):
    """Return scores, labels and true probabilities expit(slope * logit(score) + intercept)."""
    rng = np.random.default_rng(seed)
    margin = rng.normal(0, spread, n)
    truth = expit(slope * margin + intercept)
    return expit(margin), (rng.random(n) < truth).astype(float), truth


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, -1.5), (1.8, 0.7)])
def test_sigmoid_recovers_a_known_slope_and_intercept(slope, intercept):
    p, y, _ = draws(0, 40_000, slope, intercept)
    fitted = fit_sigmoid(p, y)
    assert fitted.slope == pytest.approx(slope, abs=0.05)
    assert fitted.intercept == pytest.approx(intercept, abs=0.05)


def test_sigmoid_agrees_with_scikit_learns_logistic_regression():
    p, y, _ = draws(1, 20_000, 0.7, -0.4)
    other = LogisticRegression(C=1e9, tol=1e-8).fit(logit(p)[:, None], y)
    fitted = fit_sigmoid(p, y)  # its targets are smoothed by 1 in n_positive
    assert fitted.slope == pytest.approx(other.coef_[0, 0], abs=5e-3)
    assert fitted.intercept == pytest.approx(other.intercept_[0], abs=5e-3)


@pytest.mark.parametrize(("a", "b", "intercept"), [(1.0, 1.0, 0.0), (0.6, 1.7, -0.5)])
def test_beta_recovers_its_three_parameters(a, b, intercept):
    rng = np.random.default_rng(11)
    p = expit(rng.normal(0, 2, 60_000))
    y = (rng.random(60_000) < Beta(a, b, intercept).apply(p)).astype(float)
    fitted = fit_beta(p, y)
    assert fitted.a == pytest.approx(a, abs=0.07)
    assert fitted.b == pytest.approx(b, abs=0.07)
    assert fitted.intercept == pytest.approx(intercept, abs=0.07)


def test_beta_with_equal_ends_is_a_sigmoid_and_keeps_order():
    np.testing.assert_allclose(
        Beta(1.4, 1.4, 0.3).apply(GRID), Sigmoid(1.4, 0.3).apply(GRID), atol=1e-12
    )
    p, y, _ = draws(12, 2000)
    fitted = fit_beta(p, 1 - y)  # backwards: gains stop at 0
    assert fitted.a >= 0
    assert fitted.b >= 0
    assert (np.diff(fitted.apply(GRID)) >= 0).all()


def test_a_map_must_beat_the_scores_as_they_are_by_more_than_chance():
    p, y, _ = draws(13, 3000, slope=0.93)  # a little too sure
    folds = np.arange(3000) % 3
    eager, careful = (
        choose_calibrator(p, y, folds, CalibrationRules(n_errors=n))[0].name for n in (-1.0, 2.0)
    )
    assert eager != "no"
    assert careful == "no"


def test_sigmoid_never_turns_the_order_round():
    p, y, _ = draws(2, 2000)
    fitted = fit_sigmoid(p, 1 - y)
    assert fitted.slope == 0
    np.testing.assert_allclose(fitted.apply(p), (1 - y).mean(), atol=2e-3)


@pytest.mark.parametrize(
    ("p", "y"),
    [
        (np.linspace(0, 1, 200), np.repeat([0.0, 1.0], 100)),  # perfectly separated
        (np.array([0.0, 1.0] * 50), np.array([0.0, 1.0] * 50)),
        (np.full(50, 0.3), np.arange(50) % 2.0),  # one score for all
    ],
)
def test_maps_stay_finite_and_isotonic_never_certain(p, y):
    for fitted in (fit_sigmoid(p, y), fit_beta(p, y), fit_centred_isotonic(p, y)):
        q = fitted.apply(GRID)
        assert np.isfinite(q).all()
        assert ((q >= 0) & (q <= 1)).all()
    assert ((q > 0) & (q < 1)).all()  # centred isotonic: a rate of 0 or 1 is never certain


def hostile_scores(kind, seed):
    rng = np.random.default_rng(seed)
    n = 3000
    if kind == "smooth":
        return draws(seed, n)[:2]
    if kind == "ties":
        p = rng.integers(0, 5, n) / 5
    elif kind == "dense":  # all scores within 1e-3: steep steps
        p = 0.5 + 1e-3 * rng.random(n)
    elif kind == "rare":
        p = rng.beta(1, 300, n)
        return p, (rng.random(n) < p * 3).astype(float)
    elif kind == "backwards":
        p = rng.random(n)
        return p, (rng.random(n) > p).astype(float)
    else:  # a jump
        p = rng.random(n)
        return p, (p > 0.5).astype(float)
    return p, (rng.random(n) < (p - p.min()) / np.ptp(p)).astype(float)


@pytest.mark.parametrize("kind", ["smooth", "ties", "dense", "rare", "backwards", "jump"])
@pytest.mark.parametrize("seed", range(3))
def test_centred_isotonic_keeps_order_and_is_nowhere_too_steep(kind, seed):
    p, y = hostile_scores(kind, seed)
    fitted = fit_centred_isotonic(p, y)
    x, height = np.array(fitted.x), np.array(fitted.y)
    assert (np.diff(x) > 0).all()
    assert (np.diff(height) >= 0).all()
    assert (np.diff(height) / np.diff(x)).max() <= MAX_SLOPE * 1.001  # knots are float32
    assert ((height > 0) & (height < 1)).all()
    np.testing.assert_array_equal(x, x.astype(np.float32))
    ordered = fitted.apply(np.sort(np.concatenate([GRID, p])))
    assert (np.diff(ordered) >= -1e-15).all()


def test_centred_isotonic_puts_one_knot_per_block_at_its_mean_score():
    # Blocks by pool-adjacent-violators: {0.1, 0.2: rate 0}, {0.4, 0.6: 1, 0: rate 1/2}, {0.9: 1}
    p, y = np.array([0.1, 0.2, 0.4, 0.6, 0.8, 0.9]), np.array([0.0, 0, 1, 0, 1, 1])
    fitted = fit_centred_isotonic(p, y)
    np.testing.assert_allclose(fitted.x, [0.15, 0.5, 0.85], atol=1e-7)
    np.testing.assert_allclose(fitted.y, [1 / 12, 0.5, 11 / 12])
    np.testing.assert_allclose(fitted.apply([0, 0.325, 1]), [1 / 12, 7 / 24, 11 / 12], atol=1e-6)


def test_centred_isotonic_keeps_the_mean_where_steps_are_merged():
    p, y = hostile_scores("dense", 0)
    assert fit_centred_isotonic(p, y).apply(p).mean() == pytest.approx(y.mean(), abs=0.02)


def test_centred_isotonic_repairs_a_map_that_no_sigmoid_fits():
    rng = np.random.default_rng(3)
    p = rng.random(20_000)
    truth = np.where(p < 0.4, 0.05, np.where(p < 0.8, 0.3, 0.35 + 0.2 * p))
    y = (rng.random(20_000) < truth).astype(float)
    errors = [np.abs(f(p, y).apply(p) - truth).mean() for f in (fit_centred_isotonic, fit_sigmoid)]
    assert errors[0] < 0.6 * errors[1]


@pytest.mark.parametrize("base", [0.02, 0.1, 0.3])
def test_the_chosen_map_repairs_balanced_weights(base):
    rng = np.random.default_rng(4)
    truth = expit(rng.normal(logit(base), 1, 20_000))
    y = (rng.random(20_000) < truth).astype(float)
    odds = (1 - y.mean()) / y.mean()
    p = odds * truth / (odds * truth + 1 - truth)  # what balanced class weights teach
    chosen, loss = choose_calibrator(p, y, np.arange(20_000) % 3, CalibrationRules())
    q = chosen.apply(p)
    assert chosen.name != "no"
    assert q.mean() == pytest.approx(y.mean(), abs=0.003)
    assert expected_calibration_error(y, q) < 0.01
    assert loss < mean_log_loss(y, p) - 0.03


@pytest.mark.parametrize("flip", [False, True])
def test_with_few_of_one_outcome_isotonic_never_competes(flip):
    rng = np.random.default_rng(5)
    p = rng.random(5000)
    y = np.zeros(5000)
    y[rng.permutation(np.flatnonzero((p > 0.6) & (p < 0.8)))[:99]] = 1  # a hill: isotonic wins
    y, p = (1 - y, 1 - p) if flip else (y, p)
    folds = np.arange(5000) % 3
    assert choose_calibrator(p, y, folds, CalibrationRules())[0].name != "centred isotonic"
    free = CalibrationRules(min_isotonic_rows=0, min_isotonic_positives=0)
    assert choose_calibrator(p, y, folds, free)[0].name == "centred isotonic"


def test_few_rows_never_get_isotonic():
    p = np.random.default_rng(6).random(999)
    chosen, _ = choose_calibrator(
        p, (p > 0.5).astype(float), np.arange(999) % 3, CalibrationRules()
    )
    assert chosen.name != "centred isotonic"


def test_good_probabilities_stay_as_they_are():
    p, y, _ = draws(7, 20_000)
    chosen, loss = choose_calibrator(p, y, np.arange(20_000) % 3, CalibrationRules())
    assert loss <= mean_log_loss(y, p)
    assert np.abs(chosen.apply(p) - p).mean() < 0.015


def test_a_map_is_judged_only_on_folds_it_was_not_fitted_on(monkeypatch):
    p, y, _ = draws(8, 900)
    folds, fitted_on = np.arange(900) % 3, []

    def spy(p, y):
        fitted_on.append(set(p))
        return Identity()

    monkeypatch.setattr(calibrate, "fit_sigmoid", spy)
    rules = CalibrationRules(min_isotonic_rows=10_000, min_beta_positives=10_000)
    choose_calibrator(p, y, folds, rules)
    assert fitted_on[:3] == [set(p[folds != fold]) for fold in range(3)]


def test_known_answers_of_each_map():
    np.testing.assert_array_equal(Identity().apply([0.2, 0.7]), [0.2, 0.7])
    assert Sigmoid(2.0, 0.0).apply([0.75])[0] == pytest.approx(0.9)  # odds 3 squared: 9 to 1
    assert 0 < Sigmoid(1.0, 0.0).apply([0.0])[0] < 1.1e-6
    lerp = CentredIsotonic((0.25, 0.75), (0.1, 0.5))
    np.testing.assert_allclose(lerp.apply([0, 0.25, 0.5, 0.75, 1]), [0.1, 0.1, 0.3, 0.5, 0.5])


def test_four_rows_that_the_scores_tell_apart_make_nobody_certain():
    """Smoothed targets: of two with the outcome 3 of 4, of two without 1 of 4 (Platt 1999)."""
    p, y = np.array([0.2, 0.2, 0.8, 0.8]), np.array([0.0, 0.0, 1.0, 1.0])
    np.testing.assert_allclose(fit_sigmoid(p, y).apply(p), [0.25, 0.25, 0.75, 0.75], atol=1e-3)
