"""Cohorts and labels of random definitions equal those of a plain Python loop over the raw events."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import yaml

from tests.conftest import dbt, query, write_events
from tests.random_events import START, accepted, hour, number, random_events, resolve

NOW = hour(START + timedelta(days=63))
EVENTS = ["any", "open", "view", "cart", "purchase", "null", "a.b/c~d", "'; drop table users; --"]
N_DEFINITIONS = 40


def random_definition(rng: random.Random) -> dict[str, Any]:
    """Return a definition that uses every key now and then."""
    definition = {
        "outcome": _outcome(rng),
        "horizon_days": rng.choice([1, 7, 10]),
    }
    if rng.random() < 0.9:
        definition["cohort"] = [_node(rng, 2) for _ in range(rng.choice([1, 1, 2]))]
    if rng.random() < 0.3:
        definition["anonymous"] = rng.random() < 0.3
    return definition


def _node(rng: random.Random, depth: int) -> dict[str, Any]:
    if depth and rng.random() < 0.5:
        key = rng.choice(["any_of", "any_of", "none_of", "all_of"])
        return {key: [_node(rng, depth - 1) for _ in range(rng.choice([1, 2, 2, 3]))]}
    if rng.random() < 0.25:
        return {"user": _user(rng)}
    condition = _counted(rng)
    if rng.random() < 0.5:
        condition["within_days"] = rng.choice([1, 7, 20])
    elif rng.random() < 0.5:
        to_days = rng.choice([0, 3, 20])
        condition |= {"to_days_ago": to_days, "from_days_ago": to_days + rng.choice([1, 14])}
    return condition | ({"user": _user(rng)} if rng.random() < 0.1 else {})


def _counted(rng: random.Random) -> dict[str, Any]:
    condition: dict[str, Any] = {"event": rng.choice(EVENTS)}
    if rng.random() < 0.2 and condition["event"] != "any":
        condition["event"] = sorted({condition["event"], "view"})
    if rng.random() < 0.4:
        condition["where"] = rng.choice(
            [
                {"category": "shoes"},
                {"category": ["it's", "hats"], "gift": True},
                {"amount": {"at_least": 30}},
                {"amount": {"at_least": -5.5, "at_most": 60}, "category": "hats"},
            ]
        )
    if rng.random() < 0.25:
        bound = rng.choice([{"at_least": 80}, {"at_most": 20.5}, {"at_least": 5, "at_most": 90}])
        return condition | {"sum_of": "amount"} | bound
    bounds = [
        {},
        {"at_least": 2},
        {"at_most": 1},
        {"at_least": 1, "at_most": 3},
        {"not_done": True},
    ]
    return condition | rng.choice(bounds)


def _user(rng: random.Random) -> dict[str, Any]:
    return {"plan": rng.choice(["pro", ["free", 'o"dd']])}


def _outcome(rng: random.Random) -> dict[str, Any]:
    if rng.random() < 0.2:
        return {"user": _user(rng)} | ({"not_done": True} if rng.random() < 0.3 else {})
    outcome = _counted(rng)
    if rng.random() < 0.3:
        for key in ("at_least", "at_most", "not_done"):
            outcome.pop(key, None)
        return outcome if "sum_of" in outcome else outcome | {"count": True}
    if not {"not_done", "at_most", "sum_of"} & outcome.keys() and rng.random() < 0.5:
        outcome["first_time"] = True
    return outcome


class Users:
    """Everybody and what they did before an hour, as known then."""

    def __init__(self, rows: list[dict[str, Any]], as_of_hour: int) -> None:
        self.as_of = as_of_hour
        as_of = datetime(1970, 1, 1) + timedelta(hours=as_of_hour)
        events = [dict(event) for event in accepted(rows) if event["at"] < as_of]
        resolve(events, as_of)
        self.events, self.belongs, stated = defaultdict(list), {}, {}
        for event in sorted(events, key=lambda event: event["at"]):
            self.events[event["user"]].append(event)
            identity = event["user_id"] or "device:" + event["device_id"]
            self.belongs[identity] = event["user"]
            if event["user_properties"]:
                stated[identity, hour(event["at"])] = (
                    event["at"],
                    event["user_properties"]["plan"],
                )
        # Of several statements of one identity within an hour the last one counts.
        self.stated = defaultdict(list)
        for (identity, at_hour), (at, plan) in stated.items():
            self.stated[self.belongs[identity]].append((at, at_hour, plan))

    def total(self, user: str, condition: dict[str, Any], first: int, last: int) -> Decimal:
        names = condition["event"] if isinstance(condition["event"], list) else [condition["event"]]
        found = [
            event
            for event in self.events[user]
            if first <= hour(event["at"]) < last
            and (names == ["any"] or event["event_name"] in names)
            and _matches(event["event_properties"] or {}, condition.get("where", {}))
        ]
        if "sum_of" not in condition:
            return Decimal(len(found))
        amounts = [number((e["event_properties"] or {}).get(condition["sum_of"])) for e in found]
        return sum((amount for amount in amounts if amount is not None), Decimal(0))

    def holds(self, user: str, node: dict[str, Any]) -> bool:
        for key, combine in (("all_of", all), ("any_of", any)):
            if key in node:
                return combine(self.holds(user, child) for child in node[key])
        if "none_of" in node:
            return not any(self.holds(user, child) for child in node["none_of"])
        if "user" in node:
            stated = sorted(self.stated[user])
            if not stated or not _is_one_of(stated[-1][2], node["user"]["plan"]):
                return False
            if "event" not in node:
                return True
        days = node.get("from_days_ago", node.get("within_days"))
        first = 0 if days is None else self.as_of - 24 * days
        last = self.as_of - 24 * node.get("to_days_ago", 0)
        return _in_bounds(self.total(user, node, first, last), node)


def _in_bounds(total: Decimal, condition: dict[str, Any]) -> bool:
    if condition.get("not_done"):
        return total == 0
    low = condition.get("at_least", None if "at_most" in condition else 1)
    high = condition.get("at_most")
    return (low is None or total >= Decimal(str(low))) and (
        high is None or total <= Decimal(str(high))
    )


def _is_one_of(value: object, given: object) -> bool:
    return value in (given if isinstance(given, list) else [given])


def _matches(properties: dict[str, Any], where: dict[str, Any]) -> bool:
    for name, given in where.items():
        if not isinstance(given, dict):
            if not _is_one_of(properties.get(name), given):
                return False
            continue
        value = number(properties.get(name))
        if value is None or not (
            given.get("at_least", value) <= value <= given.get("at_most", value)
        ):
            return False
    return True


def expected_cohort(users: Users, definition: dict[str, Any]) -> set[str]:
    outcome = definition["outcome"]
    nodes = list(definition.get("cohort", [{"event": "any", "within_days": 56}]))
    if outcome.get("first_time"):
        nodes.append(
            {"event": outcome["event"], "where": outcome.get("where", {}), "not_done": True}
        )
    if "user" in outcome:
        nodes.append({"none_of": [{"user": outcome["user"]}]})
    return {
        user
        for user in list(users.events)
        if (definition.get("anonymous", True) or not user.startswith("device:"))
        and all(users.holds(user, node) for node in nodes)
    }


def is_value(outcome: dict[str, Any]) -> bool:
    bounds = {"at_least", "at_most"} & outcome.keys()
    return bool(outcome.get("count") or ("sum_of" in outcome and not bounds))


def expected_label(
    user: str, later: Users, outcome: dict[str, Any], as_of: int
) -> tuple[int, float | None]:
    person = later.belongs[user]
    if "user" not in outcome:
        total = later.total(person, outcome, as_of, later.as_of)
        if is_value(outcome):
            return int(total > 0), float(max(total, Decimal(0)))
        return int(_in_bounds(total, outcome)), None
    changes = [
        plan
        for _, at_hour, plan in later.stated[person]
        if as_of <= at_hour and _is_one_of(plan, outcome["user"]["plan"])
    ]
    return int(_in_bounds(Decimal(len(changes)), outcome)), None


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("definitions")
    rng = random.Random(11)
    definitions = {f"p{n}": random_definition(rng) for n in range(N_DEFINITIONS)}
    exposures = [
        {"name": name, "type": "ml", "owner": {"name": "t"}, "depends_on": ["ref('predictions')"],
         "config": {"meta": {"prediction": definition}}}
        for name, definition in definitions.items()
    ]  # fmt: skip
    (folder / "p").mkdir()
    (folder / "p/random.yml").write_text(yaml.safe_dump({"exposures": exposures}))
    rows = random_events(6, n_users=60, n_events=3000)
    environment = {
        "FORETELL_EVENTS": str(write_events(folder / "events.parquet", rows)),
        "FORETELL_PREDICTIONS": str(folder / "p"),
        "FORETELL_WAREHOUSE": str(folder / "warehouse.duckdb"),
        "FORETELL_AS_OF": "2026-03-05T00:00",
    }
    command = ["run", "--select", "+scoring_rows", "+training_rows", "--vars", "{max_snapshots: 2}"]
    done = dbt(command, environment, folder)
    assert done.returncode == 0, done.stdout[-3000:]
    return rows, definitions, folder / "warehouse.duckdb"


def test_cohorts_now_equal_the_plain_loop(case):
    rows, definitions, warehouse = case
    users, found = Users(rows, NOW), defaultdict(set)
    for name, user in query(warehouse, "select prediction, user_id from scoring_rows"):
        found[name].add(user)
    expected = {name: expected_cohort(users, each) for name, each in definitions.items()}
    for name, cohort in expected.items():
        assert found[name] == cohort, definitions[name]
    sizes = sorted(len(cohort) / len(users.events) for cohort in expected.values())
    assert sum(0.05 < size < 0.95 for size in sizes) > 12, sizes


def test_training_rows_equal_the_plain_loop(case):
    rows, definitions, warehouse = case
    found = defaultdict(dict)
    sql = "select prediction, as_of_hour, user_id, label, value from training_rows"
    for name, as_of, user, label, value in query(warehouse, sql):
        found[name, as_of][user] = (label, value)
    known: dict[int, Users] = {}
    labels, values = [], []
    for (name, as_of), got in sorted(found.items()):
        to_hour = as_of + 24 * definitions[name]["horizon_days"]
        for at in (as_of, to_hour):
            known.setdefault(at, Users(rows, at))
        outcome = definitions[name]["outcome"]
        expected = {
            user: expected_label(user, known[to_hour], outcome, as_of)
            for user in expected_cohort(known[as_of], definitions[name])
        }
        assert got == expected, definitions[name]
        labels += [label for label, _ in expected.values()]
        values += [value for _, value in expected.values() if value is not None]
    assert len(found) > N_DEFINITIONS
    assert len(set(values)) > 20
    assert 0.1 < sum(labels) / len(labels) < 0.9
