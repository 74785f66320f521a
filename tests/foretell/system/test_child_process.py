"""A process ends with the one that started it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

from foretell.system.child_process import PARENT, end_with_parent, is_alive
from tests.shop import PROJECT

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


def test_a_child_ends_with_its_parent():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT_AND_CHILD],
        env={**os.environ, "PYTHONPATH": str(PROJECT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    ends = time.monotonic() + 10
    while is_running(child):
        assert time.monotonic() < ends
        time.sleep(0.1)


def test_without_a_parent_named_nothing_changes(monkeypatch):
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


def test_a_process_that_has_ended_is_not_alive():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    assert is_alive(ended.pid)
    ended.wait()
    assert not is_alive(ended.pid)
