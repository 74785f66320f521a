"""The short form of `make test-faults`: a run dies in the middle, two at once bring all to its end."""

from __future__ import annotations

import signal

import pytest

from tests.faults.shops import end, kill, published, reader, run, start, tables, wait_for
from tests.shop import open_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = open_shop(tmp_path_factory.mktemp("faults") / "shop")
    run(folder, "run")
    return folder


def test_it_leaves_nothing_half_and_two_runs_at_once_end_as_one(shop):
    """Only the parent is killed; dbt must not go on without it. Readers see whole copies throughout."""
    undisturbed, before = tables(shop), published(shop)
    with reader(shop) as seen:
        killed = start(shop, "run")
        wait_for(killed, "features_values")
        kill(killed, signal.SIGKILL, is_group=False)
        first = start(shop, "score")
        printed = wait_for(first, " s  ")
        second = start(shop, "score", "--active-only")
        assert "waiting" not in printed
        said = end(second)
        end(first)
    assert "waiting for the warehouse: foretell score (process" in said
    assert tables(shop) == undisturbed
    assert published(shop) == before
    assert len(seen) == 1
