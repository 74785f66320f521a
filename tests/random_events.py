"""Random small event streams with the dirt of real life, for property tests."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

START = datetime(2026, 1, 1)
HOSTILE = ["'; drop table users; --", "{{ 1/0 }}", '🛒 "sale"', "a.b/c~d", "null"]
NAMES = ["open", "view", "cart", "purchase", "search", *HOSTILE]


def random_events(
    seed: int, n_users: int = 30, n_events: int = 1200, days: float = 80
) -> list[dict[str, Any]]:
    """Return raw canonical rows: visitors who log in, duplicates, numbers as text, all kinds of names."""
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
                "user_properties": {"plan": rng.choice(["free", "pro", 'o"dd'])}
                if rng.random() < 0.2
                else None,
            }
        )
    rows += [dict(row) for row in rng.sample(rows, n_events // 20)]
    rng.shuffle(rows)
    return rows


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
