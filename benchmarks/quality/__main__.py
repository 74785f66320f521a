"""Measure quality out of time.

    python -m benchmarks.quality --events FILE --predictions FOLDER --cut 2011-10-01 [--cut ...]

At each cut Foretell sees only events before it, trains and scores; the same warehouse is then built
again one horizon later and `prediction_outcomes` says what happened. Without arguments: Online
Retail (skipped if it is not at hand) and the simulator, beside the simulator's true probabilities.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from benchmarks.quality.baselines import baseline_probabilities
from models_ml.demo_events import DemoSettings, write_demo_events
from models_ml.evaluate import expected_calibration_error, reliability_table
from models_ml.road import build, finish, run, select_predictions
from models_ml.settings import PROJECT, Settings, parse_as_of
from models_ml.warehouse import open_warehouse

ONLINE_RETAIL = PROJECT.parent / "shared/data/online_retail/events.parquet"
DEMO_PREDICTIONS = PROJECT / "seeds/demo_predictions"
Z_ALL_TEN = 2.807  # ten intervals of 99.5 % hold together with 95 % (Bonferroni)
console = Console(width=190)


@dataclass(frozen=True)
class Result:
    """One line of the table: one method on one prediction at one cut."""

    prediction: str
    cut: str
    method: str
    y: np.ndarray
    p: np.ndarray
    p_true: np.ndarray | None = None
    seconds: float | None = None

    def cells(self) -> list[str]:
        """Return the line's figures as text."""
        y, p = self.y, np.clip(self.p, 1e-7, 1 - 1e-7)
        ranked = len(np.unique(y)) == 2 and len(np.unique(p)) > 1
        gap = f"{np.abs(p - self.p_true).mean():.4f}" if self.p_true is not None else ""
        return [
            self.prediction,
            self.cut,
            self.method,
            f"{len(y):,}",
            f"{y.mean():.4f}",
            f"{p.mean():.4f}",
            f"{roc_auc_score(y, p):.4f}" if ranked else "",
            f"{average_precision_score(y, p):.4f}" if ranked else "",
            f"{log_loss(y, p, labels=[0, 1]):.4f}",
            f"{expected_calibration_error(y, p):.4f}",
            str(sum(map(_is_inside, self.deciles()))),
            gap,
            f"{self.seconds:.0f}" if self.seconds is not None else "",
        ]

    def deciles(self) -> list[dict[str, float]]:
        """Return predicted and observed rate in ten groups by p, with a simultaneous interval."""
        return reliability_table(self.y, self.p, z=Z_ALL_TEN)


def measure(settings: Settings, truth: Path | None = None) -> list[Result]:
    """Score at settings.as_of and compare with what then happened.

    Args:
        settings: Events, definitions and the cut as as_of, in a warehouse of its own.
        truth: Parquet of the simulator with p_true and outcome per user; outcomes then come from
            there, since the events end at the cut.
    """
    assert settings.as_of is not None
    started = time.monotonic()
    run(settings, _quiet)
    seconds = time.monotonic() - started
    results = []
    with open_warehouse(settings.warehouse, read_only=True) as warehouse:
        predictions = select_predictions(warehouse)
        baselines = {name: baseline_probabilities(warehouse, name) for name in predictions}
        horizons = {row["prediction"]: row["horizon_days"] for row in warehouse.rows(
            "select prediction, horizon_days from prediction_definitions")}  # fmt: skip
        cohorts = {
            name: warehouse.table(
                """
                select cohort.user_id, predictions.probability
                from scoring_rows as cohort left join predictions using (prediction, user_id)
                where prediction = ? order by cohort.user_key
                """,
                [name],
            )
            for name in predictions
        }
    for name in predictions:
        users = cohorts[name]["user_id"].to_pylist()
        happened = (
            _from_truth(truth, name)
            if truth
            else _from_future(
                replace(settings, as_of=settings.as_of + timedelta(days=horizons[name])), name
            )
        )
        # Visitors that never logged in have no row in the simulator's truth.
        is_known = np.array([user in happened for user in users])
        found = np.array([happened[user] for user in users if user in happened], dtype=float)
        y, p_true = found[:, 0], found[:, 1] if truth else None
        cut = f"{settings.as_of:%Y-%m-%d}"
        if not cohorts[name]["probability"].null_count:
            p = cohorts[name]["probability"].to_numpy()[is_known]
            results.append(Result(name, cut, "Foretell", y, p, p_true, seconds))
        results += [
            Result(name, cut, method, y, p[is_known], p_true)
            for method, p in baselines[name].items()
        ]
        if p_true is not None:
            results.append(Result(name, cut, "oracle (true p)", y, p_true, p_true))
    return results


