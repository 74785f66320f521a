"""A prediction's definition in plain words. The keys are those of docs/definitions.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foretell.markdown_text import escape, quote

DEFAULT_COHORT = ({"event": "any", "within_days": 56},)
Condition = Mapping[str, Any]


def cohort_in_words(definition: Mapping[str, Any]) -> list[str]:
    """Return what must hold of a user, one sentence part per condition, as Markdown."""
    cohort = definition.get("cohort", DEFAULT_COHORT)
    words = [condition_in_words(condition) for condition in cohort]
    outcome = definition["outcome"]
    if outcome.get("first_time"):
        words.append(f"never before {_deed(outcome)}")
    elif "user" in outcome:
        words.append(f"not already: {_properties(outcome['user'])}")
    if definition.get("anonymous") is False:
        words.append("known by a user id")
    return words


def outcome_in_words(definition: Mapping[str, Any]) -> str:
    """Return what is predicted, e.g. `did “purchase” in the 7 days from as_of on`."""
    outcome, days = definition["outcome"], definition["horizon_days"]
    window = f"in the {days} days from as\\_of on"
    if "event" not in outcome:
        return f"{_properties(outcome['user'])} will be true {window}"
    return f"{_deed(outcome)} {window}"


def question_in_words(definition: Mapping[str, Any]) -> str:
    """Return what is predicted of a user, e.g. `how likely it is that the user **did “buy” …**`."""
    outcome, days = definition["outcome"], definition["horizon_days"]
    if not is_value(outcome):
        return f"how likely it is that the user **{outcome_in_words(definition)}**"
    what = f"the sum of {quote(outcome['sum_of'])} over" if "sum_of" in outcome else "the number of"
    return (
        f"the expected value of **{what} {_events(outcome)} in the {days} days from as\\_of on** "
        "(the mean over all that may happen), and how likely any is"
    )


def is_value(outcome: Condition) -> bool:
    """Whether a value is predicted (a sum without bounds, or a count)."""
    is_sum = "sum_of" in outcome and not {"at_least", "at_most"} & outcome.keys()
    return is_sum or bool(outcome.get("count"))


def condition_in_words(condition: Condition) -> str:
    """Return one condition of a cohort as a sentence part, in Markdown."""
    for key, joiner, start in (
        ("all_of", " and ", ""),
        ("any_of", " or ", ""),
        ("none_of", " nor ", "neither "),
    ):
        if key in condition:
            parts = [condition_in_words(each) for each in condition[key]]
            together = joiner.join(f"({part})" if len(parts) > 1 else part for part in parts)
            return f"not {together}" if start and len(parts) == 1 else f"{start}{together}"
    if "event" not in condition:
        return _properties(condition["user"])
    return f"{_deed(condition)} {_window(condition)}"


def _deed(condition: Condition) -> str:
    what = _events(condition)
    if condition.get("not_done"):
        return f"did not do {what}"
    low, high = condition.get("at_least"), condition.get("at_most")
    if "sum_of" in condition:
        return f"did {what} for a sum of {quote(condition['sum_of'])} of {_range(low, high)}"
    if high is None and low in (None, 1):
        return f"did {what}"
    return f"did {what} {_range(low, high)} times"


def _events(condition: Condition) -> str:
    events = condition["event"]
    names = [events] if isinstance(events, str) else list(events)
    what = " or ".join("anything" if name == "any" else quote(name) for name in names)
    if condition.get("where"):
        what += f" with {_properties(condition['where'])}"
    return what


def _range(low: object, high: object) -> str:
    parts = [
        f"{words} {escape(value)}"
        for words, value in (("at least", low), ("at most", high))
        if value is not None
    ]
    return " and ".join(parts) or "any size"


def _window(condition: Condition) -> str:
    since = condition.get("from_days_ago", condition.get("within_days"))
    until = condition.get("to_days_ago", 0)
    if since is None:
        return f"more than {until} days ago" if until else "ever"
    return f"from {since} to {until} days ago" if until else f"in the last {since} days"


def _properties(filters: Mapping[str, Any]) -> str:
    return " and ".join(f"{quote(name)} {_value(given)}" for name, given in filters.items())


def _value(given: object) -> str:
    if isinstance(given, Mapping):
        return _range(given.get("at_least"), given.get("at_most"))
    values = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    return "is " + " or ".join(quote(_plain(value)) for value in values)


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
