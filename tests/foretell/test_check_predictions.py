"""Checks of a definition before any training."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from foretell.check_predictions import Week, check_weeks, what_is_missing
from foretell.project import PACKAGE
from tests.conftest import write_events
from tests.random_events import random_events

NOW = datetime(2026, 3, 5)


def weeks(*counts: tuple[int, int | None]) -> list[Week]:
    return [Week(NOW - timedelta(days=7 * n), *count) for n, count in enumerate(counts)]


@pytest.mark.parametrize(
    ("matured", "missing"),
    [
        (weeks((60, 30), (60, 30)), ""),
        (weeks((60, 5), (60, 4)), "in 2 weeks only 9 of 10 users with the outcome"),
        (weeks((60, 60), (60, 51)), "in 2 weeks only 9 of 10 users without the outcome"),
        (weeks((3, 1)), "in 1 weeks only 1 of 10 users with and 2 of 10 users without the outcome"),
        ([], "there are 20 days of events; it needs two weeks before its first as_of and 7 days after it"),
    ],
)  # fmt: skip
def test_what_is_missing_is_reported_in_numbers(matured, missing):
    assert what_is_missing(matured, horizon_days=7, n_days=20).replace(
        "with the outcome and 2", "with and 2"
    ) == missing  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "findings"),
    [
        ([(100, None), (100, 20), (90, 10)], []),
        ([(0, None), (100, 20)], ["the starting cohort has no users now"]),
        ([(9, None), (90, 20), (100, 20)], ["the starting cohort shrinks: 9 users now, 100 before"]),
        ([(10, None), (90, 20), (100, 20)], []),
        ([(100, None), (100, 0), (0, 0)], ["the outcome never happens"]),
        ([(100, None), (100, 100), (7, 7)], ["the outcome always happens"]),
        ([(100, None)], []),
    ],
)  # fmt: skip
def test_sizes_and_rates_that_look_wrong(counts, findings):
    assert check_weeks(weeks(*counts)) == findings


DEFINITIONS = {
    "buys": {"cohort": [{"event": "any"}], "outcome": {"event": "purchase"}, "horizon_days": 7},
    "again": {
        "cohort": [{"event": "purchase", "within_days": 28}],
        "outcome": {"event": "purchase"},
        "horizon_days": 7,
    },
    "stays_away": {
        "cohort": [{"event": "purchase", "not_done": True, "within_days": 14}],
        "outcome": {"event": "purchase", "not_done": True},
        "horizon_days": 7,
    },
    "orders": {
        "cohort": [{"event": "purchase", "within_days": 28}],
        "outcome": {"event": "purchase", "count": True},
        "horizon_days": 7,
    },
    "never_ending": {"outcome": {"event": "open"}, "horizon_days": 200},
}


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    """Return a function from arguments to exit code and output of `foretell check-predictions`."""
    folder: Path = tmp_path_factory.mktemp("checks")
    (folder / "p").mkdir()
    exposures = [
        {"name": name, "type": "ml", "owner": {"name": "t"}, "depends_on": ["ref('predictions')"],
         "config": {"meta": {"prediction": definition}}}
        for name, definition in DEFINITIONS.items()
    ]  # fmt: skip
    (folder / "p/mine.yml").write_text(yaml.safe_dump({"exposures": exposures}))
    events = write_events(folder / "events.parquet", random_events(8, n_users=100, n_events=2500))
    environment = {
        **os.environ,
        "FORETELL_EVENTS": str(events),
        "FORETELL_PREDICTIONS": str(folder / "p"),
        "FORETELL_WAREHOUSE": str(folder / "warehouse.duckdb"),
        "FORETELL_AS_OF": NOW.isoformat(),
    }

    def run(*arguments: str) -> tuple[int, str]:
        command = [Path(sys.executable).with_name("foretell"), "check-predictions", *arguments]
        done = subprocess.run(
            command, cwd=PACKAGE, env=environment, capture_output=True, text=True, timeout=300
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_each_definition_is_checked_before_any_training(check):
    code, output = check()
    assert code == 0, output
    lines = {
        line.split(":")[0]: " ".join(line.split()) for line in output.splitlines() if ": " in line
    }
    flat = " ".join(output.split())
    assert lines["buys"] == "buys: enough to learn from"
    assert "users who did it within 28 days, and the outcome is that they do it again" in flat
    assert (
        "users who did not do it within 14 days, and the outcome is that they still do not" in flat
    )
    assert "never_ending: cannot learn yet: there are 63 days of events" in flat
    assert output.count("not known yet") == 5
    assert "mean value" in output
    assert lines["orders"] == "orders: enough to learn from"
    assert "2026-02-26 00:00" in output


def test_an_unknown_name_is_refused(check):
    code, output = check("--select", "byus")
    assert code == 1
    assert 'unknown prediction "byus"; the nearest is "buys"' in output
