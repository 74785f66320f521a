"""Sessions hold what the simulated users did, and nothing else."""

from __future__ import annotations

import numpy as np

from foretell.demo.behaviour import draw_first_states, draw_people, live
from foretell.demo.sessions import DAY_MS, KIND, draw_events


def test_every_active_day_has_events_and_every_purchase_and_upgrade_is_one():
    rng = np.random.default_rng(3)
    people = draw_people(800, 70, rng)
    lived, _ = live(people, draw_first_states(people, rng), range(70), rng)
    events = draw_events(people, lived, rng)
    day = events.time_ms // DAY_MS
    numbered = events.user * 1000 + day
    assert set(numbered) == set(lived.user * 1000 + lived.day)
    for name, is_event in (("purchase", lived.is_purchase), ("upgrade", lived.is_upgrade)):
        seen = np.sort(numbered[events.kind == KIND[name]])
        assert seen.tolist() == sorted(lived.user[is_event] * 1000 + lived.day[is_event])
        assert seen.size > 5
    assert not (lived.day < people.signup_day[lived.user]).any()
