"""A process that ends with the one that started it: no dbt goes on after its parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

PARENT = "FORETELL_PARENT"  # process id of who starts dbt and waits for it
PR_SET_PDEATHSIG = 1
SECONDS_BETWEEN_LOOKS = 1


def end_with_parent() -> None:
    """Have this process killed when the one that FORETELL_PARENT names has ended.

    On Linux by the kernel, elsewhere by a thread that looks every second. Without the variable, or
    in that process itself, nothing changes.
    """
    parent = os.environ.get(PARENT, "")
    if not parent.isdigit() or int(parent) == os.getpid():
        return
    if sys.platform == "linux" and os.getppid() == int(parent):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):  # it ended just before
            os._exit(1)
        return
    threading.Thread(target=_watch, args=(int(parent),), daemon=True).start()


def _watch(parent: int) -> None:
    while is_alive(parent):
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)


def is_alive(pid: int) -> bool:
    """Return whether there is a process of this id, also one of another user."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
