"""Time the pipeline on events by the million, as whole processes.

    python -m benchmarks.speed --events 10_000_000 [--folder DIR] [--steps everything hour day]
        [--predictions FOLDER | --n-predictions 20] [--properties]

Writes the events once (benchmarks/speed/generate.py), then runs in processes of their own: the
floor (one scan + group by user, event type and week in plain DuckDB) and the requested steps.
Ratios to the floor hold across machines. Sizes measured in one folder are compared: how CPU grew.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.speed.generate import arrive, generate
from foretell.project import PACKAGE

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
# Command and hours before the end of the events, in the order in which they make sense. In the hour
# from 28 to 27 before the end 0.7 % of the users are active.
STEPS = {
    "everything": (["run"], 28),  # from raw Parquet to predictions, nothing prepared
    "again": (["run"], 28),  # nothing new
    "hour": (["score", "--active-only"], 27),  # an hour later: its users only
    "score": (["score"], 4),  # a day after `everything`: score all users, train nothing
    "day": (["run"], 3),  # and an hour later: train and score all users
}
COSTS = "costs.json"
STEP = re.compile(r"^\s*\d+ s  (\w+:|scored) ")
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


def measure(
    step: str, command: list[str], environment: dict[str, str], log: Path | None = None
) -> Cost:
    """Run a command to its end and return its cost; the log, if any, shows how far it is.

    Raises:
        SystemExit: If the command fails.
    """
    console.print(f"{step} ..." if log is None else f"{step}: tail -f {log}", soft_wrap=True)
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    # A shell of its own per step: RUSAGE_CHILDREN's peak would be that of the largest step so far.
    with log.open("w+") if log else tempfile.TemporaryFile("w+") as file:
        code = subprocess.call(
            [sys.executable, "-c", PEAK, *command],
            env={**os.environ, **environment},
            cwd=PACKAGE,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        file.seek(0)
        output = file.read()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if code:
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
    parser.add_argument("--folder", type=Path, default=PACKAGE / "warehouse/speed")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=["everything", "again"])
    parser.add_argument("--predictions", type=Path, default=Path(__file__).parent / "predictions")
    parser.add_argument("--n-predictions", type=int, help="so many made-up predictions instead")
    parser.add_argument("--properties", action="store_true", help="six properties per event")
    arguments = parser.parse_args()
    name = f"{arguments.events}{'_properties' if arguments.properties else ''}"
    folder = arguments.folder.resolve() / name
    made = generate(
        folder, arguments.events, arguments.events // EVENTS_PER_USER,
        with_properties=arguments.properties,
    )  # fmt: skip
    for link in folder.glob("arrived/*"):
        link.unlink()
    warehouse = folder / "speed.duckdb"
    for old in folder.glob("speed*.duckdb*"):
        old.unlink()
    predictions = arguments.predictions
    if arguments.n_predictions:
        predictions = folder / "predictions"
        write_predictions(predictions, arguments.n_predictions)
    environment = {
        "FORETELL_EVENTS": made.events,
        "FORETELL_WAREHOUSE": str(warehouse),
        "FORETELL_PREDICTIONS": str(predictions.resolve()),
    }
    costs = [measure("floor", [sys.executable, "-c", FLOOR, made.events], environment)]
    for step in arguments.steps:
        command, hours_before = STEPS[step]
        as_of = datetime.fromisoformat(made.as_of) - timedelta(hours=hours_before)
        environment["FORETELL_EVENTS"] = arrive(folder, as_of)
        foretell = [sys.executable, "-m", "foretell.cli", *command, "--as-of", as_of.isoformat()]
        costs.append(measure(step, foretell, environment, folder / f"{step}.txt"))
    _show(costs, made.n_events, warehouse)
    variant = f"{arguments.n_predictions or predictions.resolve()} {arguments.properties}"
    for line in growth(folder, made.n_events, variant, costs):
        console.print(line, highlight=False)


def growth(folder: Path, n_events: int, variant: str, costs: list[Cost]) -> list[str]:
    """Keep what steps took beside the events; compare it with the next smaller size, if any.

    Args:
        folder: Of the events; those of other sizes are beside it.
        n_events: Size.
        variant: What must be equal for sizes to be compared.
        costs: Of this run.

    Returns:
        A line per step that both took: the exponent with which CPU grew.
    """
    (folder / COSTS).write_text(
        json.dumps({"n": n_events, "variant": variant, "cpu": {c.step: c.cpu for c in costs}})
    )
    others = [json.loads(file.read_text()) for file in folder.parent.glob(f"*/{COSTS}")]
    smaller = [
        other for other in others if other["n"] < n_events and other.get("variant") == variant
    ]
    if not smaller:
        return []
    before = max(smaller, key=lambda other: other["n"])
    times_events = math.log(n_events / before["n"])
    return [
        f"{cost.step}: CPU grew with exponent "
        f"{math.log(cost.cpu / before['cpu'][cost.step]) / times_events:.2f} "
        f"from {before['n']:,} events"
        for cost in costs
        if cost.step in before["cpu"]
    ]


def write_predictions(folder: Path, n: int) -> None:
    """Write n definitions that differ in events, bounds, windows and horizons."""
    folder.mkdir(exist_ok=True)
    exposures = []
    for number in range(n):
        outcome: dict[str, object] = {"event": f"event_{number * 7 % 30:02}"}
        if number % 3 == 2:
            outcome["not_done"] = True
        cohort = [{"event": "any", "within_days": (28, 56)[number % 2]}]
        if number % 4 == 3:
            cohort.append({"event": "purchase", "within_days": 28})
        prediction = {"cohort": cohort, "outcome": outcome, "horizon_days": (7, 14, 28)[number % 3]}
        exposures.append(
            {
                "name": f"prediction_{number:02}",
                "type": "ml",
                "owner": {"name": "Foretell", "email": "foretell@example.com"},
                "config": {"meta": {"prediction": prediction}},
            }
        )
    text = yaml.safe_dump({"exposures": exposures}, sort_keys=False)
    (folder / "predictions.yml").write_text(text)


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
    for cost in costs[1:]:
        lines = cost.output.splitlines()
        nodes = [match.groups() for line in lines if (match := NODE.match(line))]
        console.print(f"{cost.step}:")
        for node, seconds in sorted(nodes, key=lambda row: -float(row[1]))[:12]:
            console.print(f"  {node:32}{seconds:>8} s")
        console.print("\n".join(line for line in lines if STEP.match(line)))


if __name__ == "__main__":
    main()
