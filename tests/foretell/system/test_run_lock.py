"""One run at a time on a warehouse; the lock ends with whoever holds it, by whatever death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from foretell.pipeline.dbt import DBT
from foretell.system.child_process import PARENT
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
# A parent that starts a child which ends with it.
PARENT_AND_CHILD = """
import os, subprocess, sys, time
from foretell.system.child_process import PARENT
child = "from foretell.system.child_process import end_with_parent as e; import time; e(); print(1, flush=True); time.sleep(60)"
started = subprocess.Popen([sys.executable, "-c", child], env={**os.environ, PARENT: str(os.getpid())}, stdout=subprocess.PIPE)
started.stdout.readline()
print(started.pid, flush=True)
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
def test_who_waits_is_told_and_goes_on_when_the_holder_dies(tmp_path, number):
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


def test_dbt_alone_takes_the_lock_too(tmp_path):
    """It would otherwise write between the steps of a run."""
    warehouse = tmp_path / "w.duckdb"
    command = [
        str(DBT), "run", "--select", "prediction_definitions",
        "--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path / "logs"),
    ]  # fmt: skip
    with run_lock(warehouse, "foretell run", pytest.fail):
        environment = {name: text for name, text in ENVIRONMENT.items() if name != HELD}
        waiting = subprocess.Popen(
            command, cwd=PROJECT, env={**environment, "FORETELL_WAREHOUSE": str(warehouse)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        line = waiting.stderr.readline()
        assert line.startswith("waiting for the warehouse: foretell run (process "), line
        assert not warehouse.exists()
    output, errors = waiting.communicate()
    assert waiting.returncode == 0, output + errors
    assert warehouse.exists()


def test_a_child_ends_with_its_parent():
    parent = start(PARENT_AND_CHILD)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    ends = time.monotonic() + 10
    while is_running(child):
        assert time.monotonic() < ends
        time.sleep(0.1)


def test_without_a_parent_named_nothing_changes(monkeypatch):
    from foretell.system.child_process import end_with_parent

    n_threads = threading.active_count()
    monkeypatch.delenv(PARENT, raising=False)
    end_with_parent()
    monkeypatch.setenv(PARENT, str(os.getpid()))
    end_with_parent()
    assert threading.active_count() == n_threads


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
