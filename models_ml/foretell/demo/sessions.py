"""What the demo's users leave behind: active days become sessions, sessions become events.

Every event lies on an active day, an active day has at least one event, and a purchase or a change
of plan is exactly one event, so that events and the probabilities of demo_behaviour agree.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from foretell.demo.behaviour import (
    CURIOUS,
    FADING,
    FREE,
    INTENT,
    LIFE,
    PLAN,
    PRO,
    TRIAL,
    TYPES,
    ActiveDays,
    People,
    cumulated,
    draw_columns,
)

DAY_MS = 86_400_000
HOSTILE_NAMES = ("'; drop table users; --", "{{ 1/0 }}", '🛒 "sale"')
# Events in the middle of a session: weight, and effects on its logarithm of a level of intent, of
# curiosity about pro, and of fading. No effect: pure noise.
BROWSING = {
    "page_view": (20.0, 0.0, 0.0, 0.0),
    "product_view": (16.0, 0.45, 0.0, 0.0),
    "search": (9.0, 0.52, 0.0, 0.0),
    "category_view": (8.0, 0.15, 0.0, 0.0),
    "filter_applied": (3.0, 0.3, 0.0, 0.0),
    "article_read": (2.5, -0.2, 0.0, 0.0),
    "notification_dismissed": (2.5, 0.0, 0.0, 0.3),
    "add_to_cart": (2.2, 1.2, 0.0, 0.0),
    "video_watched": (2.0, 0.0, 0.0, 0.0),
    "review_read": (2.0, 0.6, 0.0, 0.0),
    "recommendation_clicked": (2.0, 0.15, 0.0, 0.0),
    "cart_viewed": (1.8, 1.05, 0.0, 0.0),
    "banner_clicked": (1.5, 0.0, 0.0, 0.0),
    "sort_changed": (1.5, 0.15, 0.0, 0.0),
    "wishlist_added": (1.2, 0.75, 0.0, 0.0),
    "wishlist_viewed": (1.0, 0.45, 0.0, 0.0),
    "compare_products": (1.0, 0.6, 0.0, 0.0),
    "points_viewed": (1.0, 0.3, 0.0, 0.0),
    "remove_from_cart": (0.8, 0.75, 0.0, 0.0),
    "error_shown": (0.8, 0.0, 0.0, 0.8),
    "size_guide_opened": (0.8, 0.6, 0.0, 0.0),
    "share": (0.6, 0.0, 0.0, 0.0),
    "settings_changed": (0.6, 0.0, 0.2, 0.2),
    "help_article_viewed": (0.6, 0.0, 0.3, 0.4),
    "checkout_started": (0.4, 1.5, 0.0, 0.0),
    "support_chat": (0.4, 0.0, 0.0, 0.7),
    "profile_updated": (0.4, 0.0, 0.0, 0.0),
    "feature_limit_reached": (0.3, 0.0, 2.0, 0.0),
    "store_locator_opened": (0.3, 0.0, 0.0, 0.0),
    "invite_sent": (0.3, 0.0, 0.0, 0.0),
    "dark_mode_toggled": (0.3, 0.0, 0.0, 0.0),
    "pricing_page_view": (0.2, 0.0, 2.4, 0.0),
    **dict.fromkeys(HOSTILE_NAMES, (0.03, 0.0, 0.0, 0.0)),
}
OPENERS = ("app_open", "push_opened", "email_opened")
OTHERS = ("signup", "login", "logout", "payment_info_entered", "coupon_applied", "purchase",
          "order_tracked", "review_written", "refund_requested",
          "trial_started", "upgrade", "downgrade")  # fmt: skip
NAMES = (*BROWSING, *OPENERS, *OTHERS)
KIND = {name: kind for kind, name in enumerate(NAMES)}
# By intent: how a session starts.
OPENER_SHARES = np.array([[0.82, 0.11, 0.07], [0.77, 0.11, 0.12], [0.73, 0.11, 0.16]])
# By (weekday, weekend): relative volume of the 24 hours, UTC.
HOURS = np.array([
    [3, 2, 1, 1, 1, 2, 5, 8, 8, 7, 7, 8, 10, 9, 7, 7, 8, 10, 13, 16, 18, 16, 11, 6],
    [5, 4, 2, 1, 1, 1, 2, 4, 7, 10, 13, 14, 14, 14, 14, 14, 14, 13, 13, 13, 13, 12, 10, 7],
])  # fmt: skip
# In a session that ends in a purchase: place in the session, share of sessions with the event.
PURCHASE_STEPS = {
    "product_view": (3.0, 1.0),
    "add_to_cart": (3.1, 1.0),
    "cart_viewed": (3.2, 0.5),
    "checkout_started": (3.3, 1.0),
    "payment_info_entered": (3.5, 0.9),
    "purchase": (3.6, 1.0),
}
# On the active day after a purchase: share of days with the event.
AFTER_PURCHASE = {"order_tracked": 0.5, "review_written": 0.1, "refund_requested": 0.06}
PLAN_EVENTS = {(FREE, TRIAL): "trial_started", (FREE, PRO): "upgrade", (TRIAL, PRO): "upgrade",
               (PRO, FREE): "downgrade"}  # fmt: skip
# Where browsing events tend to stand in a session, on a scale of its length.
TENDS_LATER = {"search": -0.3, "add_to_cart": 0.3, "cart_viewed": 0.4, "checkout_started": 0.6}
MEAN_BROWSING = 4.4
BROWSING_OF_INTENT, BROWSING_SHAPE = 0.15, 2.0  # effect on its logarithm; shape of a gamma's spread
COUPON_SHARES = (0.15, 0.6)  # of purchases: of others, of types that like sales
MEAN_GAP_MS = 25_000
SECOND_DEVICE_SHARE, SECOND_SESSION_LOGIN_SHARE = 0.35, 0.25


@dataclass(frozen=True)
class Events:
    """One entry per event: arrays of shape (n_events,).

    Attributes:
        user: Number of the user; numbers after the last user are visitors who never sign up.
        device: Number of the device: 2 * user, or 2 * user + 1 for a second one.
        kind: Position of the event's name in NAMES.
        time_ms: Milliseconds since the start of day 0.
        is_anonymous: Whether nobody was logged in on the device.
        plan: The user's plan when the event was sent.
    """

    user: np.ndarray
    device: np.ndarray
    kind: np.ndarray
    time_ms: np.ndarray
    is_anonymous: np.ndarray
    plan: np.ndarray

    def __getitem__(self, key: object) -> Events:
        """Return the events chosen by a NumPy index."""
        return Events(*(getattr(self, field.name)[key] for field in fields(self)))

    def __add__(self, other: Events) -> Events:
        """Return these events followed by the others."""
        names = [field.name for field in fields(self)]
        return Events(*(np.append(getattr(self, name), getattr(other, name)) for name in names))


@dataclass(frozen=True)
class Sessions:
    """One entry per session, by user and time: arrays of shape (n_sessions,).

    Attributes:
        active_day: Position of the user-day it belongs to.
        start_ms: Start, milliseconds since midnight.
        is_last: Whether it is the day's last; purchases and plan changes happen in that one.
        device: Number of the device.
        is_anonymous: Whether it ends without log-in on a device where nobody has logged in yet.
        is_login: Whether the user logs in (or signs up) on the device for the first time.
    """

    active_day: np.ndarray
    start_ms: np.ndarray
    is_last: np.ndarray
    device: np.ndarray
    is_anonymous: np.ndarray
    is_login: np.ndarray


def draw_events(people: People, lived: ActiveDays, rng: np.random.Generator) -> Events:
    """Draw the events of all active days.

    Args:
        people: Users, shape (n,).
        lived: Their active days, in any order.
        rng: Source of randomness.

    Returns:
        Events by user and session.
    """
    lived = lived[np.lexsort((lived.day, lived.user))]
    sessions = _draw_sessions(people, lived, rng)
    parts = [
        *_openers(lived, sessions, rng),
        _browsing(lived, sessions, rng),
        *_logins(sessions, rng),
        *_purchases(people, lived, sessions, rng),
        *_plan_changes(lived, sessions, rng),
    ]
    session, place, kind = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((place, session))
    return _timed(lived, sessions, session[order], kind[order], rng)


def draw_visitors(
    first_number: int, n_visitors: int, start_ms: np.ndarray, rng: np.random.Generator
) -> Events:
    """Draw one short session for each visitor who never signs up, from start_ms on.

    Args:
        first_number: The first visitor's user number.
        n_visitors: How many.
        start_ms: When each comes, shape (n_visitors,).
        rng: Source of randomness.
    """
    looks = np.array(
        [KIND[name] for name in ("app_open", "page_view", "product_view", "page_view")]
    )
    n_looks = rng.integers(2, len(looks) + 1, n_visitors)
    visitor = np.repeat(np.arange(n_visitors), n_looks)
    place = _place_in_group(visitor)
    user = first_number + visitor
    time_ms = start_ms[visitor] + 30_000 * place + rng.integers(0, 20_000, visitor.size)
    is_anonymous, plan = np.ones(user.size, dtype=bool), np.full(user.size, FREE)
    return Events(user, 2 * user, looks[place], time_ms, is_anonymous, plan)


def _draw_sessions(people: People, lived: ActiveDays, rng: np.random.Generator) -> Sessions:
    more = np.array([kind.more_sessions for kind in TYPES])[people.user_type[lived.user]]
    n_sessions = 1 + rng.poisson(np.where(LIFE[lived.state] == FADING, more / 2, more))
    active_day = np.repeat(np.arange(lived.user.size), n_sessions)
    is_weekend = (lived.day[active_day] % 7 >= 5).astype(int)
    hour = draw_columns(cumulated(HOURS), is_weekend, rng)
    start_ms = hour * 3_600_000 + rng.integers(0, 3_600_000, hour.size)
    start_ms = start_ms[np.lexsort((start_ms, active_day))]
    is_last = np.append(active_day[1:] != active_day[:-1], True)
    device = _draw_devices(people, lived, active_day, rng)
    rank = np.empty_like(device)
    by_device = np.argsort(device, kind="stable")
    rank[by_device] = _place_in_group(device[by_device])
    is_change = lived.is_purchase | (lived.next_plan != PLAN[lived.state])
    is_changing = is_last & is_change[active_day]
    login_rank = _draw_login_ranks(people, device[is_changing], rank[is_changing], rng)[device]
    return Sessions(active_day, start_ms, is_last, device, rank < login_rank, rank == login_rank)


def _draw_devices(
    people: People, lived: ActiveDays, active_day: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw each session's device; a second one joins some day, never in the first two sessions."""
    user, day = lived.user[active_day], lived.day[active_day]
    n_users = len(people.user_type)
    joins_on = rng.uniform(0, max(lived.day.max(), 1), n_users)
    has_second = rng.random(n_users) < SECOND_DEVICE_SHARE
    may_use = has_second[user] & (day >= joins_on[user]) & (_place_in_group(user) >= 2)
    return np.asarray(2 * user + (may_use & (rng.random(user.size) < 0.4)))


