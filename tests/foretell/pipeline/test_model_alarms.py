"""Each doubt about a model is one sentence with numbers."""

from __future__ import annotations

from datetime import datetime

import pytest

from foretell.alarms.alarms import Alarm
from foretell.pipeline.model_alarms import model_alarms
from foretell.pipeline.registry import CHAMPION, ModelRecord


def measure(value, low=None, high=None):
    return {"value": value, "low": low, "high": high}


def model(**metrics):
    usual = {
        "auroc": measure(0.8, 0.75, 0.85),
        "log_loss": measure(0.4, 0.35, 0.45),
        "log_loss_base_rate": measure(0.5, 0.45, 0.55),
        "log_loss_gain": measure(0.1, 0.05, 0.15),
        "n_test_rows": 1000,
        "n_test_positives": 200,
    }
    return ModelRecord(
        "m", "buys", "h", datetime(2026, 1, 1), CHAMPION, "", metrics=usual | metrics
    )  # fmt: skip


def test_a_good_model_raises_nothing():
    assert model_alarms(model()) == []
    assert (
        model_alarms(ModelRecord("m", "buys", "h", datetime(2026, 1, 1), "rejected", "few")) == []
    )
    assert model_alarms(model(log_loss_gain=measure(None))) == []
    assert model_alarms(model(auroc=measure(None))) == []


@pytest.mark.parametrize(
    ("auroc", "n"),
    [((1.0, 1.0, 1.0), 1), ((0.985, 0.97, 0.99), 1), ((0.985, 0.9, 1.0), 0), ((0.97, 0.96, 0.98), 0)],
)  # fmt: skip
def test_nearly_perfect_is_an_alarm(auroc, n):
    found = model_alarms(model(auroc=measure(*auroc)))
    assert [alarm.kind for alarm in found] == ["near_perfect"] * n


def test_no_better_than_guessing_is_reported_with_both_losses():
    (found,) = model_alarms(
        model(log_loss=measure(0.51), log_loss_gain=measure(-0.01, -0.03, 0.01))
    )
    assert found == Alarm(
        "no_better_than_guessing",
        "it is no better than guessing: on 1,000 held-out users with 200 outcomes its log loss is "
        "0.5100, that of giving all users the base rate 0.5000 (gained -0.0100, 95 % interval -0.0300 "
        "to +0.0100)",
        "buys",
    )


@pytest.mark.parametrize(
    ("gain", "losses", "n"),
    [
        (
            (0.02, -0.01, 0.05),
            {"base_rate": 0.5, "average": 0.45},
            0,
        ),  # few held out; contests tell
        ((0.02, -0.01, 0.05), {"base_rate": 0.5, "average": 0.499}, 1),
        ((-0.001, -0.02, 0.02), {"base_rate": 0.5, "average": 0.49}, 1),
        ((-0.001, -0.02, 0.02), {"base_rate": 0.5, "average": 0.4}, 0),
        ((-0.02, -0.03, -0.01), {"base_rate": 0.5, "average": 0.4}, 1),
        ((0.0, 0.0, 0.0), {"base_rate": 0.5}, 1),
    ],
)
def test_few_held_out_outcomes_do_not_make_a_guess(gain, losses, n):
    candidates = [{"candidate": name, "log_loss": loss} for name, loss in losses.items()]
    found = model_alarms(model(log_loss_gain=measure(*gain), candidates=candidates))
    assert [alarm.kind for alarm in found] == ["no_better_than_guessing"] * n


def test_what_was_written_afterwards_is_named_and_names_are_data():
    rows = [
        {"group": "status\n[red]", "auroc": 0.9, "reason": "it marks 76%", "is_alarm": True},
        {"group": "status\n[red]", "auroc": 0.8, "reason": "it marks 50%", "is_alarm": True},
        {"group": "refund", "auroc": 0.99, "reason": "it faded", "is_alarm": False},
        {"group": "old", "auroc": 0.99, "reason": "of a model from before there were alarms"},
    ]
    (found,) = model_alarms(model(quarantined=rows))
    assert found.message == "“status [red]” knows the future, 2 inputs are left out: it marks 76%"


@pytest.mark.parametrize(("best", "n"), [(0.485, 0), (0.499, 1)])
@pytest.mark.parametrize("n_positives", [4, 996])
def test_of_fewer_than_ten_outcomes_only_the_contests_tell(best, n, n_positives):
    """Seen on the simulator: 4 of 495 held-out users upgraded, and by chance the base rate won."""
    found = model_alarms(
        model(
            log_loss_gain=measure(-0.003, -0.01, 0.002),
            n_test_positives=n_positives,
            candidates=[
                {"candidate": "base_rate", "log_loss": 0.5},
                {"candidate": "average", "log_loss": best},
            ],
        )
    )
    assert len(found) == n
