"""A wrong definition stops everything at the start, naming file, prediction, key and nearest name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner

from foretell.pipeline.dbt import MARK
from foretell.project import PACKAGE
from tests.conftest import write_events

EVENTS = [
    {"event_id": str(n), "user_id": f"u{n % 3}", "event_name": name, "event_time": f"2026-01-0{1 + n}T00:00:00",
     "event_properties": {"category": "shoes"}, "user_properties": {"plan": "pro"}}
    for n, name in enumerate(["purchase", "open", "it's {{ 1/0 }}", "open"])
]  # fmt: skip


@pytest.fixture(scope="module")
def refusal(tmp_path_factory):
    """Return a function from the text of a prediction to what dbt says, '' if it accepts."""
    folder: Path = tmp_path_factory.mktemp("definitions")
    write_events(folder / "events.parquet", EVENTS)
    named = {
        "FORETELL_EVENTS": str(folder / "events.parquet"),
        "FORETELL_PREDICTIONS": str(folder / "p"),
        "FORETELL_WAREHOUSE": str(folder / "w.duckdb"),
    }
    (folder / "p").mkdir()
    command = [
        "--no-use-colors",
        "run",
        "--project-dir",
        str(PACKAGE),
        "--profiles-dir",
        str(PACKAGE),
    ]
    command += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    before = dict(os.environ)
    os.environ.update(named)

    def run(prediction: str, select: str) -> str:
        (folder / "p/mine.yml").write_text(
            "exposures:\n  - {name: wrong, type: ml, owner: {name: t}, depends_on: [\"ref('predictions')\"],\n"
            f"     config: {{meta: {{prediction: {prediction}}}}}}}\n"
        )
        # With its parents: names of events are only known once the events are staged.
        result = dbtRunner().invoke([*command, "--select", select])
        text = str(result.exception or "")
        for node in result.result or []:
            text += str(node.message) if node.status == "error" else ""
        return text.split(MARK, 1)[1].splitlines()[0] if MARK in text else text

    yield run
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize(
    ("prediction", "parts"),
    [
        ("{outcome: {event: open}, horizon_day: 7}", ['unknown key "horizon_day"', '"horizon_days"']),
        ("{outcome: {event: open}}", ['key "horizon_days" is missing']),
        ("{horizon_days: 7}", ['key "outcome" is missing']),
        ("{outcome: {event: open}, horizon_days: 0}", ["horizon_days is 0", "from 1 to 3650"]),
        ("{outcome: {event: open}, horizon_days: soon}", ['horizon_days is "soon"']),
        ("{outcome: {event: open}, horizon_days: 7, budget: 5}", ["budget is 5", "{minutes: 5, memory_gb: 4}"]),
        ("{outcome: {event: open}, horizon_days: 7, budget: {minute: 5}}", ['key "minute"', '"minutes"']),
        ("{outcome: {event: open}, horizon_days: 7, budget: {memory_gb: 0}}", ["memory_gb is 0", "from 1 to 1024"]),
        ("{outcome: {event: open, at_leest: 2}, horizon_days: 7}", ["outcome", '"at_leest"', '"at_least"']),
        ("{outcome: {event: open, at_least: 3, at_most: 1}, horizon_days: 7}", ["at_least 3 is above at_most 1"]),
        ("{outcome: {event: open, not_done: true, at_least: 1}, horizon_days: 7}", ["not_done contradicts"]),
        ("{outcome: {event: open, within_days: 3}, horizon_days: 7}", ['unknown key "within_days"']),
        ("{outcome: {event: []}, horizon_days: 7}", ["event is []"]),
        ("{outcome: {event: open, where: {category: {a: 1}}}, horizon_days: 7}", ["where.category"]),
        ("{cohort: [], outcome: {event: open}, horizon_days: 7}", ["cohort is an empty list"]),
        ("{cohort: {event: open}, outcome: {event: open}, horizon_days: 7}", ["cohort must be a list"]),
        ("{cohort: [{within_days: 3}], outcome: {event: open}, horizon_days: 7}", ["neither event nor user"]),
        ("{cohort: [{event: open, within_days: -3}], outcome: {event: open}, horizon_days: 7}", ["within_days is -3"]),
        ("{cohort: [{any_off: []}], outcome: {event: open}, horizon_days: 7}", ['"any_off"', '"any_of"']),
        ("{cohort: [{any_of: [{event: open, at_least: 0}]}], outcome: {event: open}, horizon_days: 7}",
         ["cohort condition 1: any_of condition 1: at_least 0 holds for all users"]),
        ("{cohort: [{any_of: [{event: open}], event: open}], outcome: {event: open}, horizon_days: 7}",
         ["any_of must be the only key"]),
        ("{cohort: [{event: open, from_days_ago: 7, to_days_ago: 7}], outcome: {event: open}, horizon_days: 7}",
         ["from_days_ago 7 is not before to_days_ago 7"]),
        ("{cohort: [{event: open, within_days: 7, to_days_ago: 3}], outcome: {event: open}, horizon_days: 7}",
         ["within_days contradicts"]),
        ("{outcome: {event: open, count: true, at_least: 2}, horizon_days: 7}", ["count (how often) contradicts at_least"]),
        ("{outcome: {event: open, count: true, sum_of: amount}, horizon_days: 7}", ["contradicts sum_of"]),
        ("{outcome: {event: open, count: true, not_done: true}, horizon_days: 7}", ["contradicts not_done"]),
        ("{outcome: {user: {plan: pro}, count: true}, horizon_days: 7}", ["count needs an event to count"]),
        ("{outcome: {event: open, count: yes please}, horizon_days: 7}", ['count is "yes please"']),
        ("{cohort: [{event: open, count: true}], outcome: {event: open}, horizon_days: 7}", ['unknown key "count"']),
        ("{outcome: {event: open, sum_of: amount, at_least: 0}, horizon_days: 7}", ["at_least 0 of a sum"]),
        ("{outcome: {event: open, first_time: true, not_done: true}, horizon_days: 7}", ["first_time contradicts not_done"]),
        ("{outcome: {user: {plan: pro, level: 3}}, horizon_days: 7}", ["a change of one property"]),
        ("{outcome: {event: open, where: {amount: {above: 3}}}, horizon_days: 7}", ["where.amount", '"above"']),
        ("{outcome: {event: open}, horizon_days: 7, anonymous: maybe}", ['anonymous is "maybe"']),
        ("{outcome: {event: open}, horizon_days: 7, reasons: why}", ['reasons is "why"']),
    ],
)  # fmt: skip
def test_a_wrong_key_or_value_is_refused(refusal, prediction, parts):
    message = refusal(prediction, "prediction_definitions")
    for part in ["mine.yml: prediction wrong", *parts]:
        assert part in message, message


@pytest.mark.parametrize(
    ("prediction", "parts"),
    [
        ("{outcome: {event: purchas}, horizon_days: 7}", ['unknown event "purchas"', '"purchase"']),
        ("{cohort: [{event: [open, '''; drop table x; --']}], outcome: {event: open}, horizon_days: 7}",
         ["unknown event \"'; drop table x; --\""]),
        ("{outcome: {event: purchase, where: {categry: shoes}}, horizon_days: 7}",
         ['unknown property "categry"', '"category"']),
        ("{cohort: [{user: {plann: pro}}], outcome: {event: open}, horizon_days: 7}",
         ['unknown property "plann"', '"plan"']),
        ("{cohort: [{none_of: [{user: {plann: pro}}]}], outcome: {event: open}, horizon_days: 7}",
         ['cohort condition 1.1: unknown property "plann"', '"plan"']),
        ("{outcome: {user: {plann: pro}}, horizon_days: 7}", ['outcome: unknown property "plann"', '"plan"']),
        ("{outcome: {event: purchase, sum_of: prize, at_least: 5}, horizon_days: 7}",
         ['outcome: unknown property "prize"']),
    ],
)  # fmt: skip
def test_a_name_that_never_occurs_is_refused(refusal, prediction, parts):
    message = refusal(prediction, "+cohort_measure_counters")
    for part in ["mine.yml: prediction wrong", *parts]:
        assert part in message, message


@pytest.mark.parametrize(
    ("taxonomy", "parts"),
    [
        ("[{event: open}]", ["taxonomy must have pin or ban"]),
        ("{bann: [{event: open}]}", ['unknown key "bann"', '"ban"']),
        ("{ban: {event: open}}", ["ban must be a list"]),
        ("{ban: []}", ["ban is an empty list"]),
        ("{ban: [open]}", ['ban 1 is "open"']),
        ("{pin: [{event: open}, {evnt: open}]}", ['pin 2: unknown key "evnt"', '"event"']),
        ("{pin: [{event: open, value: x}]}", ["pin 1: value needs a property"]),
        ("{pin: [{user_property: plan, event: open}]}", ['unknown key "event"']),
        ("{pin: [{property: [a, b]}]}", ['property is ["a", "b"]']),
    ],
)
def test_a_wrong_pin_or_ban_is_refused(refusal, taxonomy, parts):
    prediction = f"{{outcome: {{event: open}}, horizon_days: 7}}, taxonomy: {taxonomy}"
    message = refusal(prediction, "prediction_taxonomy_rules")
    for part in ["mine.yml: exposure wrong: taxonomy", *parts]:
        assert part in message, message


def test_names_with_quotes_and_braces_are_accepted(refusal):
    name = "{% raw %}it''s {{ 1/0 }}{% endraw %}"
    assert (
        refusal(f"{{outcome: {{event: '{name}'}}, horizon_days: 7}}", "+cohort_measure_counters")
        == ""
    )
