import pytest

from foretell.report.definition_words import (
    cohort_in_words,
    condition_in_words,
    outcome_in_words,
    question_in_words,
)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"event": "any", "within_days": 28}, "did anything in the last 28 days"),
        ({"event": "buy", "at_least": 2}, "did “buy” at least 2 times ever"),
        ({"event": "buy", "at_most": 0}, "did “buy” at most 0 times ever"),
        (
            {"event": ["a", "b"], "not_done": True, "from_days_ago": 9, "to_days_ago": 2},
            "did not do “a” or “b” from 9 to 2 days ago",
        ),
        ({"event": "a", "to_days_ago": 7}, "did “a” more than 7 days ago"),
        (
            {"event": "buy", "where": {"size": [1, "x"], "gift": True}, "within_days": 1},
            "did “buy” with “size” is “1” or “x” and “gift” is “true” in the last 1 days",
        ),
        (
            {"event": "buy", "sum_of": "amount", "at_least": 50, "at_most": 90},
            "did “buy” for a sum of “amount” of at least 50 and at most 90 ever",
        ),
        ({"user": {"plan": ["free", "trial"]}}, "“plan” is “free” or “trial”"),
        (
            {"any_of": [{"event": "a"}, {"all_of": [{"event": "b"}, {"event": "c"}]}]},
            "(did “a” ever) or ((did “b” ever) and (did “c” ever))",
        ),
        ({"none_of": [{"user": {"plan": "pro"}}]}, "not “plan” is “pro”"),
        (
            {"none_of": [{"event": "a"}, {"event": "b"}]},
            "neither (did “a” ever) nor (did “b” ever)",
        ),
        ({"event": "<b>|"}, "did “\\<b\\>\\|” ever"),
    ],
)
def test_conditions(condition, words):
    assert condition_in_words(condition) == words


def test_users_whom_the_outcome_leaves_out_are_described():
    first = {"outcome": {"event": "buy", "first_time": True}, "horizon_days": 7, "anonymous": False}
    assert cohort_in_words(first) == [
        "did anything in the last 56 days", "never before did “buy”", "known by a user id",
    ]  # fmt: skip
    assert outcome_in_words(first) == "did “buy” in the 7 days from as\\_of on"
    change = {"outcome": {"user": {"plan": "pro"}}, "horizon_days": 30, "cohort": []}
    assert cohort_in_words(change) == ["not already: “plan” is “pro”"]
    assert outcome_in_words(change) == "“plan” is “pro” will be true in the 30 days from as\\_of on"


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ({"event": "buy"}, "how likely it is that the user **did “buy” in the 7 days from as\\_of on**"),
        (
            {"event": "buy", "sum_of": "amount", "at_least": 5},
            "how likely it is that the user **did “buy” for a sum of “amount” of at least 5 in the 7 days "
            "from as\\_of on**",
        ),
        (
            {"event": "buy", "where": {"size": "L"}, "sum_of": "amount"},
            "the expected value of **the sum of “amount” over “buy” with “size” is “L” in the 7 days from as\\_of on** "
            "(the mean over all that may happen), and how likely any is",
        ),
        (
            {"event": ["a", "b"], "count": True},
            "the expected value of **the number of “a” or “b” in the 7 days from as\\_of on** "
            "(the mean over all that may happen), and how likely any is",
        ),
    ],
)  # fmt: skip
def test_the_question_is_a_probability_or_a_value(outcome, words):
    assert question_in_words({"outcome": outcome, "horizon_days": 7}) == words
