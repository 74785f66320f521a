"""The ONNX graph gives what the Python model gives, on usual rows and on the meanest ones."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import expit, logit

from foretell.learn.calibrate import (
    Beta,
    Identity,
    Sigmoid,
    fit_beta,
    fit_centred_isotonic,
    fit_sigmoid,
)
from foretell.learn.candidates import (
    PORTFOLIO,
    VALUE_PORTFOLIO,
    Candidate,
    average_of,
    fit_candidate,
)
from foretell.learn.families.average import AverageClassifier, AverageRegressor
from foretell.learn.families.linear import LinearClassifier
from foretell.learn.families.trees import Trees
from foretell.learn.onnx import families as onnx_families
from foretell.learn.onnx import graph as onnx_graph
from foretell.learn.onnx.graph import floor32
from foretell.learn.onnx.model import (
    EXPECTED_VALUE,
    make_session,
    parity,
    predict,
    value_parity,
)
from foretell.learn.value_model import ValueModel, ValueScale
from tests.graphs import columns_read_by, graph_of
from tests.sparse_rows import N_COLUMNS, kinds, labelled_rows, random_rows

X, Y = labelled_rows(0, 1500)
NEW = random_rows(1, 5000)
IDS = np.arange(N_COLUMNS) * 11 + 5
FITTERS = {
    "no": lambda p, y: Identity(),
    "sigmoid": fit_sigmoid,
    "beta": fit_beta,
    "centred isotonic": fit_centred_isotonic,
}
CALIBRATORS = tuple(FITTERS)
TOLERANCE = 1e-6  # the gate
AVERAGE = average_of("average", AverageClassifier, PORTFOLIO[1:])
NAMES = [c.name for c in (*PORTFOLIO, AVERAGE)]
ODD = np.float32([1e30, -1e30, 1e-30, -1e-30, 999.999, 1000, 1000.001, 1, -1, 0.5, 1e6, np.nan])


@pytest.fixture(scope="module")
def fitted():
    fitted = {c.name: fit_candidate(c, X, Y, kinds(), seed=0) for c in (*PORTFOLIO, AVERAGE)}
    return fitted | {"average": shifted(fitted["average"], 0.7)}


def shifted(fitted, shift):
    fitted.shift_ = shift
    return fitted


def constant_of(margin):
    """Return the base rate's model with another log-odds."""
    model = fit_candidate(PORTFOLIO[0], X, Y, kinds(), seed=0)
    model.constant_ = margin
    return model


def calibrator_of(name, model):
    """Fit on rows of its own: memorised scores would make every step a cliff."""
    rows, labels = labelled_rows(50, 4000)
    p = model.probability(rows)
    return FITTERS[name](p, labels)


def split_points(model):
    """Return (column of the matrix, threshold) of every split of LightGBM, alone or a member."""
    for member in model.members_:
        yield from split_points(member)
    if isinstance(model, Trees):
        pending = [tree["tree_structure"] for tree in model.booster_.dump_model()["tree_info"]]
        while pending:
            node = pending.pop()
            if "split_feature" in node:
                yield int(model.columns_[node["split_feature"]]), node["threshold"]
                pending += [node["left_child"], node["right_child"]]


def adversarial_rows(model):
    """Return dense rows: each split's threshold and its float32 neighbours; odd numbers; empty."""
    rng = np.random.default_rng(3)
    base, rows = NEW.toarray(), [np.zeros(N_COLUMNS, dtype=np.float32)]
    points = sorted(set(split_points(model)))
    for index in rng.permutation(len(points))[:1500]:
        column, threshold = points[index]
        near = np.float32(threshold)
        for value in (near, *np.nextafter(near, np.float32([-np.inf, np.inf]))):
            row = base[rng.integers(len(base))].copy()
            row[column] = value
            rows.append(row)
    for column in range(N_COLUMNS):
        for value in ODD:
            alone, among = np.zeros(N_COLUMNS, dtype=np.float32), base[column].copy()
            alone[column] = among[column] = value
            rows += [alone, among]
    rows += [np.full(N_COLUMNS, value, dtype=np.float32) for value in ODD]
    return np.array(rows)


