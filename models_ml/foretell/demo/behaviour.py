"""The demo's users from inside: a hidden Markov chain whose future has exact probabilities.

A user's day starts in one of 54 states: life x intent x curious x plan. Then

1. active today? (type, user, weekday, age, life, intent, plan); without activity there is no event;
2. if active: a purchase? (type, user, weekday, life, intent), and the plan may move: free to trial,
   to pro (an upgrade), from pro back to free (type, curious, plan);
3. overnight life, intent and curious drift on their own, over weeks, and a trial may lapse.

`live` draws days from these probabilities and `true_probabilities` sums over them, with the same
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
N_STATES = 54
# What state number s means: LIFE[s], INTENT[s] (0 low to 2 high), CURIOUS[s] about pro, PLAN[s].
LIFE, INTENT, CURIOUS, PLAN = np.indices(STATE_SHAPE).reshape(4, N_STATES)
HONEYMOON_DAYS = 21
# Small matrices are multiplied on one thread: 2.5 x less CPU, 8 x and more on shared cores.
BLOCK_USERS = 128
# Days from as_of in which the outcome counts.
HORIZONS = {"buys_within_7_days": 7, "silent_for_14_days": 14, "upgrades_within_14_days": 14}


@dataclass(frozen=True)
class UserType:
    """One kind of user. Effects are on the log-odds scale, rates are probabilities per day.

    Attributes:
        name: What to call it.
        share: Share of all users.
        activity: Log-odds of being active on a weekday: steady life, middle intent, free plan.
        weekend: Effect of Saturday and Sunday on activity.
        honeymoon: Effect of the sign-up day on activity; it is gone after HONEYMOON_DAYS.
        purchase: Log-odds of a purchase on an active day: steady life, middle intent.
        sale_day: Effect of Thursday and Friday on purchase.
        warms_up: Rate at which intent rises a level.
        upgrade: Multiplies the rates of becoming curious about pro and of upgrading.
        trial: Multiplies the rate of starting a trial.
        fades: Rate from steady to fading.
        leaves: Rate from fading to gone (a tenth of it from steady).
        comes_back: Rate from gone to steady.
        more_sessions: Mean number of sessions on an active day beyond the first.
    """

    name: str
    share: float
    activity: float
    weekend: float
    honeymoon: float
    purchase: float
    sale_day: float
    warms_up: float
    upgrade: float
    trial: float
    fades: float
    leaves: float
    comes_back: float
    more_sessions: float


TYPES = (
    # name, share, activity, weekend, honeymoon, purchase, sale_day, warms_up, upgrade, trial, ...
    UserType("regular_buyer", .22, -1.7, .2, .6, -1.8, .2, .027, .9, 1, .005, .05, .002, .3),
    UserType("weekend_browser", .22, -2.7, 1.5, .6, -2.3, 0, .019, .7, .6, .005, .05, .002, .2),
    UserType("bargain_hunter", .18, -2.0, .1, .6, -2.2, 1.2, .023, .6, .8, .005, .05, .002, .3),
    UserType("power_user", .08, 0, -.4, .5, -2.6, 0, .027, 1.5, 1, .003, .04, .003, .9),
    UserType("trial_and_leave", .16, -1.6, 0, 1.2, -2.8, 0, .019, .8, 3, .02, .08, 0, .4),
    UserType("dormant_returning", .14, -1.6, .3, .6, -2.0, .3, .023, .8, .6, .015, .06, .012, .3),
)  # fmt: skip

ACTIVITY_OF_LIFE = np.array([0.0, -1.2, -np.inf])
ACTIVITY_OF_INTENT = np.array([-0.3, 0.0, 0.4])
ACTIVITY_OF_PLAN = np.array([0.0, 0.3, 0.5])
PURCHASE_OF_LIFE = np.array([0.0, -0.3, 0.0])
PURCHASE_OF_INTENT = np.array([-1.3, 0.0, 1.3])
# Shares on sign-up or on day 0; of those who signed up before fading, pro and curious, the last two
# times the upgrade of their type.
FIRST_INTENT = (0.5, 0.33, 0.17)
OLD_FADING, OLD_PRO, OLD_CURIOUS = 0.10, 0.08, 0.08
ACTIVITY_SPREAD, PURCHASE_SPREAD = 0.7, 0.5  # standard deviations of users' own effects
RECOVERS, INTENT_COOLS = 0.03, 0.045
CURIOSITY_STARTS, CURIOSITY_ENDS = 0.008, 0.08
TRIAL_LAPSES = 1 / 14
# Rates on an active day, by (curious, plan free or trial), by curious, and of every pro user.
UPGRADE_RATES = np.array([[0.0015, 0.010], [0.035, 0.090]])
TRIAL_RATES = np.array([0.002, 0.03])
DOWNGRADE_RATE = 0.002


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
        """Return the users, or the shape, chosen by a NumPy index."""
        return People(*(getattr(self, field.name)[key] for field in fields(self)))


@dataclass(frozen=True)
class ActiveDays:
    """One entry per active user-day, ordered by day: arrays of shape (n_active_days,).

    Attributes:
        user: Position of the user in People.
        day: Day number.
        state: State at the start of the day.
        is_purchase: Whether the user buys that day.
        next_plan: The plan after that day's activity.
    """

    user: np.ndarray
    day: np.ndarray
    state: np.ndarray
    is_purchase: np.ndarray
    next_plan: np.ndarray

    @property
    def is_upgrade(self) -> np.ndarray:
        """Whether the user goes pro that day."""
        return np.asarray((self.next_plan == PRO) & (PLAN[self.state] != PRO))

    def __getitem__(self, key: object) -> ActiveDays:
        """Return the user-days chosen by a NumPy index."""
        return ActiveDays(*(getattr(self, field.name)[key] for field in fields(self)))

    def __add__(self, later: ActiveDays) -> ActiveDays:
        """Return these user-days followed by later ones."""
        return join_days([self, later])


def join_days(parts: list[ActiveDays]) -> ActiveDays:
    """Return user-days one after the other."""
    columns = ([getattr(part, field.name) for part in parts] for field in fields(ActiveDays))
    return ActiveDays(*(np.concatenate(column) for column in columns))


def draw_people(n_users: int, n_days: int, rng: np.random.Generator) -> People:
    """Draw users: 45 % signed up before day 0, the others evenly over the days."""
    shares = np.array([kind.share for kind in TYPES])
    is_old = rng.random(n_users) < 0.45
    before, within = rng.integers(-400, -30, n_users), rng.integers(0, n_days, n_users)
    return People(
        user_type=rng.choice(len(TYPES), n_users, p=shares / shares.sum()),
        signup_day=np.where(is_old, before, within),
        activity=rng.normal(0.0, ACTIVITY_SPREAD, n_users),
        purchase=rng.normal(0.0, PURCHASE_SPREAD, n_users),
    )


def draw_first_states(people: People, rng: np.random.Generator) -> np.ndarray:
    """Draw the states on sign-up or on day 0, shape (n,): new users are steady and free."""
    n_users, is_old = len(people.user_type), people.signup_day < 0
    life = np.where(is_old & (rng.random(n_users) < OLD_FADING), FADING, STEADY)
    intent = rng.choice(3, n_users, p=FIRST_INTENT)
    upgrade = _typical("upgrade", people)
    is_pro = is_old & (rng.random(n_users) < OLD_PRO * upgrade)
    curious = (is_old & (rng.random(n_users) < OLD_CURIOUS * upgrade)).astype(int)
    return np.ravel_multi_index((life, intent, curious, np.where(is_pro, PRO, FREE)), STATE_SHAPE)


def p_active(people: People, state: np.ndarray, day: int) -> np.ndarray:
    """Return the probability of any activity on a day, given the state at its start.

    Args:
        people: Users, arrays of shape (n,) with state (n,), or (n, 1) with state (54,).
        state: State numbers.
        day: Day number; day 0 is a Monday.
    """
    age = np.where(people.signup_day < 0, HONEYMOON_DAYS, day - people.signup_day)
    log_odds = people.activity + _typical("activity", people)
    log_odds = log_odds + _typical("weekend", people) * (day % 7 >= 5)
    log_odds = log_odds + _typical("honeymoon", people) * np.clip(1 - age / HONEYMOON_DAYS, 0, 1)
    effects = ACTIVITY_OF_LIFE[LIFE] + ACTIVITY_OF_INTENT[INTENT] + ACTIVITY_OF_PLAN[PLAN]
    return _sigmoid(log_odds + effects[state])


def p_purchase(people: People, state: np.ndarray, day: int) -> np.ndarray:
    """Return the probability of a purchase on an active day; arguments as in p_active."""
    log_odds = people.purchase + _typical("purchase", people)
    log_odds = log_odds + _typical("sale_day", people) * (day % 7 in (3, 4))
    return _sigmoid(log_odds + (PURCHASE_OF_LIFE[LIFE] + PURCHASE_OF_INTENT[INTENT])[state])


def live(
    people: People, state: np.ndarray, days: Iterable[int], rng: np.random.Generator
) -> tuple[ActiveDays, np.ndarray]:
    """Draw what users do, day by day. A user starts on the sign-up day, which is always active.

    Args:
        people: Users, shape (n,).
        state: Their states at the start of the first day, shape (n,).
        days: Day numbers, ascending.
        rng: Source of randomness.

    Returns:
        The active user-days, and the states after the last night, shape (n,).
    """
    everybody = np.arange(len(people.user_type))
    moves = cumulated(np.stack([day_moves(kind) for kind in TYPES]))
    nights = cumulated(np.stack([night_moves(kind) for kind in TYPES]))
    lived = []
    for day in days:
        is_active = rng.random(everybody.size) < p_active(people, state, day)
        is_active = np.where(people.signup_day < day, is_active, people.signup_day == day)
        is_purchase = is_active & (rng.random(everybody.size) < p_purchase(people, state, day))
        kind_state = people.user_type * N_STATES + state
        moved = np.where(is_active, draw_columns(moves, kind_state, rng), state)
        today = ActiveDays(everybody, np.full_like(state, day), state, is_purchase, PLAN[moved])
        lived.append(today[is_active])
        after = draw_columns(nights, people.user_type * N_STATES + moved, rng)
        state = np.where(people.signup_day <= day, after, state)
    return join_days(lived), state


def true_probabilities(people: People, state: np.ndarray, day: int) -> dict[str, np.ndarray]:
    """Return each user's exact probability of each outcome, given the state at the start of `day`.

    Args:
        people: Users signed up before `day`, shape (n,).
        state: Their states, shape (n,).
        day: The first day of every horizon.

    Returns:
        Probabilities of shape (n,) under the names in HORIZONS.
    """
    p = {name: np.empty(len(state)) for name in HORIZONS}
    for number, kind in enumerate(TYPES):
        mine = np.flatnonzero(people.user_type == number)
        for block in np.array_split(mine, mine.size // BLOCK_USERS + 1):
            known = np.eye(N_STATES)[state[block]]
            for name, left in weights_without(people[block, None], known, day, kind).items():
                p[name][block] = probability_of(name, left)
    return p


def weights_without(
    people: People, weight: np.ndarray, day: int, kind: UserType
) -> dict[str, np.ndarray]:
    """Sum over all futures of users of one type in which an outcome's event does not happen.

    Each day multiplies by "not today" and carries the rest into the next state.

    Args:
        people: Of one type, arrays that broadcast against weight.
        weight: How probable each state is at the start of `day`, shape (..., 54).
        day: The first day of every horizon.
        kind: The type.

    Returns:
        Under each name in HORIZONS what is left of weight, summed over the states, shape (...).
        The event of silent_for_14_days is any activity.
    """
    every_state = np.arange(N_STATES)
    night, moves = night_moves(kind), day_moves(kind)
    not_upgrading = moves * ~((PLAN[:, None] != PRO) & (PLAN == PRO))
    weights = dict.fromkeys(HORIZONS, weight)
    for step in range(max(HORIZONS.values())):
        active = p_active(people, every_state, day + step)
        bought = p_purchase(people, every_state, day + step)
        # What of an active day's weight goes on: the share, and where the plan moves.
        going_on = {
            "buys_within_7_days": (1 - bought, moves),
            "silent_for_14_days": (0.0, moves),
            "upgrades_within_14_days": (1.0, not_upgrading),
        }
        for name, (share, plan_moves) in going_on.items():
            if step < HORIZONS[name]:
                moved = (weights[name] * active * share) @ plan_moves
                weights[name] = (weights[name] * (1 - active) + moved) @ night
    return {name: left.sum(axis=-1) for name, left in weights.items()}


def probability_of(name: str, left: np.ndarray) -> np.ndarray:
    """Return an outcome's probability from that of its event not happening."""
    p_not = np.clip(left, 0, 1)
    return np.asarray(p_not if name == "silent_for_14_days" else 1 - p_not)


