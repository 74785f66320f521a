"""Simulated shops for the cases of issue 33: a renamed event, a launch, a property from the future.

Our own generator of the cases 15, 16 and 17, smaller. Nothing in it is anybody's data.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np

END = datetime(2026, 6, 1)
DAYS = 140
Row = dict[str, Any]


def shop(n_users: int = 1000, seed: int = 7, buys: float = 0.25) -> list[Row]:
    """Return sessions of users (open, view, sometimes purchase) over 140 days, at steady rates."""
    rng = np.random.default_rng(seed)
    rates, starts = rng.gamma(1.2, 0.18, n_users), rng.uniform(5, DAYS, n_users)
    rows: list[Row] = []
    for user in range(n_users):
        age = starts[user]
        while (age := age - rng.exponential(1 / max(rates[user], 0.01))) > 0:
            n_views = int(rng.poisson(2))
            rows.append(event(user, "open", age, platform=("ios", "web")[user % 2]))
            for view in range(n_views):
                category = "abcde"[int(rng.integers(5))]
                rows.append(event(user, "view", age - (view + 1) / 1440, category=category))
            if n_views and rng.random() < buys * min(1, rates[user] * 2 + 0.1):
                amount = round(float(rng.gamma(2, 15)), 2)
                rows.append(event(user, "purchase", age - 20 / 1440, amount=amount))
    return [row for row in rows if row["event_time"] < END]


def event(user: int, name: str, age_days: float, **properties: Any) -> Row:
    """Return an event of a user, so many days before the end."""
    return {
        "user_id": f"u{user:05d}",
        "event_name": name,
        "event_time": END - timedelta(days=age_days),
        "event_properties": properties,
    }


def age(row: Row) -> float:
    """Return how many days before the end an event was."""
    return (END - row["event_time"]).total_seconds() / 86_400


def changed_shop() -> list[Row]:
    """Return the shop whose purchase is called order_completed since 45 days (case 15).

    Since then category a is called A, and the trial plan (a user property) has been gone for 40 days.
    subscribe_plus is there since 10 days, in a tenth of all sessions (case 16); refund is rare.
    """
    rng, rows = np.random.default_rng(8), []
    for row in shop():
        own = dict(row)
        if own["event_name"] == "purchase" and age(own) < 45:
            own["event_name"] = "order_completed"
        if own["event_properties"].get("category") == "a" and age(own) < 45:
            own["event_properties"] = {"category": "A"}
        if own["event_name"] == "open":
            is_trial = age(own) > 40 and int(own["user_id"][1:]) % 4 == 0
            own["user_properties"] = {"plan": "trial" if is_trial else "pro"}
            if age(own) < 10 and rng.random() < 0.1:
                later = own["event_time"] + timedelta(minutes=3)
                rows.append({**own, "event_name": "subscribe_plus", "event_time": later})
        rows.append(own)
    for _ in range(14):
        rows.append(event(int(rng.integers(1000)), "refund", float(rng.uniform(1, DAYS - 10))))
    return written(rows)


def closing_shop(is_overwritten: bool) -> list[Row]:
    """Return the shop that half of the users leave in the last 80 days (case 17).

    Args:
        is_overwritten: Whether the property account_status is what is known at the export, written
            on all events of before too.
    """
    rng, rows = np.random.default_rng(9), []
    leaves = rng.random(1200) < 0.5
    closed = {f"u{user:05d}": float(rng.uniform(1, 80)) for user in np.flatnonzero(leaves)}
    for row in shop(1200):
        closes = closed.get(row["user_id"])
        if closes is not None and age(row) < closes:
            continue
        status = "closed" if closes is not None and is_overwritten else "open"
        rows.append({**row, "user_properties": {"account_status": status}})
    for user, closes in closed.items():
        own = event(int(user[1:]), "account_closed", closes)
        rows.append({**own, "user_properties": {"account_status": "closed"}})
    return written(rows)


def written(rows: list[Row]) -> list[Row]:
    """Return the rows before the end, their times as text."""
    return [
        {**row, "event_time": f"{row['event_time']:%Y-%m-%d %H:%M:%S}"}
        for row in rows
        if row["event_time"] < END
    ]


def exposures(predictions: dict[str, str]) -> str:
    """Return definitions as YAML, from the flow text of each prediction."""
    return "exposures:\n" + "".join(
        f"""
  - name: {name}
    type: ml
    owner: {{name: test}}
    depends_on: [ref('predictions')]
    config: {{meta: {{prediction: {{{text}}}}}}}
"""
        for name, text in predictions.items()
    )
