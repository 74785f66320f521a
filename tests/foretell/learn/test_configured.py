"""Candidates of a project: scikit-learn's classifiers by path, and nothing else."""

from __future__ import annotations

import sys

import pytest

from foretell.errors import ForetellError
from foretell.learn.configured import parse_candidates

FOREST = "sklearn.ensemble.RandomForestClassifier"


def test_a_path_alone_is_enough():
    (candidate,) = parse_candidates([FOREST], "here")
    assert candidate.name == "RandomForestClassifier"
    assert candidate.estimator.is_foreign
    assert candidate.estimator.estimator.n_estimators == 100
    assert candidate.class_weight is None


def test_parameters_name_and_class_weight_are_taken():
    entry = {
        "class": FOREST, "name": "forest", "class_weight": "balanced", "with_properties": False,
        "parameters": {"n_estimators": 7},
    }  # fmt: skip
    first, second = parse_candidates([entry, FOREST], "here")
    assert (first.name, first.class_weight, second.name) == (
        "forest", "balanced", "RandomForestClassifier",
    )  # fmt: skip
    assert first.estimator.estimator.n_estimators == 7
    assert not first.estimator.with_properties


def test_nothing_named_is_nothing():
    assert parse_candidates([], "here") == ()


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (FOREST, "is no list; write e.g."),
        ([7], "7 names no class"),
        ([{"name": "x"}], "names no class; write e.g."),
        (["sklearn.ensemble.RandomForestClasifier"], f"no classifier .* write e.g. {FOREST}"),
        (["sklearn.ensemble.RandomForestRegressor"], "is no classifier of scikit-learn"),
        (["os.system"], "'os.system' is no classifier of scikit-learn"),
        (["sklearn.utils.os.system"], "is no classifier of scikit-learn"),
        (["tests.foretell.learn.imported_by_nobody.Evil"], "is no classifier of scikit-learn"),
        (["sklearn.svm.LinearSVC"], "LinearSVC gives no probabilities"),
        ([FOREST, FOREST], "two candidates are called 'RandomForestClassifier'"),
        ([{"class": FOREST, "name": "average"}], "two candidates are called 'average'"),
        ([{"class": FOREST, "name": 3}], "name 3 of"),
        ([{"class": FOREST, "colour": 3}], "unknown key 'colour'; known: class, name"),
        ([{"class": FOREST, "parameters": [3]}], r"parameters \[3\] of"),
        ([{"class": FOREST, "parameters": {"trees": 3}}], "unexpected keyword argument 'trees'"),
        ([{"class": FOREST, "with_properties": "no"}], "with_properties 'no' of"),
        (["sklearn.multiclass.OneVsRestClassifier"], "missing 1 required positional argument"),
    ],
)
def test_what_is_no_classifier_is_refused_in_one_sentence(entries, message):
    before = set(sys.modules)
    with pytest.raises(ForetellError, match=f"^here: .*{message}") as refused:
        parse_candidates(entries, "here")
    assert "\n" not in str(refused.value)
    assert not {name for name in set(sys.modules) - before if not name.startswith("sklearn")}
