"""Settings of a training are part of its model's id: they say everything that decides it."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from foretell.learn.candidates import PORTFOLIO, Candidate
from foretell.learn.configured import parse_candidates
from foretell.learn.families.linear import LinearClassifier
from foretell.learn.train_settings import TrainSettings

FOREST = {"class": "sklearn.ensemble.RandomForestClassifier"}


def text(settings):
    return repr(asdict(settings))


def test_the_same_settings_read_the_same():
    assert text(TrainSettings()) == text(TrainSettings())
    assert "0x" not in text(TrainSettings())  # an address would differ from run to run


@pytest.mark.parametrize(
    "portfolio",
    [
        PORTFOLIO[1:],
        (*PORTFOLIO, *parse_candidates([FOREST], "here")),
        (Candidate("logistic", LinearClassifier(C=0.031)), *PORTFOLIO[1:]),
    ],
)
def test_another_portfolio_reads_differently(portfolio):
    assert text(replace(TrainSettings(), portfolio=portfolio)) != text(TrainSettings())


def test_a_parameter_of_a_foreign_candidate_counts():
    one, other = (
        parse_candidates([{**FOREST, "parameters": {"min_samples_leaf": n}}], "here")
        for n in (2, 3)
    )
    assert text(TrainSettings(portfolio=one)) != text(TrainSettings(portfolio=other))
