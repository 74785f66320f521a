"""When customers bought before the cut: all that buy-till-you-die models look at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from foretell.warehouse.base import Warehouse

# Days on which somebody bought; several purchases a day are one, as the models assume.
CUSTOMERS = """
    with days as (
        select
            identity_map.user_key,
            events.event_hour // 24 as day,
            sum({amount}) as amount
        from stg_events as events
        inner join stg_identity_map as identity_map
            on events.identity_key = identity_map.identity_key
            and identity_map.valid_from_hour <= {as_of_hour}
            and identity_map.valid_to_hour > {as_of_hour}
        where events.event_name = ? and events.event_hour < {as_of_hour}
        group by all
    ),
    numbered as (
        select *, row_number() over (partition by user_key order by day) as number from days
    )
    select
        user_key,
        count(*) - 1 as n_repeats,
        max(day) - min(day) as last_days,
        {as_of_hour} / 24 - min(day) as observed_days,
        coalesce(avg(amount) filter (where number > 1), 0) as mean_repeat_amount
    from numbered
    group by user_key
    order by user_key
"""


@dataclass(frozen=True)
class Customers:
    """Everybody who bought before the cut.

    Attributes:
        user_key: Ascending, shape (n_customers,).
        histories: Repeat purchases, days from first to last and days observed, (n_customers, 3).
        means: Mean amount of a day of repeat purchases; 0 of those without, (n_customers,).
    """

    user_key: np.ndarray
    histories: np.ndarray
    means: np.ndarray


def customers_of(
    warehouse: Warehouse, event: str, as_of_hour: int, amount: str = "1.0"
) -> Customers:
    """Return who bought before the cut.

    Args:
        warehouse: Built up to the cut.
        event: What a purchase is.
        as_of_hour: The cut, whole hours since 1970-01-01 UTC.
        amount: SQL of what an event of `events` is worth.
    """
    sql = CUSTOMERS.format(amount=amount, as_of_hour=int(as_of_hour))
    user_key, *columns = warehouse.table(sql, [event]).columns
    *histories, means = (column.to_numpy().astype(float) for column in columns)
    return Customers(user_key.to_numpy(), np.column_stack(histories), means)


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
    customers = customers_of(warehouse, event, as_of_hour)
    keys = customers.user_key
    places = np.searchsorted(keys, user_key)
    if (places == len(keys)).any() or (keys[places] != user_key).any():
        return nobody, nobody
    return customers.histories, customers.histories[places]
