"""Wrong input ends in one clear line and exit code 1, or in a counted rejection; never a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SHOP, query, write_events

MISSPELT_PIN = """
  - name: rules
    type: analysis
    owner: {name: test}
    config: {meta: {taxonomy: {pin: [{event: purchas}, {event: purchase}]}}}
"""


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty folder, always the same: dbt parses anew whenever a path differs (10 s)."""
    folder = tmp_path_factory.getbasetemp() / "wrong_input"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def foretell(folder: Path, *command: str, **named: str) -> subprocess.CompletedProcess[str]:
    named = {"WAREHOUSE": "warehouse.duckdb", **named}
    environment = {f"FORETELL_{name}": str(value) for name, value in named.items()}
    return subprocess.run(
        [sys.executable, "-m", "foretell.cli", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        capture_output=True,
        text=True,
    )


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    assert "Traceback" not in done.stderr + done.stdout
    (line,) = done.stderr.strip().splitlines()[-1:]
    assert line.startswith("foretell: ")
    return line


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.parquet", None, "no events at"),
        ("empty.csv", "", "is empty"),
        ("column.csv", "name,event_time,user_id\nopen,2026-01-01,u\n", "no column event_name"),
    ],
)
def test_events_that_cannot_be_read(folder, name, content, message):
    if content is not None:
        (folder / name).write_text(content)
    assert message in refused(foretell(folder, "run", EVENTS=name))


def test_an_unknown_adapter(folder):
    done = foretell(folder, "run", EVENTS="e.json", ADAPTER="amplitde")
    assert 'unknown adapter "amplitde"; did you mean "amplitude"?' in refused(done)


def test_a_file_of_no_known_format(folder):
    (folder / "e.csv").write_text("a,b\n1,2\n")
    assert "has none of the formats" in refused(foretell(folder, "inspect-source", "e.csv"))


def test_a_wrong_as_of(folder):
    assert "as_of 'noon'" in refused(foretell(folder, "run", "--as-of", "noon"))


def test_status_before_any_run(folder):
    assert "no warehouse at" in refused(foretell(folder, "status"))


def test_hostile_and_broken_rows_are_data_or_counted(folder):
    """The pipeline runs to its end; too little data is a status, not a failure; so is a useless pin."""
    hostile = ["'; drop table users; --", "{{ 1/0 }}", '🛒 "sale"', "x" * 10_000, "nul \x00 inside"]
    rows = [
        {"event_id": f"{name[:9]}{day}", "user_id": "it's {{ me }}", "event_name": name, "event_time": f"2026-01-{day:02}",
         "event_properties": {name[:50]: name}}
        for name in [*hostile, "purchase"] for day in range(1, 29)
    ]  # fmt: skip
    rows += [
        {"user_id": "u", "event_name": "open", "event_time": "yesterday"},
        {
            "user_id": "u",
            "event_name": "open",
            "event_time": "2026-01-02",
            "event_properties": '{"a": ',
        },
        {"event_name": "open", "event_time": "2026-01-02"},
    ]
    write_events(folder / "events.parquet", rows)
    (folder / "p").mkdir()
    (folder / "p/shop.yml").write_text(SHOP + MISSPELT_PIN)
    done = foretell(folder, "run", EVENTS="events.parquet", PREDICTIONS="p")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "too little data" in " ".join(done.stdout.split())
    printed = " ".join((done.stdout + done.stderr).split())
    assert printed.count("names nothing") == 1
    assert 'pin {"event": "purchas"} names nothing' in printed
    warehouse = folder / "warehouse.duckdb"
    counts = dict(
        query(warehouse, "select reason, n_rows from stg_ingest_counts where status = 'rejected'")
    )
    assert counts == {
        "event_time is not a time": 1,
        "event_properties is not a JSON object": 1,
        "user_id and device_id are missing": 1,
    }
    names = {name for (name,) in query(warehouse, "select event_name from taxonomy_event_types")}
    assert names == {*hostile, "purchase"}
    assert query(warehouse, "select * from predictions") == []


def test_an_unknown_selection_is_refused_before_the_build(folder):
    write_events(
        folder / "events.parquet",
        [{"user_id": "u", "event_name": "purchase", "event_time": "2026-01-02"}],
    )
    (folder / "p").mkdir()
    (folder / "p/shop.yml").write_text(SHOP)
    done = foretell(
        folder, "run", "--select", "purchase_tomorrow",
        EVENTS="events.parquet", PREDICTIONS="p",
    )  # fmt: skip
    assert 'unknown prediction "purchase_tomorrow"; the nearest is' in refused(done)
    assert "stg_checked_events" not in done.stdout + done.stderr
