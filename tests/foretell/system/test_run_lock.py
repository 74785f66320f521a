"""One run at a time on a warehouse; the lock ends with the process that holds it, however it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from foretell.system.run_lock import HELD, lock_path, run_lock
from tests.shop import PROJECT

HOLD = """
import sys, time
from pathlib import Path
from foretell.pipeline.dbt import DBT
from foretell.system.run_lock import run_lock
with run_lock(Path(sys.argv[1]), "foretell run", print):
    print("held", flush=True)
    time.sleep(60)
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PROJECT)}


def start(script: str, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_process_that_waits_says_so_and_goes_on_when_the_holder_dies(tmp_path, number):
    warehouse, lines = tmp_path / "w.duckdb", []
    holder = start(HOLD, str(warehouse))
    assert holder.stdout.readline() == "held\n"

    def tell(line: str) -> None:
        lines.append(line)
        holder.send_signal(number)

    began = time.monotonic()
    with run_lock(warehouse, "foretell score", tell):
        assert time.monotonic() - began < 10
    holder.wait()
    (line,) = lines
    assert line.startswith("waiting for the warehouse: foretell run (process ")
    assert f"(process {holder.pid} on " in line
    assert " has it since 20" in line


def test_inside_a_run_it_is_held_already(tmp_path):
    warehouse = tmp_path / "new/w.duckdb"
    with run_lock(warehouse, "foretell run", pytest.fail):
        assert os.environ[HELD] == str(lock_path(warehouse))
        with run_lock(warehouse, "foretell run", pytest.fail):
            pass
        assert HELD in os.environ
    assert HELD not in os.environ


def test_another_warehouse_waits_for_nothing(tmp_path):
    with (
        run_lock(tmp_path / "a.duckdb", "foretell run", pytest.fail),
        run_lock(tmp_path / "b.duckdb", "foretell run", pytest.fail),
    ):
        pass
