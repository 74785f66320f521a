"""The features of the SQL equal those of a plain Python loop over the raw events."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

import pytest

from tests.conftest import query
from tests.random_events import START, random_events, standing_for

AS_OF = START + timedelta(days=63)
WEEKS = 8


def hour(time: datetime) -> int:
    return int((time - datetime(1970, 1, 1)).total_seconds() // 3600)


def accepted(rows: list[dict]) -> list[dict]:
    """Each event once: by id, or by content where there is none."""
    seen, kept = set(), []
    for row in rows:
        content = json.dumps(row, sort_keys=True, default=str)
        key = row["event_id"] or content
        if key not in seen:
            seen.add(key)
            kept.append({**row, "at": datetime.fromisoformat(row["event_time"])})
    return kept


def resolve(events: list[dict], as_of: datetime) -> None:
    """A device belongs to the first user seen on it, once that hour is over before as_of.

    Merged users are one, also those of the hour before as_of.
    """
    owners: dict[str, tuple[datetime, str]] = {}
    users = {event["user_id"] for event in events if event["user_id"]}
    merges = []
    for event in events:
        for device in (event["device_id"], event["previous_id"]):
            if event["user_id"] and device:
                first = (event["at"], event["user_id"])
                owners[device] = min(owners.get(device, first), first)
        if event["user_id"] and event["previous_id"] in users - {event["user_id"]}:
            merges.append((event["previous_id"], event["user_id"]))
    belongs = standing_for(merges)
    assert len(belongs) > 5
    for event in events:
        owner = owners.get(event["device_id"])
        event["user"] = event["user_id"] or "device:" + event["device_id"]
        if not event["user_id"] and owner and hour(owner[0]) < hour(as_of):
            event["user"] = owner[1]
        event["user"] = belongs.get(event["user"], event["user"])


def number(value: object) -> Decimal | None:
    try:
        return Decimal(str(value)) if not isinstance(value, bool) and value is not None else None
    except InvalidOperation:
        return None


def expected_features(rows: list[dict], as_of: datetime) -> dict[tuple, float]:
    """Return (user, kind, event, property, value, week) -> value by the definitions in words."""
    events = [event for event in accepted(rows) if event["at"] < as_of]
    resolve(events, as_of)
    out: dict[tuple, float] = defaultdict(float)
    ages = defaultdict(list)
    for event in events:
        user, name, age = event["user"], event["event_name"], hour(as_of) - hour(event["at"])
        week = (age - 1) // 168
        ages[user, None].append(age)
        out[user, "event_count_ever", None, None, None, None] += 1
        out[user, "event_count_ever", name, None, None, None] += 1
        ages[user, name].append(age)
        if week < WEEKS:
            out[user, "event_count", None, None, None, week] += 1
            out[user, "event_count", name, None, None, week] += 1
        for key, value in (event["event_properties"] or {}).items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            if value is not None and week < WEEKS:
                out[user, "value_count", name, key, text, week] += 1
            if number(value) is not None:
                out[user, "value_sum_ever", name, key, None, None] += float(number(value))
                if week < WEEKS:
                    out[user, "value_sum", name, key, None, week] += float(number(value))
    for (user, name), seen in ages.items():
        out[user, "hours_since_last", name, None, None, None] = min(seen)
        out[user, "hours_since_first", name, None, None, None] = max(seen)
        recent = [age - 1 for age in seen if age <= 168 * WEEKS]
        if name is None:
            for suffix, hours in (("", recent), ("_ever", [age - 1 for age in seen])):
                days, weeks = {age // 24 for age in hours}, {age // 168 for age in hours}
                out[user, "active_days" + suffix, None, None, None, None] = len(days)
                out[user, "active_weeks" + suffix, None, None, None, None] = len(weeks)
    return out


@pytest.fixture(scope="module")
def case(warehouse_of):
    rows = random_events(3)
    warehouse = warehouse_of(rows, AS_OF.isoformat())
    got = query(
        warehouse,
        f"""
        select user_id, kind, event_name, property, features.value, week, user_features.value
        from user_features join features using (feature_id)
        where as_of = '{AS_OF}'
        """,
    )
    cohort = {user for (user,) in query(warehouse, "select user_id from scoring_rows")}
    catalogue = set(
        query(warehouse, "select kind, event_name, property, value, week from features")
    )
    return rows, {row[:6]: row[6] for row in got}, cohort, catalogue


def test_every_feature_equals_the_plain_loop(case):
    rows, got, cohort, catalogue = case
    wanted = {
        key: value
        for key, value in expected_features(rows, AS_OF).items()
        if key[0] in cohort and key[1:] in catalogue and abs(value) > 1e-9
    }
    got = {key: value for key, value in got.items() if not key[1].startswith("user_property")}
    assert wanted.keys() == got.keys()
    assert [got[key] for key in wanted] == pytest.approx(list(wanted.values()), rel=1e-5)


def test_every_kind_of_feature_is_covered(case):
    _, got, _, _ = case
    assert {key[1] for key in got} == {
        "event_count", "value_count", "value_sum", "hours_since_last", "hours_since_first",
        "active_days", "active_weeks", "active_days_ever", "active_weeks_ever",
        "event_count_ever", "value_sum_ever", "user_property_last", "user_property_first",
    }  # fmt: skip


def test_last_user_property_is_the_newest_known(case):
    rows, got, cohort, _ = case
    events = [event for event in accepted(rows) if event["at"] < AS_OF]
    resolve(events, AS_OF)
    newest: dict[str, tuple] = {}
    for event in events:
        if event["user_properties"]:
            stated = (event["at"], event["user"], event["user_properties"]["plan"])
            newest[event["user"]] = max(newest.get(event["user"], stated), stated)
    for user, (_, _, plan) in newest.items():
        if user in cohort:
            assert got.get((user, "user_property_last", None, "plan", plan, None)) == 1
