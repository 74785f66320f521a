"""A shop that is run, killed, run again; a reader beside it; what its tables hold."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb

from tests.conftest import write_events
from tests.shop import START, WEEKS, environment_of

# What a run makes, without when it was made. Scores differ in the last bits by batch.
TABLES = {
    "predictions": "prediction, user_id, round(probability, 5), round(percentile, 2), as_of, model_id",
    "prediction_history": "prediction, user_id, round(probability, 5), as_of, model_id",
    "models": "model_id, prediction, status, candidate, definition_hash, as_of",
    "stg_ingest_counts": "status, reason, n_rows",
    "hourly_user_events": "* exclude (counted_in)",
    "prediction_outcomes": "prediction, user_id, as_of, outcome",
}
STATE = "count(*), count(distinct (prediction, user_id)), sum(hash(prediction, user_id, probability, as_of)::double)"
SECONDS_TO_END = 10


def start(folder: Path, *command: str, **named: str) -> subprocess.Popen[str]:
    """Start `foretell` in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "foretell.cli", *command], cwd=folder,
        env=environment_of(folder, **named), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True,
    )  # fmt: skip


def end(process: subprocess.Popen[str], code: int = 0) -> str:
    """Wait for a command, which must end with a code; return what it printed."""
    output, _ = process.communicate()
    assert process.returncode == code, output[-3000:]
    assert "Traceback" not in output
    return output


def run(folder: Path, *command: str, code: int = 0, **named: str) -> str:
    return end(start(folder, *command, **named), code)


def kill(process: subprocess.Popen[str], number: int, is_group: bool) -> str:
    """Send a signal, to the whole group as Ctrl-C does or to the parent alone; nobody stays."""
    if is_group:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    ends = time.monotonic() + SECONDS_TO_END
    while left := processes_of(process.pid):
        assert time.monotonic() < ends, f"{left} outlive their parent"
        time.sleep(0.1)
    return output


def processes_of(session: int) -> list[int]:
    """Return the living processes of a session, oldest first."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append(int(path.parent.name))
    return sorted(found)


def wait_for(process: subprocess.Popen[str], text: str) -> str:
    """Read what a command prints until a line holds a text; return all of it."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise AssertionError(f"{text!r} did not come: {''.join(lines)[-2000:]}")


def copy_of(shop: Path, folder: Path) -> Path:
    shutil.copytree(shop, folder, ignore=shutil.ignore_patterns("*_dbt", "*.lock"))
    return folder


def an_hour_later(folder: Path) -> None:
    """Write a file of the hours after: some users look, and one buys."""
    rows = [
        {
            "user_id": f"u{user}",
            "event_name": "purchase" if user == 3 else "view",
            "event_time": (
                START + timedelta(weeks=WEEKS, days=1, hours=hour, minutes=user)
            ).isoformat(),
        }
        for user in range(0, 40, 3)
        for hour in (0, 2)
    ]
    write_events(folder / "events/2.parquet", rows)


def query(database: Path, sql: str) -> list[tuple]:
    """Run a query in the schemas of a warehouse, or in the one of a copy for readers."""
    with duckdb.connect(str(database), read_only=True) as connection:
        is_copy = database.stem.endswith("_published")
        schemas = "foretell" if is_copy else "foretell,foretell_internal"
        connection.execute(f"set search_path = '{schemas}'")
        return connection.execute(sql).fetchall()


def tables(folder: Path, names: tuple[str, ...] = tuple(TABLES)) -> dict[str, list[tuple]]:
    """Return what the tables of a shop hold."""
    return {
        name: query(folder / "w.duckdb", f"select {TABLES[name]} from {name} order by all")
        for name in names
    }


def published(folder: Path) -> list[tuple]:
    return query(
        folder / "w_published.duckdb",
        f"select {TABLES['predictions']} from predictions order by all",
    )


@contextmanager
def reader(folder: Path) -> Iterator[set[tuple]]:
    """Read the copy for readers again and again; the states seen, each whole."""
    seen: set[tuple] = set()
    failed: list[str] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                ((n_rows, n_users, content),) = query(
                    folder / "w_published.duckdb", f"select {STATE} from predictions"
                )
            except duckdb.Error as error:
                failed.append(str(error))
                return
            seen.add((n_rows, n_users, content))
            time.sleep(0.05)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
    assert failed == []
    assert all(n_rows == n_users > 0 for n_rows, n_users, _ in seen)


SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