def _draw_login_ranks(
    people: People, device: np.ndarray, rank: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw in which session on each device somebody first logs in: 0, 1, or -1 for before day 0.

    Nobody buys or changes plan before log-in: device and rank are of the sessions with such.
    """
    ranks = (rng.random(2 * len(people.user_type)) < SECOND_SESSION_LOGIN_SHARE).astype(int)
    ranks[0::2][people.signup_day < 0] = -1
    np.minimum.at(ranks, device, rank)
    return ranks


Part = tuple[np.ndarray, np.ndarray, np.ndarray]


def _part(session: np.ndarray, place: float | np.ndarray, kind: int | np.ndarray) -> Part:
    """Return (session, place in it, kind) of one event in each of these sessions."""
    return session, np.broadcast_to(place, session.shape), np.broadcast_to(kind, session.shape)


def _sample(session: np.ndarray, share: float | np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return session[rng.random(session.size) < share]


def _openers(lived: ActiveDays, sessions: Sessions, rng: np.random.Generator) -> list[Part]:
    intent = INTENT[lived.state[sessions.active_day]]
    opener = draw_columns(cumulated(OPENER_SHARES), intent, rng) + KIND[OPENERS[0]]
    last = np.flatnonzero(sessions.is_last & ~sessions.is_anonymous)
    return [
        _part(np.arange(intent.size), 0.0, opener),
        _part(_sample(last, 0.03, rng), 4.0, KIND["logout"]),
    ]


def _browsing(lived: ActiveDays, sessions: Sessions, rng: np.random.Generator) -> Part:
    shares = browsing_weights().T
    state = lived.state[sessions.active_day]
    spread = rng.gamma(BROWSING_SHAPE, 1 / BROWSING_SHAPE, state.size)
    mean = MEAN_BROWSING * np.exp(BROWSING_OF_INTENT * (INTENT[state] - 1)) * spread
    session = np.repeat(np.arange(state.size), rng.poisson(mean))
    kind = draw_columns(cumulated(shares), state[session], rng)
    later = np.array([TENDS_LATER.get(name, 0.0) for name in BROWSING])
    return _part(session, 1 + rng.random(session.size) + later[kind], kind)


def browsing_weights() -> np.ndarray:
    """Return the weight of each browsing event in each state, shape (n_events, 54)."""
    weight, of_intent, of_curious, of_fading = np.array(list(BROWSING.values())).T[:, :, None]
    effect = of_intent * (INTENT - 1) + of_curious * CURIOUS + of_fading * (LIFE == FADING)
    return np.asarray(weight * np.exp(effect))


def _logins(sessions: Sessions, rng: np.random.Generator) -> list[Part]:
    first = np.flatnonzero(sessions.is_login)
    kind = np.where(sessions.device[first] % 2 == 0, KIND["signup"], KIND["login"])
    return [_part(first, 0.5 + rng.random(first.size), kind)]


def _purchases(
    people: People, lived: ActiveDays, sessions: Sessions, rng: np.random.Generator
) -> list[Part]:
    buying = np.flatnonzero(sessions.is_last & lived.is_purchase[sessions.active_day])
    parts = [
        _part(_sample(buying, share, rng), place, KIND[name])
        for name, (place, share) in PURCHASE_STEPS.items()
    ]
    buyer = people.user_type[lived.user[sessions.active_day[buying]]]
    with_coupon = _sample(buying, coupon_shares()[buyer], rng)
    is_next = np.append(False, lived.is_purchase[:-1] & (lived.user[1:] == lived.user[:-1]))
    after = np.flatnonzero(sessions.is_last & is_next[sessions.active_day])
    return [
        *parts,
        _part(with_coupon, 3.4, KIND["coupon_applied"]),
        *(_part(_sample(after, share, rng), 1.5, KIND[k]) for k, share in AFTER_PURCHASE.items()),
    ]


def coupon_shares() -> np.ndarray:
    """Return the share of purchases with a coupon, by user type."""
    return np.array([COUPON_SHARES[kind.sale_day > 1] for kind in TYPES])


def _plan_changes(lived: ActiveDays, sessions: Sessions, rng: np.random.Generator) -> list[Part]:
    parts = []
    before, after = PLAN[lived.state], lived.next_plan
    for (plan, next_plan), name in PLAN_EVENTS.items():
        is_change = (before == plan) & (after == next_plan)
        session = np.flatnonzero(sessions.is_last & is_change[sessions.active_day])
        parts.append(_part(session, 3.8, KIND[name]))
        if next_plan != FREE:
            parts.append(_part(_sample(session, 0.6, rng), 3.7, KIND["pricing_page_view"]))
    return parts


def _timed(
    lived: ActiveDays,
    sessions: Sessions,
    session: np.ndarray,
    kind: np.ndarray,
    rng: np.random.Generator,
) -> Events:
    """Give sorted events their times (a session never passes midnight) and who was known."""
    is_first = _place_in_group(session) == 0
    elapsed = np.cumsum(500 + rng.exponential(MEAN_GAP_MS, session.size).astype(np.int64))
    elapsed = elapsed - elapsed[is_first][session]
    last = np.append(np.flatnonzero(is_first)[1:], session.size) - 1
    start_ms = np.minimum(sessions.start_ms, DAY_MS - 1000 - elapsed[last])
    active_day = sessions.active_day[session]
    is_login = np.isin(kind, [KIND["signup"], KIND["login"]])
    login_at = np.full(sessions.device.size, -1)
    login_at[session[is_login]] = np.flatnonzero(is_login)
    is_change = np.isin(kind, [KIND[name] for name in PLAN_EVENTS.values()])
    return Events(
        user=lived.user[active_day],
        device=sessions.device[session],
        kind=kind,
        time_ms=lived.day[active_day] * DAY_MS + start_ms[session] + elapsed,
        is_anonymous=sessions.is_anonymous[session] | (np.arange(session.size) < login_at[session]),
        plan=np.where(is_change, lived.next_plan[active_day], PLAN[lived.state][active_day]),
    )


def _place_in_group(group: np.ndarray) -> np.ndarray:
    """Return 0, 1, 2 … within each run of equal values."""
    position = np.arange(group.size)
    is_start = np.append(True, group[1:] != group[:-1])[: group.size]
    return position - np.maximum.accumulate(np.where(is_start, position, 0))
