"""The BG/NBD model of customers who buy at a rate of their own and leave after some purchase."""

from __future__ import annotations

import numpy as np


def buys_again(
    histories: np.ndarray, days: float, r: float, alpha: float, a: float, b: float
) -> np.ndarray:
    """Return the probability of at least one purchase in the next days, shape (n_customers,).

    Whoever never bought again is alive; of others, the chance is
    1 / (1 + a / (b + x - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x)). Given the history, who is
    alive buys at a rate that is Gamma(r + x, alpha + T), so nothing in t days with probability
    ((alpha + T) / (alpha + T + t)) ** (r + x).

    Args:
        histories: Repeat purchases x, time of the last t_x and time of observation T, in days.
        days: Length of the future.
        r: Shape of the rates.
        alpha: Inverse scale of the rates, days.
        a: First parameter of the beta distribution of leaving after a purchase.
        b: Its second.

    Source: the model and its likelihood, from which both follow, in Fader, Hardie, Lee (Marketing
    Science 24(2), 2005), "Counting Your Customers" the Easy Way.
    """
    x, last, observed = histories.T
    # In logarithms: with many purchases the power overflows.
    power = (r + x) * (np.log(alpha + observed) - np.log(alpha + last))
    log_odds_gone = np.log(a) - np.log(b + np.maximum(x, 1) - 1) + power
    alive = np.where(x == 0, 1, 1 / (1 + np.exp(np.minimum(log_odds_gone, 700))))
    nothing = ((alpha + observed) / (alpha + observed + days)) ** (r + x)
    return alive * (1 - nothing)
