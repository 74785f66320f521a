"""The card: one source for both forms, hostile names stay text, files come and go with models."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import duckdb
import pytest

from foretell.markdown_text import to_html
from foretell.pipeline import registry
from foretell.pipeline.registry import CHALLENGER, CHAMPION, REJECTED, ModelRecord
from foretell.report.card import model_card, write_cards
from foretell.warehouse.open import open_warehouse
from tests.foretell.test_markdown_text import Page
from tests.history_tables import create_model_tables

HOSTILE = "<img src=x onerror=alert(1)> | `a` [b](http://c.example) $x$"


def metric(value):
    return {"value": value, "low": value, "high": value}


GROUPS = [
    {"n": 300, "mean_p": p, "observed": p, "low": p - 0.05, "high": p + 0.05} for p in (0.1, 0.3)
]
METRICS = {
    "evaluation": "out_of_time", "n_rows": 3000, "n_users": 1000, "n_snapshots": 3, "n_test_rows": 600,
    "n_test_positives": 120, "base_rate": 0.2, "auroc": metric(0.8), "log_loss": metric(0.4),
    "log_loss_base_rate": metric(0.5), "expected_calibration_error": metric(0.01),
    "top_decile_lift": metric(3.0), "parity": 1e-7, "first_as_of_hour": 490_560,
    "newest_as_of_hour": 490_896, "horizon_hours": 168, "budget_seconds": 300.0, "budget_cores": 2,
    "budget_memory_gb": 4.0, "log_loss_random_split": 0.38, "generalisation_gap": 0.02,
    "candidates": [{"candidate": "logistic", "log_loss": 0.4, "log_loss_uncalibrated": 0.41, "calibration": "none", "seconds": 1.0}],
}  # fmt: skip
MODEL = ModelRecord(
    "m1", "buys", "h", datetime(2026, 1, 8), CHAMPION, "", candidate="logistic", calibration="none",
    metrics=METRICS, reliability=GROUPS, feature_ids=[1, 2],
    importances=[
        {"group": HOSTILE, "importance": 0.02, "std": 0}, {"group": "plan", "importance": 0.01, "std": 0},
        {"group": "active_days", "importance": 0.005, "std": 0}, {"group": "none", "importance": -0.1, "std": 0},
    ],
    challenge={"is_promoted": True, "decision": "promoted: not worse than the champion"},
)  # fmt: skip
DEFINITION = {
    "outcome": {"event": HOSTILE},
    "horizon_days": 7,
    "cohort": [{"user": {HOSTILE: HOSTILE}}],
}


@pytest.fixture
def warehouse(tmp_path):
    path = create_model_tables(
        tmp_path,
        """
        create table stg_as_of as select timestamp '2026-01-20' as as_of;
        create table labels_rates as
            select 'buys' as prediction, timestamp '2026-01-08' as as_of, 1000 as n_users, 0.25 as outcome_rate,
                12.5 as mean_value;
        create table prediction_definitions (
            prediction varchar, definition_hash varchar, label varchar, definition varchar, horizon_days integer);
        """,
    )
    with duckdb.connect(str(path)) as connection:
        connection.execute("use w.foretell")
        connection.execute(
            "insert into prediction_definitions values ('buys', 'h', ?, ?, 7)",
            [HOSTILE, json.dumps(DEFINITION)],
        )
        connection.execute(
            "insert into features (event_name, property) values (?, 'plan')", [HOSTILE]
        )
    with open_warehouse(path) as opened:
        yield opened


def test_a_card_shows_every_section(warehouse):
    card = model_card(warehouse, MODEL)
    for words in (
        "3 weekly snapshots, as of 2025-12-18 00:00 to 2026-01-01 00:00 (UTC)",
        "| rows (a user at a snapshot) | 3,000 |",
        "| training budget | 5 min on 2 cores, 4 GB |\n\n",
        "the outcome happened in 20.0% of 3,000 training rows",
        "| 10.0% | 10.0% | 5.0% to 15.0% |",
        "data:image/png;base64,",
        "- The property “plan”. With this shuffled among users, log loss is 0.0100 worse, 10% of the",
        "- On how many days active.",
        "| logistic ✓ | 0.4000 |",
        "Promoted: not worse than the champion.",
        "training weeks was 0.3800, on other users in later weeks 0.4000: 0.0200 more.\n\nShare of",
        "| 2026-01-08 00:00 | 1,000 | 25.00% |",
        "The model has scored no users yet.",
        "- The model predicts who will, not why.",
    ):
        assert words in card, words
    assert "-0.1" not in card


@pytest.mark.parametrize("changed", [{"evaluation": "users_only"}, {"generalisation_gap": None}])
def test_without_a_later_week_there_is_no_sentence_about_time(warehouse, changed):
    card = model_card(warehouse, replace(MODEL, metrics=METRICS | changed))
    assert "in later weeks" not in card
    assert "## Change over time\n\nShare of users" in card


def test_the_newest_build_is_shown(warehouse):
    warehouse.execute(
        "create table predictions as select 'buys' as prediction, 'm1' as model_id, 0.22 as probability, "
        "null::double as expected_value"
    )
    warehouse.execute(
        "create table calibration_report as select 'buys' as prediction, 'matured' as kind, "
        "null as model_id, null as property, null as value, 900 as n_users, 0.21 as mean_probability, "
        "0.25 as observed_rate, 0.2 as observed_low, 0.3 as observed_high, null as calibration_slope"
    )
    card = model_card(warehouse, MODEL)
    assert "The mean probability of 1 users now is 22.00%" in card
    assert "| all | matured | 900 | 21.0% | 25.0% \\[20.0%, 30.0%\\] |  |" in card


def test_hostile_names_stay_text_in_both_forms(warehouse, tmp_path):
    registry.save_model(warehouse, replace(MODEL, reason=HOSTILE))
    (html,) = write_cards(warehouse, ["buys"], tmp_path / "cards")
    markdown = html.with_suffix(".md").read_text()
    assert HOSTILE not in markdown
    page = Page(html.read_text())
    assert page.text.count(HOSTILE) == 7  # label twice, reason, outcome, cohort twice, importance
    assert set(page.tags) <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "ul", "li", "strong",
        "table", "thead", "tbody", "tr", "th", "td", "img",
    }  # fmt: skip
    assert page.tags.count("img") == 1
    assert "<a " not in html.read_text()


def test_a_model_that_could_not_be_trained_has_a_card(warehouse):
    blank = ModelRecord("m0", "buys", "h", datetime(2026, 1, 8), REJECTED, "too little data: 3")
    card = model_card(warehouse, blank)
    assert "## No model" in card
    assert "too little data: 3" in card
    assert "## Limits" not in card


def test_inputs_that_may_know_the_future_are_named(warehouse):
    assert "Left out, because" not in model_card(warehouse, MODEL)
    left_out = [
        {"feature_id": 9, "kind": "value_sum", "group": HOSTILE, "reason": "alone it tells 99.1 % of pairs apart"},
        {"feature_id": 8, "kind": "odd", "group": "plan", "reason": "it separates outcomes no more"},
    ]  # fmt: skip
    card = model_card(warehouse, replace(MODEL, metrics=METRICS | {"quarantined": left_out}))
    assert "- The sum in a week of " in card
    assert "alone it tells 99.1 % of pairs apart." in card
    assert "- odd of “plan”: it separates outcomes no more." in card
    page = Page(to_html(card, "card"))
    assert page.tags.count("img") == 1  # the chart
    assert f"The sum in a week of “{HOSTILE}”" in page.text


def test_doubts_about_a_model_are_among_its_limits(warehouse):
    doubtful = METRICS | {"n_test_positives": 9, "evaluation": "users_only", "parity": 1.0}
    card = model_card(warehouse, replace(MODEL, metrics=doubtful))
    assert "Only 9 held-out users had the outcome" in card
    assert "History is too short" in card
    assert "The check onnx_parity failed" in card


def test_a_model_of_another_library_says_that_it_gives_no_reasons(warehouse):
    assert "gives no reasons" not in model_card(warehouse, MODEL)
    forest = replace(MODEL, candidate="Forest_1", metrics=METRICS | {"has_reasons": False})
    assert "It gives no reasons: Forest_1 is a model of another library" in model_card(
        warehouse, forest
    )


def test_who_dropped_out_is_told_with_the_reason(warehouse):
    assert "dropped out" not in model_card(warehouse, MODEL)
    dropped = [{"candidate": "lda", "reason": f"its graph is not exact: {HOSTILE}"}]
    card = model_card(warehouse, replace(MODEL, metrics=METRICS | {"dropped": dropped}))
    page = Page(to_html(card, "card"))
    assert f"lda dropped out: its graph is not exact: {HOSTILE}." in page.text
    assert page.tags.count("img") == 1  # the chart


def test_files_come_and_go_with_their_models(warehouse, tmp_path):
    folder = tmp_path / "cards"
    assert write_cards(warehouse, ["buys"], folder) == []
    registry.save_model(warehouse, MODEL)
    lost = replace(MODEL, model_id="m2", as_of=datetime(2026, 1, 9), status=CHALLENGER)
    registry.save_model(warehouse, replace(lost, reason="not promoted: worse"))
    written = write_cards(warehouse, ["buys"], folder)
    assert [path.name for path in written] == ["buys.html", "buys_challenger.html"]
    assert (
        "This model does not score: not promoted: worse."
        in (folder / "buys_challenger.md").read_text()
    )
    registry.save_model(warehouse, replace(MODEL, model_id="m3", as_of=datetime(2026, 1, 10)))
    assert [path.name for path in write_cards(warehouse, ["buys"], folder)] == ["buys.html"]
    assert sorted(path.name for path in folder.iterdir()) == ["buys.html", "buys.md"]


VALUE_METRICS = METRICS | {
    "value": {
        "candidate": "average_amount", "scale": "factor", "mean_value": 12.25, "largest_value": 999.0,
        "candidates": [
            {"candidate": "average_amount", "deviance": 11.5, "scale": "factor", "seconds": 2.0},
            {"candidate": "mean_amount", "deviance": 12.5, "scale": "no", "seconds": 0.1},
        ],
        "mean_absolute_error": metric(14.37), "mean_absolute_error_usual": metric(19.9),
        "deviance": metric(11.9), "deviance_usual": metric(17.3), "total_ratio": metric(1.06),
        "decile_error": metric(0.1), "top_decile_share": metric(0.57),
        "groups": [
            {"n": 300, "mean_expected": 2.0, "mean_value": 1.5, "low": 1.0, "high": 2.0},
            {"n": 300, "mean_expected": 1234.5, "mean_value": 1300.0, "low": 1100.0, "high": 1500.0},
        ],
    },
}  # fmt: skip


def test_a_card_of_a_value_prediction_shows_expected_values(warehouse):
    written = {"outcome": {"event": HOSTILE, "sum_of": "amount"}, "horizon_days": 7}
    warehouse.execute("update prediction_definitions set definition = ?", [json.dumps(written)])
    warehouse.execute(
        "create table predictions as select 'buys' as prediction, 'm1' as model_id, 0.22 as probability, "
        "9.75 as expected_value"
    )
    warehouse.execute(
        "create table value_report as select 'buys' as prediction, 'matured' as kind, "
        "null as group_number, null as model_id, 900 as n_users, 10.5 as mean_expected_value, "
        "11.25 as mean_value, 9.5 as value_low, 13e0 as value_high"
    )
    card = model_card(warehouse, replace(MODEL, metrics=VALUE_METRICS))
    for words in (
        "For each user in the starting cohort: the expected value of **the sum of “amount” over “",
        "Their sum over all users is **106%** of the observed sum",
        "The mean error of one user is 14.37; with the same mean for all users it is 19.9.",
        "had **57%** of the observed sum",
        "| 300 | 1,234 | 1,300 | 1,100 to 1,500 |",
        "- matured, 900 users: 10.5 expected per user, 11.25 observed \\[9.5, 13\\].",
        "| average_amount ✓ | 11.5000 | factor |",
        "the deviance is 0.0100 worse",
        "| 2026-01-08 00:00 | 1,000 | 25.00% | 12.5 |",
        "The mean expected value is 9.75; the mean value of the training rows\nwas 12.25.",
        "- An expected value is a mean over all that may happen",
    ):
        assert words in card, (words, card)
    assert card.count("data:image/png;base64,") == 2
