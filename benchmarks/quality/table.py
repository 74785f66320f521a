"""The one table of the quality benchmark, and what can be read off it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from rich.table import Table
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks.quality.cases import Task
from benchmarks.speed.__main__ import Cost
from foretell.learn.metrics import expected_calibration_error, reliability_table

Z_ALL_TEN = 2.807  # ten intervals of 99.5 % hold together with 95 % (Bonferroni)
ORACLE, ATTAINABLE = "oracle (true p)", "best from events"
HEADINGS = (
    "prediction", "cut", "method", "users", "observed", "predicted", "AUROC", "avg precision",
    "log loss", "expected", "ECE", "gap to true p", "seconds", "CPU s", "peak GiB",
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """One line of the table: one method on one prediction at one cut.

    Attributes:
        y: What happened, 0 or 1, shape (n_users,).
        p: Probabilities of the method, shape (n_users,).
        p_true: The true probability, or nan, shape (n_users,).
        position: Which of the task's users, shape (n_users,).
        seconds: Training and scoring, the whole process; None for what needs no process.
        cpu: Its CPU seconds: on a machine with other work, those are what compares.
        gib: Its peak memory.
    """

    prediction: str
    cut: str
    method: str
    y: np.ndarray
    p: np.ndarray
    p_true: np.ndarray
    position: np.ndarray
    seconds: float | None = None
    cpu: float | None = None
    gib: float | None = None

    @property
    def is_ranking(self) -> bool:
        """Return whether users of both outcomes have different probabilities."""
        return len(np.unique(self.y)) == 2 and len(np.unique(self.p)) > 1

    @property
    def log_loss(self) -> float:
        """Return the mean log loss, nats; a probability of 0 or 1 counts as 1e-7 beside it."""
        return float(self.losses().mean())

    @property
    def auroc(self) -> float:
        """Return the area under the ROC curve; nan if nothing is ranked."""
        return float(roc_auc_score(self.y, self.p)) if self.is_ranking else np.nan

    @property
    def ece(self) -> float:
        """Return the expected calibration error, a probability."""
        return expected_calibration_error(self.y, np.clip(self.p, 0, 1))

    def gap(self, some: np.ndarray | None = None) -> float:
        """Return the mean distance from the true probability, of all or some users (a mask)."""
        return float(np.abs(self.p - self.p_true)[_or_all(some)].mean())

    def expected_log_loss(self, some: np.ndarray | None = None) -> float:
        """Return the log loss expected under the true probability, of all or some users."""
        return float(self._losses_under(self.p_true)[_or_all(some)].mean())

    def expected_auroc(self) -> float:
        """Return the AUROC under the true probability: every user both did and did not, in part."""
        did = np.repeat([1, 0], len(self.p))
        weight = np.concatenate([self.p_true, 1 - self.p_true])
        return float(roc_auc_score(did, np.tile(self.p, 2), sample_weight=weight))

    def expected_ece(self) -> float:
        """Return the calibration error against the true probability instead of what happened."""
        return expected_calibration_error(self.p_true, np.clip(self.p, 0, 1))

    def losses(self) -> np.ndarray:
        """Return the log loss of each user, nats, shape (n_users,)."""
        return self._losses_under(self.y)

    def _losses_under(self, truth: np.ndarray) -> np.ndarray:
        p = np.clip(self.p, 1e-7, 1 - 1e-7)
        return -(truth * np.log(p) + (1 - truth) * np.log1p(-p))

    def cells(self) -> list[str]:
        """Return the line as text; expected is the log loss under the true probability."""
        average_precision = average_precision_score(self.y, self.p) if self.is_ranking else np.nan
        numbers = (
            self.auroc,
            average_precision,
            self.log_loss,
            self.expected_log_loss(),
            self.ece,
            self.gap(),
        )
        return [
            self.prediction,
            self.cut,
            self.method,
            f"{len(self.y):,}",
            f"{self.y.mean():.4f}",
            f"{self.p.mean():.4f}",
            *("" if np.isnan(number) else f"{number:.4f}" for number in numbers),
            "" if self.seconds is None else f"{self.seconds:.0f}",
            "" if self.cpu is None else f"{self.cpu:.0f}",
            "" if self.gib is None else f"{self.gib:.2f}",
        ]

    def deciles(self) -> list[dict[str, float]]:
        """Return predicted and observed rate in ten groups by p, with a simultaneous interval."""
        return reliability_table(self.y, self.p, z=Z_ALL_TEN)


def _or_all(some: np.ndarray | None) -> np.ndarray | slice:
    return slice(None) if some is None else some


def result_of(task: Task, method: str, p: np.ndarray, cost: Cost | None = None) -> Result:
    """Return the line of a method's probabilities, on the users of whom it is known what they did.

    The simulator does not know of visitors that never logged in; the best from events is known of
    some users only.
    """
    known = ~np.isnan(task.y) & ~np.isnan(p)
    line = Result(
        task.prediction, task.cut, method, task.y[known], p[known], task.p_true[known],
        np.flatnonzero(known),
    )  # fmt: skip
    return replace(line, seconds=cost.seconds, cpu=cost.cpu, gib=cost.gib) if cost else line


def quality_table(results: list[Result]) -> Table:
    """Return all lines, in order, a rule between one prediction at one cut and the next."""
    table = Table(title="Out of time: users scored at the cut, against what then happened")
    for heading in HEADINGS:
        is_text = heading in ("prediction", "method")
        table.add_column(heading, justify="left" if is_text else "right", no_wrap=True)
    for number, result in enumerate(results):
        following = results[number + 1 : number + 2]
        ends = any((r.prediction, r.cut) != (result.prediction, result.cut) for r in following)
        table.add_row(*result.cells(), end_section=ends)
    return table


def decile_table(result: Result) -> Table:
    """Return predicted and observed rates by tenth of the probability."""
    table = Table(title=f"{result.prediction} at {result.cut}, by tenth of the probability")
    for heading in ("mean p", "happened", "95 % for all ten", ""):
        table.add_column(heading, justify="right")
    for decile in result.deciles():
        is_inside = decile["low"] <= decile["mean_p"] <= decile["high"]
        table.add_row(
            f"{decile['mean_p']:.4f}",
            f"{decile['observed']:.4f}",
            f"{decile['low']:.4f} to {decile['high']:.4f}",
            "" if is_inside else "outside",
        )
    return table
