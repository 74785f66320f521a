"""The demo's events as text: names, ids, times and JSON properties, as a raw export has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foretell.demo.behaviour import PLANS
from foretell.demo.sessions import DAY_MS, KIND, NAMES, Events

CATEGORIES = ("shoes", "dresses", "shirts", "outdoor", "kids", "bags", "beauty", "home",
              "garden", "toys", "books", "electronics")  # fmt: skip
PRODUCTS_PER_CATEGORY = 300
PLATFORMS, PLATFORM_SHARES = ("ios", "android", "web"), (0.38, 0.37, 0.25)
COUNTRIES = ("DE", "FR", "GB", "US", "NL", "ES", "IT", "PL", "SE", "CZ")
COUNTRY_SHARES = (0.24, 0.14, 0.16, 0.13, 0.08, 0.07, 0.07, 0.05, 0.03, 0.03)
LANGUAGES = ("de", "fr", "en", "en", "nl", "es", "it", "pl", "sv", "cs")
CURRENCIES = ("EUR", "EUR", "GBP", "USD", "EUR", "EUR", "EUR", "PLN", "SEK", "CZK")
CHANNELS = ("organic", "paid_search", "paid_social", "referral", "email", "partner")
CHANNEL_SHARES = (0.35, 0.2, 0.2, 0.1, 0.1, 0.05)
PAGES = ("home", "category", "sale", "new_in", "account", "blog", "stores", "about")
PAGE_SHARES = (0.34, 0.22, 0.12, 0.11, 0.08, 0.06, 0.04, 0.03)
RELEASE_DAYS = 18
# Events that state who the user is; the others have no user_properties.
STATING = (
    "app_open",
    "signup",
    "login",
    "settings_changed",
    "trial_started",
    "upgrade",
    "downgrade",
)


@dataclass(frozen=True)
class Profiles:
    """What is drawn once: per user number (visitors included), per device, per product.

    Attributes:
        country: Position in COUNTRIES, shape (n_users,).
        next_country: Country after moves_on; most never move.
        moves_on: Day of the move.
        channel: Position in CHANNELS.
        favourite: Position of the favourite category in CATEGORIES.
        platform: Position in PLATFORMS, shape (2 * n_users,).
        lag_days: How long a device waits before it takes a new version, shape (2 * n_users,).
        price_cents: Shape (n_products,).
    """

    country: np.ndarray
    next_country: np.ndarray
    moves_on: np.ndarray
    channel: np.ndarray
    favourite: np.ndarray
    platform: np.ndarray
    lag_days: np.ndarray
    price_cents: np.ndarray


def draw_profiles(n_users: int, n_days: int, rng: np.random.Generator) -> Profiles:
    """Draw who n_users (visitors included) are; one in thirty moves to another country."""
    moves_on = rng.uniform(0, 30 * max(n_days, 1), n_users)
    n_products = PRODUCTS_PER_CATEGORY * len(CATEGORIES)
    return Profiles(
        country=rng.choice(len(COUNTRIES), n_users, p=COUNTRY_SHARES),
        next_country=rng.choice(len(COUNTRIES), n_users, p=COUNTRY_SHARES),
        moves_on=moves_on,
        channel=rng.choice(len(CHANNELS), n_users, p=CHANNEL_SHARES),
        favourite=rng.integers(0, len(CATEGORIES), n_users),
        platform=rng.choice(len(PLATFORMS), 2 * n_users, p=PLATFORM_SHARES),
        lag_days=rng.exponential(8.0, 2 * n_users),
        price_cents=np.clip(rng.lognormal(8.0, 1.0, n_products), 150, 5_000_000).astype(np.int64),
    )


def text_columns(
    events: Events, profiles: Profiles, start: np.datetime64, rng: np.random.Generator
) -> dict[str, pa.Array]:
    """Return the raw columns of all events (except received_at), as text.

    Args:
        events: Events, shape (n_events,).
        profiles: Who the users are.
        start: Midnight of day 0.
        rng: Source of randomness.
    """
    n_users = len(profiles.country)
    user_id = user_names(n_users).take(pa.array(events.user, mask=events.is_anonymous))
    has_id = rng.random(events.kind.size) >= 0.005
    local = rng.random(events.kind.size) < 0.004
    return {
        "event_id": pc.if_else(pa.array(has_id), random_ids(events.kind.size, rng), None),
        "user_id": user_id,
        "device_id": random_ids(2 * n_users, rng).take(pa.array(events.device)),
        "event_name": pa.array(NAMES, pa.string()).take(pa.array(events.kind)),
        "event_time": time_text(events.time_ms, start, local),
        "event_properties": _by_kind(events, profiles, rng),
        "user_properties": _user_properties(events, profiles),
    }


def time_text(
    time_ms: np.ndarray, start: np.datetime64, is_local: np.ndarray | None = None
) -> pa.Array:
    """Return ISO text ending in Z, or two hours ahead ending in +02:00 where is_local.

    Args:
        time_ms: Milliseconds since start, shape (n,).
        start: The moment they count from, UTC.
        is_local: Shape (n,); default: nowhere.
    """
    is_local = np.zeros(time_ms.size, dtype=bool) if is_local is None else is_local
    moment = start.astype("datetime64[ms]") + (time_ms + 7_200_000 * is_local).astype(
        "timedelta64[ms]"
    )
    text = pa.array(moment).cast(pa.string())
    ending = pc.if_else(pa.array(is_local), "+02:00", "Z")
    return pc.binary_join_element_wise(pc.replace_substring(text, " ", "T"), ending, "")


def user_names(n_users: int) -> pa.Array:
    """Return the ids of users 0 to n_users - 1."""
    return pa.array([f"user-{number:06d}" for number in range(n_users)], pa.string())


def random_ids(n: int, rng: np.random.Generator) -> pa.Array:
    """Return n random texts of 16 hexadecimal digits."""
    digits = rng.bytes(8 * n).hex().encode()
    offsets = np.arange(0, 16 * n + 1, 16, dtype=np.int32)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(digits))


def _by_kind(events: Events, profiles: Profiles, rng: np.random.Generator) -> pa.Array:
    """Return event_properties, made kind by kind and put back in the events' order."""
    by_kind = np.argsort(events.kind, kind="stable")
    bounds = np.searchsorted(events.kind[by_kind], np.arange(len(NAMES) + 1))
    chunks = []
    for name, kind in KIND.items():
        rows = by_kind[bounds[kind] : bounds[kind + 1]]
        if rows.size:
            make = MAKERS.get(name, _platform_only)
            chunks.append(json_objects(make(Rows(events[rows], profiles, rng))))
    position = np.empty_like(by_kind)
    position[by_kind] = np.arange(by_kind.size)
    return pa.concat_arrays(chunks).take(pa.array(position))


