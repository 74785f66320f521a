"""Cases 15, 16 and 17 of issue 33 and their cousins, from events to scores and alarms."""

from __future__ import annotations

import pytest

from foretell.alarms.alarms import current_alarms
from foretell.check_predictions import check_warehouse
from foretell.learn.candidates import Candidate
from foretell.learn.families.constant import ConstantClassifier
from foretell.learn.families.linear import LinearClassifier
from foretell.learn.train import TrainSettings
from foretell.pipeline.registry import find_champion, find_newest
from foretell.pipeline.score_counts import count_scores
from foretell.pipeline.train_prediction import train_predictions
from foretell.report.card import model_card
from foretell.run import score_champions, select_predictions
from foretell.warehouse.open import open_warehouse
from tests.conftest import AFTER_SCORING, WarehouseFolder, write_events
from tests.e2e.case_events import changed_shop, closing_shop, exposures

ROWS_AT_A_TIME = 20_000  # of 45,000 events: some blocks
SETTINGS = TrainSettings(
    portfolio=(
        Candidate("base_rate", ConstantClassifier()),
        Candidate("logistic", LinearClassifier()),
    ),
    n_resamples=20,
)
VIEWERS = "cohort: [{event: view, within_days: 28}]"
CHANGED = {
    "renamed_old": f"outcome: {{event: purchase}}, horizon_days: 7, {VIEWERS}",
    "renamed_both": f"outcome: {{event: [purchase, order_completed]}}, horizon_days: 7, {VIEWERS}",
    "renamed_value": f"outcome: {{event: view, where: {{category: a}}}}, horizon_days: 7, {VIEWERS}",
    "renamed_sum": f"outcome: {{event: purchase, sum_of: amount}}, horizon_days: 7, {VIEWERS}",
    "renamed_not_done": f"outcome: {{event: purchase, not_done: true}}, horizon_days: 7, {VIEWERS}",
    "renamed_first": f"outcome: {{event: purchase, first_time: true}}, horizon_days: 7, {VIEWERS}",
    "dead_plan": f"outcome: {{user: {{plan: trial}}}}, horizon_days: 7, {VIEWERS}",
    "launched": f"outcome: {{event: subscribe_plus}}, horizon_days: 7, {VIEWERS}",
    "not_launched": f"outcome: {{event: subscribe_plus, not_done: true}}, horizon_days: 7, {VIEWERS}",
    "renamed_part": f"outcome: {{event: [purchase, open]}}, horizon_days: 7, {VIEWERS}",
    "rare": f"outcome: {{event: refund}}, horizon_days: 7, {VIEWERS}",
    "opens": f"outcome: {{event: open}}, horizon_days: 7, {VIEWERS}",
}
GONE = {
    "renamed_old",
    "renamed_value",
    "renamed_sum",
    "renamed_not_done",
    "renamed_first",
    "dead_plan",
}
CLOSES = {
    "closes": "outcome: {event: account_closed, first_time: true}, horizon_days: 14, "
    "cohort: [{event: view, within_days: 56}]"
}


def learn_and_score(path, accepted=()):
    """Train and score everything; return alarms by prediction, mean probabilities, and lines."""
    lines: list[str] = []
    with open_warehouse(path) as warehouse:
        names = select_predictions(warehouse)
        train_predictions(warehouse, names, lines.append, SETTINGS, accepted)
        score_champions(warehouse, names, lines.append, accepted=accepted)
        means = warehouse.rows(
            "select prediction, avg(probability) as p from prediction_history group by prediction"
        )
        alarms: dict[str, list] = {name: [] for name in names}
        for alarm in current_alarms(warehouse):
            alarms[alarm.prediction].append(alarm)
    return alarms, {row["prediction"]: row["p"] for row in means}, lines


@pytest.fixture(scope="module")
def changed(warehouse_of):
    """Return the warehouse of the shop that changed, learned from and scored."""
    path = warehouse_of(
        changed_shop(), definitions=exposures(CHANGED), rows_at_a_time=ROWS_AT_A_TIME
    )
    return path, *learn_and_score(path)


@pytest.fixture
def closed(warehouse_of):
    """Return a function that builds the warehouse of the shop that users leave."""

    def make(is_overwritten):
        events = closing_shop(is_overwritten=is_overwritten)
        return warehouse_of(events, definitions=exposures(CLOSES), rows_at_a_time=ROWS_AT_A_TIME)

    return make


def test_what_is_gone_is_refused_with_since_when_and_the_new_name(changed):
    _, alarms, means, lines = changed
    held = {name for name, own in alarms.items() if any(alarm.is_held_back for alarm in own)}
    assert held == GONE
    assert not held & means.keys()
    (old,) = alarms["renamed_old"]
    assert old.kind == "outcome_gone"
    assert old.message.startswith("“purchase” was last seen on 2026-04-1")
    assert ", 45 days before as_of" in old.message
    assert "“order_completed” began on 2026-04-17 with " in old.message
    (value,) = alarms["renamed_value"]
    assert "“view” with “category” = “A” began on 2026-04-17" in value.message
    (plan,) = alarms["dead_plan"]
    assert plan.message.startswith("“plan” = “trial” was last seen on 2026-04-2")
    assert "began" not in plan.message
    assert any(line.startswith("renamed_old: held back, “purchase” was last") for line in lines)


