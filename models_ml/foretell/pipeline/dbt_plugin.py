"""What dbt does when it opens a DuckDB warehouse, also where nobody but the user starts it.

profiles.yml names this module as a plugin of dbt-duckdb. It takes the lock of the warehouse
(run_lock), ends with the process that started dbt, if one of ours did, and writes files that only
their owner reads.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

from foretell.definition_files import check_definition_files
from foretell.errors import ForetellError
from foretell.system.child_process import end_with_parent
from foretell.system.file_modes import restrict_files
from foretell.system.run_lock import HELD, acquire, lock_path


class Plugin(BasePlugin):
    """Made when dbt opens the file; let go of with it."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Take the lock, unless the process that started dbt holds it for it."""
        end_with_parent()
        restrict_files()
        _check_definitions()
        assert self.creds is not None
        if self.creds.path == ":memory:":
            return
        path = lock_path(Path(self.creds.path).resolve())
        if os.environ.get(HELD) == str(path):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        command = " ".join(["dbt", *sys.argv[1:2]])
        self._lock = acquire(path, command, _tell)  # open as long as this object lives


def _check_definitions() -> None:
    """Refuse code in the definitions that dbt has read; ours, staged, holds none."""
    folder = Path(os.environ.get("FORETELL_PREDICTIONS") or "-")
    if folder.is_dir():
        try:
            check_definition_files(folder)
        except ForetellError as error:
            raise DbtRuntimeError(f"Foretell: {error}") from None


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
