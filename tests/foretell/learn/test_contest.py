"""Candidates are scored by models that saw neither the user nor the time; averages are weighed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from foretell.learn import contest
from foretell.learn.calibrate import CalibrationRules, Identity
from foretell.learn.candidates import Candidate, average_of, fit_candidate
from foretell.learn.contest import Competition, Contest, average_members, best_of
from foretell.learn.evaluate import calibration_line
from foretell.learn.families.average import AverageClassifier
from foretell.learn.families.boosted import BoostedClassifier
from foretell.learn.families.constant import ConstantClassifier
from foretell.learn.families.linear import LinearClassifier
from foretell.learn.families.trees import TreesClassifier
from foretell.learn.metrics import mean_log_loss
from foretell.learn.split import honest_split
from tests.sparse_rows import training_set

DATA = training_set(0, n_users=400)
SPLIT = honest_split(DATA)
LOGISTIC, BASE = (
    Candidate("logistic", LinearClassifier()),
    Candidate("base_rate", ConstantClassifier()),
)


def competition(data=DATA, max_scored_rows=10_000):
    return Competition(data, SPLIT.fit, SPLIT.later, 3, max_scored_rows, CalibrationRules(), seed=0)


def result(name, family, loss):
    return Contest(Candidate(name, family()), Identity(), loss, loss, None, loss, {}, 0.0)


def average_result(loss):
    average = average_of("average", AverageClassifier, [LOGISTIC, BASE])
    return Contest(average, Identity(), loss, loss, None, loss, {}, 0.0)


def test_no_model_scores_a_user_or_a_time_it_has_learned_from(monkeypatch):
    fitted_rows = []

    def spy(candidate, X, y, *arguments, **named):
        fitted_rows.append(X.shape[0])
        return fit_candidate(candidate, X, y, *arguments, **named)

    monkeypatch.setattr(contest, "fit_candidate", spy)
    found = competition().evaluate_candidate(LOGISTIC)
    folds = DATA.user_bucket % 3
    assert fitted_rows == [int((SPLIT.fit & (folds != fold)).sum()) for fold in range(3)]
    assert not (SPLIT.fit & SPLIT.later).any()
    assert found.loss == pytest.approx((found.random_loss + found.time_loss) / 2)


def test_the_base_rate_loses_what_its_rate_loses_on_later_rows():
    found = competition().evaluate_candidate(BASE)
    later = DATA.y[SPLIT.later]
    rate = DATA.y[SPLIT.fit].mean()
    assert found.time_loss == pytest.approx(
        mean_log_loss(later, np.full(len(later), rate)), abs=2e-3
    )


def test_of_many_rows_as_few_folds_are_scored_as_needed():
    ring = competition(max_scored_rows=100)
    ring.evaluate_candidate(LOGISTIC)
    assert len(ring.scores["logistic"].old) == (SPLIT.fit & (DATA.user_bucket % 3 == 0)).sum()


def test_weights_favour_the_better_member_and_stop_half_way_to_equal():
    ring = competition()
    ring.evaluate_candidate(LOGISTIC)
    ring.evaluate_candidate(BASE)
    members = (BASE, LOGISTIC)
    weights = ring.weigh(members)
    assert sum(weights) == pytest.approx(1)
    assert weights == pytest.approx((0.26, 0.74), abs=0.02)
    fits = len(ring.scores)
    ring.evaluate_candidate(average_of("average", AverageClassifier, members, weights=weights))
    assert len(ring.scores) == fits  # nothing is fitted again


def test_columns_are_useful_by_their_share_of_what_trees_gain():
    ring = competition()
    ring.evaluate_candidate(LOGISTIC)
    assert ring.useful_columns(0.9) is None
    for extra_trees in (False, True):
        ring.evaluate_candidate(
            Candidate(f"trees_{extra_trees}", TreesClassifier(extra_trees=extra_trees))
        )
    gains = [s.gain / s.gain.sum() for s in ring.scores.values() if s.gain.any()]
    total = np.mean(gains, axis=0)
    for share in (0.0, 0.5, 0.9):
        useful = ring.useful_columns(share)
        assert total[useful].sum() > share >= total[useful].sum() - total[useful].min()
        assert total[useful].min() > total[~useful].max()
    assert ring.useful_columns(1.0).sum() == np.count_nonzero(total)


def test_only_useful_columns_are_read():
    useful = np.arange(DATA.matrix.X.shape[1]) == 7
    trees = Candidate("trees", TreesClassifier())
    ring = replace(competition(), useful=useful)
    ring.evaluate_candidate(trees)
    assert np.flatnonzero(ring.scores["trees"].gain).tolist() == [7]


def test_the_average_holds_the_best_linear_model_and_every_boosted_one_that_beats_the_base_rate():
    contests = [
        result("base_rate", ConstantClassifier, 0.5), result("tight", LinearClassifier, 0.45),
        result("loose", LinearClassifier, 0.44), result("trees", TreesClassifier, 0.46),
        result("both", BoostedClassifier, 0.43), result("bad", TreesClassifier, 0.51),
    ]  # fmt: skip
    assert [member.name for member in average_members(contests)] == ["both", "loose", "trees"]
    assert average_members(contests[:3]) == ()


@pytest.mark.parametrize(("loss", "winner"), [(0.4, "average"), (0.3961, "average"), (0.39, "one")])
def test_a_single_candidate_must_be_clearly_better_than_the_average(loss, winner):
    contests = [result("one", TreesClassifier, loss), average_result(0.4)]
    assert best_of(contests).candidate.name == winner


def test_without_an_average_the_least_loss_wins():
    contests = [result("one", TreesClassifier, 0.41), result("two", LinearClassifier, 0.4)]
    assert best_of(contests).candidate.name == "two"


def test_the_calibration_line_recovers_slope_and_intercept_and_covers_them():
    rng = np.random.default_rng(1)
    margin = rng.normal(0, 1.5, 20_000)
    y = (rng.random(20_000) < 1 / (1 + np.exp(-(0.7 * margin - 0.4)))).astype(float)
    line = calibration_line(y, 1 / (1 + np.exp(-margin)))
    for name, truth in (("calibration_slope", 0.7), ("calibration_intercept", -0.4)):
        assert line[name]["value"] == pytest.approx(truth, abs=0.05)
        assert line[name]["low"] < truth < line[name]["high"]


@pytest.mark.parametrize(
    ("y", "p"),
    [
        (np.zeros(9), np.linspace(0.1, 0.9, 9)),
        (np.arange(9) % 2, np.full(9, 0.5)),
        ((np.arange(9) > 4) * 1.0, np.linspace(0.1, 0.9, 9)),  # perfectly separated
        (np.empty(0), np.empty(0)),
    ],
)
def test_a_calibration_line_that_rows_cannot_tell_is_none(y, p):
    assert calibration_line(y, p)["calibration_slope"]["value"] is None


def test_where_nothing_is_calibrated_the_uncalibrated_loss_is_the_same():
    never = replace(competition(), rules=CalibrationRules(n_errors=1e9)).evaluate_candidate(
        LOGISTIC
    )
    assert (never.calibrator.name, never.time_loss is None) == ("no", False)
    assert never.raw_loss == pytest.approx(never.loss, abs=1e-12)
    calibrated = competition().evaluate_candidate(LOGISTIC)
    assert calibrated.calibrator.name != "no"
    assert calibrated.raw_loss == never.raw_loss
