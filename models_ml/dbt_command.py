"""Runs `dbt build` as a separate process and turns its log into progress and one clear error.

The only module that knows dbt, and it knows only the command: a process of its own lets go of the
warehouse file when it ends, which a dbt inside this process would not (one writer per DuckDB file).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from models_ml.errors import ForetellError
from models_ml.settings import PROJECT

MARK = "Foretell: "
Progress = Callable[[str], None]


def dbt_build(
    arguments: list[str],
    environment: Mapping[str, str],
    variables: Mapping[str, Any],
    progress: Progress,
) -> None:
    """Run `dbt build` on this project.

    Args:
        arguments: Selection, e.g. ["--select", "path:dbt_project/models/08_predictions"].
        environment: Environment of the process (Settings.dbt_environment).
        variables: dbt vars.
        progress: Called with a line per finished node.

    Raises:
        ForetellError: If a node fails, with the message meant for people.
    """
    dbt = Path(sys.executable).with_name("dbt")
    command = [str(dbt), "--log-format", "json", "build", "--exclude-resource-type", "unit_test"]
    command += ["--vars", json.dumps(dict(variables)), *arguments]
    errors: list[str] = []
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        env=dict(environment),
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            _read(line, errors, progress)
    if process.returncode != 0:
        raise ForetellError(_explain(errors))


def _read(line: str, errors: list[str], progress: Progress) -> None:
    """Follow one line of dbt's JSON log."""
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        return
    info, data = entry.get("info", {}), entry.get("data", {})
    if info.get("level") == "error":
        errors.append(data.get("msg") or info.get("msg", ""))
    if info.get("name") in ("LogModelResult", "LogTestResult"):
        node = data.get("node_info", {}).get("node_name", "")
        progress(
            f"{data.get('index')}/{data.get('total')} {node} {data.get('execution_time', 0):.1f} s"
        )


def _explain(errors: list[str]) -> str:
    for error in errors:
        if MARK in error:
            return error.split(MARK, 1)[1].splitlines()[0].strip()
    lines = [line.strip() for error in errors for line in error.splitlines() if line.strip()]
    return "dbt build failed: " + (" | ".join(lines[:6]) or "no reason given; see logs/dbt.log")
