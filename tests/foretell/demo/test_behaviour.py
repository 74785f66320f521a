"""How simulated users behave, and whether their true probabilities are true."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.demo.behaviour import (
    CURIOUS,
    GONE,
    HORIZONS,
    LIFE,
    N_STATES,
    PLAN,
    TYPES,
    UPGRADE_RATES,
    draw_people,
    live,
    p_active,
    p_purchase,
    realised_outcomes,
    true_probabilities,
)


@pytest.mark.parametrize("day", range(70, 77))
def test_true_probability_of_a_single_day_is_that_days_probability(monkeypatch, day):
    for name in HORIZONS:
        monkeypatch.setitem(HORIZONS, name, 1)
    people = draw_people(540, day, np.random.default_rng(5))
    state = np.tile(np.arange(N_STATES), 10)
    active, bought = p_active(people, state, day), p_purchase(people, state, day)
    upgrade_factor = np.array([kind.upgrade for kind in TYPES])[people.user_type]
    rate = np.append(UPGRADE_RATES, [[0], [0]], axis=1)[CURIOUS[state], PLAN[state]]
    p_true = true_probabilities(people, state, day)
    assert p_true["buys_within_7_days"] == pytest.approx(active * bought)
    assert p_true["silent_for_14_days"] == pytest.approx(1 - active)
    assert p_true["upgrades_within_14_days"] == pytest.approx(active * rate * upgrade_factor)


@pytest.mark.parametrize("day", [70, 75])
def test_true_probability_is_the_mean_over_simulated_futures(day):
    n_copies, rng = 200, np.random.default_rng(11)
    people = draw_people(540, day, rng)
    state = rng.permutation(np.tile(np.arange(N_STATES), 10))
    p_true = true_probabilities(people, state, day)
    copies = np.tile(np.arange(state.size), n_copies)
    lived, _ = live(people[copies], state[copies], range(day, day + 14), rng)
    for name, outcome in realised_outcomes(lived, copies.size, day).items():
        p = p_true[name]
        rate = outcome.reshape(n_copies, -1).mean(axis=0)
        for group in (np.arange(p.size), *np.array_split(np.argsort(p), 10)):
            error = np.sqrt((p[group] * (1 - p[group])).sum() / n_copies) / group.size
            assert abs(rate[group].mean() - p[group].mean()) < 4 * error + 1e-9, (
                name,
                p[group].mean(),
            )
    gone_for_good = (LIFE[state] == GONE) & (people.user_type == 4)
    assert p_true["silent_for_14_days"][gone_for_good] == pytest.approx(1, abs=1e-12)
