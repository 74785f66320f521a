"""What a command asks of the network, seen from outside by strace: onnxruntime asks in native code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from foretell.system.no_telemetry import OFF

STRACE = shutil.which("strace")
ADDRESS = re.compile(r'(?:inet_addr\("|inet_pton\(AF_INET6, ")([^"]+)')
CALLS = ("connect(", "sendto(", "sendmsg(", "sendmmsg(")
HERE = ("127.", "::1", "::ffff:127.", "0.0.0.0", "::")


def may_trace() -> bool:
    return bool(STRACE) and not subprocess.run([STRACE, "-qq", "-o", os.devnull, "true"]).returncode


def start(folder: Path, command: list[str], **environment: str) -> subprocess.Popen:
    """Start a command, under strace if possible, with an empty home and none of our switches.

    Args:
        folder: Where it runs; files trace and home/ are made in it.
        command: The command and its arguments.
        environment: Variables in place of those of this process.
    """
    (folder / "home").mkdir(exist_ok=True)
    environment = {**os.environ, **environment, "HOME": str(folder / "home")}
    traced = [
        STRACE,
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-e",
        "trace=network",
        "-o",
        str(folder / "trace"),
    ]
    return subprocess.Popen(
        [*(traced if may_trace() else []), *command],
        cwd=folder, env={name: text for name, text in environment.items() if name not in OFF},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def contacted(folder: Path) -> list[str]:
    """Return the addresses outside this machine that a command used, and files that telemetry left."""
    found = [
        address
        for line in (folder / "trace").read_text().splitlines()
        if any(call in line for call in CALLS)
        for address in ADDRESS.findall(line)
        if not address.startswith(HERE) or "htons(53)" in line
    ]
    return found + [str(path) for path in (folder / "home").rglob("*deviceid*")]
