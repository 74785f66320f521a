"""Sentences about a model; the card and Dagster share them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from foretell.pipeline.registry import REJECTED
from foretell.report import words
from foretell.report.words import (
    candidates_table,
    challenge_in_words,
    importance_sentences,
    in_words,
    left_out_sentences,
    limits,
    time_in_words,
)
from tests.dbt_macros import loaded
from tests.foretell.report.test_card import HOSTILE, METRICS, MODEL, metric


def changed(**metrics):
    return replace(MODEL, metrics=METRICS | metrics)


def test_what_is_not_known_is_left_out():
    none = {"value": None, "low": None, "high": None}
    text = in_words(changed(auroc=none, log_loss=none, top_decile_lift=none), "Will buy")
    assert text.startswith("**Will buy**: the outcome happened in 20.0% of 3,000 training rows")
    assert "Ranking" not in text
    assert "Probabilities" not in text
    assert "Use" not in text


def test_numbers_have_their_measure():
    text = in_words(MODEL, "Will buy")
    assert "ranks the first higher in **80%** of cases (AUROC" in text
    assert "differ by **1.0 percentage points** on average" in text
    assert "**3.0 times** as often as in all" in text
    assert "does not score" not in text
    rejected = replace(MODEL, status=REJECTED, reason="its | file is torn")
    assert in_words(rejected, "Will buy").endswith(
        "This model does not score: its \\| file is torn."
    )


def test_importances_are_shares_of_what_the_model_gains():
    """It gains 0.5 - 0.4 nats a row over the base rate."""
    first, second, third = importance_sentences(MODEL, [HOSTILE], ["plan"]).splitlines()
    assert first.startswith("- What users did of “\\<img")
    assert first.endswith("log loss is 0.0200 worse, 20% of the total gain.")
    assert second.startswith("- The property “plan”.")
    assert third.startswith("- On how many days active.")
    assert importance_sentences(replace(MODEL, importances=[]), [], []).startswith("- Nothing")
    no_gain = replace(MODEL, metrics=METRICS | {"log_loss": metric(0.6)})
    assert "total gain" not in importance_sentences(no_gain, [HOSTILE], ["plan"])


def test_the_winner_is_marked_and_the_lowest_loss_comes_first():
    row = METRICS["candidates"][0]
    tried = [row | {"candidate": "lightgbm", "log_loss": 0.45}, row]
    lines = candidates_table(changed(candidates=tried)).splitlines()
    assert lines[-2].startswith("| logistic ✓ | 0.4000 |")
    assert lines[-1].startswith("| lightgbm | 0.4500 |")


@pytest.mark.parametrize(("gap", "word"), [(0.02, "0.0200 more."), (-0.02, "0.0200 less.")])
def test_what_time_costs(gap, word):
    assert time_in_words(changed(generalisation_gap=gap)).endswith(word)
    assert time_in_words(changed(generalisation_gap=None)) == ""
    assert time_in_words(changed(evaluation="users_only")) == ""


def test_inputs_that_know_the_future_are_named():
    row = {"kind": "user_property", "group": "status", "reason": "it is written afterwards"}
    (sentence,) = left_out_sentences(changed(quarantined=[row]))
    assert sentence == "The value of “status”: it is written afterwards."
    assert left_out_sentences(MODEL) == []


def test_a_model_without_a_rival_was_never_compared():
    assert challenge_in_words(replace(MODEL, challenge=None)).startswith("It was never compared")
    assert challenge_in_words(MODEL).startswith("Promoted: not worse")


def test_doubts_about_a_model_are_among_its_limits():
    usual = limits(MODEL, 7)
    assert any("for the next 7 days" in sentence for sentence in usual)
    rough = limits(changed(n_test_positives=99, evaluation="users_only", parity=1.0), 7)
    added = set(rough) - set(usual)
    for start in ("Only 99 held-out users", "History is too short", "The check onnx_parity failed"):
        assert any(sentence.startswith(start) for sentence in added), start
    assert len(added) == 3


FAMILIES = ("week", "ever", "rhythm", "activity", "outcome", "user_property")


def test_there_are_words_for_kinds_of_features_only_and_for_all_of_today():
    """Python needs no entry for a kind that the macro feature_kinds has: words are for the card."""
    with loaded("counting/feature_kinds.sql") as macros:
        defined = [each["kind"] for family in FAMILIES for each in macros.feature_kinds(family)]
    # Models make no difference between the first, the last and a numeric user property.
    known = {"user_property" if kind.startswith("user_property") else kind for kind in defined}
    assert set(words.KINDS) | set(words.KIND_WORDS) == known
