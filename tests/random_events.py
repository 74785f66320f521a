"""Random small event streams with the dirt of real life, for property tests, and who is who in them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import networkx as nx

START = datetime(2026, 1, 1)
HOSTILE = ["'; drop table users; --", "{{ 1/0 }}", '🛒 "sale"', "a.b/c~d", "null"]
NAMES = ["open", "view", "cart", "purchase", "search", *HOSTILE]


def random_events(
    seed: int, n_users: int = 30, n_events: int = 1200, days: float = 80
) -> list[dict[str, Any]]:
    """Return raw canonical rows: visitors who log in, users who are merged, duplicates, numbers as text,
    all kinds of names."""
    rng = random.Random(seed)
    rows = []
    for number in range(n_events):
        user = rng.randrange(n_users)
        time = START + timedelta(seconds=round(rng.random() * days * 86400))
        is_anonymous = rng.random() < 0.15
        rows.append(
            {
                "event_id": f"e{number}" if rng.random() < 0.9 else None,
                "user_id": None if is_anonymous else f"user {user}'s",
                "device_id": f"d{user}" if is_anonymous or rng.random() < 0.3 else None,
                "event_name": rng.choice(NAMES),
                "event_time": time.isoformat(),
                "event_properties": _properties(rng),
                "user_properties": {
                    "plan": rng.choice(["free", "pro", 'o"dd']),
                    "score": number % 37 / 4,
                    "app": f"1.{number % 30}.{number % 7}",
                }
                if rng.random() < 0.2
                else None,
                "previous_id": None,
            }
        )
    for row in rng.sample(rows, n_events // 60):
        other = rng.randrange(n_users)
        row["previous_id"] = rng.choice([f"user {other}'s", f"d{other}", "guest"])
    rows += [dict(row) for row in rng.sample(rows, n_events // 20)]
    rng.shuffle(rows)
    return rows


def arriving_events(seed: int, n_users: int = 20, n_events: int = 900) -> list[dict[str, Any]]:
    """Return dirty rows in the order in which they arrive, up to six days late; some come twice.

    A copy may have been received before its original and may differ from it in who and when.
    """
    rng = random.Random(seed)
    arrivals = []
    for row in random_events(seed, n_users, n_events, days=50):
        time = datetime.fromisoformat(row["event_time"])
        arrival = time + timedelta(days=3 * rng.random())
        row["received_at"] = (time + timedelta(days=rng.random())).isoformat()
        arrivals.append((arrival, row))
        if rng.random() < 0.15:
            copy = {**row, "received_at": (time + timedelta(days=rng.random())).isoformat()}
            if copy["event_id"] and rng.random() < 0.5:
                copy["user_id"] = f"user {rng.randrange(n_users)}'s"
                copy["event_time"] = (time + timedelta(hours=2)).isoformat()
            arrivals.append((arrival + timedelta(days=2.9 * rng.random()), copy))
        if rng.random() < 0.02:
            arrivals.append((arrival, {**row, "event_id": None, "event_time": "soon"}))
    arrivals.sort(key=lambda pair: pair[0])
    return [row for _, row in arrivals]


def _properties(rng: random.Random) -> dict[str, Any] | None:
    if rng.random() < 0.3:
        return None
    amount = round(rng.uniform(-20, 100), 2)
    return {
        "category": rng.choice(["shoes", "hats", "{{ 1/0 }}", "it's"]),
        "amount": amount if rng.random() < 0.8 else str(amount),
        "gift": rng.random() < 0.5,
        "note": rng.choice([None, "x" * 10_000]),
    }


def standing_for(merges: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return whom each merged user became, by networkx: pairs of previous and later user id.

    Of a group the one whom others were merged into and who was merged into no other, else the first.
    """
    pairs = list(merges)
    previous, later = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    belongs = {}
    for group in nx.connected_components(nx.Graph(pairs)):
        user = min(group & later, key=lambda name: (name in previous, name))
        belongs.update(dict.fromkeys(group, user))
    return belongs


def hour(time: datetime) -> int:
    return int((time - datetime(1970, 1, 1)).total_seconds() // 3600)


def accepted(rows: list[dict]) -> list[dict]:
    """Each event once: by id, or by content where there is none."""
    seen, kept = set(), []
    for row in rows:
        content = json.dumps(row, sort_keys=True, default=str)
        key = row["event_id"] or content
        if key not in seen:
            seen.add(key)
            kept.append({**row, "at": datetime.fromisoformat(row["event_time"])})
    return kept


def resolve(events: list[dict], as_of: datetime) -> None:
    """A device belongs to the first user seen on it, once that hour is over before as_of.

    Merged users are one, also those of the hour before as_of.
    """
    owners: dict[str, tuple[datetime, str]] = {}
    users = {event["user_id"] for event in events if event["user_id"]}
    merges = []
    for event in events:
        for device in (event["device_id"], event["previous_id"]):
            if event["user_id"] and device:
                first = (event["at"], event["user_id"])
                owners[device] = min(owners.get(device, first), first)
        if event["user_id"] and event["previous_id"] in users - {event["user_id"]}:
            merges.append((event["previous_id"], event["user_id"]))
    belongs = standing_for(merges)
    for event in events:
        owner = owners.get(event["device_id"])
        event["user"] = event["user_id"] or "device:" + event["device_id"]
        if not event["user_id"] and owner and hour(owner[0]) < hour(as_of):
            event["user"] = owner[1]
        event["user"] = belongs.get(event["user"], event["user"])


def number(value: object) -> Decimal | None:
    try:
        return Decimal(str(value)) if not isinstance(value, bool) and value is not None else None
    except InvalidOperation:
        return None
