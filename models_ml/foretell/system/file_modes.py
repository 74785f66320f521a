"""Files with scores are for their owner alone, unless FORETELL_FILE_MODE says otherwise."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from foretell.errors import ForetellError

DEFAULT_MODE = 0o600


def file_mode(environment: Mapping[str, str] = os.environ) -> int:
    """Return the mode that new files get, e.g. 0o640: who may read what Foretell writes.

    Raises:
        ForetellError: If FORETELL_FILE_MODE is no such mode.
    """
    text = environment.get("FORETELL_FILE_MODE", "")
    if not text:
        return DEFAULT_MODE
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if mode & 0o600 != 0o600 or not 0 <= mode <= 0o666:
        raise ForetellError(
            f"FORETELL_FILE_MODE={text} is not a mode of files; write 600 (owner alone), 640 (the "
            "group may read) or 644 (all may read)"
        )
    return mode


def restrict_files(environment: Mapping[str, str] = os.environ) -> None:
    """Have this process make files with that mode; folders may be entered by who may read."""
    os.umask(0o777 & ~(file_mode(environment) | folder_bits(environment)))


def folder_bits(environment: Mapping[str, str] = os.environ) -> int:
    """Return the bits by which those who may read a folder may enter it."""
    return (file_mode(environment) & 0o444) >> 2


def restrict(path: Path) -> None:
    """Give a file or folder that is there already the mode it would get now, if it is ours."""
    mode = file_mode()
    if path.is_dir():
        mode |= folder_bits()
    if path.exists() and path.stat().st_uid == os.geteuid() and path.stat().st_mode & 0o777 != mode:
        path.chmod(mode)
