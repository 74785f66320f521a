"""The best that events can tell about the simulator's users: an exact Bayesian filter.

It knows every law and constant of the simulator, and sees what any method sees: who was active on
which day, in how many sessions, what they looked at, bought and did about their plan. It cannot see
types, own effects and hidden states, and keeps their whole posterior. No method can expect a lower
log loss. (The effects lie on a grid, and the views that lead to a purchase are taken off as if all
were made: both can only make it slightly worse than the limit.)

Source: forward algorithm, Rabiner (1989), "A Tutorial on Hidden Markov Models".
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from foretell.demo import behaviour, sessions
from foretell.demo.behaviour import CURIOUS, HORIZONS, INTENT, LIFE, N_STATES, PLAN, TYPES, People
from foretell.demo.events import DemoSettings, Lives, draw_clean_events, draw_lives
from foretell.demo.properties import user_names

ACTIVITY_GRID = np.linspace(-2.6, 2.6, 9)  # in standard deviations
PURCHASE_GRID = np.linspace(-2, 2, 5)
BLOCK_USERS = 250
MAX_USERS = 3_000  # active in the last COHORT_DAYS; 100 CPU seconds
COHORT_DAYS = 28
N_BROWSING = len(sessions.BROWSING)
N_OPENERS = len(sessions.OPENERS)
# Views on the way to a purchase say nothing of intent beyond the purchase itself.
LEADS_TO_PURCHASE = [
    kind for name, kind in sessions.KIND.items()
    if name in sessions.PURCHASE_STEPS and kind < N_BROWSING
]  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What events show of n users on d days.

    Attributes:
        signup_day: Shape (n,); below 0: before day 0, how long before makes no difference.
        is_active: Shape (n, d).
        is_purchase: Shape (n, d).
        has_coupon: Shape (n, d).
        plan: At the start of the day, shape (n, d); of days without activity anything.
        next_plan: After the day's activity, shape (n, d).
        n_sessions: Shape (n, d).
        log_views: Log-likelihood of what was looked at, by state, shape (n, d, 54).
    """

    signup_day: np.ndarray
    is_active: np.ndarray
    is_purchase: np.ndarray
    has_coupon: np.ndarray
    plan: np.ndarray
    next_plan: np.ndarray
    n_sessions: np.ndarray
    log_views: np.ndarray

    def __getitem__(self, users: slice) -> Seen:
        """Return these users."""
        return Seen(*(getattr(self, field.name)[users] for field in fields(self)))