def json_objects(parts: dict[str, pa.Array]) -> pa.Array:
    """Return one JSON object per row from columns of JSON values.

    Args:
        parts: Key to values that are JSON already, as text, shape (n,).
    """
    pieces: list[pa.Array | str] = []
    for number, (key, values) in enumerate(parts.items()):
        pieces += [f'{", " if number else "{"}"{key}": ', values]
    return pc.binary_join_element_wise(*pieces, "}", "")


def _words(words: Sequence[str], chosen: np.ndarray) -> pa.Array:
    return pa.array([f'"{word}"' for word in words], pa.string()).take(pa.array(chosen))


def _numbers(values: np.ndarray) -> pa.Array:
    return pa.array(values).cast(pa.string())


def _quoted(texts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise('"', texts, '"', "")


def _yes_no(values: np.ndarray) -> pa.Array:
    return pa.array(["false", "true"]).take(pa.array(values.astype(np.int8)))


@dataclass(frozen=True)
class Rows:
    """The events of one kind, with what their properties are drawn from."""

    events: Events
    profiles: Profiles
    rng: np.random.Generator

    @property
    def n(self) -> int:
        """Return the number of events."""
        return self.events.kind.size

    @property
    def platform(self) -> np.ndarray:
        """Return the position in PLATFORMS."""
        return np.asarray(self.profiles.platform[self.events.device])

    def category(self) -> np.ndarray:
        """Draw categories: half the time the user's favourite."""
        other = self.rng.integers(0, len(CATEGORIES), self.n)
        is_favourite = self.rng.random(self.n) < 0.5
        return np.where(is_favourite, self.profiles.favourite[self.events.user], other)

    def product(self, category: np.ndarray) -> np.ndarray:
        """Draw products of the categories, a few of them far more often than the rest."""
        place = PRODUCTS_PER_CATEGORY * self.rng.random(self.n) ** 2.5
        return category * PRODUCTS_PER_CATEGORY + place.astype(np.int64)


Parts = dict[str, pa.Array]


def _platform_only(rows: Rows) -> Parts:
    return {"platform": _words(PLATFORMS, rows.platform)}


def _app_open(rows: Rows) -> Parts:
    day = rows.events.time_ms / DAY_MS - rows.profiles.lag_days[rows.events.device]
    release = np.clip(day // RELEASE_DAYS, -1, None).astype(int) + 1
    versions = [f"4.{number}.{number % 3}" for number in range(release.max() + 1)]
    return {
        "app_version": _words(versions, release),
        "from_background": _yes_no(rows.rng.random(rows.n) < 0.4),
        **_platform_only(rows),
    }


def _page_view(rows: Rows) -> Parts:
    pages = rows.rng.choice(len(PAGES), rows.n, p=PAGE_SHARES)
    return {"page": _words(PAGES, pages), **_platform_only(rows)}


def _search(rows: Rows) -> Parts:
    n_results = np.where(rows.rng.random(rows.n) < 0.08, 0, rows.rng.integers(1, 200, rows.n))
    return {
        "query_length": _numbers(2 + rows.rng.poisson(7, rows.n)),
        "category": _words(CATEGORIES, rows.category()),
        "results": _numbers(n_results),
    }


def _category(rows: Rows) -> Parts:
    return {"category": _words(CATEGORIES, rows.category())}


def _product(rows: Rows) -> Parts:
    category = rows.category()
    product = rows.product(category)
    return {
        "category": _words(CATEGORIES, category),
        "product_id": _words(
            [f"p-{n:04d}" for n in range(rows.profiles.price_cents.size)], product
        ),
        "price": _numbers(rows.profiles.price_cents[product] / 100),
    }


def _checkout(rows: Rows) -> Parts:
    return {
        "items": _numbers(rows.rng.geometric(0.55, rows.n)),
        "has_coupon": _yes_no(rows.rng.random(rows.n) < 0.25),
    }


def _purchase(rows: Rows) -> Parts:
    """Amounts are heavy-tailed; the web shop sometimes sends them as text, "12.50"."""
    category = rows.category()
    price = rows.profiles.price_cents[rows.product(category)]
    items = rows.rng.geometric(0.55, rows.n)
    cents = np.maximum(price * items * rows.rng.lognormal(0, 0.3, rows.n), 100).astype(np.int64)
    pence = pc.utf8_lpad(_numbers(cents % 100), 2, "0")
    as_text = _quoted(pc.binary_join_element_wise(_numbers(cents // 100), pence, "."))
    is_text = (PLATFORMS.index("web") == rows.platform) & (rows.rng.random(rows.n) < 0.3)
    orders = pc.binary_join_element_wise("o-", _numbers(100_000 + rows.rng.permutation(rows.n)), "")
    return {
        "amount": pc.if_else(pa.array(is_text), as_text, _numbers(cents / 100)),
        "currency": _words(CURRENCIES, rows.profiles.country[rows.events.user]),
        "category": _words(CATEGORIES, category),
        "items": _numbers(items),
        "order_id": _quoted(orders),
    }


def _video(rows: Rows) -> Parts:
    return {
        "seconds": _numbers(rows.rng.exponential(45, rows.n).astype(np.int64) + 1),
        "is_completed": _yes_no(rows.rng.random(rows.n) < 0.35),
    }


def _coupon(rows: Rows) -> Parts:
    codes = ("WELCOME10", "FRIDAY15", "FREESHIP", "LOYAL5")
    return {"code": _words(codes, rows.rng.integers(0, len(codes), rows.n))}


def _review(rows: Rows) -> Parts:
    stars = rows.rng.choice(5, rows.n, p=[0.06, 0.06, 0.13, 0.3, 0.45]) + 1
    return {"stars": _numbers(stars), "category": _words(CATEGORIES, rows.category())}


def _error(rows: Rows) -> Parts:
    codes = ("timeout", "not_found", "payment_declined", "offline")
    return {"code": _words(codes, rows.rng.integers(0, len(codes), rows.n)), **_platform_only(rows)}


def _plan(rows: Rows) -> Parts:
    periods = ("monthly", "yearly")
    return {"period": _words(periods, (rows.rng.random(rows.n) < 0.3).astype(int))}


PRODUCT_EVENTS = ("product_view", "add_to_cart", "remove_from_cart", "wishlist_added",
                  "recommendation_clicked", "review_read", "size_guide_opened")  # fmt: skip
MAKERS: dict[str, Callable[[Rows], Parts]] = {
    **dict.fromkeys(PRODUCT_EVENTS, _product),
    **dict.fromkeys(("category_view", "filter_applied", "compare_products"), _category),
    **dict.fromkeys(("checkout_started", "payment_info_entered"), _checkout),
    **dict.fromkeys(("trial_started", "upgrade"), _plan),
    "app_open": _app_open,
    "page_view": _page_view,
    "search": _search,
    "purchase": _purchase,
    "video_watched": _video,
    "coupon_applied": _coupon,
    "review_written": _review,
    "error_shown": _error,
}


def _user_properties(events: Events, profiles: Profiles) -> pa.Array:
    """Return user_properties where a known user states them, else NULL."""
    is_stating = np.isin(events.kind, [KIND[name] for name in STATING]) & ~events.is_anonymous
    stating = events[is_stating]
    has_moved = stating.time_ms / DAY_MS >= profiles.moves_on[stating.user]
    home, abroad = profiles.country[stating.user], profiles.next_country[stating.user]
    objects = json_objects(
        {
            "plan": _words(PLANS, stating.plan),
            "country": _words(COUNTRIES, np.where(has_moved, abroad, home)),
            "language": _words(LANGUAGES, home),
            "platform": _words(PLATFORMS, profiles.platform[stating.device]),
            "acquisition_channel": _words(CHANNELS, profiles.channel[stating.user]),
        }
    )
    position = np.cumsum(is_stating) - 1
    return objects.take(pa.array(position, mask=~is_stating))
