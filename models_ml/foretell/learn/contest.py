"""Candidates compete on rows they were not fitted on: other users, and a later time.

Each fold's model has seen neither the fold's users nor the newest snapshot. Their older rows give
the loss of a random split, their newest rows the loss out of time, without another fit.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit, softmax

from foretell.learn.calibrate import CalibrationRules, Calibrator, choose_calibrator
from foretell.learn.candidates import Candidate, fit_candidate
from foretell.learn.matrix import TrainingSet
from foretell.learn.metrics import mean_log_loss
from foretell.learn.onnx.conversion import check_conversion
from foretell.learn.split import user_folds

SHRINKAGE = 0.5  # of an average's weights towards equal ones
MUST_BEAT = 0.01  # share of the average's log loss by which a single candidate must be better


@dataclass(frozen=True)
class Contest:
    """What one candidate came to.

    Attributes:
        candidate: Who competed.
        calibrator: Fitted on its out-of-fold scores.
        loss: What candidates are compared by, nats per row: the mean of the two losses below.
        random_loss: Calibrated log loss on other users at the same time.
        time_loss: Calibrated log loss on other users at the newest snapshot; None without one.
        raw_loss: As loss, before calibration.
        rounds: Boosting rounds by name, of itself or of its members.
        seconds: Spent on its fits.
    """

    candidate: Candidate
    calibrator: Calibrator
    loss: float
    random_loss: float
    time_loss: float | None
    raw_loss: float
    rounds: dict[str, int | None]
    seconds: float

    def member_weights(self) -> dict[str, float]:
        """Return the weight of each member by name; of a single candidate none."""
        candidate = self.candidate
        if not candidate.members:
            return {}
        names = [member.name for member in candidate.members]
        return dict(zip(names, candidate.member_weights, strict=True))

    def as_row(self) -> dict[str, Any]:
        """Return what people see of it, JSON-able."""
        return {
            "candidate": self.candidate.name,
            "members": self.member_weights(),
            "log_loss": self.loss,
            "log_loss_random_split": self.random_loss,
            "log_loss_out_of_time": self.time_loss,
            "log_loss_uncalibrated": self.raw_loss,
            "calibration": self.calibrator.name,
            "seconds": round(self.seconds, 1),
        }


@dataclass(frozen=True)
class _Scores:
    """Log-odds of one single candidate on rows it was not fitted on.

    gain is what splits on each column gained, shape (n_columns,).
    """

    old: np.ndarray
    later: np.ndarray
    rounds: int | None
    gain: np.ndarray
    seconds: float
    is_foreign: bool


@dataclass(frozen=True)
class Competition:
    """The rows of a contest, and the scores of those who have competed on them.

    Folds are scored one after another until there are max_scored_rows scores: of few rows all, of
    many rows one fold, by models that have seen nearly as much as the final one.

    Attributes:
        data: Labelled rows, sorted by (user, as_of).
        rows: Rows to fit and to score out of fold, bool, shape (n_rows,).
        later: Rows of the same users at the newest snapshot, scored only; may be empty.
        useful: Mask of the columns that are read; None: all.
        own_useful: The same of foreign candidates, by name.
        tolerance: Largest |ONNX - Python| of a foreign candidate, a probability.
        dropped: Why a candidate could not compete, by name.
    """

    data: TrainingSet
    rows: np.ndarray
    later: np.ndarray
    n_folds: int
    max_scored_rows: int
    rules: CalibrationRules
    seed: int
    useful: np.ndarray | None = None
    own_useful: Mapping[str, np.ndarray | None] = field(default_factory=dict)
    tolerance: float = 1e-6
    scores: dict[str, _Scores] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)

    def evaluate_candidate(self, candidate: Candidate) -> Contest:
        """Return how a candidate does; what is known of it or of its members is not fitted again.

        Args:
            candidate: A single candidate, or an average of such.

        Raises:
            CannotCompete: If a foreign one cannot be fitted or exactly converted.
        """
        singles = candidate.members or (candidate,)
        for single in singles:
            if single.name not in self.scores:
                self.scores[single.name] = self._score(single)
        own = [self.scores[single.name] for single in singles]
        scored, later = self.scored_rows()
        margin, later_margin = self.margins(candidate)
        y, p = self.data.y[scored], expit(margin)
        calibrator, random_loss = choose_calibrator(p, y, self.inner_folds(), self.rules)
        time_loss, raw_losses = None, [mean_log_loss(y, p)]
        if later.any():
            p_later, y_later = expit(later_margin), self.data.y[later]
            time_loss = mean_log_loss(y_later, calibrator.apply(p_later))
            raw_losses.append(mean_log_loss(y_later, p_later))
        return Contest(
            candidate=candidate,
            calibrator=calibrator,
            loss=random_loss if time_loss is None else (random_loss + time_loss) / 2,
            random_loss=random_loss,
            time_loss=time_loss,
            raw_loss=float(np.mean(raw_losses)),
            rounds={s.name: self.scores[s.name].rounds for s in singles},
            seconds=sum(scores.seconds for scores in own),
        )

    def margins(self, candidate: Candidate) -> tuple[np.ndarray, np.ndarray]:
        """Return uncalibrated log-odds of one who has competed, of scored_rows, older and newest.

        Args:
            candidate: A single candidate, or an average of such.
        """
        own = [self.scores[single.name] for single in candidate.members or (candidate,)]
        weights = candidate.member_weights if candidate.members else (1.0,)
        old = np.average([scores.old for scores in own], axis=0, weights=weights)
        return old, np.average([scores.later for scores in own], axis=0, weights=weights)

    def weigh(self, members: Sequence[Candidate]) -> tuple[float, ...]:
        """Return non-negative weights of members that have competed here, adding up to 1.

        They lower the mean of the log losses of a random split and out of time, then go half-way
        back to equal ones: few positives cannot tell good members apart.

        Args:
            members: Single candidates.

        Source: Wolpert (1992), "Stacked generalization"; Breiman (1996), "Stacked regressions".
        """
        own = [self.scores[member.name] for member in members]
        scored, later = self.scored_rows()
        parts = [(np.array([s.old for s in own]), self.data.y[scored])]
        if later.any():
            parts.append((np.array([s.later for s in own]), self.data.y[later]))

        def loss(logits: np.ndarray) -> float:
            margins = [(softmax(logits) @ scores, y) for scores, y in parts]
            return float(np.mean([np.mean(np.logaddexp(0, z) - y * z) for z, y in margins]))

        start = np.zeros(len(own))
        fitted = minimize(loss, start, method="L-BFGS-B", bounds=[(-4, 4)] * len(own))
        shrunk = (1 - SHRINKAGE) * softmax(fitted.x) + SHRINKAGE / len(own)
        weights = np.round(shrunk, 2)  # further digits are noise of the optimiser
        return tuple(float(weight) for weight in weights / weights.sum())

    def useful_columns(self, share: float) -> np.ndarray | None:
        """Return columns_by_gain of our trees that competed here."""
        return columns_by_gain([s.gain for s in self.scores.values() if not s.is_foreign], share)

    def useful_to_foreign(self, share: float) -> dict[str, np.ndarray | None]:
        """Return columns_by_gain of each foreign candidate: what ours gain from is not its way."""
        foreign = {name: s.gain for name, s in self.scores.items() if s.is_foreign}
        return {name: columns_by_gain([gain], share) for name, gain in foreign.items()}

    def useful_to(self, candidate: Candidate) -> np.ndarray | None:
        """Return the mask of the columns that a candidate reads; None: all."""
        return self.own_useful.get(candidate.name, self.useful)

    def scored_folds(self) -> list[int]:
        """Return the folds that are scored: as few as give max_scored_rows scores."""
        sizes = np.bincount(self.folds[self.rows], minlength=self.n_folds)
        before = np.cumsum(sizes) - sizes
        return [int(f) for f in np.flatnonzero((before < self.max_scored_rows) & (sizes > 0))]

    @property
    def folds(self) -> np.ndarray:
        """Return the fold of each row of data."""
        return user_folds(self.data.user_bucket, self.n_folds)

    def inner_folds(self) -> np.ndarray:
        """Return folds inside each fold, per scored row: one scored fold can measure maps."""
        scored, _ = self.scored_rows()
        return user_folds(self.data.user_bucket[scored] // self.n_folds, self.n_folds)

    def scored_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Return masks of the rows of scored folds, and of their users' newest rows."""
        is_scored = np.isin(self.folds, self.scored_folds())
        return self.rows & is_scored, self.later & is_scored

    def _score(self, candidate: Candidate) -> _Scores:
        started = time.monotonic()
        X, y, folds = self.data.matrix.X, self.data.y, self.folds
        rate = np.clip(y[self.rows].mean(dtype=np.float64), 0.5 / len(y), 1 - 0.5 / len(y))
        margin, rounds = np.full(len(y), logit(rate)), []
        gain = np.zeros(X.shape[1])
        for fold in self.scored_folds():
            inside, learned = self.rows & (folds == fold), self.rows & (folds != fold)
            unseen = inside | self.later & (folds == fold)
            if len(np.unique(y[learned])) < 2:
                continue
            fitted = fit_candidate(
                candidate, X[learned], y[learned], self.data.matrix.kinds, self.seed,
                held_out=(X[inside], y[inside]), useful=self.useful_to(candidate),
            )  # fmt: skip
            if fitted.is_foreign:
                check_conversion(fitted, X[inside], self.tolerance)
            margin[unseen] = fitted.margin(X[unseen])
            rounds += [fitted.rounds_] if fitted.rounds_ else []
            gain += fitted.gain()
        old, new = self.scored_rows()
        n_rounds = round(np.mean(rounds)) if rounds else None
        seconds = time.monotonic() - started
        is_foreign = candidate.estimator.is_foreign
        return _Scores(margin[old], margin[new], n_rounds, gain, seconds, is_foreign)


