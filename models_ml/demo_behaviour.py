"""The demo's users from inside: a hidden Markov chain whose future has exact probabilities.

A user's day starts in one of 54 states, life x intent x curious x plan (STATES). Then

1. active today? (type, user, weekday, age, life, intent, plan); without activity there is no event
2. if active: a purchase? (type, user, weekday, life, intent), and the plan may move: free to trial,
   to pro (an upgrade), pro back to free (type, curious, plan)
3. overnight life, intent and curious move on their own, slowly (weeks), and a trial may lapse.

`live` draws days from these probabilities and `true_probabilities` sums over them, from the same
functions, so that the average over simulated futures is the closed form.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

STEADY, FADING, GONE = 0, 1, 2
FREE, TRIAL, PRO = 0, 1, 2
PLANS = ("free", "trial", "pro")
STATE_SHAPE = (3, 3, 2, 3)
# Rows: life, intent (0 low to 2 high), curious about pro (0, 1), plan. Columns: the 54 states.
STATES = np.indices(STATE_SHAPE).reshape(4, -1)
HONEYMOON_DAYS = 21
# Days from as_of in which the outcome may happen.
HORIZONS = {"buys_within_7_days": 7, "silent_for_14_days": 14, "upgrades_within_14_days": 14}


@dataclass(frozen=True)
class UserType:
    """One kind of user. Effects are on the log-odds scale, rates are probabilities per day.

    Attributes:
        name: What to call it.
        share: Share of all users.
        activity: Log-odds of being active on a weekday, for a steady user of middle intent.
        weekend: Effect of Saturday and Sunday on activity.
        honeymoon: Effect of the sign-up day on activity; gone after HONEYMOON_DAYS.
        purchase: Log-odds of a purchase on an active day, for middle intent.
        sale_day: Effect of Thursday and Friday on purchase.
        warm_up: Rate at which intent rises a level.
        upgrade: Multiplies the rates of becoming curious and of upgrading.
        trial: Multiplies the rate of starting a trial.
        fade: Rate from steady to fading.
        leave: Rate from fading to gone (a tenth of it from steady).
        come_back: Rate from gone to steady.
        more_sessions: Mean number of sessions on an active day beyond the first.
    """

    name: str
    share: float
    activity: float
    weekend: float
    honeymoon: float
    purchase: float
    sale_day: float
    warm_up: float
    upgrade: float
    trial: float
    fade: float
    leave: float
    come_back: float
    more_sessions: float


TYPES = (
    UserType("regular_buyer", 0.22, -1.5, 0.2, 0.6, -2.6, 0.2, 0.035, 0.8, 1.0, 0.008, 0.06, 0.002, 0.3),
    UserType("weekend_browser", 0.22, -2.6, 1.5, 0.6, -3.9, 0.0, 0.020, 0.5, 0.6, 0.009, 0.06, 0.002, 0.2),
    UserType("bargain_hunter", 0.18, -1.9, 0.1, 0.6, -3.3, 1.2, 0.030, 0.4, 0.8, 0.009, 0.06, 0.002, 0.3),
    UserType("power_user", 0.08, 0.3, -0.4, 0.5, -2.9, 0.0, 0.035, 2.5, 1.0, 0.004, 0.04, 0.003, 1.0),
    UserType("trial_and_leave", 0.16, -1.4, 0.0, 1.2, -4.1, 0.0, 0.020, 0.6, 4.0, 0.030, 0.10, 0.000, 0.4),
    UserType("dormant_returning", 0.14, -1.5, 0.3, 0.6, -2.9, 0.3, 0.030, 0.6, 0.6, 0.025, 0.12, 0.015, 0.3),
)  # fmt: skip

ACTIVITY_OF_LIFE = np.array([0.0, -1.3, 0.0])  # gone is never active, see p_active
ACTIVITY_OF_INTENT = np.array([-0.3, 0.0, 0.5])
ACTIVITY_OF_PLAN = np.array([0.0, 0.3, 0.5])
PURCHASE_OF_LIFE = np.array([0.0, -0.4, 0.0])
PURCHASE_OF_INTENT = np.array([-1.6, 0.0, 1.7])
INTENT_COOLS = 0.06
CURIOSITY_STARTS, CURIOSITY_ENDS = 0.005, 0.09
# Rates on an active day, by (curious, plan free or trial).
UPGRADE_RATE = np.array([[0.0002, 0.0015], [0.010, 0.030]])
TRIAL_RATE = np.array([0.0015, 0.02])
DOWNGRADE_RATE = 0.002
TRIAL_LAPSES = 1 / 14


@dataclass(frozen=True)
class People:
    """What never changes about n users: arrays of shape (n,), or (n, 1) against all states.

    Attributes:
        user_type: Position in TYPES.
        signup_day: Day of sign-up, day 0 being the first simulated one; below 0: long before.
        activity: The user's own effect on the log-odds of being active.
        purchase: The user's own effect on the log-odds of a purchase on an active day.
    """

    user_type: np.ndarray
    signup_day: np.ndarray
    activity: np.ndarray
    purchase: np.ndarray

    def __getitem__(self, key: object) -> People:
        """Return the users chosen by a NumPy index."""
        return People(*(getattr(self, field.name)[key] for field in fields(self)))


@dataclass(frozen=True)
class ActiveDays:
    """One entry per active user-day, ordered by day: arrays of shape (n_active_days,).

    Attributes:
        user: Position of the user in People.
        day: Day number.
        states: Life, intent, curious and plan at the start of the day, shape (4, n_active_days).
        is_purchase: Whether the user buys that day.
        next_plan: The plan after that day's activity.
    """

    user: np.ndarray
    day: np.ndarray
    states: np.ndarray
    is_purchase: np.ndarray
    next_plan: np.ndarray

    @property
    def is_upgrade(self) -> np.ndarray:
        """Whether the user goes pro that day."""
        return (self.next_plan == PRO) & (self.states[3] != PRO)

    def __getitem__(self, key: object) -> ActiveDays:
        """Return the user-days chosen by a NumPy index."""
        return ActiveDays(
            self.user[key], self.day[key], self.states[:, key], self.is_purchase[key], self.next_plan[key]
        )  # fmt: skip


def draw_people(n_users: int, n_days: int, rng: np.random.Generator) -> People:
    """Draw users: 45 % signed up before day 0, the others evenly over the days."""
    shares = np.array([kind.share for kind in TYPES])
    is_old = rng.random(n_users) < 0.45
    return People(
        user_type=rng.choice(len(TYPES), n_users, p=shares / shares.sum()),
        signup_day=np.where(is_old, -rng.integers(30, 400, n_users), rng.integers(0, n_days, n_users)),
        activity=rng.normal(0.0, 0.7, n_users),
        purchase=rng.normal(0.0, 0.7, n_users),
    )  # fmt: skip


def draw_first_states(people: People, rng: np.random.Generator) -> np.ndarray:
    """Draw the states on sign-up or on day 0, shape (4, n): new users are steady and free."""
    is_old = people.signup_day < 0
    life = np.where(is_old & (rng.random(len(is_old)) < 0.15), FADING, STEADY)
    intent = rng.choice(3, len(is_old), p=[0.5, 0.35, 0.15])
    plan = np.where(is_old & (rng.random(len(is_old)) < 0.05 * _typical("upgrade", people)), PRO, FREE)
    return np.stack([life, intent, np.zeros_like(life), plan])


def p_active(people: People, states: np.ndarray, day: int) -> np.ndarray:
    """Return the probability of any activity on a day, given the state at its start.

    Args:
        people: Users, arrays of shape (n,) with states (4, n), or (n, 1) with states (4, 1, 54).
        states: Life, intent, curious and plan.
        day: Day number; day 0 is a Monday.
    """
    life, intent, _, plan = states
    freshness = np.where(people.signup_day < 0, 0.0, 1 - (day - people.signup_day) / HONEYMOON_DAYS)
    log_odds = (
        _typical("activity", people)
        + people.activity
        + _typical("weekend", people) * (day % 7 >= 5)
        + _typical("honeymoon", people) * np.clip(freshness, 0, 1)
    ) + (ACTIVITY_OF_LIFE[life] + ACTIVITY_OF_INTENT[intent] + ACTIVITY_OF_PLAN[plan])
    return np.where(life == GONE, 0.0, _sigmoid(log_odds))


def p_purchase(people: People, states: np.ndarray, day: int) -> np.ndarray:
    """Return the probability of a purchase on an active day; arguments as in p_active."""
    life, intent, _, _ = states
    log_odds = (
        _typical("purchase", people)
        + people.purchase
        + _typical("sale_day", people) * (day % 7 in (3, 4))
    ) + (PURCHASE_OF_LIFE[life] + PURCHASE_OF_INTENT[intent])
    return _sigmoid(log_odds)


def live(
    people: People, states: np.ndarray, days: Iterable[int], rng: np.random.Generator
) -> tuple[ActiveDays, np.ndarray]:
    """Draw what users do, day by day. A user starts on the sign-up day, which is always active.

    Args:
        people: Users, shape (n,).
        states: Their states at the start of the first day, shape (4, n).
        days: Day numbers, ascending.
        rng: Source of randomness.

    Returns:
        The active user-days, and the states after the last night, shape (4, n).
    """
    tables = _night_tables(people), _plan_moves(people)
    everybody = np.arange(len(people.user_type))
    lived = []
    for day in days:
        is_active = rng.random(everybody.size) < p_active(people, states, day)
        is_active = np.where(people.signup_day < day, is_active, people.signup_day == day)
        is_purchase = is_active & (rng.random(everybody.size) < p_purchase(people, states, day))
        moves = tables[1][everybody, states[2], states[3]]
        next_plan = np.where(is_active, _draw(moves, rng), states[3])
        done = ActiveDays(everybody, np.full(everybody.size, day), states, is_purchase, next_plan)
        lived.append(done[is_active])
        after = _night(np.stack([*states[:3], next_plan]), tables[0], rng)
        states = np.where(people.signup_day <= day, after, states)
    return _concatenate(lived), states


def true_probabilities(people: People, states: np.ndarray, day: int) -> dict[str, np.ndarray]:
    """Return each user's exact probability of each outcome, given the state at the start of `day`.

    `weights[u, s]` is the probability that user u is in state s and the outcome's event has not
    happened yet; each day multiplies by "not today" and moves the rest to the next state.

    Args:
        people: Users signed up before `day`, shape (n,).
        states: Their states, shape (4, n).
        day: The first day of every horizon.

    Returns:
        Probabilities of shape (n,) under the names in HORIZONS.
    """
    n_users = len(people.user_type)
    column, grid = people[:, None], STATES[:, None, :]
    night, moves = _night_tables(people), _plan_moves(people)
    without_upgrade = moves.copy()
    without_upgrade[:, :, :PRO, PRO] = 0
    start = np.all(states[:, :, None] == grid, axis=0).astype(float)
    weights = dict.fromkeys(HORIZONS, start)
    for step in range(max(HORIZONS.values())):
        active = p_active(column, grid, day + step)
        bought = p_purchase(column, grid, day + step)
        allowed = {  # on an active day: share of the day's weight that stays, and plan moves
            "buys_within_7_days": (1 - bought, moves),
            "silent_for_14_days": (np.zeros_like(active), moves),
            "upgrades_within_14_days": (np.ones_like(active), without_upgrade),
        }
        for name, (stays, plan_moves) in allowed.items():
            if step < HORIZONS[name]:
                rest, moving = weights[name] * (1 - active), weights[name] * active * stays
                weights[name] = _spread(rest, moving, plan_moves, night).reshape(n_users, -1)
    not_happened = {name: weight.sum(axis=1) for name, weight in weights.items()}
    return {
        name: p if name == "silent_for_14_days" else 1 - p for name, p in not_happened.items()
    }


def realised_outcomes(lived: ActiveDays, n_users: int, day: int) -> dict[str, np.ndarray]:
    """Return whether each outcome happened from `day` on (0 or 1, shape (n_users,)), by name."""
    happened = {
        "buys_within_7_days": lived.is_purchase,
        "silent_for_14_days": np.ones(lived.user.size, dtype=bool),
        "upgrades_within_14_days": lived.is_upgrade,
    }
    outcomes = {}
    for name, is_event in happened.items():
        is_inside = (lived.day >= day) & (lived.day < day + HORIZONS[name])
        seen = np.bincount(lived.user[is_inside & is_event], minlength=n_users) > 0
        outcomes[name] = (~seen if name == "silent_for_14_days" else seen).astype(np.int8)
    return outcomes


def _night_tables(people: People) -> tuple[np.ndarray, ...]:
    """Return transition rates overnight of life, intent, curious (n, k, k) and plan (k, k)."""
    n_users = len(people.user_type)
    fade, leave = _typical("fade", people), _typical("leave", people)
    life = np.zeros((n_users, 3, 3))
    life[:, STEADY, FADING], life[:, STEADY, GONE] = fade, leave / 10
    life[:, FADING, STEADY], life[:, FADING, GONE] = 0.03, leave
    life[:, GONE, STEADY] = _typical("come_back", people)
    intent = np.zeros((n_users, 3, 3))
    intent[:, 0, 1] = intent[:, 1, 2] = _typical("warm_up", people)
    intent[:, 1, 0] = intent[:, 2, 1] = INTENT_COOLS
    curious = np.zeros((n_users, 2, 2))
    curious[:, 0, 1] = CURIOSITY_STARTS * _typical("upgrade", people)
    curious[:, 1, 0] = CURIOSITY_ENDS
    plan = np.zeros((3, 3))
    plan[TRIAL, FREE] = TRIAL_LAPSES
    return tuple(_with_rest_staying(table) for table in (life, intent, curious, plan))


def _plan_moves(people: People) -> np.ndarray:
    """Return the plan's transitions on an active day, shape (n, curious, plan, plan)."""
    moves = np.zeros((len(people.user_type), 2, 3, 3))
    upgrade, trial = _typical("upgrade", people), _typical("trial", people)
    moves[:, :, :PRO, PRO] = upgrade[:, None, None] * UPGRADE_RATE
    moves[:, :, FREE, TRIAL] = trial[:, None] * TRIAL_RATE
    moves[:, :, PRO, FREE] = DOWNGRADE_RATE
    return _with_rest_staying(moves)


