"""The whole model is one pipeline: what it says is what its steps say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from foretell.learn.calibrate import Identity, Sigmoid
from foretell.learn.candidates import VALUE_PORTFOLIO, fit_candidate
from foretell.learn.families.boosted import BoostedClassifier
from foretell.learn.families.linear import LinearClassifier
from foretell.learn.model import CalibratedClassifier, MissingToZero
from foretell.learn.value_model import ValueModel, ValueScale
from tests.sparse_rows import kinds, labelled_rows, random_rows, true_amount

X, Y = labelled_rows(0, 900)
NEW = random_rows(5, 300)
BENT = Sigmoid(0.8, 0.2)


def test_missing_values_become_0_in_sparse_and_dense_rows():
    dense = np.array([[np.nan, 2, 0], [1, np.nan, -3]], dtype=np.float32)
    expected = [[0, 2, 0], [1, 0, -3]]
    step = MissingToZero().fit(dense)
    np.testing.assert_array_equal(step.transform(dense), expected)
    np.testing.assert_array_equal(step.transform(csr_matrix(dense)).toarray(), expected)
    assert np.isnan(dense).sum() == 2


def test_probabilities_are_calibrated_scores():
    model = CalibratedClassifier(LinearClassifier(), BENT).fit(X, Y, kinds=kinds())
    alone = LinearClassifier().fit(X, Y, kinds=kinds())
    np.testing.assert_array_equal(model.probability(NEW), BENT.apply(alone.probability(NEW)))
    np.testing.assert_array_equal(model.predict_proba(NEW)[:, 1], model.probability(NEW))
    np.testing.assert_array_equal(model.decision_function(NEW), alone.margin(NEW))
    np.testing.assert_array_equal(model.predict(NEW), model.probability(NEW) > 0.5)


@pytest.mark.parametrize(("calibrator", "is_centred"), [(Identity(), True), (BENT, False)])
def test_a_sum_expects_what_happened_where_scores_stay_as_they_are(calibrator, is_centred):
    rare = Y * (np.arange(len(Y)) % 10 == 0)
    model = CalibratedClassifier(BoostedClassifier(), calibrator).fit(X, rare)
    assert (model.estimator_.shift_ != 0) == is_centred
    if is_centred:
        assert model.probability(X).mean() == pytest.approx(rare.mean(dtype=float), abs=1e-6)


def test_the_pipeline_takes_only_the_columns_that_are_read():
    useful = np.arange(X.shape[1]) < 9
    model = CalibratedClassifier(LinearClassifier(), BENT).fit(X, Y, kinds=kinds(), useful=useful)
    pipeline = model.pipeline()
    own = NEW[:, model.columns_]
    assert own.shape[1] == 9
    np.testing.assert_array_equal(pipeline.predict_proba(own)[:, 1], model.probability(NEW))
    with pytest.raises(ValueError, match="24 features"):
        pipeline.predict_proba(NEW)


def test_a_pipeline_of_the_same_steps_can_be_fitted_like_any_other():
    steps = [("clean", MissingToZero()), ("model", CalibratedClassifier(LinearClassifier(), BENT))]
    fitted = clone(Pipeline(steps)).fit(X, Y)
    alone = CalibratedClassifier(LinearClassifier(), BENT).fit(X, Y)
    np.testing.assert_array_equal(fitted.predict_proba(NEW), alone.predict_proba(NEW))


def test_expected_values_are_probability_times_amount_of_the_columns_of_both():
    amounts = true_amount(X)
    regressor = fit_candidate(VALUE_PORTFOLIO[1], X, amounts, kinds(), 0)
    value = ValueModel(regressor, 0.0, 9.0, ValueScale(1.1, 1.0, "factor"))
    useful = np.arange(X.shape[1]) < 3
    model = CalibratedClassifier(LinearClassifier(), BENT, value)
    model.fit(X, Y, kinds=kinds(), useful=useful)
    expected = 1.1 * model.probability(NEW) * np.exp(np.clip(regressor.margin(NEW), 0, 9))
    np.testing.assert_allclose(model.expected(NEW), expected, rtol=1e-12)
    assert set(model.columns_) == set(regressor.columns_) > set(model.estimator_.columns_)
    last = model.pipeline()[-1]
    np.testing.assert_allclose(last.expected(NEW[:, model.columns_]), expected, rtol=1e-12)


def test_a_model_without_values_expects_none():
    with pytest.raises(ValueError, match="it says whether, not how much"):
        CalibratedClassifier(LinearClassifier(), BENT).fit(X, Y).expected(NEW)
