"""The generator of events by the million, and the growth of what they cost."""

from __future__ import annotations

import duckdb
import pytest

from benchmarks.speed.__main__ import Cost, growth
from benchmarks.speed.generate import generate


@pytest.mark.parametrize("with_properties", [False, True])
def test_the_same_events_every_time_with_properties_on_request(tmp_path, with_properties):
    made = [
        generate(tmp_path / name, 2000, 50, days=3, with_properties=with_properties)
        for name in ("one", "other")
    ]
    one, other = (
        duckdb.sql(f"from read_parquet('{events.events}') order by all").fetchall()
        for events in made
    )
    assert one == other
    assert len(one) == made[0].n_events == 2000
    keys = "from read_parquet('{}') select distinct json_keys(event_properties)"
    assert duckdb.sql(keys.format(made[0].events)).fetchall() == [
        (
            ["plan", "country", "device", "page", "amount", "experiment"]
            if with_properties
            else None,
        )
    ]


def test_growth_is_against_the_next_smaller_size_measured_alike(tmp_path):
    def measured(n_events, variant, **cpu):
        folder = tmp_path / f"{n_events} {variant}"
        folder.mkdir(exist_ok=True)
        costs = [Cost(step, 0.0, seconds, 0.0, "") for step, seconds in cpu.items()]
        return growth(folder, n_events, variant, costs)

    assert measured(1_000_000, "3 predictions", floor=1.0, hour=40.0) == []
    assert measured(10_000_000, "1 prediction", floor=7.0) == []
    assert measured(10_000_000, "3 predictions", floor=10.0, everything=200.0) == [
        "floor: CPU grew with exponent 1.00 from 1,000,000 events"
    ]
    assert measured(1_000_000_000, "3 predictions", floor=10_000.0, everything=2e4, hour=50.0) == [
        "floor: CPU grew with exponent 1.50 from 10,000,000 events",
        "everything: CPU grew with exponent 1.00 from 10,000,000 events",
    ]
