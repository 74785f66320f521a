"""A day and the hour after it, from raw events to published predictions, in one process."""

from datetime import timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from dagster_foretell import resources
from dagster_foretell.build import build_definitions
from foretell.pipeline.dbt import build_arguments
from foretell.settings import read_settings
from tests.conftest import write_events
from tests.shop import START, shop_events

WEEKS, USERS = 10, 240
DEFINITIONS = """
exposures:
  - name: buys
    label: Will buy within a week
    type: ml
    owner: {name: test}
    depends_on: [ref('predictions')]
    config: {meta: {prediction: {outcome: {event: purchase}, horizon_days: 7}}}
  - name: buys_a_lot
    label: Will buy a hundred times within a week
    type: ml
    owner: {name: test}
    depends_on: [ref('predictions')]
    config: {meta: {prediction: {outcome: {event: purchase, at_least: 100}, horizon_days: 7}}}
  - name: orders
    label: How often within a week
    type: ml
    owner: {name: test}
    depends_on: [ref('predictions')]
    config: {meta: {prediction: {outcome: {event: purchase, count: true}, horizon_days: 7}}}
"""


def query(path: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set search_path = 'w.foretell,w.foretell_internal'")
        return connection.execute(sql).fetchall()


def without_data_tests(variables: dict) -> list[str]:
    return [*build_arguments(variables), "--exclude-resource-type", "test"]


def steps(result: dg.ExecuteInProcessResult) -> list[str]:
    return [e.step_key for e in result.all_events if e.event_type_value == "STEP_SUCCESS"]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """Run daily, let an hour pass in which two users do something, run hourly."""
    folder = tmp_path_factory.mktemp("pipeline")
    (folder / "definitions").mkdir()
    (folder / "definitions/shop.yml").write_text(DEFINITIONS)
    write_events(folder / "events_1.parquet", shop_events(users=USERS, weeks=WEEKS))
    settings = read_settings(
        {
            "FORETELL_EVENTS": "events_*.parquet",
            "FORETELL_WAREHOUSE": "w.duckdb",
            "FORETELL_PREDICTIONS": "definitions",
        },
        folder=folder,
    )
    defs = build_definitions(settings, target=folder / "target")
    daily = defs.resolve_job_def("daily").execute_in_process()
    after_daily = query(
        folder / "w.duckdb",
        "select user_id, probability from predictions where prediction = 'buys'",
    )
    later = (START + timedelta(weeks=WEEKS, days=3, minutes=10)).isoformat()
    again = [{"user_id": user, "event_name": "view", "event_time": later} for user in ("u0", "u1")]
    end = (START + timedelta(weeks=WEEKS, days=3, hours=1, minutes=5)).isoformat()
    again.append({"user_id": "u2", "event_name": "view", "event_time": end})
    write_events(folder / "events_2.parquet", again)
    with pytest.MonkeyPatch.context() as patch:  # dbt's data tests ran in daily: saves 12 s
        patch.setattr(resources, "build_arguments", without_data_tests)
        hourly = defs.resolve_job_def("hourly").execute_in_process()
    return folder, daily, after_daily, hourly


def test_an_hour_before_the_first_day_names_the_job_to_run(pipeline, tmp_path):
    folder, *_ = pipeline
    settings = read_settings(
        {"FORETELL_EVENTS": str(folder / "events_*.parquet"), "FORETELL_WAREHOUSE": "new.duckdb"},
        folder=tmp_path,
    )
    defs = build_definitions(settings, target=folder / "target")
    hourly = defs.resolve_job_def("hourly").execute_in_process(raise_on_error=False)
    assert not hourly.success
    (failed,) = [e for e in hourly.all_events if e.event_type_value == "STEP_FAILURE"]
    message = failed.event_specific_data.error.message
    assert "no run has finished yet; the job daily builds its tables again: run it once" in message


def test_daily_runs_the_pipeline_in_order(pipeline):
    _, daily, _, _ = pipeline
    done = steps(daily)
    assert done[0] == "build_warehouse"
    assert sorted(done[1:4]) == ["models__buys", "models__buys_a_lot", "models__orders"]
    assert sorted(done[4:7]) == ["scores__buys", "scores__buys_a_lot", "scores__orders"]
    assert done[7:] == ["build_predictions", "predictions_are_whole", "published"]


def test_daily_scores_every_user(pipeline):
    _, _, after_daily, _ = pipeline
    assert len(after_daily) == USERS
    probability = dict(after_daily)
    buyers = [p for user, p in probability.items() if int(user[1:]) % 3 == 0]
    others = [p for user, p in probability.items() if int(user[1:]) % 3 != 0]
    assert min(buyers) > max(others)


def test_too_little_data_is_a_warning_and_stops_nobody(pipeline):
    folder, daily, _, _ = pipeline
    ((status, reason),) = query(
        folder / "w.duckdb", "select status, reason from models where prediction = 'buys_a_lot'"
    )
    assert status == "rejected"
    assert "0 positives" in reason
    (event,) = [e for e in daily.asset_materializations_for_node("models__buys_a_lot")]
    assert event.metadata["Status"].value == f"rejected: {reason}"
    checks = {(c.asset_key.to_user_string(), c.check_name): c for c in check_evaluations(daily)}
    failed = {key for key, check in checks.items() if not check.passed}
    model = "models/buys_a_lot"
    assert failed == {(model, name) for name in ("model_accepted", "onnx_parity", "calibration")}
    assert {checks[key].severity for key in failed} == {dg.AssetCheckSeverity.WARN}


def test_a_model_shows_what_people_ask_for(pipeline):
    _, daily, _, _ = pipeline
    (event,) = daily.asset_materializations_for_node("models__buys")
    shown = {name: value.value for name, value in event.metadata.items()}
    assert shown["Status"] == "champion"
    assert 0.5 < shown["AUROC"] <= 1
    assert "lightgbm" in shown["Which models were tried?"]
    assert "data:image/png;base64," in shown["Is it right? As a picture"]
    assert "| ████████ |" in shown["Which inputs matter most?"]
    assert shown["Is it better than the previous champion?"].startswith("Promoted: the first model")
    assert shown["Summary"] in shown["Model card"]
    assert "## Limits" in shown["Model card"]


def test_every_prediction_has_a_published_card(pipeline):
    folder, _, _, _ = pipeline
    cards = {path.name: path.read_text() for path in (folder / "w_published/cards").iterdir()}
    assert sorted({name.split(".")[0] for name in cards}) == ["buys", "buys_a_lot", "orders"]
    assert len(cards) == 6
    assert "### Expected values" in cards["orders.md"]
    assert "### Expected values" not in cards["buys.md"]
    assert "The mean probability of 240 users now is" in cards["buys.md"]
    assert "## No model" in cards["buys_a_lot.md"]


def test_hourly_scores_users_active_since_the_day_and_trains_nothing(pipeline):
    folder, _, _, hourly = pipeline
    rows = shop_events(users=USERS, weeks=WEEKS)
    last_hour = max(row["event_time"] for row in rows)[:13]  # as of its start daily scored
    since = {row["user_id"] for row in rows if row["event_time"] >= last_hour} | {"u0", "u1"}
    assert len(since) < USERS / 4
    assert not [step for step in steps(hourly) if step.startswith("models__")]
    scored = "select user_id from prediction_history where as_of = (select as_of from stg_as_of)"
    of_one = f"{scored} and prediction = 'buys' order by 1"
    assert query(folder / "w.duckdb", of_one) == [(user,) for user in sorted(since)]
    assert query(folder / "w.duckdb", "select count(*) from models") == [(3,)]
    served = "select count(*), count(distinct user_id) from predictions where prediction = 'buys'"
    assert query(folder / "w.duckdb", served) == [(USERS, USERS)]


def test_every_user_has_an_expected_number(pipeline):
    folder, daily, _, _ = pipeline
    rows = query(
        folder / "w.duckdb",
        "select user_id, probability, expected_value from predictions where prediction = 'orders'",
    )
    assert len(rows) == USERS
    # A buyer looks in every third day, and buys four times in ten.
    buyers = [expected for user, _, expected in rows if int(user[1:]) % 3 == 0]
    assert sum(buyers) / len(buyers) == pytest.approx(0.4 * 7 / 3, rel=0.25)
    assert max(e for user, _, e in rows if int(user[1:]) % 3) < min(buyers)
    assert query(
        folder / "w.duckdb",
        "select distinct expected_value is null from predictions where prediction = 'buys'",
    ) == [(True,)]
    (event,) = daily.asset_materializations_for_node("models__orders")
    shown = {name: value.value for name, value in event.metadata.items()}
    assert 0.5 < shown["Total expected value / observed"] < 1.5
    assert "data:image/png;base64," in shown["Are the amounts right? As a picture"]
    assert "How much worse (deviance)" in shown["Which inputs matter most?"]


def test_the_report_of_values_is_of_held_out_users_and_published(pipeline):
    folder, _, _, _ = pipeline
    with duckdb.connect(str(folder / "w_published.duckdb"), read_only=True) as published:
        whole, *groups = published.execute(
            "select prediction, kind, group_number, n_users, mean_expected_value, mean_value "
            "from foretell.value_report order by group_number nulls first"
        ).fetchall()
    assert whole[:3] == ("orders", "held out", None)
    assert sum(group[3] for group in groups) == whole[3] > 20
    assert sum(group[3] * group[5] for group in groups) == pytest.approx(whole[3] * whole[5])
    assert groups[-1][5] > whole[5]


def test_readers_get_what_the_hour_made(pipeline):
    folder, _, _, _ = pipeline
    with duckdb.connect(str(folder / "w_published.duckdb"), read_only=True) as published:
        read = published.execute(
            "select user_id, probability from foretell.predictions order by all"
        ).fetchall()
    assert read == query(
        folder / "w.duckdb", "select user_id, probability from predictions order by all"
    )


def check_evaluations(result: dg.ExecuteInProcessResult) -> list[dg.AssetCheckEvaluation]:
    return [
        event.asset_check_evaluation_data
        for event in result.all_events
        if event.event_type_value == "ASSET_CHECK_EVALUATION"
    ]
