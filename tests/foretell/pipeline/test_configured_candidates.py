"""The setting `candidates`: from the project, or from the environment as JSON."""

from __future__ import annotations

import pytest

from foretell.errors import ForetellError
from foretell.pipeline.configured_candidates import read_candidates

FOREST = "sklearn.ensemble.RandomForestClassifier"


def project(folder, text):
    (folder / "dbt_project.yml").write_text(f"vars:\n  foretell:\n    candidates: {text}\n")
    return folder


def names(*arguments):
    return [candidate.name for candidate in read_candidates(*arguments)]


def test_by_default_there_are_none():
    assert read_candidates({}) == ()


def test_the_project_names_them_in_one_line(tmp_path):
    assert names({}, project(tmp_path, f"[{FOREST}]")) == ["RandomForestClassifier"]


def test_the_environment_wins(tmp_path):
    own = project(tmp_path, f"[{FOREST}]")
    given = '[{"class": "sklearn.svm.SVC", "name": "svc", "parameters": {"probability": true}}]'
    assert names({"FORETELL_CANDIDATES": given}, own) == ["svc"]


@pytest.mark.parametrize(
    ("environment", "text", "message"),
    [
        ({}, "[os.system]", "dbt_project.yml: candidates: 'os.system' is no classifier"),
        ({"FORETELL_CANDIDATES": '["os.system"]'}, "[]", "FORETELL_CANDIDATES: 'os.system'"),
        ({"FORETELL_CANDIDATES": FOREST}, "[]", f"FORETELL_CANDIDATES is not JSON .*: {FOREST}"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(tmp_path, environment, text, message):
    with pytest.raises(ForetellError, match=message):
        read_candidates(environment, project(tmp_path, text))
