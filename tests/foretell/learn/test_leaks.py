"""Columns from the future and columns whose power does not last are found; honest ones are not."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.metrics import roc_auc_score

from foretell.learn.leaks import MIN_OF_EACH, column_aurocs, find_leaks
from foretell.learn.split import Split

RNG = np.random.default_rng(0)
N = 2000
Y = (RNG.random(N) < 0.3).astype(float)
LATER = np.arange(N) >= 1200
SPLIT = Split(~LATER, LATER, np.zeros(N, dtype=bool), "out_of_time")
NOISE = RNG.poisson(1.0, N).astype(float)
HELPS = NOISE + 1.5 * Y  # tells much, and as much later
LEAK = np.where(RNG.random(N) < 0.99, Y, 1 - Y) * 7
FADES = np.where(LATER, NOISE, NOISE + 2 * Y)


def find(*columns, groups=None, y=Y, split=SPLIT):
    X = csr_matrix(np.column_stack(columns).astype(np.float32))
    return find_leaks(X, y, split, groups or [f"event_{n}" for n in range(len(columns))])


def test_aurocs_agree_with_scikit_learn_on_ties_zeros_and_negative_values():
    dense = RNG.integers(-3, 4, (500, 8)).astype(np.float32)
    dense[:, 0], dense[:, 1], dense[:, 2] = 0, np.abs(dense[:, 1]), -np.abs(dense[:, 2])
    y = (RNG.random(500) < 0.4).astype(float)
    expected = [roc_auc_score(y, dense[:, column]) for column in range(8)]
    np.testing.assert_allclose(column_aurocs(csr_matrix(dense), y), expected, atol=1e-12)
    np.testing.assert_array_equal(column_aurocs(csr_matrix((500, 2)), y), [0.5, 0.5])


@pytest.mark.parametrize("sign", [1, -1])
def test_a_column_that_alone_decides_is_named_whichever_way_it_points(sign):
    (found,) = find(NOISE, HELPS, sign * LEAK)
    assert found.column == 2
    assert found.auroc > 0.98
    assert "after the outcome" in found.reason


def test_a_column_of_the_same_event_that_nearly_decides_goes_with_it():
    near = np.where(RNG.random(N) < 0.93, Y, 1 - Y)
    groups = ["refund", "refund", "refund", "order"]
    found = find(LEAK, near, NOISE, near, groups=groups)
    assert [leak.column for leak in found] == [0, 1]
    assert "another column" in found[1].reason


def test_power_that_is_gone_at_the_newest_snapshot_is_named_with_both_numbers():
    (found,) = find(NOISE, HELPS, FADES)
    assert found.column == 2
    assert found.auroc > 0.85
    assert found.later_auroc == pytest.approx(0.5, abs=0.06)
    assert "older snapshots" in found.reason


def test_honest_columns_stay_and_few_positives_raise_no_alarm():
    assert find(NOISE, HELPS) == []
    few = np.zeros(N)
    few[: MIN_OF_EACH - 1] = 1
    assert find(few, y=few) == []
    many = (np.arange(N) < 40).astype(float)
    assert [leak.column for leak in find(many, y=many)] == [0]


def test_without_a_later_snapshot_only_the_first_alarm_can_be_raised():
    alone = Split(SPLIT.fit, np.zeros(N, dtype=bool), SPLIT.test, "users_only")
    assert find(FADES, split=alone) == []
    assert [leak.column for leak in find(LEAK, split=alone)] == [0]


def marks(positives, negatives, scored, n_scored=600, rate=0.13, seed=1, amounts=None):
    """Return what is found of one column beside noise that is on these shares of rows.

    amounts: of positives, negatives and scored a function of the number of rows, in place of marks.
    """
    rng = np.random.default_rng(seed)
    y = (rng.random(1500) < rate).astype(float)
    newest = np.arange(1500) >= 500

    def column(share, n):
        return (rng.random(n) < share).astype(float)

    if amounts is None:
        own = np.where(y > 0, column(positives, 1500), column(negatives, 1500))
        own[~newest] = column(0.3, 500)  # of older snapshots also those have it who did it later
        now = column(scored, n_scored)
    else:
        own = np.where(y > 0, amounts[0](rng, 1500), amounts[1](rng, 1500))
        own[~newest] = amounts[1](rng, 500)
        now = amounts[2](rng, n_scored)
    X = csr_matrix(np.column_stack([rng.poisson(1, 1500), own]).astype(np.float32))
    to_score = csr_matrix(np.column_stack([rng.poisson(1, n_scored), now]).astype(np.float32))
    split = Split(~newest, newest, np.zeros(1500, dtype=bool), "out_of_time")
    return find_leaks(X, y, split, ["noise", "status"], newest, to_score)


def test_a_mark_of_nearly_all_positives_and_nobody_who_is_scored_is_left_out():
    (found,) = marks(0.76, 0.0, 0.0)
    assert (found.column, found.is_alarm) == (1, True)
    assert re.fullmatch(
        r"it marks 7\d% of the newest users with the outcome, 0.0% of those without, and 0 of 600 who are "
        "scored now: it was most likely written when the outcome happened", found.reason,
    )  # fmt: skip


def test_a_value_that_all_but_the_positives_have_is_a_mark_too():
    (found,) = marks(0.24, 1.0, 1.0)
    assert found.column == 1


def test_an_amount_that_only_positives_reach_is_a_mark_too():
    def usual(rng, n):
        return rng.poisson(3, n) + 1.0

    (found,) = marks(
        0, 0, 0, amounts=(lambda rng, n: rng.poisson(3, n) + 12.0, usual, usual), n_scored=2000
    )
    assert found.column == 1


@pytest.mark.parametrize(
    ("positives", "negatives", "scored", "why"),
    [
        (0.6, 0.03, 0.13 * 0.6 + 0.87 * 0.03, "an honest sign: as many show it now as are due"),
        (0.6, 0.03, 0.045, "half as many are due"),
        (0.76, 0.3, 0.0, "a campaign that ended: the others had it too"),
        (0.8, 0.4, 0.3, "fewer do it in summer"),
        (0.2, 0.0, 0.0, "it marks few"),
        (0.0, 0.0, 0.9, "new since then"),
    ],
)
def test_honest_signs_and_seasons_are_not(positives, negatives, scored, why):
    assert marks(positives, negatives, scored) == [], why


def test_few_scored_users_tell_nothing():
    assert marks(0.76, 0.0, 0.0, n_scored=60) == []
    assert marks(0.76, 0.0, 0.0, n_scored=0) == []


def test_what_is_written_goes_with_what_else_is_of_its_property():
    rng, y = np.random.default_rng(0), (RNG.random(N) < 0.13).astype(float)
    first = np.where(y > 0, rng.random(N) < 0.25, 0.0)
    last = np.where(y > 0, rng.random(N) < 0.9, 0.0)
    X = csr_matrix(np.column_stack([last, first, first]).astype(np.float32))
    nobody = csr_matrix((800, 3), dtype=np.float32)
    found = find_leaks(X, y, SPLIT, ["status", "status", "plan"], LATER, nobody)
    assert [leak.column for leak in found] == [0, 1]


@settings(max_examples=60, deadline=None)
@given(
    positives=st.floats(0.3, 1), negatives=st.floats(0, 0.2), rate=st.floats(0.05, 0.5),
    times=st.floats(0.5, 2), seed=st.integers(0, 1000),
)  # fmt: skip
def test_a_sign_of_those_who_will_is_never_taken_for_one_written_later(
    positives, negatives, rate, times, seed
):
    """Property: an honest sign is on its share of who is scored, also at half or twice the rate."""
    due = min(1.0, times * rate)
    scored = due * positives + (1 - due) * negatives
    found = marks(positives, negatives, scored, n_scored=2000, rate=rate, seed=seed)
    assert not [leak for leak in found if "written when the outcome happened" in leak.reason]


def test_a_column_that_seems_weaker_among_few_newest_users_stays():
    """Its power may have fallen by chance: some 30 users with the outcome cannot say."""
    y, later = Y[:1310], LATER[:1310]
    weak = NOISE[:1310] + np.where(later, 0.2, 1.2) * y
    split = Split(~later, later, np.zeros(1310, dtype=bool), "out_of_time")
    old, new = (column_aurocs(csr_matrix(weak[m][:, None]), y[m])[0] for m in (~later, later))
    assert old > 0.7
    assert new - 0.5 < 0.5 * (old - 0.5)
    assert find(weak, y=y, split=split) == []
