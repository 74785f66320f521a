"""BG/NBD for how often, gamma-gamma for how much: the reference for purchase histories.

Source: Fader, Hardie, Lee (2005), "Counting Your Customers" the Easy Way, for how often; Fader,
Hardie (2013), "The Gamma-Gamma Model of Monetary Value", for how much.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln, hyp2f1

from benchmarks.quality import bgnbd
from benchmarks.quality.purchases import customers_of
from foretell.warehouse.base import Warehouse


def expected_values(
    warehouse: Warehouse,
    event: str,
    amount_property: str | None,
    user_key: np.ndarray,
    as_of_hour: int,
    days: float,
) -> np.ndarray:
    """Return expected spend, or number of purchase days, shape (n_scored,).

    Args:
        warehouse: Built up to the cut.
        event: What a purchase is.
        amount_property: What is spent; None: purchases are counted.
        user_key: Whom to score; all have bought before.
        as_of_hour: The cut, whole hours since 1970-01-01 UTC.
        days: Length of the future.
    """
    amount = "1.0"
    if amount_property is not None:
        amount = (
            f"cast(json_extract_string(events.event_properties, '$.{amount_property}') as double)"
        )
    customers = customers_of(warehouse, event, as_of_hour, amount)
    histories, means = customers.histories, customers.means
    purchases = expected_purchases(histories, days, *bgnbd.fit(histories))
    value = purchases
    if amount_property is not None:
        is_known = (histories[:, 0] > 0) & (means > 0)
        parameters = fit_gamma_gamma(histories[is_known, 0], means[is_known])
        value = purchases * expected_amount(histories[:, 0], means, *parameters)
    return value[np.searchsorted(customers.user_key, user_key)]


def expected_purchases(
    histories: np.ndarray, days: float, r: float, alpha: float, a: float, b: float
) -> np.ndarray:
    """Return how many purchases to expect in the next days: equation 10 of the article.

    Args:
        histories: Repeat purchases, time of the last and time observed, in days.
        days: Length of the future.
        r: As in bgnbd.log_likelihood, like those that follow.
        alpha: Inverse scale, days.
        a: Of leaving.
        b: Of leaving.
    """
    x, last, observed = histories.T
    if abs(a - 1) < 1e-9:
        a += 1e-6
    ratio = days / (alpha + observed + days)
    series = hyp2f1(r + x, b + x, a + b + x - 1, ratio)
    stays = 1 - np.exp((r + x) * np.log((alpha + observed) / (alpha + observed + days))) * series
    power = (r + x) * (np.log(alpha + observed) - np.log(alpha + last))
    log_odds_gone = np.log(a) - np.log(b + np.maximum(x, 1) - 1) + power
    gone = np.where(x > 0, np.exp(np.minimum(log_odds_gone, 700)), 0)
    return (a + b + x - 1) / (a - 1) * stays / (1 + gone)


def fit_gamma_gamma(x: np.ndarray, mean: np.ndarray) -> tuple[float, float, float]:
    """Return the most likely p, q, v of customers' mean amounts per purchase.

    Args:
        x: Repeat purchases, above 0.
        mean: Mean amount of them, above 0.
    """
    unit = mean.mean()

    def loss(logs: np.ndarray) -> float:
        p, q, v = np.exp(logs)
        own = (
            gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
            + (p * x - 1) * np.log(mean / unit) + p * x * np.log(x)
            - (p * x + q) * np.log(x * mean / unit + v)
        )  # fmt: skip
        return -float(own.mean())

    found = minimize(loss, np.log([2.0, 2.0, 2.0]), bounds=[(-6, 8)] * 3)
    p, q, v = (float(value) for value in np.exp(found.x))
    return p, q, v * unit


def expected_amount(x: np.ndarray, mean: np.ndarray, p: float, q: float, v: float) -> np.ndarray:
    """Return the mean amount of a customer's next purchases: equation 5 of the note."""
    return p * (v + x * mean) / (p * x + q - 1)
