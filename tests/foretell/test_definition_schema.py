"""The JSON Schema of definitions accepts and refuses what dbt does (check_definitions)."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from foretell.project import PACKAGE
from tests.dbt_macros import Refused, loaded

SCHEMA = json.loads((PACKAGE / "docs/prediction.schema.json").read_text())
PREDICTION = {"$ref": "#/$defs/prediction", "$defs": SCHEMA["$defs"]}
# What JSON Schema cannot say: two numbers compared, and how many combinations there are.
ONLY_DBT = ("is above at_most", "is not before to_days_ago", "too many combinations")


@pytest.fixture(scope="module")
def macros():
    """Return the macros of definitions, which dbt's Jinja would run, as functions."""
    with loaded("definitions/*.sql") as found:
        yield found


@pytest.fixture(scope="module")
def refusal(macros):
    """Return a function from a prediction to why dbt's macros refuse it, '' if they do not."""

    def run(prediction: Any) -> str:
        try:
            macros.check_prediction("prediction", prediction)
        except Refused as refused:
            return refused.args[0]
        return ""

    return run


def is_valid(prediction: Any) -> bool:
    return jsonschema.Draft202012Validator(PREDICTION).is_valid(prediction)


def mostly(valid: st.SearchStrategy, wrong: st.SearchStrategy) -> st.SearchStrategy:
    """Draw what is wrong once in a dozen times: more, and no definition would be valid."""
    return st.integers(0, 11).flatmap(lambda n: wrong if n == 7 else valid)


numbers = mostly(
    st.integers(1, 5), st.sampled_from([0, -1, 3651, 0.5, -0.5, 1e15 + 0.5, True, "7", None])
)
texts = mostly(st.sampled_from(["open", "it's {{ 1/0 }}"]), st.sampled_from(["any", "", 3, None]))
events = mostly(texts, st.one_of(st.lists(texts, max_size=3), st.just({"open": 1})))
ranges = st.dictionaries(
    mostly(st.sampled_from(["at_least", "at_most"]), st.just("above")), numbers, max_size=2
)
values = st.one_of(texts, numbers, st.lists(texts, min_size=1, max_size=2), ranges)
filters = mostly(
    st.dictionaries(st.sampled_from(["plan", "a b"]), values, min_size=1, max_size=2),
    st.sampled_from([["plan"], {}, {"plan": []}, {"plan": [None]}]),
)
flags = mostly(st.booleans(), st.sampled_from(["yes", 1, None]))
KEYS = {
    "at_least": numbers, "at_most": numbers, "sum_of": texts, "where": filters, "user": filters,
    "not_done": flags, "within_days": numbers, "from_days_ago": numbers, "to_days_ago": numbers,
    "first_time": flags, "count": flags,
}  # fmt: skip
starts = mostly(
    st.one_of(st.fixed_dictionaries({"event": events}), st.fixed_dictionaries({"user": filters})),
    st.sampled_from([{}, {"evnet": "open"}, {"event": "open", "user": {"plan": "pro"}}]),
)


THEMES = [
    ("at_least", "at_most", "sum_of"),
    ("not_done", "at_least", "sum_of"),
    ("first_time", "not_done", "at_most", "sum_of"),
    ("within_days", "from_days_ago", "to_days_ago"),
    ("where", "user"),
    ("count", "at_least", "sum_of", "not_done"),
    ("count", "at_most", "first_time", "user"),
]


def conditions_of(keys: dict[str, st.SearchStrategy]) -> st.SearchStrategy:
    """Draw a condition with more of the keys, each with a value that may be valid."""
    more = st.one_of(
        st.fixed_dictionaries({}, optional={key: keys[key] for key in theme if key in keys})
        for theme in THEMES
    )
    return st.builds(lambda start, rest: {**start, **rest}, starts, more)


no_outcome_keys = {key: value for key, value in KEYS.items() if "days" not in key}
nodes = st.recursive(
    mostly(conditions_of(KEYS), st.sampled_from([None, "open", []])),
    lambda inner: mostly(
        st.dictionaries(
            st.sampled_from(["any_of", "all_of", "none_of"]),
            st.lists(inner, min_size=1, max_size=3),
            min_size=1,
            max_size=1,
        ),
        st.sampled_from(
            [{"any_of": []}, {"none_of": {"event": "open"}}, {"any_of": [], "event": "a"}]
        ),
    ),
    max_leaves=4,
)
budgets = mostly(
    st.dictionaries(st.sampled_from(["minutes", "memory_gb"]), numbers, min_size=1),
    st.sampled_from([{}, {"seconds": 60}, 5, None]),
)
predictions = st.fixed_dictionaries(
    {
        "outcome": mostly(conditions_of(no_outcome_keys), conditions_of(KEYS)),
        "horizon_days": numbers,
    },
    optional={
        "cohort": mostly(st.lists(nodes, min_size=1, max_size=2), nodes),
        "anonymous": flags,
        "budget": budgets,
    },
)


asked_about = st.builds(
    lambda node: {"cohort": [node], "outcome": {"event": "open"}, "horizon_days": 7}, nodes
)


@settings(max_examples=2000, deadline=None, derandomize=True)
@given(prediction=mostly(st.one_of(predictions, asked_about), nodes))
def test_schema_and_parser_agree(refusal, prediction):
    message = refusal(prediction)
    if any(only in message for only in ONLY_DBT):
        return
    assert is_valid(prediction) == (message == ""), message


def test_examples_of_the_docs_and_the_demo_are_valid(refusal):
    validator = jsonschema.Draft202012Validator(SCHEMA)
    files = [*(PACKAGE / "seeds/demo_predictions").glob("*.yml")]
    texts = [path.read_text() for path in files]
    texts += re.findall(r"```yaml\n(.*?)```", (PACKAGE / "docs/definitions.md").read_text(), re.S)
    found = 0
    for text in texts:
        content = yaml.safe_load(text)
        if "exposures" in content:
            validator.validate(content)
        for exposure in content.get("exposures", []):
            assert refusal(exposure["config"]["meta"]["prediction"]) == ""
            found += 1
    assert found > 5


@pytest.mark.parametrize("key", ["prediction", "condition", "outcome", "node"])
def test_every_key_is_described(key):
    def check(schema: dict[str, Any]) -> None:
        for name, each in schema.get("properties", {}).items():
            target = SCHEMA["$defs"].get(each.get("$ref", "").split("/")[-1], {})
            assert each.get("description") or target.get("description"), name
        for part in schema.get("anyOf", []):
            check(part)

    check(SCHEMA["$defs"][key])


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("page*", "page%"), ("50%_off!", "50!%!_off!!"), (r"a\*b*", "a*b%"), (7, "7"), (None, None)],
)
def test_a_star_stands_for_anything_and_escaped_for_itself(macros, name, pattern):
    assert macros.like_pattern(name) == pattern