def worst_gap(model, calibrator, dense):
    """Return max |ONNX - Python|; the Python model reads 0 where the graph is given NaN."""
    graph = graph_of(model, calibrator, IDS[model.columns_])
    got = predict(make_session(graph), dense[:, model.columns_])
    expected = calibrator.apply(
        model.probability(csr_matrix(np.nan_to_num(dense, nan=0.0, posinf=None)))
    )
    assert np.isfinite(got).all()
    return np.abs(got - expected).max()


@pytest.mark.parametrize("calibration", CALIBRATORS)
@pytest.mark.parametrize("name", NAMES)
def test_graph_equals_python_on_random_rows(fitted, name, calibration):
    model = fitted[name]
    calibrator = calibrator_of(calibration, model)
    graph = graph_of(model, calibrator, IDS[model.columns_])
    expected = calibrator.apply(model.probability(NEW))
    assert parity(graph, expected, NEW[:, model.columns_]) <= TOLERANCE


@pytest.mark.parametrize("calibration", CALIBRATORS)
@pytest.mark.parametrize("name", NAMES)
def test_graph_equals_python_on_thresholds_and_odd_numbers(fitted, name, calibration):
    model = fitted[name]
    gap = worst_gap(model, calibrator_of(calibration, model), adversarial_rows(model))
    assert gap <= TOLERANCE


@pytest.mark.parametrize("name", ["average", "logistic_boosted", "lightgbm_extra"])
def test_thresholds_rounded_to_nearest_are_caught(fitted, name, monkeypatch):
    model = fitted[name]
    rows = adversarial_rows(model)
    monkeypatch.setattr(onnx_families, "floor32", lambda values: np.asarray(values, np.float32))
    assert worst_gap(model, Identity(), rows) > 1e-4


@pytest.mark.parametrize("step", ["Min", "Clip", "IsNaN"])
def test_a_graph_without_one_of_its_guards_is_caught(fitted, step, monkeypatch):
    add = onnx_graph.Graph.add

    def broken(self, operator, inputs, output, **attributes):
        if operator == "Min" and step == "Min":  # longer ago than any row of training still counts
            operator = "Max"
        if operator == "Clip" and step == "Clip":  # never = this very moment
            inputs = [inputs[0], inputs[2], inputs[2]]
        if operator == "IsNaN" and step == "IsNaN":  # 1e30 taken for missing
            operator = "IsInf"
        return add(self, operator, inputs, output, **attributes)

    monkeypatch.setattr(onnx_graph.Graph, "add", broken)
    model = fitted["logistic"]
    graph = graph_of(model, Identity(), IDS[model.columns_])
    rows = np.nan_to_num(NEW.toarray()) if step != "IsNaN" else np.full((1, N_COLUMNS), np.nan)
    got = predict(make_session(graph), rows[:, model.columns_])
    expected = model.probability(csr_matrix(np.nan_to_num(rows)))
    assert not (np.abs(got - expected) <= 1e-4).all()


def test_parity_reports_the_largest_gap_of_any_batch(fitted):
    model = fitted["logistic"]
    graph, expected = graph_of(model, Identity(), IDS[model.columns_]), model.probability(NEW)
    expected[4999] += 0.25
    found = parity(graph, expected, NEW[:, model.columns_])
    assert found == pytest.approx(0.25, abs=1e-6)


@pytest.mark.parametrize("calibration", CALIBRATORS)
def test_a_constant_without_columns_scores_any_number_of_rows(calibration):
    nothing = csr_matrix(X.shape, dtype=np.float32)
    model = fit_candidate(Candidate("logistic", LinearClassifier()), nothing, Y, kinds(), 0)
    calibrator = calibrator_of(calibration, model)
    session = make_session(graph_of(model, calibrator, IDS[model.columns_]))
    for n_rows in (1, 7):
        got = predict(session, np.empty((n_rows, 0)))
        assert got.shape == (n_rows,)
        np.testing.assert_allclose(got, calibrator.apply(model.probability(X[:n_rows])), atol=1e-6)


