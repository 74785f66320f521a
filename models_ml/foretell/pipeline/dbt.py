"""Runs dbt as a separate process and turns its log into progress and one clear error.

The only module that runs dbt, and only as a command: a separate process releases the warehouse
file when it ends, which dbt inside this process would not (one writer per DuckDB file).
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from foretell.errors import ForetellError, Progress, explain_resources
from foretell.install_package import is_installed, link_package, uses_link
from foretell.project import PROJECT_DIR
from foretell.settings import SCHEMAS_FILE

DBT = Path(sys.executable).with_name("dbt")  # for Dagster, which starts it itself
MARK = "Foretell: "
SCHEMAS = "Foretell schemas: "  # of macro note_schemas
SECONDS_PER_LINE = 10
SECONDS_TO_END = 5
# The debug log, dbt's default, would hold all SQL, with the keys in paths of events.
LOGS = ("--log-format", "json", "--log-level-file", "info")
KEPT_LINES = 20  # of lines that are no JSON: warnings, or a traceback that ends with the cause
# Error of Spark's local metastore for a long view; only stg_raw_events may be that long.
DERBY_IS_FULL = "trying to shrink LONG VARCHAR"
TOO_MANY_SOURCES = (
    "so many sources of events make a view longer than the local metastore of Spark can store "
    "(32,700 characters): use fewer, or a metastore service in hive-site.xml (docs/scale.md)"
)


def build_arguments(variables: Mapping[str, Any], selection: Sequence[str] = ()) -> list[str]:
    """Return the arguments of a production build: models and data tests, no unit tests.

    Args:
        variables: dbt vars.
        selection: E.g. ["--select", "tag:after_scoring"].
    """
    variables_json = json.dumps({"needs_events": True, **variables})
    return ["build", "--exclude-resource-type", "unit_test", "--vars", variables_json, *selection]


def dbt_build(
    arguments: list[str],
    environment: Mapping[str, str],
    variables: Mapping[str, Any],
    progress: Progress,
) -> None:
    """Run `dbt build` on this project.

    Args:
        arguments: Selection, e.g. ["--select", "tag:after_scoring"].
        environment: Environment of the process (Settings.dbt_environment).
        variables: dbt vars.
        progress: Called with a line per finished node.

    Raises:
        ForetellError: If a node fails, with the message meant for people.
    """
    # A folder per scope: dbt parses everything anew (8 s) whenever a var differs from last time.
    folder = Path(environment["DBT_TARGET_PATH"])
    target = ["--target-path", str(folder / str(variables.get("scope", "")))]
    # dbt would write files on the project and the run, which are not needed and take a second.
    unwritten = "--no-write-json"
    schemas = _run_dbt(
        [*build_arguments(variables, arguments), *target, unwritten], environment, progress
    )
    if schemas:
        (folder.parent / SCHEMAS_FILE).write_text(schemas, encoding="utf-8")


def install_package(
    folder: Path, environment: Callable[[], Mapping[str, str]], progress: Progress
) -> None:
    """Run `dbt deps` in somebody's project, where Foretell's package is not installed yet.

    Args:
        folder: Of the project.
        environment: Gives that of dbt; called where dbt runs only, as it looks at all event files.
        progress: Called with a line where dbt runs.

    Raises:
        ForetellError: If it fails, or the package is of another version.
    """
    if uses_link(folder):
        link_package(folder)
    if not is_installed(folder):
        progress("dbt deps: the package is installed into the project")
        _run_dbt(["deps"], environment(), progress)


def dbt_parse(target: Path, environment: Mapping[str, str], variables: Mapping[str, Any]) -> Path:
    """Write the manifest of this project into a folder and return its path.

    Raises:
        ForetellError: If the project or the definitions cannot be parsed.
    """
    folders = ["--target-path", str(target), "--log-path", str(target)]
    arguments = ["parse", "--vars", json.dumps(dict(variables)), *folders]
    _run_dbt(arguments, environment, lambda line: None)
    return target / "manifest.json"


def _run_dbt(arguments: list[str], environment: Mapping[str, str], progress: Progress) -> str:
    """Run dbt; return what it noted about the schemas, if it did."""
    log = DbtLog(progress)
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "foretell.pipeline.dbt_child",
            "--log-format",
            "json",
            "--log-level-file",
            "info",
            *arguments,
        ],
        cwd=environment[PROJECT_DIR],
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # lines that are no JSON may be the only cause given
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        try:
            for line in _lines_or_silence(process.stdout, SECONDS_PER_LINE):
                log.read(line)
        except BaseException:
            _end(process)
            raise
    if process.returncode != 0:
        raise ForetellError(log.explain(arguments[0], process.returncode))
    return log.schemas


def _end(process: subprocess.Popen[str]) -> None:
    """End a dbt run that is not needed any more; committed tables stay."""
    process.terminate()
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()


def _lines_or_silence(stream: IO[str], seconds: float) -> Iterator[str]:
    """Yield the lines of a stream to its end, and an empty one after each silence of `seconds`."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def pass_on() -> None:
        for line in stream:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=pass_on, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=seconds)
        except queue.Empty:
            line = ""
        if line is None:
            return
        yield line


