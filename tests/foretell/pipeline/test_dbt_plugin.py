"""What dbt does when it opens a warehouse that nobody but the user starts it on."""

from __future__ import annotations

import os
import subprocess

import pytest

from foretell.pipeline.dbt import DBT
from foretell.system.run_lock import HELD, run_lock
from tests.shop import PROJECT


def test_dbt_alone_takes_the_lock_too(tmp_path):
    """It would otherwise write between the steps of a run."""
    warehouse = tmp_path / "w.duckdb"
    command = [
        str(DBT), "run", "--select", "prediction_definitions",
        "--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path / "logs"),
    ]  # fmt: skip
    with run_lock(warehouse, "foretell run", pytest.fail):
        environment = {name: text for name, text in os.environ.items() if name != HELD}
        waiting = subprocess.Popen(
            command, cwd=PROJECT, env={**environment, "FORETELL_WAREHOUSE": str(warehouse)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        line = waiting.stderr.readline()
        assert line.startswith("waiting for the warehouse: foretell run (process "), line
        assert not warehouse.exists()
    output, errors = waiting.communicate()
    assert waiting.returncode == 0, output + errors
    assert warehouse.exists()
