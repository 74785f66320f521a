"""The challenge: who wins, who cannot be compared, and that the interval is what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import ttest_rel

from foretell.learn.candidates import Candidate, fit_candidate
from foretell.learn.challenge import (
    MIN_OUTCOMES,
    HoldoutModel,
    challenge,
    compare,
    held_out_rows,
    holdout_output,
)
from foretell.learn.families.linear import LinearClassifier
from tests.graphs import graph_of
from tests.sparse_rows import take, training_set

DATA = training_set(5, n_users=1500, n_snapshots=2)
IDS = DATA.matrix.feature_ids


def holdout_model(name: str, columns: list[int]) -> HoldoutModel:
    """Return a model that learned from the first snapshot of users who are not held out."""
    learned = (DATA.user_bucket >= 20) & (DATA.as_of_hour == DATA.as_of_hour.min())
    kinds = [DATA.matrix.kinds[column] for column in columns]
    X = DATA.matrix.X[learned][:, columns]
    fitted = fit_candidate(Candidate(name, LinearClassifier()), X, DATA.y[learned], kinds, 0)
    ids = IDS[columns][fitted.columns_]
    return HoldoutModel(name, graph_of(fitted, ids=ids), ids, ids)


GOOD = holdout_model("good", [0, 5, 7])
POOR = holdout_model("poor", [1, 2])


def test_a_worse_model_does_not_win_and_a_better_one_does():
    lost, won = challenge(DATA, 20, POOR, GOOD), challenge(DATA, 20, GOOD, POOR)
    assert not lost.is_promoted
    assert lost.comparison.low > 0
    assert lost.decision.startswith("not promoted: worse than the champion")
    assert won.is_promoted
    assert won.comparison.high < 0
    assert won.decision.startswith("promoted: better than the champion")
    assert won.comparison.difference == pytest.approx(-lost.comparison.difference)
    assert won.champion_id == "poor"
    assert won.facts()["n_users"] == won.comparison.n_users


def test_a_model_that_says_the_same_is_promoted():
    same = challenge(DATA, 20, GOOD, GOOD)
    assert same.is_promoted
    assert same.comparison.low == same.comparison.difference == same.comparison.high == 0


def test_only_held_out_users_in_the_newest_window_count():
    rows = held_out_rows(DATA, 20)
    assert set(DATA.as_of_hour[rows]) == {DATA.as_of_hour.max()}
    assert DATA.user_bucket[rows].max() == 19
    y = np.where(rows, DATA.y, 1 - DATA.y)  # everything else is turned round
    assert challenge(replace(DATA, y=y), 20, GOOD, POOR) == challenge(DATA, 20, GOOD, POOR)


def test_the_order_of_rows_decides_nothing():
    shuffled = take(DATA, np.random.default_rng(0).permutation(len(DATA.y)))
    one, other = challenge(DATA, 20, GOOD, POOR), challenge(shuffled, 20, GOOD, POOR)
    assert one.comparison.difference == pytest.approx(other.comparison.difference)
    assert one.comparison.low == pytest.approx(other.comparison.low)


def test_a_champion_gives_way_if_an_input_is_not_computed_any_more():
    gone = replace(GOOD, scoring_ids=np.append(GOOD.scoring_ids, 999_999))
    decided = challenge(DATA, 20, POOR, gone)
    assert decided.is_promoted
    assert "1 of the champion's 4 inputs" in decided.decision
    assert decided.comparison is None


def test_a_champion_gives_way_if_its_graph_does_not_run():
    decided = challenge(DATA, 20, POOR, replace(GOOD, onnx=b"no graph"))
    assert decided.is_promoted
    assert "does not run" in decided.decision


def test_a_challenger_that_does_not_run_is_not_taken():
    with pytest.raises(ValueError, match="feature 999999 of model good"):
        holdout_output(
            replace(GOOD, feature_ids=np.array([999_999])), DATA, held_out_rows(DATA, 20)
        )


def test_too_few_outcomes_cannot_be_compared():
    rows = np.flatnonzero(held_out_rows(DATA, 20))
    y = DATA.y.copy()
    y[rows] = 0
    y[rows[: MIN_OUTCOMES - 1]] = 1
    decided = challenge(replace(DATA, y=y), 20, POOR, GOOD)
    assert decided.is_promoted
    assert f"{MIN_OUTCOMES - 1} positives" in decided.decision
    y[rows[MIN_OUTCOMES - 1]] = 1
    assert challenge(replace(DATA, y=y), 20, POOR, GOOD).comparison.n_positives == MIN_OUTCOMES


def test_with_a_row_per_user_the_interval_is_that_of_the_paired_t_test():
    rng = np.random.default_rng(1)
    y = (rng.random(200) < 0.3).astype(float)
    p, q = rng.uniform(0.05, 0.95, (2, 200))
    result = compare(y, p, q, np.arange(200))
    loss = [-np.log(np.where(y > 0, each, 1 - each)) for each in (p, q)]
    expected = ttest_rel(*loss).confidence_interval(0.95)
    assert (result.low, result.high) == pytest.approx((expected.low, expected.high))
    assert result.challenger_loss == pytest.approx(loss[0].mean())


def test_rows_of_one_user_are_one_observation():
    rng = np.random.default_rng(2)
    y = (rng.random(100) < 0.3).astype(float)
    p, q = rng.uniform(0.05, 0.95, (2, 100))
    once = compare(y, p, q, np.arange(100))
    thrice = compare(*(np.repeat(each, 3) for each in (y, p, q, np.arange(100))))
    assert thrice.n_rows == 300
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))
    assert compare(y[:1], p[:1], q[:1], np.zeros(1)).low is None


def test_the_interval_holds_the_true_difference_in_95_of_100_cases():
    """Two models off to either side; at rates where ten of each outcome are there."""
    rng, n, n_held = np.random.default_rng(3), 400, 0
    for _ in range(300):
        eta = rng.normal(-1, 1, n)
        p = expit(eta)
        y = rng.random(n) < p
        one, other = expit(eta + 0.2), expit(eta - 0.2)
        gain = p * np.log(other / one) + (1 - p) * np.log((1 - other) / (1 - one))
        result = compare(y.astype(float), one, other, np.arange(n))
        n_held += result.low <= gain.mean() <= result.high
    assert 0.92 <= n_held / 300 <= 0.98


def test_nothing_to_compare_is_refused():
    with pytest.raises(ValueError, match="no row"):
        compare(np.empty(0), np.empty(0), np.empty(0), np.empty(0))
