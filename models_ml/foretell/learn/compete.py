"""Two stages of a contest: all candidates on few rows, the best and their average on many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from foretell.errors import Progress
from foretell.learn.candidates import Candidate, average_of, portfolio_for
from foretell.learn.contest import Competition, Contest, average_members, floor_loss
from foretell.learn.families.average import AverageClassifier
from foretell.learn.families.foreign import CannotCompete
from foretell.learn.matrix import TrainingSet
from foretell.learn.split import Split, sample_users
from foretell.learn.stages import Stages, plan_stages
from foretell.learn.train_settings import TrainSettings


def compete(
    data: TrainingSet, split: Split, settings: TrainSettings, progress: Progress
) -> tuple[list[Contest], Competition]:
    """Return the contests of the last stage each candidate reached, and the last competition.

    All candidates compete in the first stage; the average, its members, the base rate and the best
    foreign candidate in the second. A foreign one that cannot compete drops out: progress and
    Competition.dropped say why.
    """
    stages = _plan(data, split, settings)
    competition = _competition(data, split, stages.first, settings)
    contests = _evaluate_candidates(
        competition, portfolio_for(settings.portfolio, data.matrix.kinds), progress
    )
    members = average_members(contests)
    if stages.second > stages.first:
        finalists = _finalists(contests, members)
        useful = competition.useful_columns(settings.useful_share)
        first = competition
        competition = replace(
            _competition(data, split, stages.second, settings, useful),
            own_useful=first.useful_to_foreign(settings.useful_share),
            dropped=first.dropped,
        )
        columns = data.matrix.X.shape[1] if useful is None else int(useful.sum())
        progress(f"the best compete on {int(competition.rows.sum()):,} rows of {columns:,} columns")
        contests = _evaluate_candidates(competition, finalists, progress)
    if members:
        weights = competition.weigh(members)
        average = average_of("average", AverageClassifier, members, weights)
        contests += _evaluate_candidates(competition, [average], progress)
    return contests, competition


def _plan(data: TrainingSet, split: Split, settings: TrainSettings) -> Stages:
    rate = float(data.y[split.fit].mean())
    return plan_stages(
        n_rows=int(split.fit.sum()),
        values_per_row=data.matrix.X.nnz / len(data.y),
        rate=min(rate, 1 - rate),
        n_fits=len(settings.portfolio) * settings.n_folds,
        first_rows=settings.max_choice_rows,
        second_rows=settings.max_finalist_rows,
        min_positives=settings.min_choice_positives,
        budget_seconds=settings.budget_seconds,
        budget_cores=settings.budget_cores,
    )


def _competition(
    data: TrainingSet,
    split: Split,
    n_rows: int,
    settings: TrainSettings,
    useful: np.ndarray | None = None,
) -> Competition:
    rows = sample_users(data.user_bucket, split.fit, n_rows)
    later = split.later & np.isin(data.user_bucket, np.unique(data.user_bucket[rows]))
    return Competition(
        data, rows, later, settings.n_folds, max(settings.max_choice_rows, n_rows // 4),
        settings.calibration, settings.seed, useful, tolerance=settings.parity_tolerance,
    )  # fmt: skip


def _evaluate_candidates(
    competition: Competition, candidates: Sequence[Candidate], progress: Progress
) -> list[Contest]:
    contests = []
    for candidate in candidates:
        try:
            contest = competition.evaluate_candidate(candidate)
        except CannotCompete as reason:
            competition.dropped[candidate.name] = str(reason)
            progress(f"{candidate.name} drops out: {reason}")
            continue
        words = f"log loss {contest.loss:.4f} on unseen rows, {contest.seconds:.0f} s"
        progress(f"{candidate.name}: {words}")
        contests.append(contest)
    return contests


def _finalists(contests: Sequence[Contest], members: Sequence[Candidate]) -> list[Candidate]:
    """Return the base rate, the average's members or else the best two, and the best foreign one.

    Whoever does no better than the base rate is not among the foreign ones.
    """
    ranked = sorted(contests, key=lambda contest: contest.loss)
    constants = [c.candidate for c in contests if c.candidate.estimator.is_floor]
    floor = floor_loss(contests)
    foreign = [c.candidate for c in ranked if c.candidate.estimator.is_foreign and c.loss < floor]
    best = list(members) or [c.candidate for c in ranked[:2]]
    best += [candidate for candidate in foreign[:1] if candidate not in best]
    return constants + [candidate for candidate in best if candidate not in constants]
