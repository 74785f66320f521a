"""dbt in a process that stays: its imports, and what it compiles of our macros, take twice as long as
building a small warehouse. What it parsed (10 s) is good for every test with the same variables."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Mapping
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from models_ml.settings import PROJECT

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["dbt.cli.main", "dbt.adapters.duckdb", __name__])


class DbtProcess:
    """Commands one after the other; the process ends with this object."""

    def __init__(self) -> None:
        self._commands, of_process = FORKS.Pipe()
        FORKS.Process(target=_serve, args=(of_process,), daemon=True).start()
        of_process.close()

    def run(self, arguments: list[str], environment: Mapping[str, str], output: Path) -> int:
        """Run a command on the project, return its exit code; what it prints goes into a file."""
        self._commands.send((arguments, dict(environment), output))
        return self._commands.recv()


def _serve(commands: Connection) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner

    os.chdir(PROJECT)
    _parse_once_for_all_paths()
    of_process = dict(os.environ)
    while True:
        try:
            arguments, environment, output = commands.recv()
        except EOFError:
            return
        os.environ.clear()
        os.environ.update(of_process | environment)
        with output.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        done = dbtRunner().invoke(arguments)
        reset_adapters()
        DuckDBConnectionManager.close_all_connections()
        gc.collect()  # only then is the warehouse let go of
        commands.send(0 if done.success else 2 if done.exception else 1)


def _parse_once_for_all_paths() -> None:
    """Let dbt use what it parsed for other events, folders or as_of: no parsed node depends on them."""
    from dbt.artifacts.resources import FileHash
    from dbt.parser.manifest import ManifestLoader

    state_of = ManifestLoader.build_manifest_state_check
    ManifestLoader.build_manifest_state_check = lambda loader: replace(
        state_of(loader), project_env_vars_hash=FileHash.empty(), profile_hash=FileHash.empty()
    )
