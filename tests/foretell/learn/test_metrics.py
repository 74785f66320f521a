"""The honest numbers equal answers worked out by hand or printed in a paper."""

from __future__ import annotations

import numpy as np
import pytest

from foretell.learn.metrics import (
    expected_calibration_error,
    losses_by_snapshot,
    mean_log_loss,
    metrics_with_intervals,
    reliability_table,
    top_decile_lift,
    widened,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("y", "p", "gap"),
    [
        ([0, 1], [0.0, 1.0], 0.0),
        ([0, 1], [0.5, 0.5], 0.0),
        ([0, 1], [1.0, 0.0], 1.0),
        ([0, 0, 0, 1], [0.05, 0.05, 0.95, 0.95], (0.1 + 0.9) / 4),  # bins weigh by rows
        ([1], [0.3], 0.7),
    ],
)
def test_expected_calibration_error_known_answers(y, p, gap):
    assert expected_calibration_error(y, p) == pytest.approx(gap)


def test_expected_calibration_error_refuses_shapes_and_values_that_cannot_be():
    with pytest.raises(ValueError, match="y has shape"):
        expected_calibration_error([0, 1], [0.5])
    for wrong in (1.1, -0.1, np.nan):
        with pytest.raises(ValueError, match=r"p leaves \[0, 1\]"):
            expected_calibration_error([0], [wrong])


def test_true_probabilities_have_a_small_error_and_shifted_ones_a_large_one():
    rng = np.random.default_rng(0)
    p = rng.beta(1, 4, 50_000)
    y = rng.random(50_000) < p
    assert expected_calibration_error(y, p) < 0.01
    assert expected_calibration_error(y, p * 0.5) == pytest.approx(p.mean() / 2, abs=0.01)


@pytest.mark.parametrize(
    ("y", "p", "loss"),
    [
        ([1, 0], [0.5, 0.5], np.log(2)),
        ([1, 0], [0.8, 0.4], -(np.log(0.8) + np.log(0.6)) / 2),
        ([1, 0], [1.0, 0.0], 1e-7),
        ([1], [0.0], -np.log(1e-7)),  # certain and wrong is finite
    ],
)
def test_log_loss_known_answers(y, p, loss):
    assert mean_log_loss(np.array(y), np.array(p)) == pytest.approx(loss, rel=1e-5)


def test_lift_known_answers():
    y, p = np.zeros(20), np.linspace(1, 0, 20)
    assert top_decile_lift(y, p) is None
    y[[0, 1, 10, 15]] = 1  # both of the top tenth, 4 of 20 in all
    assert top_decile_lift(y, p) == pytest.approx(5)
    assert top_decile_lift(y, -p) == 0
    assert top_decile_lift(np.ones(3), p[:3]) == 1  # fewer than ten rows: the first