@pytest.mark.parametrize("calibration", CALIBRATORS)
def test_metadata_names_inputs_candidate_and_calibration(fitted, calibration):
    model = fitted["lightgbm_extra"]
    calibrator = calibrator_of(calibration, model)
    session = make_session(graph_of(model, calibrator, IDS[model.columns_], name="lightgbm_extra"))
    meta = session.get_modelmeta().custom_metadata_map
    assert json.loads(meta["feature_ids"]) == IDS[model.columns_].tolist()
    assert (meta["candidate"], meta["calibration"]) == ("lightgbm_extra", calibration)
    assert session.get_inputs()[0].shape[1] == len(model.columns_)


def test_isotonic_knots_and_their_float32_neighbours_interpolate_exactly(fitted):
    calibrator = calibrator_of("centred isotonic", fitted["logistic"])
    for knot in np.float32(calibrator.x):
        for value in (knot, np.nextafter(knot, np.float32(0)), np.nextafter(knot, np.float32(1))):
            constant = constant_of(logit(float(value)))
            got = predict(make_session(graph_of(constant, calibrator, [])), np.empty((1, 0)))
            assert got[0] == pytest.approx(calibrator.apply(np.array([value]))[0], abs=1e-7)


@pytest.mark.parametrize("name", ["lightgbm_without_properties", "lightgbm_extra"])
def test_log_odds_of_trees_are_sums_without_rounding(fitted, name):
    model = fitted[name]
    session = make_session(graph_of(model, Identity(), IDS[model.columns_]))
    score = session.run(["score"], {"X": NEW.toarray()[:, model.columns_]})[0].ravel()
    np.testing.assert_array_equal(score, expit(model.margin(NEW)).astype(np.float32))


def test_floor32_is_the_largest_float32_not_above():
    values = np.random.default_rng(0).normal(size=2000) * 10.0 ** np.arange(-10, 10).repeat(100)
    low = floor32(values)
    assert low.dtype == np.float32
    assert (low <= values).all()
    assert (np.nextafter(low, np.float32(np.inf)).astype(float) > values).all()
    np.testing.assert_array_equal(floor32(low), low)
    assert floor32(0.1) == np.float32(0.1) - np.spacing(np.float32(0.05)) * 2


def test_a_steep_sigmoid_stays_within_the_gate(fitted):
    model = fitted["logistic"]
    calibrator = Sigmoid(
        slope=3.0, intercept=1.0
    )  # slope 3 in log-odds is the most seen in practice
    expected = calibrator.apply(model.probability(NEW))
    graph = graph_of(model, calibrator, IDS[model.columns_])
    assert parity(graph, expected, NEW[:, model.columns_]) <= TOLERANCE


def test_threads_and_batches_do_not_change_a_row(fitted):
    model = fitted["lightgbm_extra"]
    graph, rows = graph_of(model, Identity(), IDS[model.columns_]), NEW[:600].toarray()
    whole = predict(make_session(graph, threads=2), rows[:, model.columns_])
    alone = [predict(make_session(graph), rows[[i]][:, model.columns_])[0] for i in range(3)]
    np.testing.assert_allclose(whole[:3], alone, rtol=0, atol=2e-7)


def test_a_linear_model_of_tiny_values_is_exact():
    rng = np.random.default_rng(0)
    values = rng.gamma(1, 1, (3000, 2))
    y = (rng.random(3000) < 1 / (1 + np.exp(2 * values[:, 1] - values[:, 0]))).astype(float)
    tiny = csr_matrix((values * 1e-4).astype(np.float32))
    model = fit_candidate(Candidate("logistic", LinearClassifier()), tiny, y, ("value_sum",) * 2, 0)
    assert parity(graph_of(model, Identity(), np.arange(2)), model.probability(tiny), tiny) <= 1e-6


def test_a_score_next_to_1_is_calibrated_exactly():
    calibrator = Sigmoid(slope=0.6, intercept=-4.0)
    for score in 1 - np.geomspace(1e-6, 1e-4, 20):
        constant = constant_of(logit(score))
        got = predict(make_session(graph_of(constant, calibrator, [])), np.empty((1, 0)))
        assert got[0] == pytest.approx(calibrator.apply(np.array([score]))[0], abs=1e-5)


