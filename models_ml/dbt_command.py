"""Runs dbt as a separate process and turns its log into progress and one clear error.

The only module that knows dbt, and it knows only the command: a process of its own lets go of the
warehouse file when it ends, which a dbt inside this process would not (one writer per DuckDB file).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from models_ml.errors import ForetellError
from models_ml.settings import PROJECT

DBT = Path(sys.executable).with_name("dbt")
MARK = "Foretell: "
# What Spark's local metastore says of a long view; only stg_raw_events may be one.
DERBY_IS_FULL = "trying to shrink LONG VARCHAR"
TOO_MANY_SOURCES = (
    "so many sources of events make a view longer than the local metastore of Spark can keep "
    "(32,700 characters): name fewer, or a metastore service in hive-site.xml (docs/scale.md)"
)
Progress = Callable[[str], None]


def build_arguments(variables: Mapping[str, Any], selection: Sequence[str] = ()) -> list[str]:
    """Return the arguments of a production build: models and data tests, no unit tests.

    Args:
        variables: dbt vars.
        selection: E.g. ["--select", "path:dbt_project/models/08_predictions"].
    """
    variables_json = json.dumps(dict(variables))
    return ["build", "--exclude-resource-type", "unit_test", "--vars", variables_json, *selection]


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
    # A folder per scope: dbt parses everything anew (8 s) whenever a var differs from last time.
    target = ["--target-path", f"target/{variables.get('scope', '')}"]
    # What dbt would write of the project and the run, nobody reads here; it takes a second.
    unwritten = "--no-write-json"
    _run_dbt([*build_arguments(variables, arguments), *target, unwritten], environment, progress)


def dbt_parse(target: Path, environment: Mapping[str, str], variables: Mapping[str, Any]) -> Path:
    """Write the manifest of this project into a folder and return its path.

    Raises:
        ForetellError: If the project or the definitions cannot be parsed.
    """
    folders = ["--target-path", str(target), "--log-path", str(target)]
    arguments = ["parse", "--vars", json.dumps(dict(variables)), *folders]
    _run_dbt(arguments, environment, lambda line: None)
    return target / "manifest.json"


def _run_dbt(arguments: list[str], environment: Mapping[str, str], progress: Progress) -> None:
    errors: list[str] = []
    with subprocess.Popen(
        [str(DBT), "--log-format", "json", *arguments],
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
        raise ForetellError(explain(errors, arguments[0]))


def _read(line: str, errors: list[str], progress: Progress) -> None:
    """Follow one line of dbt's JSON log."""
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        return
    info, data = entry.get("info", {}), entry.get("data", {})
    if info.get("level") == "error":
        errors.append(data.get("msg") or info.get("msg", ""))
    if info.get("name") == "JinjaLogInfo":  # from inside a long model (user_blocks)
        progress(data.get("msg", ""))
    if info.get("name") == "LogModelResult":
        node = data.get("node_info", {}).get("node_name", "")
        progress(
            f"{data.get('index')}/{data.get('total')} {node} {data.get('execution_time', 0):.1f} s"
        )


def explain(errors: list[str], command: str = "build") -> str:
    """Return the one message in dbt's errors that a person should read."""
    for error in errors:
        if MARK in error:
            return error.split(MARK, 1)[1].splitlines()[0].strip()
        if DERBY_IS_FULL in error:
            return TOO_MANY_SOURCES
    lines = [line.strip() for error in errors for line in error.splitlines() if line.strip()]
    reason = " | ".join(lines[:6]) or "no reason given; see logs/dbt.log"
    return f"dbt {command} failed: {reason}"
