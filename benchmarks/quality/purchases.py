"""When customers bought before the cut: all that buy-till-you-die models look at."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from models_ml.warehouse import Warehouse

# Days on which somebody bought; several purchases a day are one, as the models assume.
HISTORIES = """
    with days as (
        select distinct identity_map.user_key, events.event_hour // 24 as day
        from stg_events as events
        inner join stg_identity_map as identity_map
            on events.identity_key = identity_map.identity_key
            and identity_map.from_hour <= {as_of_hour}
            and identity_map.to_hour > {as_of_hour}
        where events.event_name = ? and events.event_hour < {as_of_hour}
    )
    select
        user_key,
        count(*) - 1 as n_repeats,
        max(day) - min(day) as last_days,
        {as_of_hour} / 24 - min(day) as observed_days
    from days
    group by user_key
    order by user_key
"""


def bought_event(definition: str) -> str | None:
    """Return the event of an outcome "happens at least once", and None of any other outcome.

    Args:
        definition: JSON of the definition, as in prediction_definitions.
    """
    outcome: dict[str, Any] = json.loads(definition)["outcome"]
    event = outcome.get("event")
    is_plain = outcome.keys() <= {"event", "at_least"} and outcome.get("at_least", 1) == 1
    return event if is_plain and isinstance(event, str) and event != "any" else None


def histories(
    warehouse: Warehouse, prediction: str, user_key: np.ndarray, as_of_hour: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return repeat purchases, days from first to last and days observed, per customer.

    Args:
        warehouse: Built up to the cut.
        prediction: Which one.
        user_key: Whom to score, shape (n_scored,).
        as_of_hour: The cut, whole hours since 1970-01-01 UTC.

    Returns:
        Of all customers, shape (n_customers, 3), and of those to score, shape (n_scored, 3). Both
        without rows if the outcome is no purchase, or some of the latter never bought: of them
        these models know nothing.
    """
    (row,) = warehouse.rows(
        "select definition from prediction_definitions where prediction = ?", [prediction]
    )
    event = bought_event(row["definition"])
    nobody = np.empty((0, 3))
    if event is None:
        return nobody, nobody
    sql = HISTORIES.format(as_of_hour=int(as_of_hour))
    table = warehouse.table(sql, [event])
    customers = np.column_stack([table[name].to_numpy() for name in table.column_names[1:]])
    keys = table["user_key"].to_numpy()
    places = np.searchsorted(keys, user_key)
    if (places == len(keys)).any() or (keys[places] != user_key).any():
        return nobody, nobody
    return customers.astype(float), customers[places].astype(float)
