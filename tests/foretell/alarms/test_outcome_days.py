"""Days with an outcome, and days on which its silence means nothing."""

from __future__ import annotations

import numpy as np

from foretell.alarms.outcome_days import plain
from foretell.alarms.outcome_life import find_end
from tests.foretell.alarms.outcomes import days


def test_days_without_any_events_are_no_silence_of_the_outcome():
    volume = np.array([1000] * 95 + [10] * 20)
    assert find_end(days([5] * 95 + [0] * 20, volume=volume)) is None
    assert find_end(days([5] * 95 + [0] * 20)) is not None


def test_days_with_too_few_events_of_any_kind_tell_nothing():
    volume = np.full(60, 1000)
    volume[40:43] = [0, 100, 300]
    assert days([5] * 60, volume=volume).seen.nonzero()[0].tolist() == [
        day for day in range(60) if day not in (40, 41)
    ]  # the day of as_of, which is not over, has 1


def test_a_name_for_a_sentence_is_quoted_on_one_line_and_short():
    assert plain("a\nb\u202e") == "“a b”"
    assert plain("x" * 61) == f"“{'x' * 60}…”"
