"""Time the road on events by the million, as whole processes.

    python -m benchmarks.speed --events 10_000_000 [--folder DIR] [--predictions FOLDER]

Writes the events once (benchmarks/speed/generate.py), then runs in processes of their own: the
floor (one scan + group by user, event type and week in plain DuckDB), the whole road from raw
Parquet to `predictions`, and the same again with nothing new. Ratios to the floor hold across
machines.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.speed.generate import generate
from models_ml.settings import PROJECT

EVENTS_PER_USER = 100
FLOOR = """
import duckdb, sys
duckdb.execute(
    "set threads = 2; create temp table counts as select user_id, event_name, count(*) as n,"
    " epoch_us(event_time) // 604800000000 as week from read_parquet(?) group by all",
    [sys.argv[1]],
)
"""
NODE = re.compile(r"^\s*\d+ s\s+\d+/\d+ (\w+) ([\d.]+) s$")
console = Console(width=120)


@dataclass(frozen=True)
class Cost:
    """What one process and its children took.

    Attributes:
        seconds: Wall time.
        cpu: User + system time, seconds.
        gib: Largest resident memory of any one of them, GiB.
        output: What it printed.
    """

    step: str
    seconds: float
    cpu: float
    gib: float
    output: str


def measure(step: str, command: list[str], environment: dict[str, str]) -> Cost:
    """Run a command to its end and return its cost; its progress is shown if it fails.

    Raises:
        SystemExit: If the command fails.
    """
    console.print(f"{step} ...")
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    # A shell of its own per step: RUSAGE_CHILDREN's peak would be that of the largest step so far.
    with subprocess.Popen(
        [sys.executable, "-c", PEAK, *command],
        env={**os.environ, **environment},
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        output = process.communicate()[0]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"{step} failed:\n{output[-3000:]}")
    *lines, peak = output.splitlines()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(step, time.monotonic() - started, cpu, int(peak) / 2**20, "\n".join(lines))


# Runs a command, passes its exit code on and prints the peak memory of its processes, KiB, last.
PEAK = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def main() -> None:
    """Run the measurement named by the arguments and print its tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--events", type=lambda text: int(float(text)), default=1_000_000)
    parser.add_argument("--folder", type=Path, default=PROJECT / "warehouse/speed")
    parser.add_argument("--predictions", type=Path, default=Path(__file__).parent / "predictions")
    parser.add_argument("--properties", action="store_true", help="six properties per event")
    arguments = parser.parse_args()
    name = f"{arguments.events}{'_properties' if arguments.properties else ''}"
    folder = arguments.folder.resolve() / name
    made = generate(
        folder, arguments.events, arguments.events // EVENTS_PER_USER,
        with_properties=arguments.properties,
    )  # fmt: skip
    warehouse = folder / "speed.duckdb"
    for old in folder.glob("speed*.duckdb*"):
        old.unlink()
    environment = {
        "FORETELL_EVENTS": made.events,
        "FORETELL_WAREHOUSE": str(warehouse),
        "FORETELL_PREDICTIONS": str(arguments.predictions.resolve()),
        "FORETELL_AS_OF": made.as_of,
    }
    foretell = [sys.executable, "-m", "models_ml.cli", "run"]
    costs = [
        measure("floor", [sys.executable, "-c", FLOOR, made.events], environment),
        measure("everything", foretell, environment),
        measure("again, nothing new", foretell, environment),
    ]
    _show(costs, made.n_events, warehouse)


def _show(costs: list[Cost], n_events: int, warehouse: Path) -> None:
    table = Table(title=f"{n_events:,} events")
    for heading in ("step", "seconds", "CPU s", "events/CPU s", "x floor", "peak GiB"):
        table.add_column(heading, justify="left" if heading == "step" else "right")
    for cost in costs:
        table.add_row(
            cost.step,
            f"{cost.seconds:.0f}",
            f"{cost.cpu:.1f}",
            f"{n_events / cost.cpu:,.0f}",
            f"{cost.cpu / costs[0].cpu:.1f}",
            f"{cost.gib:.2f}",
        )
    console.print(table)
    console.print(f"warehouse on disk: {warehouse.stat().st_size / 2**30:.2f} GiB")
    nodes = [match.groups() for line in costs[1].output.splitlines() if (match := NODE.match(line))]
    for node, seconds in sorted(nodes, key=lambda row: -float(row[1]))[:15]:
        console.print(f"  {node:32}{seconds:>8} s")
    console.print("\n".join(line for line in costs[1].output.splitlines() if ": " in line))


if __name__ == "__main__":
    main()
