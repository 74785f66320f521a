"""Messages where the machine has no more memory or room on its disk."""

from __future__ import annotations

import pytest

from foretell.errors import TornModel, explain_resources


@pytest.mark.parametrize(
    ("error", "start"),
    [
        ("Out of Memory Error: failed to pin block of 256 KB", "out of memory (Out of Memory"),
        ("java.lang.OutOfMemoryError: Java heap space", "out of memory (java.lang"),
        ("IO Error: Could not write all bytes to file", "the disk is full (IO Error"),
        ("first line\n[Errno 28] No space left on device\n", "the disk is full ([Errno 28] No"),
        ("out of memory: no space left on device", "the disk is full"),  # spilling found no room
        ("Binder Error: no such column", ""),
    ],
)
def test_an_error_of_the_machine_is_explained_and_others_are_not(error, start):
    explained = explain_resources(error)
    assert explained.startswith(start)
    assert bool(explained) == bool(start)


def test_the_limit_that_holds_is_named(monkeypatch):
    monkeypatch.setenv("FORETELL_MEMORY_LIMIT", "3GB")
    assert "FORETELL_MEMORY_LIMIT is 3GB" in explain_resources("MemoryError")


def test_a_long_line_is_cut():
    assert len(explain_resources("MemoryError " + "x" * 10_000)) < 500


def test_a_torn_model_names_prediction_and_model():
    assert str(TornModel("buys", "m1", "its graph is cut")) == (
        "buys: model m1 is torn, its graph is cut"
    )
