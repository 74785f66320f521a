"""Every family is a scikit-learn estimator, by scikit-learn's own checks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.utils.estimator_checks import check_estimator

from foretell.learn.calibrate import Identity
from foretell.learn.families.average import AverageClassifier, AverageRegressor
from foretell.learn.families.boosted import BoostedClassifier, BoostedRegressor
from foretell.learn.families.constant import ConstantClassifier, ConstantRegressor
from foretell.learn.families.foreign import ForeignClassifier
from foretell.learn.families.linear import LinearClassifier, LinearRegressor
from foretell.learn.families.trees import TreesClassifier, TreesRegressor
from foretell.learn.model import CalibratedClassifier, MissingToZero
from tests.sparse_rows import kinds, labelled_rows

X, Y = labelled_rows(0, 600)
ESTIMATORS = (
    ConstantClassifier(),
    LinearClassifier(),
    TreesClassifier(n_jobs=1),
    BoostedClassifier(n_jobs=1),
    AverageClassifier([("linear", LinearClassifier()), ("trees", TreesClassifier(n_jobs=1))]),
    ForeignClassifier(LogisticRegression(max_iter=1000), n_jobs=1),
    ConstantRegressor(),
    LinearRegressor(),
    TreesRegressor(n_jobs=1),
    BoostedRegressor(n_jobs=1),
    AverageRegressor([("linear", LinearRegressor()), ("trees", TreesRegressor(n_jobs=1))]),
    MissingToZero(),
    CalibratedClassifier(LinearClassifier(), Identity()),
)
NO_COLUMNS = {
    "check_estimators_empty_data_messages": "rows without columns are learned from: users of whom "
    "no event is kept get the base rate"
}
ONLY_BALANCED = {"check_class_weight_classifiers": "class_weight is None or balanced, no mapping"}


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
@pytest.mark.filterwarnings("ignore")
def test_it_passes_the_checks_of_scikit_learn(estimator):
    expected = NO_COLUMNS | (ONLY_BALANCED if isinstance(estimator, TreesClassifier) else {})
    results = check_estimator(estimator, expected_failed_checks=expected, on_skip=None)
    assert len(results) > 40
    assert {r["check_name"] for r in results if r["status"] == "xfail"} == set(expected)


@pytest.mark.parametrize("estimator", ESTIMATORS[:6], ids=lambda e: type(e).__name__)
def test_any_two_classes_and_dense_rows_give_the_same_probabilities(estimator):
    numbers = clone(estimator).fit(X, Y, kinds=kinds())
    words = clone(estimator).fit(X.toarray(), np.where(Y > 0, "yes", "no"), kinds=kinds())
    assert words.classes_.tolist() == ["no", "yes"]
    np.testing.assert_allclose(words.predict_proba(X), numbers.predict_proba(X), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(words.predict(X) == "yes", numbers.predict(X) == 1)


@pytest.mark.parametrize("estimator", ESTIMATORS[:6], ids=lambda e: type(e).__name__)
def test_a_model_of_rows_that_hold_only_its_columns_says_the_same(estimator):
    useful = np.arange(X.shape[1]) % 3 > 0
    fitted = clone(estimator).fit(X, Y, kinds=kinds(), useful=useful)
    columns = np.flatnonzero(useful)
    assert set(fitted.columns_) <= set(columns)
    over = fitted.over(columns)
    np.testing.assert_array_equal(over.margin(X[:, columns]), fitted.margin(X))
    assert over.n_features_in_ == len(columns)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="y holds one class only: 1"):
        LinearClassifier().fit(X, np.ones(len(Y)))


def test_amounts_of_nothing_are_refused():
    with pytest.raises(ValueError, match=r"an amount is above 0; y holds 0\.0"):
        LinearRegressor().fit(X, Y)


def test_kinds_of_other_columns_are_refused():
    with pytest.raises(ValueError, match="X has 24 columns, but there are 3 kinds"):
        LinearClassifier().fit(X, Y, kinds=kinds(3))


def test_models_that_differ_in_one_of_many_numbers_read_differently():
    one, other = (
        repr(ForeignClassifier(MLPClassifier(tuple([8] * 900 + [n] + [8] * 900)))) for n in (8, 9)
    )
    assert one != other


def test_probabilities_add_up_and_follow_the_margin():
    fitted = TreesClassifier().fit(X, Y)
    p = fitted.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(p[:, 1], fitted.probability(csr_matrix(X)))
    np.testing.assert_array_equal(fitted.predict(X) == 1, fitted.decision_function(X) > 0)
