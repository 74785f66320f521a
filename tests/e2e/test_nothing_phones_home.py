"""No process of ours connects to an address that the user did not name, or looks one up.

Without strace (`apt install strace`), or where tracing is not permitted, these tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.network import contacted, may_trace, start
from tests.shop import PROJECT, environment_of, open_shop

traced_only = pytest.mark.skipif(not may_trace(), reason="needs strace, and leave to trace")


@traced_only
def test_the_trap_sees_a_name_being_looked_up(tmp_path):
    ask = "import socket, contextlib\nwith contextlib.suppress(OSError): socket.getaddrinfo('a.invalid', 80)"
    start(tmp_path, [sys.executable, "-c", ask]).wait()
    assert contacted(tmp_path)


@traced_only
def test_importing_contacts_nobody(tmp_path):
    script = "import foretell.pipeline.score_block, dagster_foretell.jobs, time; time.sleep(5)"
    process = start(tmp_path, [sys.executable, "-c", script], PYTHONPATH=str(PROJECT))
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert contacted(tmp_path) == []


@traced_only
def test_the_start_of_dagster_contacts_nobody(tmp_path):
    open_shop(tmp_path)
    (tmp_path / "dagster").mkdir()
    shutil.copy(PROJECT / ".dagster/dagster.yaml", tmp_path / "dagster")
    dagster = str(Path(sys.executable).with_name("dagster"))
    process = start(
        tmp_path, [dagster, "dev", "-m", "dagster_defs.definitions", "-p", "0"],
        **{**environment_of(tmp_path), "DAGSTER_HOME": str(tmp_path / "dagster")},
    )  # fmt: skip
    lines = []
    ends = time.monotonic() + 150
    for line in process.stdout:
        lines.append(line)
        if "Serving dagster-webserver" in line or time.monotonic() > ends:
            break
    time.sleep(5)
    os.killpg(process.pid, signal.SIGTERM)
    process.wait()
    assert "Serving dagster-webserver" in lines[-1], "".join(lines)[-2000:]
    assert contacted(tmp_path) == []


@traced_only
def test_a_run_contacts_nobody(shop_after_run):
    """A run does all that `foretell score` does, and trains."""
    assert contacted(shop_after_run) == []
