"""Measure quality out of time, beside what a data scientist would try on the same rows.

    python -m benchmarks.quality [--methods foretell logistic ...] [--only PREDICTION ...] [--quick]
    python -m benchmarks.quality --events FILE --predictions FOLDER --cut 2011-10-01 [--cut ...]

At each cut Foretell sees only events before it; every method is handed the same labelled rows and
rows to score, in a process of its own; then the warehouse is built one horizon later and says what
happened. Without arguments: Online Retail (left out if it is not at hand) and the simulator, beside
its true probabilities. Seconds and memory are of whole processes, on two cores.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks.quality.attainable import write_attainable
from benchmarks.quality.cases import Case, Task, prepare, remove
from benchmarks.quality.methods import FORETELL, METHODS, ON_REQUEST, run_method
from benchmarks.quality.references import NotInstalled
from benchmarks.quality.summary import summary
from benchmarks.quality.table import (
    ATTAINABLE,
    ORACLE,
    Result,
    decile_table,
    quality_table,
    result_of,
)
from foretell.demo.events import DemoSettings, write_demo_events
from foretell.project import PACKAGE
from foretell.settings import Settings, parse_as_of

HERE = Path(__file__).parent
ONLINE_RETAIL = PACKAGE.parent / "shared/data/online_retail/events.parquet"
ONLINE_RETAIL_CUTS = ("2011-08-01", "2011-10-01", "2011-11-01")
DEMO_PREDICTIONS = PACKAGE / "seeds/demo_predictions"
RARE_DAYS_BEFORE_END = (45, 38, 31, 24, 17, 10, 3)  # horizons of three days do not overlap
QUICK_CUTS, QUICK_USERS, QUICK_BUDGET = ("2011-10-01",), 2_000, 20
CASES = ("simulator", "online_retail", "rare")
console = Console(width=210)  # as wide as the table with the longest names


def main() -> None:
    """Run the measurement named by the arguments and print one table."""
    arguments = _parse()
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as scratch:
        for case in _cases(arguments, Path(scratch)):
            for task in prepare(case, Path(scratch), arguments.only):
                results += measure_task(task, arguments)
    if not results:
        raise SystemExit("nothing was measured: is the name of a prediction misspelt?")
    console.print(quality_table(results))
    for line in summary(results):
        console.print(line, highlight=False)
    if arguments.deciles:
        for result in results:
            if result.method == FORETELL:
                console.print(decile_table(result))


def measure_task(task: Task, arguments: argparse.Namespace) -> list[Result]:
    """Return one line per method, the base rate and, where it is known, the true probability."""
    results = []
    for method in (METHODS[name] for name in arguments.methods):
        if not method.applies_to(task):
            continue
        try:
            p, cost = run_method(method, task, arguments.budget)
        except NotInstalled as error:
            console.print(f"{method.title} is left out, it cannot be installed: {error}")
            continue
        if p is None:
            _tell(f"{method.title} is left out: {cost.output}")
            continue
        result = result_of(task, method.title, p, cost)
        _tell(f"  log loss {result.log_loss:.4f}, {cost.seconds:.0f} s; {cost.output}")
        results.append(result)
    results.append(result_of(task, "base rate", np.full(len(task.y), task.base_rate)))
    if not np.isnan(task.p_true).all():
        results.append(result_of(task, ORACLE, task.p_true))
        results.append(result_of(task, ATTAINABLE, task.p_attainable))
    return results


def _tell(text: str) -> None:
    """Print the beginning and the last lines of a method's output."""
    first, *others = [line for line in text.splitlines() if line.strip()]
    console.print("\n".join([first, *others[-4:]]), markup=False, highlight=False)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    usual = [name for name in METHODS if name not in ON_REQUEST]
    parser.add_argument("--events", help="path or glob of canonical events")
    parser.add_argument("--predictions", type=Path, help="folder of definitions")
    parser.add_argument(
        "--cut", action="append", default=[], help="hour at which to score; may be given again"
    )
    parser.add_argument("--users", type=int, default=20_000, help="size of the simulation")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=usual)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=CASES, help="default: all")
    parser.add_argument("--only", nargs="+", default=[], help="predictions; default: all")
    parser.add_argument("--budget", type=float, default=300, help="seconds, of what takes a budget")
    parser.add_argument("--quick", action="store_true", help="one cut, 2,000 users, 20 s")
    parser.add_argument("--deciles", action="store_true", help="also rates by tenth, of Foretell")
    arguments = parser.parse_args()
    if arguments.events and not (arguments.predictions and arguments.cut):
        parser.error("--events needs --predictions and at least one --cut")
    if arguments.quick:
        arguments.users, arguments.budget = QUICK_USERS, QUICK_BUDGET
    return arguments


def _cases(arguments: argparse.Namespace, scratch: Path) -> Iterator[Case]:
    """Yield the events and cuts that the arguments name."""
    if arguments.events:
        yield from _at_cuts(arguments.events, arguments.predictions, arguments.cut, scratch)
        return
    if {"simulator", "rare"} & set(arguments.cases):
        yield from _simulated(arguments, scratch)
    if "online_retail" in arguments.cases and ONLINE_RETAIL.exists():
        cuts = arguments.cut or (QUICK_CUTS if arguments.quick else ONLINE_RETAIL_CUTS)
        yield from _at_cuts(str(ONLINE_RETAIL), HERE / "online_retail", cuts, scratch)
    elif "online_retail" in arguments.cases:
        console.print(f"no Online Retail events at {ONLINE_RETAIL}: left out")


def _simulated(arguments: argparse.Namespace, scratch: Path) -> Iterator[Case]:
    """Yield the simulation at its end, where the truth is known, and the rare outcome before."""
    folder = scratch / "simulated"
    folder.mkdir()
    settings = DemoSettings(users=arguments.users)
    made = write_demo_events(folder, settings)
    events, end = f"{folder}/*.parquet", datetime.fromisoformat(str(made.as_of))
    if "simulator" in arguments.cases:
        console.print("asking an exact Bayesian filter what the events can tell at best")
        truth = write_attainable(folder / "truth/truth.parquet", settings)
        for case in _at_cuts(events, DEMO_PREDICTIONS, [end.isoformat()], scratch):
            yield replace(case, truth=truth)
    if "rare" in arguments.cases:
        cuts = [(end - timedelta(days=days)).isoformat() for days in RARE_DAYS_BEFORE_END]
        yield from _at_cuts(events, HERE / "rare", cuts, scratch)


def _at_cuts(events: str, predictions: Path, cuts: Iterable[str], scratch: Path) -> Iterator[Case]:
    """Yield one case per cut, each with a warehouse of its own: none has seen a later event."""
    for cut in cuts:
        name = f"{predictions.name}_{cut}".replace(":", "-")
        warehouse = scratch / f"{name}.duckdb"
        yield Case(Settings(events, warehouse, predictions.resolve(), parse_as_of(cut)))
        for file in scratch.glob(f"{name}*"):
            remove(file)


if __name__ == "__main__":
    main()