def _from_future(later: Settings, prediction: str) -> dict[str, tuple[float, float]]:
    """Build the same warehouse one horizon later and read what happened to each scored user."""
    build(later, _quiet)
    finish(later, _quiet)
    with open_warehouse(later.warehouse, read_only=True) as warehouse:
        (now,) = warehouse.rows("select as_of from stg_as_of")
        (last,) = warehouse.rows("select max(event_hour) as hour from stg_events")
        if last["hour"] * 3600 < (later.as_of - parse_as_of("1970-01-01")).total_seconds() - 86400:
            raise SystemExit(f"events end before {now['as_of']}: choose an earlier --cut")
        rows = warehouse.rows(
            "select user_id, outcome from prediction_outcomes where prediction = ?", [prediction]
        )
    return {row["user_id"]: (row["outcome"], np.nan) for row in rows}


def _from_truth(truth: Path, prediction: str) -> dict[str, tuple[float, float]]:
    rows = pq.read_table(truth, filters=[("prediction", "=", prediction)]).to_pylist()
    return {row["user_id"]: (row["outcome"], row["p_true"]) for row in rows}


def _quiet(line: str) -> None:
    del line


def _simulated(folder: Path, users: int) -> tuple[Settings, Path]:
    made = write_demo_events(folder, DemoSettings(users=users))
    settings = Settings(
        f"{folder}/*.parquet",
        folder / "quality.duckdb",
        DEMO_PREDICTIONS,
        parse_as_of(str(made.as_of)),
    )
    return settings, folder / "truth/truth.parquet"


def main() -> None:
    """Run the measurement named by the arguments and print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--events", help="path or glob of canonical events")
    parser.add_argument("--predictions", type=Path, help="folder of definitions")
    parser.add_argument(
        "--cut", action="append", default=[], help="hour at which to score; may be given again"
    )
    parser.add_argument("--users", type=int, default=20_000, help="size of the simulation")
    arguments = parser.parse_args()
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as scratch:
        if arguments.events:
            if not (arguments.predictions and arguments.cut):
                parser.error("--events needs --predictions and at least one --cut")
            cases = [(arguments.events, arguments.predictions, cut) for cut in arguments.cut]
        else:
            cases = []
            if ONLINE_RETAIL.exists():
                folder = Path(__file__).parent / "online_retail"
                cases = [(str(ONLINE_RETAIL), folder, cut) for cut in ("2011-10-01", "2011-11-01")]
            else:
                console.print(f"no Online Retail events at {ONLINE_RETAIL}: left out")
            settings, truth = _simulated(Path(scratch), arguments.users)
            results += measure(settings, truth)
        for number, (events, predictions, cut) in enumerate(cases):
            warehouse = Path(scratch) / f"quality_{number}.duckdb"
            results += measure(
                Settings(events, warehouse, Path(predictions).resolve(), parse_as_of(cut))
            )
    _show(results)


def _show(results: list[Result]) -> None:
    table = Table(title="Out of time: users scored at the cut, against what then happened")
    headings = (
        "prediction", "cut", "method", "users", "rate", "mean p", "AUROC", "avg precision",
        "log loss", "calibration error", "deciles in interval", "gap to true p", "seconds",
    )  # fmt: skip
    for heading in headings:
        is_text = heading in ("prediction", "method")
        table.add_column(heading, justify="left" if is_text else "right")
    for result in results:
        table.add_row(*result.cells())
    console.print(table)
    for result in results:
        if result.method == "Foretell":
            console.print(_decile_table(result))


def _is_inside(decile: dict[str, float]) -> bool:
    return decile["low"] <= decile["mean_p"] <= decile["high"]


def _decile_table(result: Result) -> Table:
    table = Table(title=f"{result.prediction} at {result.cut}, by tenth of the probability")
    for heading in ("mean p", "happened", "95 % for all ten", ""):
        table.add_column(heading, justify="right")
    for decile in result.deciles():
        table.add_row(
            f"{decile['mean_p']:.4f}",
            f"{decile['observed']:.4f}",
            f"{decile['low']:.4f} to {decile['high']:.4f}",
            "" if _is_inside(decile) else "outside",
        )
    return table


if __name__ == "__main__":
    main()
