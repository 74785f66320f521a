"""Calibration in SQL against Python, on a warehouse whose history is of an older version."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy.optimize import brentq, minimize
from scipy.special import expit, logit

from foretell.learn.metrics import expected_calibration_error, wilson_interval
from tests.conftest import dbt, query
from tests.history_tables import ALARMS_TABLE, HELD_OUT_SCORES, MODEL_FEATURES, MODELS, REASONS

N = 4000
RNG = np.random.default_rng(4)
TRUE = expit(RNG.normal(-1.5, 1.0, N))
# Segment -> what was predicted: right, too extreme, too high, and a thousandth of what happens.
PREDICTED = {
    "right": TRUE,
    "too extreme": expit(1.6 * logit(TRUE)),
    "too high": expit(logit(TRUE) + 0.7),
    "far too low": TRUE / 1000,
}
HAPPENED = (RNG.random(N) < TRUE).astype(int)


def cells(value: str, predicted: np.ndarray) -> list[dict]:
    """Add up users in cells, as calibration_cells does."""
    log_odds = logit(predicted)
    place = np.stack(
        [np.minimum(predicted * 10, 9).astype(int), np.floor(log_odds * 20).astype(int)]
    )
    found, number = np.unique(place, axis=1, return_inverse=True)
    sums = [np.bincount(number, weights=each) for each in (HAPPENED, predicted, log_odds)]
    return [
        {
            "prediction": "p", "kind": "matured", "model_id": None, "property": "segment",
            "value": value, "tenth": int(tenth), "cell": int(cell), "n_users": int(n),
            "n_positives": int(k), "sum_probability": p, "sum_log_odds": x,
            "first_as_of_hour": 490_896, "newest_as_of_hour": 490_920,
        }
        for tenth, cell, n, k, p, x in zip(*found, np.bincount(number), *sums, strict=True)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibration")
    path = folder / "warehouse.duckdb"
    rows = pa.Table.from_pylist(
        [row for value, predicted in PREDICTED.items() for row in cells(value, predicted)]
    )
    with duckdb.connect(str(path)) as connection:
        connection.register("rows", rows)
        connection.execute(
            """
            create schema foretell; create schema foretell_internal; use warehouse.foretell;
            create table foretell_internal.calibration_cells as
                select * replace (cast(model_id as varchar) as model_id) from rows;
            create table foretell_internal.build_state as select '0.2.9' as version;
            create table models (
                model_id varchar, prediction varchar, definition_hash varchar, trained_at timestamp,
                as_of timestamp, status varchar, reason varchar, candidate varchar, calibration varchar,
                metrics varchar, reliability varchar, importances varchar, feature_ids varchar, onnx blob);
            insert into models by name select 'old' as model_id, 'champion' as status, '\\xFF'::blob as onnx;
            """
        )
    done = dbt(
        ["run", "--select", "calibration_groups", "calibration_report"],
        {"FORETELL_WAREHOUSE": str(path), "FORETELL_EVENTS": "", "FORETELL_PREDICTIONS": ""},
        folder,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return path


def test_an_older_history_gets_the_columns_it_lacks_and_keeps_its_rows(built):
    columns = {row[0]: row[1] for row in query(built, "describe models")}
    added = {name: columns[name] for name in ("holdout_feature_ids", "challenge", "explain_model")}
    assert added == {
        "holdout_feature_ids": "VARCHAR",
        "challenge": "VARCHAR",
        "explain_model": "BLOB",
    }
    kept = query(built, "select model_id, status, onnx, challenge from models")
    assert kept == [("old", "champion", b"\xff", None)]
    assert query(built, "select count(*) from held_out_scores") == [(0,)]


@pytest.mark.parametrize(
    "table", ["models", "model_features", "held_out_scores", "reasons", "alarms"]
)
def test_the_tables_of_other_tests_are_those_of_dbt(built, table):
    with duckdb.connect() as connection:
        connection.execute(MODELS + MODEL_FEATURES + HELD_OUT_SCORES + REASONS + ALARMS_TABLE)
        mine = connection.execute(f"describe {table}").fetchall()
    assert [row[:2] for row in mine] == [row[:2] for row in query(built, f"describe {table}")]


def negative_log_likelihood(parameters, x, y):
    eta = parameters[0] + parameters[1] * x
    return np.sum(np.logaddexp(0, eta) - y * eta)


@pytest.mark.parametrize("value", PREDICTED)
def test_the_report_is_what_python_finds_on_the_rows(built, value):
    ((n, mean, low, high, error, intercept, slope, slope_low, slope_high),) = query(
        built,
        f"""
        select n_users, mean_probability, observed_low, observed_high, expected_calibration_error,
            calibration_intercept, calibration_slope, slope_low, slope_high
        from calibration_report where value = '{value}'
        """,
    )
    predicted, x = PREDICTED[value], logit(PREDICTED[value])
    assert (n, mean) == (N, pytest.approx(predicted.mean()))
    assert (low, high) == pytest.approx(wilson_interval(HAPPENED.sum(), N))
    assert error == pytest.approx(expected_calibration_error(HAPPENED, predicted), abs=1e-9)
    alone = brentq(lambda a: np.sum(HAPPENED - expit(a + x)), -10, 10)
    assert intercept == pytest.approx(alone, abs=1e-3)
    best = minimize(negative_log_likelihood, [0, 1], args=(x, HAPPENED), method="Nelder-Mead",
                    options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 2000}).x  # fmt: skip
    assert slope == pytest.approx(best[1], abs=2e-3)
    p = expit(best[0] + best[1] * x)
    information = np.array([[np.sum(p * (1 - p) * x**i * x**j) for j in (0, 1)] for i in (0, 1)])
    half = 1.959964 * np.sqrt(np.linalg.inv(information)[1, 1])
    assert (slope_low, slope_high) == pytest.approx((slope - half, slope + half), abs=2e-3)


def test_a_model_that_is_right_is_calibrated_and_others_are_not(built):
    found = {
        value: (a_low <= 0 <= a_high, b_low <= 1 <= b_high)
        for value, a_low, a_high, b_low, b_high in query(
            built,
            "select value, intercept_low, intercept_high, slope_low, slope_high from calibration_report",
        )
    }
    assert found["right"] == (True, True)
    assert not found["too extreme"][1]
    assert found["too high"] == (False, True)
    assert not found["far too low"][0]


def test_groups_are_tenths_of_the_users(built):
    rows = query(
        built,
        """
        select n_users, mean_probability, n_positives, observed_rate, observed_low, observed_high
        from calibration_groups where value = 'right' order by group_number
        """,
    )
    assert len(rows) == 10
    assert sum(row[0] for row in rows) == N
    assert all(300 < row[0] < 500 for row in rows)
    tenths = np.sort(TRUE).reshape(10, -1).mean(axis=1)
    assert [row[1] for row in rows] == pytest.approx(tenths, abs=0.02)
    for n, _, positives, rate, low, high in rows:
        assert rate == positives / n
        assert (low, high) == pytest.approx(wilson_interval(positives, n))