@pytest.mark.parametrize(
    ("positive", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_interval_as_printed_by_newcombe_1998(positive, n, low, high):
    # Statistics in Medicine 17, 857-872, table I, method 3.
    assert wilson_interval(positive, n) == pytest.approx((low, high), abs=5e-5)


def sample(seed=1, n=600):
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 3, n)
    return (rng.random(n) < p).astype(float), p, rng.integers(0, n // 3, n)


def test_intervals_hold_the_value_and_are_reproducible_for_a_seed():
    y, p, users = sample()
    metrics = metrics_with_intervals(y, p, users, 0.25, seed=3, n_resamples=40)
    for name, found in metrics.items():
        if name != "expected_calibration_error":  # never negative, so resamples lie above it
            assert found["low"] <= found["value"] <= found["high"], name
            assert found["low"] < found["high"], name
    assert metrics == metrics_with_intervals(y, p, users, 0.25, seed=3, n_resamples=40)
    assert metrics != metrics_with_intervals(y, p, users, 0.25, seed=4, n_resamples=40)


def test_values_agree_with_the_plain_formulas():
    y, p, users = sample(2)
    got = {k: v["value"] for k, v in metrics_with_intervals(y, p, users, 0.2, 0, 2).items()}
    pairs = (p[y == 1][:, None] > p[y == 0][None, :]).mean()
    assert got["auroc"] == pytest.approx(pairs)
    assert got["brier"] == pytest.approx(np.mean((y - p) ** 2))
    expected = -(y.mean() * np.log(0.2) + (1 - y.mean()) * np.log(0.8))
    assert got["log_loss_base_rate"] == pytest.approx(expected)


def test_users_are_resampled_not_rows():
    y, p, users = sample(3)
    once = metrics_with_intervals(y, p, users, 0.25, 0, 20)["log_loss"]
    thrice = metrics_with_intervals(*(np.repeat(a, 3) for a in (y, p, users)), 0.25, 0, 20)[
        "log_loss"
    ]
    assert thrice == pytest.approx(once)  # the same users three times over know nothing more


def test_the_interval_is_as_wide_as_the_standard_error_says():
    y, p, _ = sample(4, 900)
    found = metrics_with_intervals(y, p, np.arange(900), 0.25, 0, 150)["brier"]
    error = np.std((y - p) ** 2) / np.sqrt(900)
    assert found["high"] - found["low"] == pytest.approx(2 * 1.96 * error, rel=0.25)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_auroc_is_none_with_one_class(label):
    metrics = metrics_with_intervals(np.full(8, label), np.full(8, 0.5), np.arange(8), 0.5, 0, 10)
    assert metrics["auroc"] == {"value": None, "low": None, "high": None}
    assert metrics["log_loss"]["value"] == pytest.approx(np.log(2))


def test_no_rows_give_no_numbers():
    nothing = np.empty(0)
    metrics = metrics_with_intervals(nothing, nothing, nothing, 0.5, 0)
    assert all(set(found.values()) == {None} for found in metrics.values())


def test_reliability_groups_are_ordered_equal_and_hold_every_row():
    y, p, _ = sample(5, 1005)
    table = reliability_table(y, p)
    assert sorted({row["n"] for row in table}) == [100, 101]
    assert sum(row["n"] * row["observed"] for row in table) == pytest.approx(y.sum())
    means = [row["mean_p"] for row in table]
    assert means == sorted(means)
    assert all(row["low"] <= row["observed"] <= row["high"] for row in table)
    assert sum(row["low"] <= row["mean_p"] <= row["high"] for row in table) >= 8
    assert len(reliability_table(y[:3], p[:3])) == 3


def test_a_loss_is_known_as_well_as_snapshots_agree():
    """Of three snapshots 0.1 apart without chance: t(2) = 4.303 times a standard deviation of 0.1."""
    loss = {"value": 0.4, "low": 0.37, "high": 0.44}
    apart = [{"log_loss": 0.3 + 0.1 * n, "error": 0.0} for n in range(3)]
    got = widened(loss, apart)
    assert got["high"] == pytest.approx(0.4 + np.hypot(0.04, 0.4303), abs=1e-4)
    assert got["low"] == pytest.approx(0)
    assert (got["low_of_users"], got["high_of_users"]) == (0.37, 0.44)
    assert widened(loss, apart, 4.0)["high"] == pytest.approx(
        0.4 + np.hypot(0.04, 0.8605), abs=1e-4
    )
    by_chance = [{**each, "error": 0.1} for each in apart]
    assert widened(loss, by_chance)["high"] == pytest.approx(0.44)
    assert widened(loss, apart[:2]) == loss
    assert widened({"value": None, "low": None, "high": None}, apart)["value"] is None


def test_losses_by_snapshot_are_those_of_its_rows():
    y, p, hours = np.array([1.0, 0, 1, 0]), np.array([0.8, 0.2, 0.5, 0.5]), np.array([9, 9, 2, 2])
    first, second = losses_by_snapshot(y, p, hours)
    assert (first["as_of_hour"], first["n"], second["as_of_hour"]) == (2, 2, 9)
    assert first["log_loss"] == pytest.approx(np.log(2))
    assert second["log_loss"] == pytest.approx(-np.log(0.8))
    assert second["error"] == pytest.approx(0)
