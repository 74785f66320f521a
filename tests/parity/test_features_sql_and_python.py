"""The features of the SQL equal those of a plain Python loop over the raw events."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

import numpy as np
import pytest

from tests.conftest import SHOP, query
from tests.random_events import START, accepted, hour, number, random_events, resolve

AS_OF = START + timedelta(days=63)
WEEKS = 8
# What this asks about is a counter of its own: two event types, filtered, and what they come to.
SPENDS = """
  - name: spends
    type: ml
    owner: {name: test}
    depends_on: [ref('predictions')]
    config: {meta: {prediction: {
      outcome: {event: [purchase, cart], where: {category: [shoes, hats]}, sum_of: amount, at_least: 50},
      horizon_days: 10}}}
"""
SPENT = "purchase or cart where category is shoes or hats, amount"


def expected_features(rows: list[dict], as_of: datetime, catalogue: set) -> dict[tuple, float]:
    """Return (user, kind, event, property, value, week) -> value by the written definitions."""
    events = [event for event in accepted(rows) if event["at"] < as_of]
    resolve(events, as_of)
    out: dict[tuple, float] = defaultdict(float)
    ages, n_numbers = defaultdict(list), defaultdict(int)
    spent: dict[str, list[tuple[int, float]]] = defaultdict(list)
    bought: dict[str, list[int]] = defaultdict(list)
    for event in events:
        user, name, age = event["user"], event["event_name"], hour(as_of) - hour(event["at"])
        week = (age - 1) // 168
        given = event["event_properties"] or {}
        if name in ("purchase", "cart") and given.get("category") in ("shoes", "hats"):
            spent[user].append((age, float(number(given["amount"]))))
            ages[user, SPENT].append(age)
            out[user, "event_count_ever", SPENT, None, None, None] += 1
            if week < WEEKS:
                out[user, "event_count", SPENT, None, None, week] += 1
        if name == "purchase":
            bought[user].append(age)
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
                is_counted = ("value_count", name, key, text, week) in catalogue
                out[user, "value_count", name, key, text, week] += is_counted
                out[user, "other_count", name, key, None, week] += not is_counted
            if number(value) is not None:
                out[user, "value_sum_ever", name, key, None, None] += float(number(value))
                n_numbers[user, name, key] += 1
                if week < WEEKS:
                    out[user, "value_sum", name, key, None, week] += float(number(value))
    for (user, name, key), n in n_numbers.items():
        mean = out[user, "value_sum_ever", name, key, None, None] / n
        out[user, "value_mean_ever", name, key, None, None] = mean
    for user, amounts in spent.items():
        for age, amount in amounts:
            out[user, "value_sum_ever", SPENT, None, None, None] += amount
            if (age - 1) // 168 < WEEKS:
                out[user, "value_sum", SPENT, None, None, (age - 1) // 168] += amount
        total = out[user, "value_sum_ever", SPENT, None, None, None]
        out[user, "value_mean_ever", SPENT, None, None, None] = total / len(amounts)
    for user in {user for user, _ in ages}:
        n_hours = max(ages[user, None])
        for prediction, days, came_true in (
            ("buys", 7, {(age - 1) // 168 for age in bought[user]}),
            ("spends", 10, _windows_with(spent[user], 240, 50)),
        ):
            n_windows = n_hours // (24 * days)
            n_true = len([window for window in came_true if window < n_windows])
            if n_windows:
                past = f"the own past of {prediction}"
                out[user, "outcome_rate", past, None, None, None] = n_true / n_windows
                out[user, "outcome_count", past, None, None, None] = n_true
    for (user, name), seen in ages.items():
        out[user, "hours_since_last", name, None, None, None] = min(seen)
        out[user, "hours_since_first", name, None, None, None] = max(seen)
        recent = [age - 1 for age in seen if age <= 168 * WEEKS]
        if name is None:
            for suffix, hours in (("", recent), ("_ever", [age - 1 for age in seen])):
                days, weeks = {age // 24 for age in hours}, {age // 168 for age in hours}
                out[user, "active_days" + suffix, None, None, None, None] = len(days)
                out[user, "active_weeks" + suffix, None, None, None, None] = len(weeks)
        days = sorted({(age - 1) // 24 for age in seen})
        out[user, "event_days_ever", name, None, None, None] = len(days)
        for half_life in (28, 90):
            decayed = sum(0.5 ** (day / half_life) for day in days)
            out[user, f"decayed_days_{half_life}", name, None, None, None] = decayed
        for n in (2, 3, 5):
            if len(days) >= n:
                out[user, f"hours_since_day_{n}", name, None, None, None] = 24 * (days[n - 1] + 1)
        if len(days) > 1:
            gap = np.diff(days).mean()
            out[user, "mean_gap_days", name, None, None, None] = gap
            out[user, "silence_ratio", name, None, None, None] = (days[0] + 1) / gap
    return out


def _windows_with(amounts: list[tuple[int, float]], hours: int, least: float) -> set[int]:
    """Return which windows of so many hours back from as_of came to at least so much."""
    totals: dict[int, float] = defaultdict(float)
    for age, amount in amounts:
        totals[(age - 1) // hours] += amount
    return {window for window, total in totals.items() if round(total, 6) >= least}


@pytest.fixture(scope="module")
def case(warehouse_of):
    rows = random_events(3)
    warehouse = warehouse_of(rows, AS_OF.isoformat(), SHOP + SPENDS)
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
    expected = {
        key: value
        for key, value in expected_features(rows, AS_OF, catalogue).items()
        if key[0] in cohort and key[1:] in catalogue and abs(value) > 1e-9
    }
    got = {key: value for key, value in got.items() if not key[1].startswith("user_property")}
    assert expected.keys() == got.keys()
    assert [got[key] for key in expected] == pytest.approx(list(expected.values()), rel=1e-5)


def test_every_kind_of_feature_is_covered(case):
    _, got, _, _ = case
    assert {key[1] for key in got} == {
        "event_count", "value_count", "value_sum", "hours_since_last", "hours_since_first",
        "active_days", "active_weeks", "active_days_ever", "active_weeks_ever",
        "event_count_ever", "value_sum_ever", "value_mean_ever", "other_count",
        "event_days_ever", "decayed_days_28", "decayed_days_90", "hours_since_day_2",
        "hours_since_day_3", "hours_since_day_5", "mean_gap_days", "silence_ratio",
        "user_property_last", "user_property_first", "user_property_number",
        "outcome_rate", "outcome_count",
    }  # fmt: skip


def test_last_user_properties_are_the_newest_known(case):
    """Each by its own feature, versions by their minor number, what is not kept as another value."""
    rows, got, cohort, catalogue = case
    events = [event for event in accepted(rows) if event["at"] < AS_OF]
    resolve(events, AS_OF)
    newest: dict[str, tuple] = {}
    for event in events:
        if event["user_properties"]:
            stated = (event["at"], event["user"], event["user_properties"])
            newest[event["user"]] = max(
                newest.get(event["user"], stated), stated, key=lambda s: s[0]
            )
    expected = {}
    for user, (_, _, stated) in newest.items():
        minor = ".".join(stated["app"].split(".")[:2]) + ".*"
        is_kept = ("user_property_last", None, "app", minor, None) in catalogue
        expected[user, "user_property_last", None, "plan", stated["plan"], None] = 1
        expected[user, "user_property_last", None, "app", minor if is_kept else None, None] = 1
        expected[user, "user_property_number", None, "score", None, None] = stated["score"]
    kinds = ("user_property_last", "user_property_number")
    assert {key: value for key, value in got.items() if key[1] in kinds} == {
        key: value for key, value in expected.items() if key[0] in cohort and value
    }
    assert {key[4] is None for key in got if key[3] == "app"} == {True, False}
