"""Models of amounts compete by the expected value of everybody."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.learn.calibrate import CalibrationRules
from foretell.learn.candidates import PORTFOLIO, VALUE_PORTFOLIO
from foretell.learn.contest import Competition, best_of
from foretell.learn.split import honest_split
from foretell.learn.train_settings import TrainSettings
from foretell.learn.value_contest import ValueContest, compete_for_values, fit_value
from foretell.learn.value_model import ValueScale
from tests.sparse_rows import true_amount, value_training_set

DATA = value_training_set(0, n_users=600)
SPLIT = honest_split(DATA)
SETTINGS = TrainSettings()


@pytest.fixture(scope="module")
def contests():
    ring = Competition(DATA, SPLIT.fit, SPLIT.later, 3, 10_000, CalibrationRules(), seed=0)
    winner = ring.evaluate_candidate(PORTFOLIO[1])
    lines = []
    return compete_for_values(ring, winner, SETTINGS, lines.append), lines


def test_all_compete_and_then_their_average(contests):
    results, lines = contests
    names = [contest.candidate.name for contest in results]
    assert names == [*(candidate.name for candidate in VALUE_PORTFOLIO), "average_amount"]
    assert [line.split(":")[0] for line in lines] == names


def test_whoever_knows_what_amounts_hang_on_beats_the_mean_amount(contests):
    results, _ = contests
    losses = {contest.candidate.name: contest.loss for contest in results}
    assert losses["gamma"] < 0.98 * losses["mean_amount"]
    assert best_of(results).candidate.name != "mean_amount"
    for contest in results:
        assert contest.loss == pytest.approx((contest.random_loss + contest.time_loss) / 2)


def test_the_winner_is_fitted_on_those_who_have_any_within_what_they_had():
    contest = ValueContest(VALUE_PORTFOLIO[2], ValueScale(), 0.0, 0.0, None, {}, 0.0)
    model = fit_value(contest, DATA, SPLIT.fit, SETTINGS)
    had = DATA.value[SPLIT.fit & (DATA.y > 0)]
    assert (model.lowest, model.highest) == pytest.approx((np.log(had.min()), np.log(had.max())))
    found = model.amount.predict(DATA.matrix.X)
    assert np.corrcoef(np.log(found), np.log(true_amount(DATA.matrix.X)))[0, 1] > 0.8
