"""Run a command for so long at most, on two cores, and wait for all that it left behind.

    python -m benchmarks.peers.limited SECONDS COMMAND...

Its last line says how it ended; the exit code is always 0. Linux only: processes that the command
started and did not wait for (a JVM, an engine) become children of this one, so that their CPU time
and memory count, and if memory runs out, Linux ends the command before anything else.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

N_CORES = 2
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
GRACE_SECONDS = 30  # for what the command left behind


def main() -> None:
    """Run the command of the arguments."""
    limit, command = float(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:N_CORES])
    Path("/proc/self/oom_score_adj").write_text("1000")  # inherited
    process = subprocess.Popen(command, start_new_session=True)
    try:
        code = process.wait(limit)
        ending = "finished" if code == 0 else f"failed, exit code {code}"
        _wait_for_children(process.pid, GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        ending = f"did not finish in {limit:g} s"
        _wait_for_children(process.pid, 0)
    print(f"\n{ending}")


def _wait_for_children(group: int, seconds: float) -> None:
    # Ends the group after so long; every child is waited for, so getrusage knows what it took.
    deadline = time.monotonic() + seconds
    while True:
        try:
            child, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if child == 0:
            if time.monotonic() > deadline:
                try:
                    os.killpg(group, signal.SIGKILL)
                except ProcessLookupError:
                    return  # what is left made a group of its own
            time.sleep(0.05)


if __name__ == "__main__":
    main()
