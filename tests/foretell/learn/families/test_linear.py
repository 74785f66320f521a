"""Linear families are scikit-learn's regressions of evened-out values."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from foretell.learn.families.linear import LinearClassifier, LinearRegressor
from tests.sparse_rows import kinds, labelled_rows, true_amount

X, Y = labelled_rows(0, 1500)


@pytest.mark.parametrize("weight", [None, "balanced"])
def test_log_odds_are_those_of_scikit_learn_on_transformed_rows(weight):
    fitted = LinearClassifier(C=0.3, class_weight=weight).fit(X, Y, kinds=kinds())
    evened = fitted.transform_.apply(X)
    own = LogisticRegression(C=0.3, max_iter=300, class_weight=weight).fit(evened, Y)
    np.testing.assert_allclose(
        fitted.decision_function(X), own.decision_function(evened), atol=1e-5
    )


def test_a_larger_C_gives_larger_weights():
    tight, loose = (LinearClassifier(C).fit(X, Y, kinds=kinds()) for C in (0.01, 1.0))
    assert np.abs(loose.coef_).sum() > 1.5 * np.abs(tight.coef_).sum()


def test_amounts_are_found_and_their_unit_is_only_a_factor():
    amounts = true_amount(X)
    euros, cents = (LinearRegressor(C=10.0).fit(X, k * amounts, kinds=kinds()) for k in (1, 100))
    assert np.corrcoef(euros.margin(X), np.log(amounts))[0, 1] > 0.95
    np.testing.assert_allclose(cents.predict(X), 100 * euros.predict(X), rtol=1e-3)


def test_its_part_is_its_weights_around_the_means_of_rows():
    fitted = LinearClassifier().fit(X, Y, kinds=kinds())
    part = fitted.part(X)
    assert part.means @ part.weights + part.intercept == pytest.approx(
        fitted.margin(X).mean(), abs=1e-9
    )
