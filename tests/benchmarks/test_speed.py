"""The generator of events by the million."""

from __future__ import annotations

import duckdb
import pytest

from benchmarks.speed.generate import generate


@pytest.mark.parametrize("with_properties", [False, True])
def test_the_same_events_every_time_with_properties_if_asked_for(tmp_path, with_properties):
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
