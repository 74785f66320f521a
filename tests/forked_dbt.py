"""The command `dbt` in processes that begin with dbt imported: that takes as long as building a small
warehouse. Each process is forked from one that has done nothing else, so none knows of another."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

from models_ml.settings import PROJECT

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["dbt.cli.main", "dbt.adapters.duckdb", __name__])


def run_dbt(arguments: list[str], environment: dict[str, str], output: Path) -> int:
    """Run dbt on the project and return its exit code; what it prints goes into a file."""
    process = FORKS.Process(target=_run, args=(arguments, environment, output))
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def _run(arguments: list[str], environment: dict[str, str], output: Path) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import cli

    with output.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(PROJECT)
    os.environ.update(environment)
    try:
        cli(arguments, prog_name="dbt")
    finally:  # as the end of a whole process does; that of a fork does not
        DuckDBConnectionManager.close_all_connections()
