"""Whether `predictions` is whole, as Dagster checks it before it publishes."""

from __future__ import annotations

import dagster as dg
import duckdb
import pytest

from dagster_foretell import publishing_assets
from dagster_foretell.manifest import Prediction
from dagster_foretell.publishing_assets import PREDICTIONS, build_predictions_checks, published
from foretell.pipeline.score_counts import ScoreCounts
from foretell.settings import Settings

BUYS = Prediction("buys", "Will buy", "", None, "shop.yml")
WHOLE = ScoreCounts("buys", True, n_users=3, n_scored=3, n_missing=0, n_repeated=0, n_outside=0)


@pytest.fixture
def evaluate(tmp_path, monkeypatch):
    """Return a function from counts to the results of the checks, by name."""
    settings = Settings(events="", warehouse=tmp_path / "w.duckdb")
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("create schema foretell")

    def run(**changed: object) -> dict[str, dg.AssetCheckResult]:
        counts = ScoreCounts(**{**vars(WHOLE), **changed})
        monkeypatch.setattr(publishing_assets, "count_scores", lambda warehouse: {"buys": counts})
        (checks,) = build_predictions_checks([BUYS])
        return {each.check_name: each for each in checks(settings)}

    return run


def test_the_checks_of_each_prediction_stop_publishing():
    (checks,) = build_predictions_checks([BUYS])
    assert {spec.name for spec in checks.check_specs} == {
        "buys_one_row_per_user",
        "buys_is_probability",
    }
    assert all(spec.blocking for spec in checks.check_specs)
    assert {spec.asset_key for spec in checks.check_specs} == {PREDICTIONS}
    assert PREDICTIONS in published.asset_deps[published.key]
    assert build_predictions_checks([]) == []


@pytest.mark.parametrize(
    ("changed", "is_whole", "are_probabilities"),
    [
        ({}, True, True),
        ({"n_missing": 1}, False, True),
        ({"n_repeated": 1}, False, True),
        ({"n_outside": 1}, True, False),
        ({"n_missing": 3, "has_model": False}, True, True),
    ],
)
def test_what_is_not_whole_fails(evaluate, changed, is_whole, are_probabilities):
    results = evaluate(**changed)
    assert results["buys_one_row_per_user"].passed == is_whole
    assert results["buys_is_probability"].passed == are_probabilities


def test_without_a_model_the_check_describes_it(evaluate):
    assert evaluate()["buys_one_row_per_user"].description == ""
    without = evaluate(has_model=False)["buys_one_row_per_user"]
    assert without.description == "no model yet, so no row is expected"