def test_a_launch_teaches_only_from_its_first_hour_on(changed):
    """A tenth of all sessions has it: about one user in eight, in any week since."""
    _, alarms, means, _ = changed
    (began,) = [alarm for alarm in alarms["launched"] if alarm.kind == "outcome_began"]
    assert began.message.startswith("“subscribe_plus” began on 2026-05-22, 10 days before as_of")
    assert " 1 of " in began.message
    assert not began.is_held_back
    assert means["launched"] == pytest.approx(0.13, abs=0.025)
    assert means["not_launched"] == pytest.approx(1 - means["launched"], abs=0.01)


def test_one_of_several_events_that_was_renamed_is_reported_and_the_others_go_on(changed):
    _, alarms, means, _ = changed
    (part,) = [alarm for alarm in alarms["renamed_part"] if alarm.kind == "outcome_gone"]
    assert part.message.startswith("of its events “purchase” was last seen on 2026-04-1")
    assert "“order_completed” began on 2026-04-17" in part.message
    assert not part.is_held_back
    assert "renamed_part" in means


def test_what_was_always_there_raises_nothing(changed):
    _, alarms, means, _ = changed
    for name in ("renamed_both", "rare", "opens"):
        own = [alarm for alarm in alarms[name] if alarm.kind != "no_better_than_guessing"]
        assert own == [], name
    assert means["renamed_both"] == pytest.approx(0.19, abs=0.03)


def test_cards_checks_and_counts_say_so(changed):
    path = changed[0]
    with open_warehouse(path, read_only=True) as warehouse:
        card = model_card(warehouse, find_newest(warehouse, "renamed_old"))
        assert "**Held back.** “purchase” was last seen on 2026-04-1" in card
        launched = model_card(warehouse, find_champion(warehouse, "launched"))
        assert "**Warning.** “subscribe\\_plus” began on 2026-05-22" in launched.replace(
            "subscribe_plus", "subscribe\\_plus"
        )
        checks = {check.prediction: check for check in check_warehouse(warehouse)}
    assert checks["renamed_old"].is_held_back
    assert any("was last seen on 2026-04-1" in words for words in checks["renamed_old"].findings)
    assert any("began on 2026-05-22" in words for words in checks["launched"].findings)
    assert {name for name, check in checks.items() if check.is_held_back} == GONE


def test_accepted_it_goes_on_and_the_alarm_stays(changed):
    path = changed[0]
    alarms, means, _ = learn_and_score(path, accepted=["renamed_not_done"])
    assert [alarm.is_held_back for alarm in alarms["renamed_not_done"]][:1] == [False]
    assert "renamed_not_done" in means
    assert any(alarm.is_held_back for alarm in alarms["renamed_old"])


def test_older_scores_stay_while_an_outcome_is_gone(tmp_path):
    """As of two days after the renaming nobody can know; ten days later it is plain."""
    folder = WarehouseFolder(tmp_path, exposures({"renamed_old": CHANGED["renamed_old"]}))
    write_events(tmp_path / "events/e.parquet", changed_shop())
    build = ["--exclude", AFTER_SCORING]
    folder.dbt("everyone", build, as_of="2026-04-19T00:00")
    alarms, before, _ = learn_and_score(folder.path)
    assert alarms["renamed_old"] == []
    folder.dbt("everyone", ["--select", AFTER_SCORING], as_of="2026-04-19T00:00")
    shown = folder.query("select user_id, probability, as_of from predictions order by all")

    folder.dbt("everyone", build, as_of="2026-04-29T00:00")
    alarms, after, _ = learn_and_score(folder.path)
    assert alarms["renamed_old"][0].is_held_back
    assert after == before
    folder.dbt("everyone", ["--select", AFTER_SCORING], as_of="2026-04-29T00:00")
    still = folder.query("select user_id, probability, as_of from predictions order by all")
    assert still
    assert set(still) <= set(shown)  # users who left are not shown, new ones have no score yet
    assert len(still) > 0.8 * len(shown)
    with open_warehouse(folder.path, read_only=True) as warehouse:
        counts = count_scores(warehouse)["renamed_old"]
    assert counts.is_one_row_per_user  # nobody's row is expected


def test_a_property_from_the_future_is_left_out_and_the_rate_is_right(closed):
    path = closed(is_overwritten=True)
    alarms, means, _ = learn_and_score(path)
    kinds = {alarm.kind for alarm in alarms["closes"]}
    assert "written_afterwards" in kinds
    assert "expected_outcomes" not in kinds
    (future,) = [alarm for alarm in alarms["closes"] if alarm.kind == "written_afterwards"]
    assert "“account_status” knows the future" in future.message
    with open_warehouse(path, read_only=True) as warehouse:
        champion = find_champion(warehouse, "closes")
        assert "account\\_status" in model_card(warehouse, champion).replace(
            "account_status", "account\\_status"
        )
        (newest,) = warehouse.rows(
            "select outcome_rate from labels_rates where purpose = 'training' "
            "order by as_of desc limit 1"
        )
    assert {row["group"] for row in champion.metrics["quarantined"]} == {"account_status"}
    assert means["closes"] == pytest.approx(newest["outcome_rate"], rel=0.25)


def test_a_property_that_is_written_when_it_happens_stays(closed):
    path = closed(is_overwritten=False)
    alarms, _, _ = learn_and_score(path)
    assert "written_afterwards" not in {alarm.kind for alarm in alarms["closes"]}