def test_a_steep_beta_map_is_exact_at_both_ends():
    calibrator = Beta(a=0.3, b=2.5, intercept=-1.0)
    for score in (1e-7, 1e-5, 0.5, 1 - 1e-5):
        constant = constant_of(logit(score))
        got = predict(make_session(graph_of(constant, calibrator, [])), np.empty((1, 0)))
        assert got[0] == pytest.approx(calibrator.apply(np.array([score]))[0], abs=1e-6)


def test_a_member_that_reads_fewer_columns_still_reads_its_own(fitted):
    members = {len(member.columns_) for member in fitted["average"].members_}
    assert len(members) > 1
    model = fitted["average"]
    graph = graph_of(model, Identity(), IDS[model.columns_])
    assert parity(graph, model.probability(NEW), NEW[:, model.columns_]) <= 1e-6


HAVE_ANY = Y > 0
AMOUNTS_DRAWN = np.random.default_rng(4).gamma(1.0, 50.0, int(HAVE_ANY.sum())) + 0.01
MEAN_AMOUNT = average_of("average_amount", AverageRegressor, VALUE_PORTFOLIO[1:])


@pytest.fixture(scope="module")
def amounts():
    """Return a value model per family of amounts, each with another scale."""
    scales = (ValueScale(), ValueScale(1.2, 1.0, "factor"), ValueScale(0.3, 1.3, "power"))
    ends = np.log([AMOUNTS_DRAWN.min(), AMOUNTS_DRAWN.max()])
    return {
        candidate.name: ValueModel(
            fit_candidate(candidate, X[HAVE_ANY], AMOUNTS_DRAWN, kinds(), seed=0),
            float(ends[0]), float(ends[1]), scales[number % 3],
        )
        for number, candidate in enumerate((*VALUE_PORTFOLIO, MEAN_AMOUNT))
    }  # fmt: skip


@pytest.mark.parametrize("classifier", ["base_rate", "logistic", "average"])
@pytest.mark.parametrize("name", [c.name for c in (*VALUE_PORTFOLIO, MEAN_AMOUNT)])
def test_expected_values_equal_python_on_thresholds_and_odd_numbers(
    fitted, amounts, name, classifier
):
    model, value = fitted[classifier], amounts[name]
    columns = columns_read_by(model, value)
    calibrator = calibrator_of("sigmoid", model)
    graph = graph_of(model, calibrator, IDS[columns], value)
    dense = np.vstack([adversarial_rows(model), adversarial_rows(value.amount), NEW.toarray()])
    read = csr_matrix(np.nan_to_num(dense, nan=0.0, posinf=None))
    expected = value.expected(read, calibrator.apply(model.probability(read)))
    # The graph is given NaN, a sparse matrix would hold it too.
    assert value_parity(graph, expected, csr_matrix(dense[:, columns])) <= 1e-5
    got = predict(make_session(graph), dense[:, columns], EXPECTED_VALUE)
    assert np.isfinite(got).all()
    assert (got >= 0).all()
    p = predict(make_session(graph), dense[:, columns])
    assert np.abs(p - calibrator.apply(model.probability(read))).max() <= TOLERANCE


def test_amounts_that_are_not_kept_within_what_was_seen_are_caught(fitted, amounts, monkeypatch):
    model, value = fitted["logistic"], amounts["gamma_loose"]
    add = onnx_graph.Graph.add

    def broken(self, operator, inputs, output, **attributes):
        if output == "amount_log":
            operator, inputs = "Identity", inputs[:1]
        return add(self, operator, inputs, output, **attributes)

    monkeypatch.setattr(onnx_graph.Graph, "add", broken)
    columns = columns_read_by(model, value)
    graph = graph_of(model, Identity(), IDS[columns], value)
    rows = csr_matrix(np.nan_to_num(adversarial_rows(value.amount), nan=0.0, posinf=None))
    expected = value.expected(rows, model.probability(rows))
    assert value_parity(graph, expected, rows[:, columns]) > 0.1