def realised_outcomes(lived: ActiveDays, n_users: int, day: int) -> dict[str, np.ndarray]:
    """Return whether each outcome happened from `day` on (0 or 1, shape (n_users,)), by name."""
    is_event = {
        "buys_within_7_days": lived.is_purchase,
        "silent_for_14_days": np.ones(lived.user.size, dtype=bool),
        "upgrades_within_14_days": lived.is_upgrade,
    }
    outcomes = {}
    for name, horizon in HORIZONS.items():
        is_hit = is_event[name] & (lived.day >= day) & (lived.day < day + horizon)
        seen = np.bincount(lived.user[is_hit], minlength=n_users) > 0
        outcomes[name] = (~seen if name == "silent_for_14_days" else seen).astype(np.int8)
    return outcomes


def cumulated(rows: np.ndarray) -> np.ndarray:
    """Return probabilities (…, k) as running sums, shape (n_rows, k), row r raised by r."""
    sums = np.cumsum(rows.reshape(-1, rows.shape[-1]), axis=1)
    return np.asarray(sums / sums[:, -1:] + np.arange(len(sums))[:, None])


def draw_columns(sums: np.ndarray, row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a column from each chosen row of `cumulated` probabilities, shape of `row`."""
    n_columns = sums.shape[1]
    found = np.searchsorted(sums.ravel(), row + rng.random(row.size), side="right")
    return np.asarray(np.minimum(found - row * n_columns, n_columns - 1))


def night_moves(kind: UserType) -> np.ndarray:
    """Return one type's transition matrix overnight, shape (54, 54): four chains side by side."""
    life = {(0, 1): kind.fades, (0, 2): kind.leaves / 10, (1, 0): RECOVERS, (1, 2): kind.leaves}
    life[2, 0] = kind.comes_back
    warm, cool = kind.warms_up, INTENT_COOLS
    intent = {(0, 1): warm, (1, 2): warm, (1, 0): cool, (2, 1): cool}
    curious = {(0, 1): CURIOSITY_STARTS * kind.upgrade, (1, 0): CURIOSITY_ENDS}
    chains = zip((life, intent, curious, {(TRIAL, FREE): TRIAL_LAPSES}), STATE_SHAPE, strict=True)
    night = np.eye(1)
    for rates, size in chains:
        night = np.kron(night, _transitions(rates, size))
    return night


def day_moves(kind: UserType) -> np.ndarray:
    """Return one type's transition matrix of an active day, shape (54, 54): only the plan moves."""
    by_curious = []
    for upgrade, trial in zip(UPGRADE_RATES * kind.upgrade, TRIAL_RATES * kind.trial, strict=True):
        rates = {(FREE, PRO): upgrade[FREE], (TRIAL, PRO): upgrade[TRIAL], (FREE, TRIAL): trial}
        by_curious.append(_transitions({**rates, (PRO, FREE): DOWNGRADE_RATE}, 3))
    blocks = np.kron(np.diag([1, 0]), by_curious[0]) + np.kron(np.diag([0, 1]), by_curious[1])
    return np.kron(np.eye(9), blocks)


def _transitions(rates: dict[tuple[int, int], float], size: int) -> np.ndarray:
    """Return a transition matrix from its off-diagonal rates."""
    matrix = np.zeros((size, size))
    for place, rate in rates.items():
        matrix[place] = rate
    return matrix + np.diag(1 - matrix.sum(axis=1))


def _typical(name: str, people: People) -> np.ndarray:
    return np.asarray(np.array([getattr(kind, name) for kind in TYPES])[people.user_type])


def _sigmoid(log_odds: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-log_odds)))
