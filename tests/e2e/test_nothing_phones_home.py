"""No process of ours asks for a name or connects to an address that the user did not name.

Seen from outside by strace, as onnxruntime asks in native code that Python never sees. Without strace
(`apt install strace`), or where tracing is not permitted, these tests are skipped.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from foretell.system.no_telemetry import OFF, disable_telemetry
from tests.shop import PROJECT, environment_of, open_shop

STRACE = shutil.which("strace")
ADDRESS = re.compile(r'(?:inet_addr\("|inet_pton\(AF_INET6, ")([^"]+)')
CALLS = ("connect(", "sendto(", "sendmsg(", "sendmmsg(")
HERE = ("127.", "::1", "::ffff:127.", "0.0.0.0", "::")


def may_trace() -> bool:
    return bool(STRACE) and not subprocess.run([STRACE, "-qq", "-o", os.devnull, "true"]).returncode


traced_only = pytest.mark.skipif(not may_trace(), reason="needs strace, and leave to trace")


def start(folder: Path, command: list[str], **environment: str) -> subprocess.Popen:
    """Start a command under strace, at home in an empty folder: no telemetry was ever asked there."""
    (folder / "home").mkdir(exist_ok=True)
    bare = {name: text for name, text in os.environ.items() if name not in OFF}
    return subprocess.Popen(
        [STRACE, "-f", "--seccomp-bpf", "-qq", "-e", "trace=network", "-o", str(folder / "trace"), *command],
        cwd=folder, env={**bare, "HOME": str(folder / "home"), **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def asked(folder: Path) -> list[str]:
    """Return the addresses outside this machine that were asked, and files that telemetry left."""
    found = [
        address
        for line in (folder / "trace").read_text().splitlines()
        if any(call in line for call in CALLS)
        for address in ADDRESS.findall(line)
        if not address.startswith(HERE) or "htons(53)" in line
    ]
    return found + [str(path) for path in (folder / "home").rglob("*deviceid*")]


def without_switches(folder: Path, **named: str) -> dict[str, str]:
    environment = environment_of(folder, **named)
    return {name: text for name, text in environment.items() if name not in OFF}


def test_what_somebody_sets_stays():
    environment = {"ORT_DISABLE_TELEMETRY": "0"}
    disable_telemetry(environment)
    assert environment == {**OFF, "ORT_DISABLE_TELEMETRY": "0"}


@traced_only
def test_the_trap_sees_a_name_being_asked(tmp_path):
    ask = "import socket, contextlib\nwith contextlib.suppress(OSError): socket.getaddrinfo('a.invalid', 80)"
    start(tmp_path, [sys.executable, "-c", ask]).wait()
    assert asked(tmp_path)


@traced_only
def test_importing_asks_nobody(tmp_path):
    script = "import foretell.pipeline.score_block, dagster_foretell.jobs, time; time.sleep(5)"
    process = start(tmp_path, [sys.executable, "-c", script], PYTHONPATH=str(PROJECT))
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert asked(tmp_path) == []


@traced_only
def test_run_and_score_ask_nobody(tmp_path):
    open_shop(tmp_path)
    for command in ("run", "score"):
        process = start(
            tmp_path, [sys.executable, "-m", "foretell.cli", command], **without_switches(tmp_path)
        )
        output, _ = process.communicate()
        assert process.returncode == 0, output[-2000:]
        assert asked(tmp_path) == []


@traced_only
def test_the_start_of_dagster_asks_nobody(tmp_path):
    open_shop(tmp_path)
    (tmp_path / "dagster").mkdir()
    shutil.copy(PROJECT / ".dagster/dagster.yaml", tmp_path / "dagster")
    dagster = str(Path(sys.executable).with_name("dagster"))
    process = start(
        tmp_path, [dagster, "dev", "-m", "dagster_defs.definitions", "-p", "0"],
        **{**without_switches(tmp_path), "DAGSTER_HOME": str(tmp_path / "dagster")},
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
    assert asked(tmp_path) == []
