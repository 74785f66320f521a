"""Models of amounts compete: out of fold and out of time, within what the winner says of whether.

What counts is the product, the expected value, on everybody: an amount matters where it is likely.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from foretell.errors import Progress
from foretell.learn.candidates import (
    VALUE_PORTFOLIO,
    Candidate,
    average_of,
    fit_candidate,
    portfolio_for,
)
from foretell.learn.contest import Competition, Contest, average_members
from foretell.learn.families.average import AverageRegressor
from foretell.learn.matrix import TrainingSet
from foretell.learn.train_settings import TrainSettings
from foretell.learn.value_model import ValueModel, ValueScale, choose_scale, mean_deviance


@dataclass(frozen=True)
class ValueContest:
    """What one model of amounts came to.

    Attributes:
        candidate: Who competed.
        scale: Chosen on its out-of-fold products.
        loss: What candidates are compared by: the mean of the two losses below.
        random_loss: Scaled Tweedie deviance on other users at the same time.
        time_loss: The same at the newest snapshot; None without one.
        rounds: Boosting rounds by name, of itself or of its members.
        seconds: Spent on its fits.
    """

    candidate: Candidate
    scale: ValueScale
    loss: float
    random_loss: float
    time_loss: float | None
    rounds: dict[str, int | None]
    seconds: float

    def as_row(self) -> dict[str, Any]:
        """Return what people see of it, JSON-able."""
        return {
            "candidate": self.candidate.name,
            "deviance": self.loss,
            "deviance_random_split": self.random_loss,
            "deviance_out_of_time": self.time_loss,
            "scale": self.scale.name,
            "seconds": round(self.seconds, 1),
        }


@dataclass(frozen=True)
class _Amounts:
    """Log amounts out of fold: of older rows, of the newest, and how they came about."""

    old: np.ndarray
    later: np.ndarray
    rounds: int | None
    seconds: float


def compete_for_values(
    competition: Competition, winner: Contest, settings: TrainSettings, progress: Progress
) -> list[ValueContest]:
    """Return the contests of all models of amounts and of their average; best_of says who won.

    Args:
        competition: Where the winner competed, of data with values.
        winner: Who tells whether there is any.
        settings: Seed, rules of calibration.
        progress: Called with a line per model.
    """
    data = competition.data
    margins = competition.margins(winner.candidate)
    p_old, p_later = (winner.calibrator.apply(expit(margin)) for margin in margins)
    known: dict[str, _Amounts] = {}

    def enter(candidate: Candidate) -> ValueContest:
        singles = candidate.members or (candidate,)
        for single in singles:
            if single.name not in known:
                known[single.name] = _out_of_fold(single, competition, settings)
        own = [known[single.name] for single in singles]
        old, later = (
            p * np.exp(np.mean(logs, axis=0))
            for p, logs in (
                (p_old, [amounts.old for amounts in own]),
                (p_later, [amounts.later for amounts in own]),
            )
        )
        rounds = {single.name: known[single.name].rounds for single in singles}
        contest = _evaluate(candidate, competition, old, later, rounds, own, settings)
        progress(f"{candidate.name}: deviance {contest.loss:.4f} on unseen rows")
        return contest

    contests = [enter(candidate) for candidate in portfolio_for(VALUE_PORTFOLIO, data.matrix.kinds)]
    members = average_members(contests)
    if members:
        contests.append(enter(average_of("average_amount", AverageRegressor, members)))
    return contests


def fit_value(
    contest: ValueContest, data: TrainingSet, rows: np.ndarray, settings: TrainSettings
) -> ValueModel:
    """Fit the winner on those of some rows that have any, with its rounds and its scale."""
    assert data.value is not None
    learned = _who_have_any(data, rows)
    amounts = data.value[learned]
    fitted = fit_candidate(
        contest.candidate, data.matrix.X[learned], amounts, data.matrix.kinds, settings.seed,
        rounds=contest.rounds,
    )  # fmt: skip
    return ValueModel(
        fitted, float(np.log(amounts.min())), float(np.log(amounts.max())), contest.scale
    )


def _who_have_any(data: TrainingSet, rows: np.ndarray) -> np.ndarray:
    """Return those of some rows that have any; of all, where these are too few to hold one."""
    has_any = data.y > 0
    return rows & has_any if (rows & has_any).any() else has_any


def _out_of_fold(
    candidate: Candidate, competition: Competition, settings: TrainSettings
) -> _Amounts:
    started = time.monotonic()
    data, folds = competition.data, competition.folds
    X, has_any = data.matrix.X, data.y > 0
    assert data.value is not None
    logs = np.full(len(data.y), np.log(data.value[_who_have_any(data, competition.rows)].mean()))
    rounds = []
    for fold in competition.scored_folds():
        learned = competition.rows & (folds != fold) & has_any
        held_out = competition.rows & (folds == fold) & has_any
        unseen = (competition.rows | competition.later) & (folds == fold)
        if not learned.any():
            continue
        amounts = data.value[learned]
        fitted = fit_candidate(
            candidate, X[learned], amounts, data.matrix.kinds, settings.seed,
            held_out=(X[held_out], data.value[held_out]) if held_out.any() else None,
        )  # fmt: skip
        found = fitted.margin(X[unseen])
        logs[unseen] = np.clip(found, np.log(amounts.min()), np.log(amounts.max()))
        rounds += [fitted.rounds_] if fitted.rounds_ else []
    old, later = competition.scored_rows()
    n_rounds = round(np.mean(rounds)) if rounds else None
    return _Amounts(logs[old], logs[later], n_rounds, time.monotonic() - started)


def _evaluate(
    candidate: Candidate,
    competition: Competition,
    old: np.ndarray,
    later: np.ndarray,
    rounds: dict[str, int | None],
    own: Sequence[_Amounts],
    settings: TrainSettings,
) -> ValueContest:
    data, (scored, newest) = competition.data, competition.scored_rows()
    assert data.value is not None
    value = data.value[scored]
    scale = choose_scale(old, value, competition.inner_folds(), settings.calibration.n_errors)
    random_loss = mean_deviance(value, scale.apply(old))
    time_loss = None
    if newest.any():
        time_loss = mean_deviance(data.value[newest], scale.apply(later))
    return ValueContest(
        candidate=candidate,
        scale=scale,
        loss=random_loss if time_loss is None else (random_loss + time_loss) / 2,
        random_loss=random_loss,
        time_loss=time_loss,
        rounds=rounds,
        seconds=sum(amounts.seconds for amounts in own),
    )