def _with_rest_staying(rates: np.ndarray) -> np.ndarray:
    """Fill the diagonal of transition rates so that every row sums to 1."""
    return rates + np.eye(rates.shape[-1]) * (1 - rates.sum(axis=-1, keepdims=True))


def _night(
    states: np.ndarray, tables: tuple[np.ndarray, ...], rng: np.random.Generator
) -> np.ndarray:
    everybody = np.arange(states.shape[1])
    rows = [table[everybody, now] for table, now in zip(tables[:3], states[:3], strict=True)]
    return np.stack([_draw(row, rng) for row in (*rows, tables[3][states[3]])])


def _spread(
    rest: np.ndarray, moving: np.ndarray, moves: np.ndarray, night: tuple[np.ndarray, ...]
) -> np.ndarray:
    """Carry weights (n, 54) of inactive and active users through plan moves and one night."""
    shape = (len(rest), *STATE_SHAPE)
    weights = rest.reshape(shape) + np.einsum("nlicp,ncpq->nlicq", moving.reshape(shape), moves)
    weights = np.einsum("nlicp,nlm->nmicp", weights, night[0])
    weights = np.einsum("nlicp,nij->nljcp", weights, night[1])
    weights = np.einsum("nlicp,ncd->nlidp", weights, night[2])
    return weights @ night[3]


def _draw(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one column per row of probabilities, shape (n, k) to (n,)."""
    steps = np.cumsum(rows[:, :-1], axis=1)
    return (rng.random((len(rows), 1)) >= steps).sum(axis=1)


def _concatenate(parts: list[ActiveDays]) -> ActiveDays:
    joined = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts], axis=-1)
        for field in fields(ActiveDays)
    }
    return ActiveDays(**joined)


def _typical(name: str, people: People) -> np.ndarray:
    return np.array([getattr(kind, name) for kind in TYPES])[people.user_type]


def _sigmoid(log_odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-log_odds))
