"""Candidates that a project adds: scikit-learn classifiers by their import path.

Only names that scikit-learn itself lists as classifiers are known, so that a configuration can
never import a module of its choice.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.base import ClassifierMixin
from sklearn.utils import all_estimators

from foretell.errors import ForetellError
from foretell.learn.candidates import PORTFOLIO, Candidate
from foretell.learn.families.foreign import ForeignClassifier

KEYS = ("class", "name", "parameters", "class_weight", "with_properties")
EXAMPLE = "sklearn.ensemble.RandomForestClassifier"


def parse_candidates(entries: Any, where: str) -> tuple[Candidate, ...]:
    """Return the candidates that a list names.

    Args:
        entries: Import paths, or mappings of KEYS: class is the path, name what people see
            (default: the class), parameters what it is made with, class_weight one of them,
            with_properties whether it reads columns made from properties (default: true).
        where: The place of the list, for messages.

    Raises:
        ForetellError: If an entry names no classifier of scikit-learn that gives probabilities,
            naming the value and what to write.
    """
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise ForetellError(f"{where}: {entries!r} is no list; write e.g. [{EXAMPLE}]")
    known = _known_classifiers() if entries else {}
    taken = {candidate.name for candidate in PORTFOLIO} | {"average"}
    candidates = []
    for entry in entries:
        candidate = _parse_entry(
            {"class": entry} if isinstance(entry, str) else entry, where, known
        )
        if candidate.name in taken:
            raise ForetellError(
                f"{where}: two candidates are called {candidate.name!r}; give one another `name`"
            )
        taken.add(candidate.name)
        candidates.append(candidate)
    return tuple(candidates)


def _known_classifiers() -> dict[str, type[ClassifierMixin]]:
    """Return scikit-learn's classifiers by public import path, e.g. sklearn.svm.SVC."""
    return {
        f"{'.'.join(kind.__module__.split('.')[:2])}.{name}": kind
        for name, kind in all_estimators(type_filter="classifier")
    }


def _parse_entry(entry: Any, where: str, known: Mapping[str, type[ClassifierMixin]]) -> Candidate:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("class"), str):
        raise ForetellError(f"{where}: {entry!r} names no class; write e.g. {{class: {EXAMPLE}}}")
    if unknown := sorted(map(str, set(entry) - set(KEYS))):
        raise ForetellError(f"{where}: unknown key {unknown[0]!r}; known: {', '.join(KEYS)}")
    path = entry["class"]
    if path not in known:
        near = difflib.get_close_matches(path, known, 1, cutoff=0.5)
        raise ForetellError(
            f"{where}: {path!r} is no classifier of scikit-learn; write e.g. "
            f"{near[0] if near else EXAMPLE}"
        )
    name, is_whole = entry.get("name", known[path].__name__), entry.get("with_properties", True)
    if not isinstance(name, str) or not name:
        raise ForetellError(f"{where}: name {name!r} of {path} is no text")
    if not isinstance(is_whole, bool):
        raise ForetellError(f"{where}: with_properties {is_whole!r} of {path}: write true or false")
    return Candidate(name, ForeignClassifier(_made(entry, where, known[path]), is_whole))


def _made(entry: Mapping[str, Any], where: str, kind: type[ClassifierMixin]) -> ClassifierMixin:
    parameters = entry.get("parameters") or {}
    if not isinstance(parameters, Mapping):
        raise ForetellError(
            f"{where}: parameters {parameters!r} of {entry['class']}: write e.g. "
            "{min_samples_leaf: 20}"
        )
    given = dict(parameters)
    if "class_weight" in entry:
        given["class_weight"] = entry["class_weight"]
    try:
        made = kind(**given)
    except TypeError as error:  # a name that it does not know, or one that it needs
        raise ForetellError(f"{where}: {entry['class']}: {error}") from None
    if not hasattr(made, "predict_proba"):
        raise ForetellError(
            f"{where}: {entry['class']} gives no probabilities (predict_proba); "
            f"write e.g. {EXAMPLE}"
        )
    return made
