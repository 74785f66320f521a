"""Measure expected values out of time, beside BG/NBD with gamma-gamma.

    python -m benchmarks.value [--cases cdnow online_retail] [--only PREDICTION ...]

At each cut Foretell sees only events before it; the warehouse is then built one horizon
later and holds the observed values. LightGBM is its Tweedie regression on the same rows with the
library's defaults and 100 rounds. "nothing" expects 0 of all users. Seconds are of training and
scoring, on two cores; the features are ready.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import lightgbm
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.quality.cases import Case, build_later, hour_of, quiet, remove
from benchmarks.value.buy_till_you_die import expected_values
from benchmarks.value.cdnow import write_cdnow_events
from foretell.learn.evaluate import value_metrics
from foretell.learn.matrix import TrainingSet
from foretell.learn.onnx.model import EXPECTED_VALUE, make_session, predict_sparse
from foretell.learn.train import TrainSettings, train
from foretell.pipeline.features import load_features
from foretell.pipeline.training_data import load_training_set
from foretell.project import PACKAGE
from foretell.run import build, select_predictions
from foretell.settings import Settings, parse_as_of
from foretell.warehouse.open import open_warehouse

HERE = Path(__file__).parent
ONLINE_RETAIL = PACKAGE.parent / "shared/data/online_retail/events.parquet"
CUTS = {
    "cdnow": ("1997-12-01", "1998-02-01", "1998-04-01"),
    "online_retail": ("2011-08-01", "2011-10-01", "2011-11-01"),
}
COLUMNS = ("mean_absolute_error", "deviance", "total_ratio", "decile_error", "top_decile_share")
console = Console(width=170)


def main() -> None:
    """Run the measurement named by the arguments and print one table."""
    arguments = _parse()
    table = Table(title="Expected values, out of time", title_justify="left")
    for heading in ("prediction", "cut", "users", "method"):
        table.add_column(heading)
    for heading in ("error per user", "deviance", "total", "by tenth", "top tenth", "seconds"):
        table.add_column(heading, justify="right")
    with tempfile.TemporaryDirectory() as scratch:
        for name, case in _cases(arguments, Path(scratch)):
            for row in _measure(name, case, arguments.only):
                table.add_row(*row)
                console.print("  ".join(row), highlight=False)
    console.print(table)
    console.print(
        "error per user: mean |expected - observed|. deviance: Tweedie, power 1.5. total: expected "
        "over observed sum. by tenth: mean gap of ten groups by expected value, a share of the "
        "mean. top tenth: share of everything that the tenth with the highest values brought."
    )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.value",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--cases", nargs="+", choices=CUTS, default=list(CUTS))
    parser.add_argument("--only", nargs="+", default=[], help="predictions; default: all")
    return parser.parse_args()


def _cases(arguments: argparse.Namespace, scratch: Path) -> Iterator[tuple[str, Case]]:
    for name in arguments.cases:
        events = write_cdnow_events(scratch) if name == "cdnow" else ONLINE_RETAIL
        if not events.exists():
            console.print(f"no events at {events}: left out")
            continue
        for cut in CUTS[name]:
            warehouse = scratch / f"{name}_{cut}.duckdb"
            yield name, Case(Settings(str(events), warehouse, HERE / name, parse_as_of(cut)))
            for file in scratch.glob(f"{warehouse.stem}*"):
                remove(file)


def _measure(name: str, case: Case, selected: list[str]) -> Iterator[list[str]]:
    """Yield a line per prediction and method."""
    settings = case.settings
    build(settings, quiet)
    predicted: dict[str, dict[str, tuple[np.ndarray, float]]] = {}
    users: dict[str, list[str]] = {}
    usual: dict[str, float] = {}
    horizons: dict[str, int] = {}
    with open_warehouse(settings.location, read_only=True) as warehouse:
        for prediction in select_predictions(warehouse):
            if selected and prediction not in selected:
                continue
            data = load_training_set(warehouse, prediction)
            rows = warehouse.table(
                "select user_id, user_key, as_of_hour from scoring_rows where prediction = ? "
                "order by user_key",
                [prediction],
            )
            keys = rows["user_key"].to_numpy()
            X = load_features(
                warehouse, keys, rows["as_of_hour"].to_numpy(), data.matrix.feature_ids
            )
            (row,) = warehouse.rows(
                "select definition from prediction_definitions where prediction = ?", [prediction]
            )
            outcome = json.loads(row["definition"])["outcome"]
            methods: dict[str, Callable[[], np.ndarray]] = {
                "Foretell": lambda data=data, X=X: _foretell(data, X),
                "LightGBM Tweedie": lambda data=data, X=X: _lightgbm(data, X),
                "BG/NBD, gamma-gamma": lambda data=data, keys=keys, outcome=outcome: (
                    expected_values(
                        warehouse,
                        outcome["event"],
                        outcome.get("sum_of"),
                        keys,
                        hour_of(settings),
                        data.horizon_hours / 24,
                    )
                ),
                "mean": lambda data=data, keys=keys: np.full(len(keys), data.value.mean()),
            }
            predicted[prediction] = {method: _timed(run) for method, run in methods.items()}
            users[prediction] = rows["user_id"].to_pylist()
            usual[prediction] = float(data.value.mean())
            horizons[prediction] = data.horizon_hours
    observed = {}
    for horizon in sorted(set(horizons.values())):
        later = build_later(settings, horizon)
        with open_warehouse(later.warehouse, read_only=True) as warehouse:
            for prediction in (p for p, own in horizons.items() if own == horizon):
                rows = warehouse.rows(
                    "select user_id, value from training_rows where prediction = ? "
                    "and as_of_hour = ?",
                    [prediction, hour_of(settings)],
                )
                observed[prediction] = {row["user_id"]: row["value"] for row in rows}
    for prediction, by_method in predicted.items():
        # Of many rows training takes a sample of the users: of the others nothing is observed.
        value = np.array([observed[prediction].get(user, np.nan) for user in users[prediction]])
        is_known = ~np.isnan(value)
        number = np.arange(is_known.sum())
        first = (f"{name} {prediction}", f"{settings.as_of:%Y-%m-%d}", f"{is_known.sum():,}")
        for method, (expected, seconds) in by_method.items():
            found = value_metrics(value[is_known], expected[is_known], number, usual[prediction])
            figures = [f"{found[column]['value']:.4g}" for column in COLUMNS]
            yield [*first, method, *figures, f"{seconds:.1f}"]
        # No deviance: to expect nothing and be wrong is infinitely so.
        yield [*first, "nothing", f"{value[is_known].mean():.4g}", *"-----"]


def _timed(run: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    began = time.monotonic()
    return run(), time.monotonic() - began


def _foretell(data: TrainingSet, X: object) -> np.ndarray:
    model = train(data, TrainSettings())
    columns = np.searchsorted(data.matrix.feature_ids, model.feature_ids)
    return predict_sparse(make_session(model.onnx), X[:, columns], EXPECTED_VALUE).astype(float)


def _lightgbm(data: TrainingSet, X: object) -> np.ndarray:
    model = lightgbm.LGBMRegressor(objective="tweedie", n_jobs=2, verbosity=-1)
    return model.fit(data.matrix.X, data.value).predict(X)


if __name__ == "__main__":
    main()
