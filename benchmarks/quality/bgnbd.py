"""The BG/NBD model of customers who buy at a rate of their own and leave after some purchase.

Source: Fader, Hardie, Lee (Marketing Science 24(2), 2005), "Counting Your Customers" the Easy Way.
Fitted here within bounds: where no customer leaves (Online Retail), the likelihood grows as a
goes to 0, and lifetimes 0.11.3 ends without an estimate.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

LARGEST_LOG = 8.0  # of each parameter and of its inverse


def fit(histories: np.ndarray) -> tuple[float, float, float, float]:
    """Return the most likely r, alpha, a, b.

    Args:
        histories: Repeat purchases x, time of the last t_x and time of observation T, in days;
            shape (n_customers, 3).
    """
    found = minimize(
        lambda logs: -log_likelihood(histories, *np.exp(logs)).mean(),
        np.log([0.5, 10, 1, 2]),
        bounds=[(-LARGEST_LOG, LARGEST_LOG)] * 4,
    )
    r, alpha, a, b = (float(value) for value in np.exp(found.x))
    return r, alpha, a, b


def log_likelihood(histories: np.ndarray, r: float, alpha: float, a: float, b: float) -> np.ndarray:
    """Return the log-likelihood of each history, shape (n_customers,): equation 6 of the article.

    Args:
        histories: As in fit.
        r: Shape of the purchase rates.
        alpha: Inverse scale of the rates, days.
        a: First parameter of the beta distribution of leaving after a purchase.
        b: Its second.
    """
    x, last, observed = histories.T
    rates = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    stays = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    still_here = -(r + x) * np.log(alpha + observed)
    left = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + last)
    return rates + stays + np.where(x > 0, np.logaddexp(still_here, left), still_here)


def buys_again(
    histories: np.ndarray, days: float, r: float, alpha: float, a: float, b: float
) -> np.ndarray:
    """Return the probability of at least one purchase in the next days, shape (n_customers,).

    Whoever never bought again is alive; of others, the chance is
    1 / (1 + a / (b + x - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x)). Given the history, who is
    alive buys at a rate that is Gamma(r + x, alpha + T), so nothing in t days with probability
    ((alpha + T) / (alpha + T + t)) ** (r + x).

    Args:
        histories: As in fit.
        days: Length of the future.
        r: As in log_likelihood, like those that follow.
        alpha: Inverse scale, days.
        a: Of leaving.
        b: Of leaving.
    """
    x, last, observed = histories.T
    # In logarithms: with many purchases the power overflows.
    power = (r + x) * (np.log(alpha + observed) - np.log(alpha + last))
    log_odds_gone = np.log(a) - np.log(b + np.maximum(x, 1) - 1) + power
    alive = np.where(x == 0, 1, 1 / (1 + np.exp(np.minimum(log_odds_gone, 700))))
    nothing = ((alpha + observed) / (alpha + observed + days)) ** (r + x)
    return alive * (1 - nothing)
