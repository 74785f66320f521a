"""The environment of the references: other people's tools, which are no dependencies of Foretell.

benchmarks/quality/requirements.txt pins them and says how. The environment is made once, and anew
when the pins change.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from foretell.project import PACKAGE

FOLDER = PACKAGE / ".venv-references"
REQUIREMENTS = Path(__file__).parent / "requirements.txt"


class NotInstalled(RuntimeError):
    """The references cannot be installed; the message says why."""


def references_python() -> str:
    """Return the Python of the references' environment, made if it is not there as pinned.

    Raises:
        NotInstalled: With the last lines of pip's output.
    """
    python, stamp = FOLDER / "bin/python", FOLDER / "installed"
    pinned = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == pinned:
        return str(python)
    install = [str(python), "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS)]
    for command in ([sys.executable, "-m", "venv", "--clear", str(FOLDER)], install):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise NotInstalled("\n".join((done.stdout + done.stderr).splitlines()[-3:]))
    stamp.write_text(pinned)
    return str(python)
