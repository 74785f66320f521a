"""A classifier of scikit-learn's own behaves like a family, or says why it cannot."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB

from foretell.learn.families import foreign
from foretell.learn.families.foreign import EDGE, CannotCompete, ForeignClassifier
from tests.sparse_rows import kinds, labelled_rows

X, Y = labelled_rows(0, 600)


def test_its_margin_is_the_logit_of_what_the_classifier_says():
    fitted = ForeignClassifier(LogisticRegression(max_iter=3000)).fit(X, Y)
    own = LogisticRegression(max_iter=3000).fit(X, Y.astype(int))
    np.testing.assert_allclose(fitted.margin(X), own.decision_function(X), atol=1e-4)


def test_certainty_has_log_odds_too():
    sure = ForeignClassifier(RandomForestClassifier(n_estimators=1, bootstrap=False)).fit(X, Y)
    np.testing.assert_allclose(np.abs(sure.margin(X)), np.log((1 - EDGE) / EDGE))


def test_rows_are_made_dense_where_a_classifier_takes_no_sparse_ones(monkeypatch):
    fitted = ForeignClassifier(HistGradientBoostingClassifier()).fit(X, Y)
    whole = fitted.margin(X)
    monkeypatch.setattr(foreign, "ROWS_PER_CALL", 7)
    np.testing.assert_array_equal(fitted.margin(X), whole)
    monkeypatch.setattr(foreign, "MAX_DENSE_BYTES", 50_000)
    with pytest.raises(CannotCompete, match=r"600 rows of 24 columns are 0\.0 GB; at most 0\.0 GB"):
        ForeignClassifier(HistGradientBoostingClassifier()).fit(X, Y)


def test_seed_and_threads_are_set_where_they_are_open():
    fitted = ForeignClassifier(RandomForestClassifier(5, n_jobs=1), random_state=4, n_jobs=2)
    own = fitted.fit(X, Y).estimator_
    assert (own.random_state, own.n_jobs) == (4, 1)
    again = ForeignClassifier(RandomForestClassifier(5), random_state=4).fit(X, Y)
    np.testing.assert_array_equal(again.margin(X), fitted.margin(X))


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (ComplementNB(), "it cannot be fitted: ValueError: Negative values in data"),
        (LogisticRegression(C="much"), "it cannot be fitted: InvalidParameterError: The 'C'"),
    ],
)
def test_what_cannot_be_fitted_says_why(estimator, reason):
    with pytest.raises(CannotCompete, match=reason):
        ForeignClassifier(estimator).fit(X, Y)


def test_it_reads_the_columns_that_it_may_read():
    fitted = ForeignClassifier(LogisticRegression(), with_properties=False).fit(X, Y, kinds=kinds())
    assert "user_property" not in {kinds()[column] for column in fitted.columns_}
    assert fitted.estimator_.n_features_in_ == len(fitted.columns_) < X.shape[1]
