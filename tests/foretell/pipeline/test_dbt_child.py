"""dbt as a child: the same command, in a process that ends with its parent."""

from __future__ import annotations

import subprocess
import sys


def test_it_is_the_command_of_dbt():
    command = [sys.executable, "-m", "foretell.pipeline.dbt_child"]
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    assert "Usage: " in shown.stdout
    assert "build" in shown.stdout
    wrong = subprocess.run([*command, "biuld"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "No such command 'biuld'" in wrong.stderr


def test_it_ends_with_its_parent_and_writes_for_its_owner_only(monkeypatch):
    """Both are set before dbt starts."""
    from foretell.pipeline import dbt_child

    done = []
    monkeypatch.setattr(dbt_child, "end_with_parent", lambda: done.append("parent"))
    monkeypatch.setattr(dbt_child, "restrict_files", lambda: done.append("files"))
    monkeypatch.setattr("dbt.cli.main.cli", lambda: done.append("dbt"))
    dbt_child.main()
    assert done == ["parent", "files", "dbt"]
