"""dbt in a process that stays: its imports, and what it compiles of our macros, take twice as long as
building a small warehouse."""

from __future__ import annotations

import gc
import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path

from foretell.project import PACKAGE

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["dbt.cli.main", "dbt.adapters.duckdb", __name__])


class DbtProcess:
    """Commands one after the other; the process ends with this object."""

    def __init__(self) -> None:
        self._commands, of_process = FORKS.Pipe()
        FORKS.Process(target=_serve, args=(of_process,), daemon=True).start()
        of_process.close()

    def run(self, arguments: list[str], environment: dict[str, str], output: Path) -> int:
        """Run a command on the project in an environment (besides this one), return its exit code.

        Args:
            arguments: Of dbt.
            environment: Variables set for this command only.
            output: File for what it prints.
        """
        self._commands.send((arguments, environment, output))
        return self._commands.recv()


def _serve(commands: Connection) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner

    os.chdir(PACKAGE)
    gc.disable()  # a tenth of a command; what it leaves is collected after it
    outside = dict(os.environ)
    while True:
        try:
            arguments, environment, output = commands.recv()
        except EOFError:
            return
        with output.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        os.environ.clear()
        os.environ.update(outside | environment)
        done = dbtRunner().invoke(arguments)
        reset_adapters()
        DuckDBConnectionManager.close_all_connections()
        gc.collect()  # only then is the warehouse let go of
        commands.send(0 if done.success else 2 if done.exception else 1)
