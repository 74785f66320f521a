"""The reference for expected values gives what its authors and lifetimes publish on CDNOW."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.value.buy_till_you_die import (
    expected_amount,
    expected_purchases,
    fit_gamma_gamma,
)

# Of the tenth of CDNOW's customers that the article fits, in weeks.
BGNBD = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}


def test_expected_purchases_are_the_articles():
    # Fader, Hardie, Lee (2005): bought twice more, the last time in week 30.43 of 38.86.
    found = expected_purchases(np.array([[2, 30.43, 38.86]]), 39, **BGNBD)
    assert found[0] == pytest.approx(1.226, abs=1e-3)


def test_a_customer_who_bought_once_is_expected_to_buy_as_one_who_stays():
    histories = np.array([[0, 0.0, 38.86], [0, 0.0, 1.0]])
    old, new = expected_purchases(histories, 39, **BGNBD)
    assert 0 < old < new
    assert expected_purchases(histories, 0, **BGNBD) == pytest.approx(0)


def test_expected_amounts_are_the_notes():
    # Fader, Hardie (2013): p = 6.25, q = 3.74, v = 15.44; of nobody in particular 35.2.
    p, q, v = 6.25, 3.74, 15.44
    assert expected_amount(np.array([0.0]), np.array([0.0]), p, q, v)[0] == pytest.approx(
        35.2, abs=0.1
    )
    # The first customer in lifetimes' documentation: 2 repeat purchases of 22.35 on average.
    one = expected_amount(np.array([2.0]), np.array([22.35]), p, q, v)
    assert one[0] == pytest.approx(24.66, abs=0.05)


def test_fit_finds_what_amounts_were_drawn_from():
    rng = np.random.default_rng(0)
    p, q, v = 6.0, 4.0, 15.0
    x = rng.integers(1, 6, 40_000).astype(float)
    scale = rng.gamma(q, 1 / v, len(x))
    mean = rng.gamma(p * x, 1 / (scale * x))
    found = fit_gamma_gamma(x, mean)
    usual = expected_amount(np.array([0.0]), np.array([0.0]), *found)[0]
    assert usual == pytest.approx(p * v / (q - 1), rel=0.02)
    assert found[1] == pytest.approx(q, rel=0.1)
