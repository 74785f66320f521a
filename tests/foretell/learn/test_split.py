"""What a model is measured on, it has never seen: neither the users nor their time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from foretell.learn.split import honest_split, sample_users, user_folds
from tests.sparse_rows import take, training_set


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("test_percent", [5, 20, 50])
def test_no_user_is_learned_from_and_tested_on(seed, test_percent):
    data = training_set(seed, n_users=200)
    split = honest_split(data, test_percent)
    assert not set(data.user_key[split.fit]) & set(data.user_key[split.test])
    assert split.test.sum() == pytest.approx(200 * test_percent / 100, abs=35)


@pytest.mark.parametrize("horizon", [1, 168, 169, 336])
def test_no_label_is_learned_from_that_was_unknown_at_the_newest_snapshot(horizon):
    data = replace(training_set(0, n_users=200), horizon_hours=horizon)
    split = honest_split(data)
    newest = data.as_of_hour.max()
    assert split.kind == "out_of_time"
    assert (data.as_of_hour[split.fit] + horizon <= newest).all()
    assert set(data.as_of_hour[split.test]) == {newest}
    known = (data.user_bucket >= 20) & (data.as_of_hour + horizon <= newest)
    assert split.fit.sum() == known.sum()  # nothing that was known is wasted


@pytest.mark.parametrize("case", ["one snapshot", "long horizon", "one class"])
def test_only_users_are_held_out_where_history_is_too_short(case):
    data = training_set(1, n_users=200)
    if case == "one snapshot":
        data = take(data, np.flatnonzero(data.as_of_hour == data.as_of_hour.max()))
    elif case == "long horizon":
        data = replace(data, horizon_hours=10_000)
    else:
        data = replace(data, y=data.y * (data.as_of_hour == data.as_of_hour.max()))
    split = honest_split(data)
    assert split.kind == "users_only"
    assert not set(data.user_key[split.fit]) & set(data.user_key[split.test])
    assert split.fit.sum() == (data.user_bucket >= 20).sum()


def test_folds_are_shared_by_all_rows_of_a_user_and_all_used():
    data = training_set(2, n_users=300)
    folds = user_folds(data.user_bucket, 3)
    per_user = [set(folds[data.user_key == user]) for user in range(300)]
    assert {len(found) for found in per_user} == {1}
    assert set(folds) == {0, 1, 2}


@pytest.mark.parametrize("max_rows", [200, 300, 900])
def test_a_sample_keeps_whole_users_and_about_the_rows_asked_for(max_rows):
    data = training_set(3, n_users=600)
    rows = data.user_bucket >= 20
    kept = sample_users(data.user_bucket, rows, max_rows)
    assert not (kept & ~rows).any()
    assert 0 < kept.sum() <= 1.4 * max_rows
    users_kept, users_left = set(data.user_key[kept]), set(data.user_key[rows & ~kept])
    assert not users_kept & users_left


def test_a_small_sample_of_the_users_to_learn_from_is_not_empty():
    data = training_set(3, n_users=600)
    assert sample_users(data.user_bucket, data.user_bucket >= 20, 20).any()


def test_a_small_sample_of_the_users_to_learn_from_fills_every_fold():
    bucket = np.random.default_rng(4).integers(0, 100, 20_000)
    kept = sample_users(bucket, bucket >= 20, 400)
    assert set(user_folds(bucket[kept], 3)) == {0, 1, 2}


def test_a_sample_that_fits_is_left_alone():
    rows = np.array([True, False, True])
    np.testing.assert_array_equal(sample_users(np.array([1, 2, 3]), rows, 2), rows)


def test_a_sample_of_users_reaches_all_folds_and_test_users_alike():
    bucket = np.repeat(np.arange(100), 10)
    kept = sample_users(bucket, np.ones(1000, dtype=bool), 300)
    assert kept.sum() == 300
    assert np.bincount(bucket[kept] % 3).min() >= 80
    assert (bucket[kept] < 20).sum() == pytest.approx(60, abs=20)