def write_attainable(truth: Path, settings: DemoSettings) -> Path:
    """Write a copy of the simulator's truth with a column p_attainable, null for most users.

    Args:
        truth: What write_demo_events wrote with the same settings.
        settings: Of the simulation.

    Returns:
        Path of the copy, beside the original.
    """
    lives, n_days = draw_lives(settings), 7 * settings.weeks
    recent = lives.past[lives.past.day >= n_days - COHORT_DAYS]
    selected_users = np.unique(recent.user)
    selected_users = selected_users[:: -(-len(selected_users) // MAX_USERS)]
    best = attainable_probabilities(
        lives, draw_clean_events(settings, lives), selected_users, n_days
    )
    names = user_names(settings.users).take(pa.array(selected_users)).to_pylist()
    p_of = {
        (name, user): float(p)
        for name, values in best.items()
        for user, p in zip(names, values, strict=True)
    }
    rows = pq.read_table(truth)
    keys = zip(rows["prediction"].to_pylist(), rows["user_id"].to_pylist(), strict=True)
    column = pa.array([p_of.get(key) for key in keys], pa.float64())
    path = truth.with_name("attainable.parquet")
    pq.write_table(rows.append_column("p_attainable", column), path)
    return path


def attainable_probabilities(
    lives: Lives, events: sessions.Events, users: np.ndarray, n_days: int
) -> dict[str, np.ndarray]:
    """Return the probability of each outcome given all events before as_of.

    Args:
        lives: Who they are; read are only sign-up days and what events show.
        events: Their events, without dirt.
        users: Numbers of the selected users, ascending, signed up before as_of.
        n_days: Days before as_of.

    Returns:
        Probabilities of shape (len(users),) under the names in HORIZONS.
    """
    probabilities = {name: np.empty(len(users)) for name in HORIZONS}
    for start in range(0, len(users), BLOCK_USERS):
        block = slice(start, start + BLOCK_USERS)
        seen = _what_is_seen(lives, events, users[block], n_days)
        by_type = [_filter(seen, number, n_days) for number in range(len(TYPES))]
        log_weight = np.array([evidence for evidence, _ in by_type])
        weight = np.exp(log_weight - log_weight.max(axis=0))
        for name, p in probabilities.items():
            of_type = np.array([later[name] for _, later in by_type])
            p[block] = (weight * of_type).sum(axis=0) / weight.sum(axis=0)
    return probabilities


def _what_is_seen(lives: Lives, events: sessions.Events, users: np.ndarray, n_days: int) -> Seen:
    row_of = np.full(int(max(events.user.max(), users.max())) + 1, -1)
    row_of[users] = np.arange(len(users))
    past = lives.past[row_of[lives.past.user] >= 0]
    place, shape = (row_of[past.user], past.day), (len(users), n_days)
    is_active, is_purchase, has_coupon = (np.zeros(shape, dtype=bool) for _ in range(3))
    plan, next_plan = np.zeros(shape, dtype=int), np.zeros(shape, dtype=int)
    is_active[place], is_purchase[place] = True, past.is_purchase
    plan[place], next_plan[place] = PLAN[past.state], past.next_plan
    theirs = events[(row_of[events.user] >= 0) & (events.time_ms < n_days * sessions.DAY_MS)]
    counts = np.zeros((*shape, len(sessions.NAMES)), dtype=np.float32)
    day = theirs.time_ms // sessions.DAY_MS
    np.add.at(counts, (row_of[theirs.user], day, theirs.kind), 1)
    has_coupon = counts[..., sessions.KIND["coupon_applied"]] > 0
    openers = counts[..., N_BROWSING : N_BROWSING + N_OPENERS]
    counts[..., LEADS_TO_PURCHASE] -= is_purchase[..., None]
    views = np.maximum(counts[..., :N_BROWSING], 0)
    return Seen(
        lives.people.signup_day[users], is_active, is_purchase, has_coupon, plan, next_plan,
        openers.sum(axis=2).astype(int), _log_views(views, openers),
    )  # fmt: skip


def _log_views(views: np.ndarray, openers: np.ndarray) -> np.ndarray:
    """Return the log-likelihood of a day's views and openers by state, up to a constant.

    How many views is negative binomial (a Poisson of a gamma), which ones multinomial.
    """
    weights = sessions.browsing_weights()
    log_share = np.log(weights / weights.sum(axis=0))
    mean = sessions.MEAN_BROWSING * np.exp(sessions.BROWSING_OF_INTENT * (INTENT - 1))
    shape = sessions.BROWSING_SHAPE
    log_opener = np.log(sessions.OPENER_SHARES[INTENT]).T
    total, n_sessions = views.sum(axis=2), openers.sum(axis=2)
    return np.asarray(
        views @ log_share.astype(np.float32)
        + openers @ log_opener.astype(np.float32)
        + total[..., None] * np.log(mean / (shape + mean))
        + shape * n_sessions[..., None] * np.log(shape / (shape + mean)),
        dtype=np.float32,
    )


def _filter(seen: Seen, number: int, n_days: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Go through the days as if all were of one type.

    Returns:
        The log-evidence for the type, shape (n,), and the probability of each outcome.
    """
    kind = TYPES[number]
    night = behaviour.night_moves(kind).astype(np.float32)
    moves = behaviour.day_moves(kind).astype(np.float32)
    weight, evidence = (
        _first_weights(seen, number),
        np.full(len(seen.is_active), np.log(kind.share)),
    )
    people = _grid(seen, number)
    for day in range(n_days):
        here = np.flatnonzero(seen.signup_day <= day)
        is_active = seen.is_active[here, day]
        active, idle = here[is_active], here[~is_active]
        p = np.asarray(_p_active(people, seen, day), dtype=np.float32)
        likelihood, log_scale = _likelihood(seen, active, number, day)
        bought = behaviour.p_purchase(people, np.arange(N_STATES), day).astype(np.float32)
        bought = np.where(seen.is_purchase[active, day][:, None, None, None], bought, 1 - bought)
        moved = (weight[active] * p[active] * bought * likelihood[:, None, None, :]) @ moves
        stays = seen.next_plan[active, day][:, None] == PLAN
        weight[active] = (moved * stays[:, None, None, :]) @ night
        weight[idle] = (weight[idle] * (1 - p[idle])) @ night
        total = weight[here].sum(axis=(1, 2, 3))
        weight[here] /= total[:, None, None, None]
        evidence[here] += np.log(total)
        evidence[active] += log_scale
    left = behaviour.weights_without(people, weight, n_days, kind)
    return evidence, {
        name: behaviour.probability_of(name, of_effects.sum(axis=(1, 2)))
        for name, of_effects in left.items()
    }


def _grid(seen: Seen, number: int) -> People:
    """Return all effects of one type's users, shape (n, n_activity, n_purchase, 1) by broadcast."""
    return People(
        np.full((1, 1, 1, 1), number),
        seen.signup_day[:, None, None, None],
        behaviour.ACTIVITY_SPREAD * ACTIVITY_GRID[None, :, None, None],
        behaviour.PURCHASE_SPREAD * PURCHASE_GRID[None, None, :, None],
    )


def _first_weights(seen: Seen, number: int) -> np.ndarray:
    """Return the prior of effects and states, shape (n, n_activity, n_purchase, 54)."""
    is_old, upgrade = seen.signup_day[:, None] < 0, TYPES[number].upgrade
    fading = np.where(is_old, behaviour.OLD_FADING, 0)
    pro = np.where(is_old, behaviour.OLD_PRO * upgrade, 0)
    curious = np.where(is_old, behaviour.OLD_CURIOUS * upgrade, 0)
    life = np.select([LIFE == behaviour.STEADY, LIFE == behaviour.FADING], [1 - fading, fading], 0)
    plan = np.select([PLAN == behaviour.FREE, PLAN == behaviour.PRO], [1 - pro, pro], 0)
    states = life * plan * np.where(CURIOUS, curious, 1 - curious)
    states = states * np.array(behaviour.FIRST_INTENT)[INTENT]
    effects = np.exp(-(np.add.outer(ACTIVITY_GRID**2, PURCHASE_GRID**2)) / 2)
    prior = states[:, None, None, :] * (effects / effects.sum())[None, :, :, None]
    return prior.astype(np.float32)


def _p_active(people: People, seen: Seen, day: int) -> np.ndarray:
    """Return the probability of activity; the day of sign-up is always active."""
    p = behaviour.p_active(people, np.arange(N_STATES), day)
    return np.where(seen.signup_day[:, None, None, None] == day, 1.0, p)


def _likelihood(
    seen: Seen, active: np.ndarray, number: int, day: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the likelihood of an active day's other signs by state, and the log of its scale."""
    log_views = seen.log_views[active, day]
    log_scale = log_views.max(axis=1)
    more = TYPES[number].more_sessions * np.where(LIFE == behaviour.FADING, 0.5, 1)
    n_more = seen.n_sessions[active, day][:, None] - 1
    coupon = sessions.coupon_shares()[number]
    with_coupon = np.where(seen.has_coupon[active, day], coupon, 1 - coupon)
    with_coupon = np.where(seen.is_purchase[active, day], with_coupon, 1)
    likelihood = np.exp(log_views - log_scale[:, None] - more) * more**n_more
    likelihood = likelihood * (seen.plan[active, day][:, None] == PLAN)
    return (likelihood * with_coupon[:, None]).astype(np.float32), log_scale
