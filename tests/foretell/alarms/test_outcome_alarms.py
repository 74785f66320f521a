"""Alarms about an outcome that began or ended."""

from __future__ import annotations

from foretell.alarms.outcome_alarms import life_alarms
from foretell.alarms.outcome_days import Newcomer, plain
from foretell.alarms.outcome_life import Beginning, Life, find_end, with_newcomer
from tests.foretell.alarms.outcomes import END, FIRST, days


def test_a_silence_below_the_horizon_or_like_one_before_is_a_warning():
    short = find_end(days([5] * 95 + [0] * 20, horizon_days=28))
    assert short is not None
    assert not short.is_sure
    paused = find_end(days([5] * 100 + [0] * 20 + [5] * 100 + [0] * 45))
    assert paused is not None
    assert not paused.is_sure
    (alarm,) = life_alarms("p", Life("“buy”", None, paused), None, 0)
    assert not alarm.is_held_back
    assert "it has paused for 20 days before" in alarm.message


def test_alarms_are_one_sentence_with_numbers_and_names_are_data():
    name = plain("buy\n[red]" + "x" * 99)
    life = Life(name, Beginning(24 * FIRST, 130, 10, 60), with_newcomer(
        END, [Newcomer("“order”", FIRST + 95, 20.0)]
    ))  # fmt: skip
    began, gone = life_alarms("p", life, 1, 17)
    assert began.message == (
        f"{name} began on 2024-10-04, 10 days before as_of, after 130 days of events without it: 1 of "
        "17 snapshots, those since then, are learned from"
    )
    assert "\n" not in name
    assert len(name) < 70
    assert gone.is_held_back
    assert "last seen on 2025-01-06, 45 days before as_of" in gone.message
    assert "“order” began on 2025-01-07 with 20 a day, where the outcome had 16" in gone.message
    assert life_alarms("p", Life(name, life.began), 17, 17) == []  # none is left out
    accepted = life_alarms("p", life, 1, 17, is_accepted=True)[1]
    assert not accepted.is_held_back
    assert "older scores stay" not in accepted.message