class DbtLog:
    """The log of a running dbt: finished nodes, slow nodes, errors.

    Attributes:
        errors: Messages so far.
        others: The last lines that were no JSON: errors of dbt or of its environment.
        schemas: JSON: those of the tables (macro note_schemas); empty if it was not noted.
    """

    def __init__(self, progress: Progress) -> None:
        self.errors: list[str] = []
        self.others: deque[str] = deque(maxlen=KEPT_LINES)
        self.schemas = ""
        self._progress = progress
        self._started: dict[str, float] = {}  # running nodes and their start

    def read(self, line: str) -> None:
        """Process one line of dbt's JSON log; an empty one means that dbt was silent."""
        if not line:
            self._report_running()
            return
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            entry = None
        if not isinstance(entry, dict):
            if line.strip():
                self.others.append(line.strip())
            return
        info, data = entry.get("info", {}), entry.get("data", {})
        kind, node = info.get("name", ""), data.get("node_info", {}).get("node_name", "")
        if info.get("level") == "error":
            self.errors.append(data.get("msg") or info.get("msg", ""))
        if kind == "LogStartLine":
            self._started[node] = time.monotonic()
        elif kind.endswith("Result"):
            self._started.pop(node, None)
        if kind == "JinjaLogInfo":  # from inside a long model (user_blocks)
            message = data.get("msg", "")
            if message.startswith(SCHEMAS):
                self.schemas = message.removeprefix(SCHEMAS)
            else:
                self._progress(message)
        if kind == "LogModelResult":
            seconds = data.get("execution_time", 0)
            self._progress(f"{data.get('index')}/{data.get('total')} {node} {seconds:.1f} s")

    def explain(self, command: str, exit_code: int) -> str:
        """Return the one message for people after dbt ended with an error."""
        if not self.errors and not self.others and exit_code < 0:
            return f"dbt {command} was ended by signal {-exit_code}"
        return explain(self.errors or [*self.others][-1:], command)

    def _report_running(self) -> None:
        now = time.monotonic()
        running = [f"{node} for {now - since:.0f} s" for node, since in self._started.items()]
        self._progress(f"still at {', '.join(running)}" if running else "dbt reads the project")


def explain(errors: list[str], command: str = "build") -> str:
    """Return the one message for people in dbt's errors."""
    for error in errors:
        if MARK in error:
            return error.split(MARK, 1)[1].splitlines()[0].strip()
        if DERBY_IS_FULL in error:
            return TOO_MANY_SOURCES
    if reason := explain_resources(" ".join(errors)):
        return reason
    lines = [line.strip() for error in errors for line in error.splitlines() if line.strip()]
    reason = " | ".join(lines[:6]) or "no reason given"
    return f"dbt {command} failed: {reason}"
