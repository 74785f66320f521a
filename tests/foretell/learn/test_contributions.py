"""Contributions and base add up to the model's log-odds, whatever the rows; known answers."""

import copy
import io
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from foretell.learn.candidates import PORTFOLIO, Candidate, average_of, fit_candidate
from foretell.learn.contributions import contributions, pack, parts_of, unpack
from foretell.learn.families.average import AverageClassifier
from foretell.learn.families.linear import LinearClassifier
from tests.sparse_rows import N_COLUMNS, kinds, labelled_rows, random_rows

X, Y = labelled_rows(0, 1500)
AVERAGE = average_of(
    "average", AverageClassifier, PORTFOLIO[1:], weights=(0.3, 0.1, 0.1, 0.1, 0.1, 0.2, 0.1)
)
ALL = (*PORTFOLIO, AVERAGE)
ODD = np.float32([1e30, -1e30, 1e-30, 0, 1, 1000])


@pytest.fixture(scope="module")
def fitted():
    fitted = {c.name: fit_candidate(c, X, Y, kinds(), seed=0) for c in ALL}
    fitted["average"].shift_ = 0.7
    return fitted


def mean_rows():
    rows = random_rows(1, 300).toarray()
    rows[0] = 0
    for number, value in enumerate(ODD, start=1):
        rows[number] = value
    return csr_matrix(rows)


@pytest.mark.parametrize("name", [c.name for c in ALL])
def test_they_add_up_to_the_log_odds_of_any_row(fitted, name):
    model, rows = fitted[name], mean_rows()
    groups = np.arange(len(model.columns_)) % 5
    parts = unpack(pack(parts_of(model, X)))
    added, base = contributions(parts, rows[:, model.columns_], groups, 5)
    assert added.shape == (300, 5)
    np.testing.assert_allclose(base + added.sum(axis=1), model.margin(rows), atol=1e-6)


def test_a_champion_from_before_absences_reached_further_is_explained_as_it_scores(fitted):
    model = fitted["logistic"]
    old = copy.copy(model)
    old.transform_ = replace(model.transform_, reach=0.0)
    with np.load(io.BytesIO(pack(parts_of(old, X)))) as arrays:
        left = {name: arrays[name] for name in arrays.files if not name.endswith(".reach")}
    assert len(left) == len(arrays.files) - 1
    packed = io.BytesIO()
    np.savez(packed, **left)
    added, base = contributions(
        unpack(packed.getvalue()), mean_rows()[:, model.columns_],
        np.zeros(len(model.columns_), dtype=int), 1,
    )  # fmt: skip
    np.testing.assert_allclose(base + added[:, 0], old.margin(mean_rows()), atol=1e-6)
    assert not np.allclose(base + added[:, 0], model.margin(mean_rows()), atol=1e-3)


def test_of_a_linear_model_it_is_weight_times_distance_from_the_mean():
    rows = csr_matrix(np.float32([[0, 0], [np.e - 1, 0], [0, np.e - 1], [np.e - 1, np.e - 1]] * 40))
    y = np.array([0, 1, 0, 1] * 40)
    model = fit_candidate(Candidate("linear", LinearClassifier()), rows, y, ["event_count"] * 2, 0)
    weight = model.coef_
    added, base = contributions(parts_of(model, rows), rows[:4], np.array([0, 1]), 2)
    # Transformed values are 0 or 1, half of each.
    np.testing.assert_allclose(
        added, (np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) - 0.5) * weight, atol=1e-5
    )
    assert base == pytest.approx(model.intercept_ + weight.sum() / 2, abs=1e-5)


def test_on_average_over_the_rows_learned_from_nothing_is_added(fitted):
    model = fitted["logistic"]
    added, _ = contributions(
        parts_of(model, X),
        X[:, model.columns_],
        np.arange(len(model.columns_)),
        len(model.columns_),
    )
    np.testing.assert_allclose(added.mean(axis=0), 0, atol=1e-9)


def test_who_has_nothing_is_told_by_what_is_missing(fitted):
    model = fitted["average"]
    nobody = csr_matrix((1, N_COLUMNS), dtype=np.float32)
    added, _ = contributions(
        parts_of(model, X), nobody[:, model.columns_], np.arange(len(model.columns_)),
        len(model.columns_),
    )  # fmt: skip
    assert np.abs(added).max() > 0.1


def test_no_rows_are_no_trouble(fitted):
    model = fitted["average"]
    added, _ = contributions(
        parts_of(model, X), X[:0, model.columns_], np.zeros(len(model.columns_), dtype=int), 1
    )
    assert added.shape == (0, 1)
