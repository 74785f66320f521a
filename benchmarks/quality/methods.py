"""The methods, each a process of its own: what it costs is imports, training and scoring."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from benchmarks.quality.cases import Task
from benchmarks.quality.references import references_python
from benchmarks.speed.__main__ import Cost, measure

FORETELL, WITHOUT = "Foretell", "Foretell without properties"
ON_REQUEST = ("with_logistic_balanced", "with_lightgbm_balanced")  # docs/decisions/0033
GRACE_SECONDS = 900  # beyond the budget, before a process is ended


@dataclass(frozen=True)
class Method:
    """How a method is run.

    Attributes:
        title: Its name in the table.
        script: benchmarks/quality/with_<script>.py.
        options: Further arguments of the script.
        is_reference: Whether it runs in the references' environment.
    """

    title: str
    script: str
    options: tuple[str, ...] = ()
    is_reference: bool = False

    def applies_to(self, task: Task) -> bool:
        """Return whether the method can answer such a question at all."""
        return task.has_histories or self.script != "bgnbd"


METHODS = {
    "foretell": Method(FORETELL, "foretell"),
    "without_properties": Method(WITHOUT, "foretell", ("--without-properties",)),
    "with_logistic_balanced": Method(
        "Foretell and a weighted logistic", "foretell", ("--balanced", "logistic")
    ),
    "with_lightgbm_balanced": Method(
        "Foretell and a weighted LightGBM", "foretell", ("--balanced", "lightgbm")
    ),
    "logistic": Method("logistic regression", "logistic"),
    "lightgbm": Method("LightGBM defaults", "lightgbm"),
    "lightgbm_tuned": Method("LightGBM tuned", "lightgbm_tuned"),
    "bgnbd": Method("BG/NBD", "bgnbd"),
    "flaml": Method("FLAML", "flaml", is_reference=True),
    "autogluon_medium": Method(
        "AutoGluon medium_quality", "autogluon", ("--preset", "medium_quality"), is_reference=True
    ),
    "autogluon_good": Method(
        "AutoGluon good_quality", "autogluon", ("--preset", "good_quality"), is_reference=True
    ),
}


def run_method(method: Method, task: Task, budget: float) -> tuple[np.ndarray | None, Cost]:
    """Train and score in a process of its own, on two cores.

    Args:
        method: Which one.
        task: The rows.
        budget: Seconds to search, for a method that takes as long as it is given.

    Returns:
        The probabilities of the rows to score (None if the process failed; its output is in the
        cost), and what it took.

    Raises:
        NotInstalled: If it is a reference and those cannot be installed.
    """
    python = references_python() if method.is_reference else sys.executable
    target = task.rows.with_suffix(".npy")
    target.unlink(missing_ok=True)
    command = [python, "-m", f"benchmarks.quality.with_{method.script}"]
    command += [str(task.rows), str(target), "--budget", str(budget), *method.options]
    limited = [sys.executable, "-m", "benchmarks.peers.limited", str(budget + GRACE_SECONDS)]
    cost = measure(f"{task.prediction} {task.cut}: {method.title}", [*limited, *command], {})
    is_finished = cost.output.splitlines()[-1] == "finished" and target.exists()
    return np.load(target) if is_finished else None, cost
