"""Does a newly trained model take the champion's place? Decided on users neither has learned from.

Both holdout graphs are compared: they were fitted without the held-out users and before the newest
matured window. Their predictions for those users in that window are paired by user, so that what is
hard to predict is equally hard for both.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from onnxruntime.capi import onnxruntime_pybind11_state as runtime
from scipy.stats import t as student

from foretell.learn.matrix import TrainingSet
from foretell.learn.metrics import EDGE
from foretell.learn.onnx.model import EXPECTED_VALUE, PROBABILITY, make_session, predict_sparse
from foretell.learn.value_model import tweedie_losses

# With fewer of either outcome the interval is too short: where nobody did it, whichever model says
# less of everybody looks better (docs/decisions/0013).
MIN_OUTCOMES = 10
CANNOT_RUN = (
    runtime.Fail, runtime.InvalidArgument, runtime.InvalidGraph, runtime.InvalidProtobuf,
    runtime.NotImplemented, runtime.RuntimeException,
)  # fmt: skip


@dataclass(frozen=True)
class HoldoutModel:
    """A model that never learned from the held-out users.

    Attributes:
        model_id: Whose.
        onnx: The graph.
        feature_ids: Its inputs, in order, int64.
        scoring_ids: Inputs of the graph that scores, fitted on all rows.
    """

    model_id: str
    onnx: bytes
    feature_ids: np.ndarray
    scoring_ids: np.ndarray


@dataclass(frozen=True)
class Comparison:
    """Losses of two models on the same rows; lower is better.

    Attributes:
        n_users, n_rows, n_positives: What they were compared on.
        challenger_loss, champion_loss: Mean log losses (nats per row), or Tweedie deviances of
            values.
        difference: challenger_loss - champion_loss: above 0, the challenger is worse.
        low, high: 95 % interval of the difference; None of fewer than two users.
    """

    n_users: int
    n_rows: int
    n_positives: int
    challenger_loss: float
    champion_loss: float
    difference: float
    low: float | None
    high: float | None
    measure: str = "log loss"


@dataclass(frozen=True)
class Challenge:
    """The decision, and what it rests on.

    Attributes:
        is_promoted: Whether the challenger becomes champion.
        decision: Why, in words.
        champion_id: The champion it met, or None.
        comparison: The numbers, or None where there was nothing to compare.
    """

    is_promoted: bool
    decision: str
    champion_id: str | None = None
    comparison: Comparison | None = None

    def facts(self) -> dict[str, Any]:
        """Return what `models.challenge` holds: JSON-able."""
        numbers = asdict(self.comparison) if self.comparison else {}
        return {
            "is_promoted": self.is_promoted,
            "decision": self.decision,
            "champion_id": self.champion_id,
            **numbers,
        }


def challenge(
    data: TrainingSet, test_percent: int, challenger: HoldoutModel, champion: HoldoutModel
) -> Challenge:
    """Let a new model compete with the champion on the newest matured window.

    It is promoted unless the interval says that it is worse: its low end is above 0. A champion
    that cannot be compared (inputs are not computed any more, its graph does not run) gives way.

    Args:
        data: Labelled rows with all features that are computed at present.
        test_percent: Share of users that training holds out, 0 to 100 (foretell.learn.split).
        challenger: The new model.
        champion: The model that scores now.
    """
    inputs = np.union1d(champion.feature_ids, champion.scoring_ids)
    lost = np.setdiff1d(inputs, data.matrix.feature_ids)
    if len(lost):
        return Challenge(
            True,
            f"promoted: {len(lost):,} of the champion's {len(inputs):,} inputs are not computed "
            "any more",
            champion.model_id,
        )
    rows = held_out_rows(data, test_percent)
    y, value = data.y[rows], None if data.value is None else data.value[rows]
    n_positives = int(y.sum())
    if min(n_positives, len(y) - n_positives) < MIN_OUTCOMES:
        return Challenge(
            True,
            f"promoted: with {n_positives:,} positives and {len(y) - n_positives:,} negatives held "
            f"out in the newest window nothing can be compared; {MIN_OUTCOMES} of each are needed",
            champion.model_id,
        )
    output = PROBABILITY if value is None else EXPECTED_VALUE
    try:
        old = holdout_output(champion, data, rows, output)
    except CANNOT_RUN as error:
        return Challenge(
            True, f"promoted: the champion does not run any more: {error}", champion.model_id
        )
    new = holdout_output(challenger, data, rows, output)
    return _decide(compare(y, new, old, data.user_key[rows], value), champion.model_id)


def held_out_rows(data: TrainingSet, test_percent: int) -> np.ndarray:
    """Return the rows of held-out users in the newest matured window, bool, shape (n_rows,)."""
    newest = data.as_of_hour == data.as_of_hour.max(initial=0)
    return np.asarray((data.user_bucket < test_percent) & newest)


def holdout_output(
    model: HoldoutModel, data: TrainingSet, rows: np.ndarray, output: str = PROBABILITY
) -> np.ndarray:
    """Return what a model says of some rows, float64, shape (n of rows,).

    Args:
        model: Whose graph runs.
        data: With its inputs.
        rows: Mask of the rows, bool.
        output: PROBABILITY or EXPECTED_VALUE.

    Raises:
        ValueError: If an input of the model is not among the features of the data.
        CANNOT_RUN: If the graph cannot be loaded or run.
    """
    position = {int(feature_id): at for at, feature_id in enumerate(data.matrix.feature_ids)}
    missing = [int(each) for each in model.feature_ids if int(each) not in position]
    if missing:
        raise ValueError(f"feature {missing[0]} of model {model.model_id} is not in the data")
    X = data.matrix.X[rows][:, [position[int(each)] for each in model.feature_ids]]
    return predict_sparse(make_session(model.onnx), X, output).astype(float)


def compare(
    y: np.ndarray,
    challenger: np.ndarray,
    champion: np.ndarray,
    users: np.ndarray,
    value: np.ndarray | None = None,
) -> Comparison:
    """Compare two models' losses on the same rows, paired by user.

    The difference of each user is one observation, however many rows the user has; the interval is
    Student's over users, of a ratio of sums where users have different numbers of rows. It holds
    for two given models, not for what training on other users would give.

    Args:
        y: Labels 0 or 1, shape (n_rows,), at least one row.
        challenger: Probabilities of the one, or expected values, shape (n_rows,).
        champion: Those of the other.
        users: User per row.
        value: What came, of expected values.

    Raises:
        ValueError: If there is no row.

    Source: Diebold, Mariano (1995), "Comparing Predictive Accuracy", for the difference of losses;
    Liang, Zeger (1986) for observations that belong together.
    """
    if not len(y):
        raise ValueError("there is no row to compare models on")
    said = (challenger, champion)
    if value is None:
        losses = [_log_losses(y, p) for p in said]
    else:
        losses = [tweedie_losses(value, expected) for expected in said]
    _, number, n_rows = np.unique(users, return_inverse=True, return_counts=True)
    n_users = len(n_rows)
    by_user = np.bincount(number, weights=losses[0] - losses[1])
    mean = float(by_user.sum() / len(y))
    low = high = None
    if n_users > 1:
        squares = ((by_user - mean * n_rows) ** 2).sum()
        error = np.sqrt(squares * n_users / (n_users - 1)) / len(y)
        half = float(student.ppf(0.975, n_users - 1) * error)
        low, high = mean - half, mean + half
    return Comparison(
        n_users, len(y), int(y.sum()), float(losses[0].mean()), float(losses[1].mean()),
        mean, low, high, "log loss" if value is None else "Tweedie deviance",
    )  # fmt: skip


def _log_losses(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    p = np.clip(p, EDGE, 1 - EDGE)
    return np.asarray(-np.where(y > 0, np.log(p), np.log1p(-p)))


def _decide(result: Comparison, champion_id: str) -> Challenge:
    is_worse = result.low is not None and result.low > 0
    is_better = result.high is not None and result.high < 0
    verdict = "worse than" if is_worse else "better than" if is_better else "not worse than"
    words = (
        f"{'not promoted' if is_worse else 'promoted'}: {verdict} the champion on "
        f"{result.n_users:,} users that neither has learned from; {result.measure} "
        f"{result.challenger_loss:.4f} against {result.champion_loss:.4f}, difference "
        f"{result.difference:+.4f} (95 % interval {result.low:+.4f} to {result.high:+.4f})"
    )
    return Challenge(not is_worse, words, champion_id, result)