def columns_by_gain(gains: Sequence[np.ndarray], share: float) -> np.ndarray | None:
    """Return the fewest columns to which trees owe a share of their gain.

    The others are noise to every family of models, and cost time (docs/decisions/0024).

    Args:
        gains: Of each model what splits on each column gained, all with one weight; shape
            (n_columns,) each.
        share: From 0 to 1.

    Returns:
        A mask, shape (n_columns,); None where nothing was gained.

    Source: Breiman et al. (1984), "Classification and regression trees", for the gain.
    """
    grown = [gain / gain.sum() for gain in gains if gain.any()]
    if not grown:
        return None
    gain = np.mean(grown, axis=0)
    order = np.argsort(-gain, kind="stable")
    useful = np.zeros(len(gain), dtype=bool)
    useful[order[: int(np.searchsorted(np.cumsum(gain[order]), share)) + 1]] = True
    return useful


class CandidateResult(Protocol):
    """The result of one candidate: a contest of classifiers, or of value models."""

    @property
    def candidate(self) -> Candidate:
        """Who competed."""

    @property
    def loss(self) -> float:
        """What candidates are compared by; lower is better."""


S = TypeVar("S", bound=CandidateResult)


def best_of(contests: Sequence[S]) -> S:
    """Return the winner: the average, unless another is clearly better.

    The least of many noisy losses is often chance: always taking it cost a third of what averages
    gain (docs/decisions/0014).
    """
    best = min(contests, key=lambda contest: contest.loss)
    averages = [c for c in contests if c.candidate.estimator.is_average]
    if averages and best.loss > (1 - MUST_BEAT) * averages[0].loss:
        return averages[0]
    return best


def floor_loss(contests: Sequence[CandidateResult]) -> float:
    """Return the loss of saying the same of everybody; infinite where nobody tried."""
    losses = [c.loss for c in contests if c.candidate.estimator.is_floor]
    return min(losses, default=np.inf)


def average_members(contests: Sequence[CandidateResult]) -> tuple[Candidate, ...]:
    """Return who is worth averaging: the best linear model and all with boosted trees.

    Whoever does no better than the base rate stays out. Averages in log-odds of unlike models are
    better than the best of them nearly everywhere (docs/decisions/0014).

    Args:
        contests: Of single candidates.

    Returns:
        The members by name; none if there would be fewer than two.
    """
    floor = floor_loss(contests)
    useful = sorted((c for c in contests if c.loss < floor), key=lambda contest: contest.loss)
    linear = [c.candidate for c in useful if c.candidate.estimator.is_linear][:1]
    boosted = [c.candidate for c in useful if c.candidate.estimator.has_trees]
    members = tuple(sorted(linear + boosted, key=lambda member: member.name))
    return members if len(members) > 1 else ()
