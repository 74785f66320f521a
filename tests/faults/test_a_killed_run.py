"""The short form of `make test-faults`: a run dies in the middle, two at once bring all to its end."""

from __future__ import annotations

import shutil
import signal

import pytest

from tests.faults.shops import end, kill, published, reader, start, tables, wait_for


@pytest.fixture
def shop(shop_after_run, tmp_path):
    """Return a copy of the shop's warehouse; its events stay where they are."""
    for path in shop_after_run.glob("my shop*"):
        copy = shutil.copytree if path.is_dir() else shutil.copy
        copy(path, tmp_path / path.name.replace("my shop", "w"))
    shutil.copytree(shop_after_run / "predictions", tmp_path / "predictions")
    return tmp_path


def test_it_leaves_nothing_half_and_two_runs_at_once_end_as_one(shop, shop_after_run):
    """Only the parent is killed; dbt must not go on without it. Readers see whole copies throughout."""
    events = str(shop_after_run / "events/*.parquet")
    undisturbed, before = tables(shop), published(shop)
    with reader(shop) as seen:
        killed = start(shop, "run", EVENTS=events)
        wait_for(killed, "features_values")
        kill(killed, signal.SIGKILL, is_group=False)
        first = start(shop, "score", EVENTS=events)
        printed = wait_for(first, " s  ")
        second = start(shop, "score", "--active-only", EVENTS=events)
        assert "waiting" not in printed
        waited = end(second)
        end(first)
    assert "waiting for the warehouse: foretell score (process" in waited
    assert tables(shop) == undisturbed
    assert published(shop) == before
    assert len(seen) == 1
