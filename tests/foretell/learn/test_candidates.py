"""Each family learns the same from the same rows, and a linear model sees features evened out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from foretell.learn import candidates
from foretell.learn.candidates import (
    PORTFOLIO,
    Candidate,
    average_of,
    centred,
    fit_candidate,
    portfolio_for,
)
from foretell.learn.families.average import AverageClassifier
from foretell.learn.families.base import MIN_ROWS_PER_COLUMN, is_of_property
from foretell.learn.families.boosted import BoostedClassifier, BoostedRegressor
from foretell.learn.families.linear import LinearClassifier
from foretell.learn.families.trees import TreesClassifier
from foretell.learn.metrics import mean_log_loss
from tests.sparse_rows import kinds, labelled_rows, random_rows, true_probability

AVERAGE = average_of("average", AverageClassifier, PORTFOLIO[1:])
BOOSTED = Candidate("b", BoostedClassifier())
ALL = (*PORTFOLIO, AVERAGE)
IDS = [candidate.name for candidate in ALL]
X, Y = labelled_rows(0, 1500)
NEW = random_rows(9, 400)


def fit(candidate, seed=0, n_jobs=2, **how):
    return fit_candidate(candidate, X, Y, kinds(), seed, n_jobs, **how)


@pytest.mark.parametrize("candidate", ALL, ids=IDS)
def test_same_rows_and_seed_give_the_same_model(candidate):
    first, second = fit(candidate).probability(NEW), fit(candidate).probability(NEW)
    np.testing.assert_allclose(first, second, rtol=0, atol=1e-12)
    assert first.dtype == np.float64
    assert first.shape == (400,)
    assert ((first >= 0) & (first <= 1)).all()


@pytest.mark.parametrize("candidate", ALL, ids=IDS)
def test_the_number_of_threads_changes_nothing(candidate):
    one, two = fit(candidate, n_jobs=1).probability(NEW), fit(candidate, n_jobs=2).probability(NEW)
    np.testing.assert_allclose(one, two, rtol=0, atol=1e-12)


@pytest.mark.parametrize("candidate", ALL[1:], ids=IDS[1:])
def test_each_family_orders_new_rows_by_their_true_probability(candidate):
    truth = true_probability(NEW)
    assert np.corrcoef(fit(candidate).probability(NEW), truth)[0, 1] > 0.7


@pytest.mark.parametrize("candidate", ALL, ids=IDS)
def test_a_prediction_does_not_depend_on_who_else_is_in_the_batch(candidate):
    fitted = fit(candidate)
    alone = [fitted.probability(NEW[row])[0] for row in range(5)]
    np.testing.assert_allclose(alone, fitted.probability(NEW)[:5], rtol=0, atol=1e-12)


def test_base_rate_is_the_share_of_positives_for_everyone():
    rate = float(Y.mean(dtype=float))
    np.testing.assert_allclose(fit(PORTFOLIO[0]).probability(NEW), np.full(400, rate), rtol=1e-12)


def test_an_average_is_the_mean_of_its_members_in_log_odds():
    alone = [fit(member).margin(NEW) for member in AVERAGE.members]
    np.testing.assert_allclose(fit(AVERAGE).margin(NEW), np.mean(alone, axis=0), atol=1e-12)


def test_an_average_gives_each_member_its_own_rounds():
    rounds = {"logistic_boosted": 7, "lightgbm_extra": 3}
    found = [member.rounds_ for member in fit(AVERAGE, rounds=rounds).members_]
    assert (found[3], found[5], found[0]) == (7, 3, None)  # in the order of the portfolio


def test_trees_add_to_what_the_linear_model_says_and_know_it():
    boosted = fit(BOOSTED, rounds={"b": 40})
    linear, trees = boosted.members_
    np.testing.assert_array_equal(
        linear.margin(NEW), fit(Candidate("b", LinearClassifier())).margin(NEW)
    )
    np.testing.assert_allclose(
        boosted.margin(NEW), linear.margin(NEW) + trees.margin(NEW), atol=1e-12
    )
    np.testing.assert_array_equal(boosted.gain(), trees.gain())
    assert boosted.gain().any()
    alone = fit(Candidate("b", TreesClassifier()), rounds={"b": 40})
    assert trees.margin(NEW).std() < 0.9 * alone.margin(NEW).std()
    truth = labelled_rows(9, 4000)
    assert mean_log_loss(truth[1], boosted.probability(truth[0])) < mean_log_loss(
        truth[1], linear.probability(truth[0])
    )


def test_rows_that_were_boosted_on_a_linear_model_are_as_new_for_the_next():
    rounds = {"b": 9, "t": 9}
    trees = Candidate("t", TreesClassifier())
    average = average_of("a", AverageClassifier, (BOOSTED, trees))
    _, after = fit(average, rounds=rounds).members_
    np.testing.assert_array_equal(after.margin(NEW), fit(trees, rounds=rounds).margin(NEW))


def test_boosted_trees_stop_early_on_what_the_linear_model_leaves():
    def stopped(candidate):
        return fit_candidate(
            candidate, X[:1000], Y[:1000], kinds(), 0, held_out=(X[1000:], Y[1000:])
        )

    assert stopped(BOOSTED).rounds_ < stopped(Candidate("b", TreesClassifier())).rounds_


def test_amounts_are_boosted_on_a_linear_model_of_their_logarithm():
    amounts = 50 * np.exp(X[:, 0].toarray().ravel() / 10) + Y
    model = fit_candidate(Candidate("b", BoostedRegressor()), X, amounts, kinds(), 0)
    assert np.corrcoef(model.margin(X), np.log(amounts))[0, 1] > 0.8
    assert np.exp(model.margin(X)).mean() == pytest.approx(amounts.mean(), rel=0.1)


def test_a_centred_average_expects_what_happened():
    rare = Y * (np.arange(len(Y)) % 20 == 0)
    model = fit_candidate(AVERAGE, X, rare, kinds(), 0)
    assert model.probability(X).sum() < 0.99 * rare.sum()
    right = centred(model, X, rare)
    assert right.probability(X).sum() == pytest.approx(rare.sum(), rel=1e-6)
    np.testing.assert_allclose(np.diff(right.margin(NEW) - model.margin(NEW)), 0, atol=1e-12)
    single = fit(PORTFOLIO[1])
    assert centred(single, X, rare) is single


def test_many_rows_are_centred_by_some_of_them(monkeypatch):
    monkeypatch.setattr(candidates, "MAX_CENTRED_ROWS", 700)
    model = fit(AVERAGE)
    right = centred(model, X, Y)
    # Of 1,500 rows every other one.
    assert right.probability(X[::2]).mean() == pytest.approx(Y.mean(dtype=float), rel=1e-6)


def test_without_properties_no_column_of_a_property_is_read():
    for candidate in (c for c in PORTFOLIO if not c.estimator.with_properties):
        read = {kinds()[column] for column in fit(candidate).columns_}
        assert read
        assert not any(is_of_property(kind) for kind in read)


def test_where_there_are_no_properties_nobody_competes_to_leave_them_out():
    assert portfolio_for(PORTFOLIO, ["event_count", "value_sum"]) == list(PORTFOLIO)
    left = portfolio_for(PORTFOLIO, ["event_count", "hours_since_last"])
    assert left == [candidate for candidate in PORTFOLIO if candidate.estimator.with_properties]


def test_balanced_weights_raise_the_mean_of_a_rare_outcome():
    rare = (np.arange(len(Y)) % 3 == 0) * Y
    plain, balanced = (
        fit_candidate(Candidate("l", LinearClassifier(class_weight=weight)), X, rare, kinds(), 0)
        .probability(NEW)
        .mean()
        for weight in (None, "balanced")
    )
    assert plain == pytest.approx(rare.mean(), abs=0.03)
    assert balanced > plain + 0.15


@pytest.mark.parametrize("family", [LinearClassifier, TreesClassifier, BoostedClassifier])
def test_columns_with_too_few_rows_are_left_out_and_without_columns_it_is_the_base_rate(family):
    dense = X.toarray()
    dense[:, 3] = 0
    dense[: MIN_ROWS_PER_COLUMN - 1, 3] = 1
    dense[:, 4] = 0
    dense[:MIN_ROWS_PER_COLUMN, 4] = 1
    fitted = fit_candidate(Candidate("c", family()), csr_matrix(dense), Y, kinds(), 0)
    assert 3 not in fitted.columns_
    assert 4 in fitted.columns_
    nothing = csr_matrix(X.shape, dtype=np.float32)
    empty = fit_candidate(Candidate("c", family()), nothing, Y, kinds(), 0)
    assert (len(empty.columns_), empty.constant_ is None) == (0, False)
    np.testing.assert_allclose(empty.probability(NEW), float(Y.mean(dtype=float)), rtol=1e-12)


def test_lightgbm_stops_early_on_held_out_rows_and_beats_more_rounds_of_noise():
    noise = np.random.default_rng(1).random(len(Y)) < 0.3
    held_out = (X[1000:], noise[1000:].astype(float))
    candidate = Candidate("lightgbm", TreesClassifier())
    stopped = fit_candidate(candidate, X[:1000], noise[:1000], kinds(), 0, held_out=held_out)
    assert 1 <= stopped.rounds_ < 80
    full = fit_candidate(candidate, X[:1000], noise[:1000], kinds(), 0, rounds={"lightgbm": 80})
    assert full.rounds_ == 80
    losses = [mean_log_loss(held_out[1], f.probability(held_out[0])) for f in (stopped, full)]
    assert losses[0] < losses[1]
