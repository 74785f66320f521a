"""Plugin of dbt-duckdb: protects the warehouse also when a user starts dbt directly.

profiles.yml names this module. When dbt opens the warehouse the plugin takes its lock (run_lock),
ends dbt with the Foretell process that started it, if one did, and restricts new files to their
owner.
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
    """Created when dbt opens the warehouse file, and released with it."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Take the lock, unless the process that started dbt already holds it."""
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
        self._lock = acquire(path, command, _report)  # open as long as this object lives


def _check_definitions() -> None:
    """Refuse definitions with code. Staged copies have none; a direct dbt run may read others."""
    folder = Path(os.environ.get("FORETELL_PREDICTIONS") or "-")
    if folder.is_dir():
        try:
            check_definition_files(folder)
        except ForetellError as error:
            raise DbtRuntimeError(f"Foretell: {error}") from None


def _report(line: str) -> None:
    sys.stderr.write(f"{line}\n")
