"""False alarms on honest data, and the coverage of the model card's intervals.

    .venv/bin/python -m benchmarks.alarms --online-retail EVENTS --seeds 10 --out FILE

Runs Foretell as people do: the demo's simulator with several seeds, and Online Retail
(benchmarks/quality says how it becomes events) at twenty cuts a fortnight apart, one after the
other in one warehouse. Every alarm of every run is kept. Where the events go on after a cut, what
is observed is compared with the intervals of the card. Results: benchmarks/alarms/results.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from foretell.alarms.alarms import current_alarms
from foretell.demo.events import DemoSettings, write_demo_events
from foretell.learn.metrics import mean_log_loss
from foretell.pipeline.registry import find_champion
from foretell.project import PACKAGE
from foretell.run import run
from foretell.settings import Settings
from foretell.warehouse.base import Warehouse
from foretell.warehouse.open import open_warehouse

RETAIL = PACKAGE / "benchmarks/quality/online_retail"
FIRST_CUT, DAYS_BETWEEN, N_CUTS = datetime(2011, 2, 21), 14, 20  # the last 12 days before the end
DEMO = PACKAGE / "seeds/demo_predictions"


def main() -> None:
    """Run what is requested and write one JSON line per prediction and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--online-retail", type=Path, help="events.parquet; without it not run")
    parser.add_argument("--cuts", type=int, default=N_CUTS)
    parser.add_argument("--seeds", type=int, default=0, help="of the simulator")
    parser.add_argument("--users", type=int, default=5000, help="of the simulator")
    parser.add_argument("--demo", action="store_true", help="the demo as it is: 20,000 users")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, arguments.out.open("a") as out:
        for row in _all_rows(arguments, Path(scratch)):
            out.write(json.dumps(row) + "\n")
            out.flush()


def _all_rows(arguments: argparse.Namespace, scratch: Path) -> Iterator[dict[str, Any]]:
    if arguments.demo:
        yield from simulated_rows(scratch, DemoSettings())
    for seed in range(arguments.seeds):
        yield from simulated_rows(scratch, DemoSettings(users=arguments.users, seed=100 + seed))
    if arguments.online_retail:
        yield from retail_rows(arguments.online_retail, scratch, arguments.cuts)


def simulated_rows(scratch: Path, demo: DemoSettings) -> Iterator[dict[str, Any]]:
    """Yield the results of one run on simulated events; later outcomes are not known."""
    folder = scratch / f"demo_{demo.seed}"
    write_demo_events(folder / "events", demo)
    settings = Settings(str(folder / "events/*.parquet"), folder / "w.duckdb", DEMO)
    run(settings, _tell)
    with open_warehouse(settings.location, read_only=True) as warehouse:
        name = "demo" if demo == DemoSettings() else f"simulator, seed {demo.seed}"
        yield from _rows(warehouse, name, "")
    shutil.rmtree(folder)


def retail_rows(events: Path, scratch: Path, n_cuts: int) -> Iterator[dict[str, Any]]:
    """Yield the results of runs at several cuts, with the outcomes in the windows after them."""
    settings = Settings(str(events), scratch / "retail.duckdb", RETAIL)
    rows = []
    for cut in range(n_cuts):
        as_of = FIRST_CUT + timedelta(days=cut * DAYS_BETWEEN)
        settings = replace(settings, as_of=as_of)
        run(settings, _tell)
        with open_warehouse(settings.location, read_only=True) as warehouse:
            rows += _rows(warehouse, "online retail", f"{as_of:%Y-%m-%d}")
    run(replace(settings, as_of=None), _tell, with_training=False)
    with open_warehouse(settings.location, read_only=True) as warehouse:
        for row in rows:
            yield row | _realised(warehouse, row)


def _rows(warehouse: Warehouse, source: str, cut: str) -> list[dict[str, Any]]:
    alarms, rows = current_alarms(warehouse), []
    for row in warehouse.rows("select prediction from prediction_definitions order by 1"):
        prediction = row["prediction"]
        champion = find_champion(warehouse, prediction)
        own = [vars(alarm) for alarm in alarms if alarm.prediction == prediction]
        rows.append(
            {
                "source": source, "cut": cut, "prediction": prediction, "alarms": own,
                "model_id": champion.model_id if champion else None,
                "metrics": champion.metrics if champion else None,
                "quarantined": (champion.metrics or {}).get("quarantined", []) if champion else [],
            }
        )  # fmt: skip
    whole = [vars(alarm) for alarm in alarms if alarm.prediction is None]
    return [*rows, {"source": source, "cut": cut, "prediction": None, "alarms": whole}]


def _realised(warehouse: Warehouse, row: dict[str, Any]) -> dict[str, Any]:
    """Return the realised log loss and AUROC of a run's scores; nothing while unknown."""
    scored = warehouse.table(
        "select probability, outcome from prediction_outcomes "
        "where prediction = ? and model_id = ? and cast(as_of as date) = cast(? as date)",
        [row["prediction"], row.get("model_id"), row["cut"] or "1970-01-01"],
    )
    p, y = scored["probability"].to_numpy(), scored["outcome"].to_numpy()
    if not 0 < y.sum() < len(y):
        return {}
    return {
        "n_scored": len(y),
        "expected": float(p.sum()),
        "observed": int(y.sum()),
        "log_loss": mean_log_loss(y, p),
        "auroc": float(roc_auc_score(y, p)),
        "log_loss_base_rate": mean_log_loss(y, np.full(len(y), row["metrics"]["base_rate"])),
    }


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
