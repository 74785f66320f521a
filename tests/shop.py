"""A small shop for tests of whole runs: events that are quickly learned from, and the command."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

from tests import network
from tests.conftest import write_events

PROJECT = Path(__file__).parents[1]
START = datetime(2026, 1, 1)
WEEKS, USERS = 8, 120
BUYS = """
exposures:
  - name: buys
    label: Will buy within a week
    type: ml
    owner: {name: test}
    depends_on: [ref('predictions')]
    config: {meta: {prediction: {outcome: {event: purchase}, horizon_days: 7}}}
"""
VIEWS = """
  - name: views
    label: Will look within three days
    type: ml
    owner: {name: test}
    depends_on: [ref('predictions')]
    config: {meta: {prediction: {outcome: {event: view, at_least: 2}, horizon_days: 3}}}
"""


def shop_events(seed: int = 1, users: int = USERS, weeks: int = WEEKS) -> list[dict]:
    """Everybody looks every third day; every third user likes to buy."""
    rng = random.Random(seed)
    rows = []
    for user in range(users):
        for day in range(0, weeks * 7, 3):
            time = START + timedelta(days=day + 2 * rng.random())
            rows.append(
                {"user_id": f"u{user}", "event_name": "view", "event_time": time.isoformat()}
            )
            if user % 3 == 0 and rng.random() < 0.4:
                rows.append({**rows[-1], "event_name": "purchase"})
    return rows


def open_shop(folder: Path, definitions: str = BUYS) -> Path:
    """Write events and definitions of a shop into a folder and return it."""
    (folder / "events").mkdir(parents=True)
    (folder / "predictions").mkdir()
    (folder / "predictions/shop.yml").write_text(definitions)
    write_events(folder / "events/1.parquet", shop_events())
    return folder


def environment_of(folder: Path, **named: str) -> dict[str, str]:
    """Return the environment of a command in a shop's folder; named: FORETELL_ variables."""
    named = {
        "EVENTS": str(folder / "events/*.parquet"),
        "PREDICTIONS": str(folder / "predictions"),
        "WAREHOUSE": str(folder / "w.duckdb"),
        **named,
    }
    return {
        **os.environ,
        "PYTHONPATH": str(PROJECT),
        **{f"FORETELL_{name}": value for name, value in named.items()},
    }


def foretell(folder: Path, *command: str, **named: str) -> subprocess.CompletedProcess[str]:
    """Run the command `foretell` in a shop's folder."""
    return subprocess.run(
        [sys.executable, "-m", "foretell.cli", *command],
        cwd=folder, env=environment_of(folder, **named), capture_output=True, text=True,
    )  # fmt: skip


def run_shop(folder: Path) -> Path:
    """Open a shop, run the pipeline once in it and return its folder.

    The run is traced (tests.network), its warehouse is "my shop.duckdb", and beside the definitions
    lie files that nothing may execute.
    """
    open_shop(folder, BUYS + VIEWS)
    for name in ("junk.sql", "junk.py", "junk.csv"):
        (folder / "predictions" / name).write_text("select raise('executed')")
    environment = environment_of(folder, WAREHOUSE="my shop.duckdb", FILE_MODE="")
    run = network.start(folder, [sys.executable, "-m", "foretell.cli", "run"], **environment)
    output, _ = run.communicate()
    assert run.returncode == 0, output[-2000:]
    return folder
