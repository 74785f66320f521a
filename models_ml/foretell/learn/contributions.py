"""What each input adds to a user's log-odds: exact, since every member of the average is a sum.

A linear model's term is its weight times how far the value lies from the mean of the rows it
learned from; a tree model's is its SHAP value. Both are shares of one sum: the base and all
contributions add up to the model's log-odds before calibration. They tell what the model goes by,
not causes.

Source: Lundberg et al. (2020), "From local explanations to global understanding with explainable AI
for trees"; Strumbelj, Kononenko (2014) for the linear case.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

import lightgbm
import numpy as np
from scipy.sparse import csr_matrix

from foretell.learn.families.base import Family
from foretell.learn.linear import LinearPart, LinearTransform
from foretell.learn.matrix import some_rows

MEAN_ROWS = 20_000


@dataclass(frozen=True)
class Part:
    """A linear model or trees of the sum, or the shift of an average.

    Attributes:
        share: Its weight in the sum; 1 of a shift.
        places: Its columns among the model's, ascending.
        model: Linear, trees, or a constant log-odds.
    """

    share: float
    places: np.ndarray
    model: LinearPart | lightgbm.Booster | float


def parts_of(fitted: Family, X: csr_matrix, columns: np.ndarray | None = None) -> list[Part] | None:
    """Take a fitted model apart.

    Args:
        fitted: A single model or an average.
        X: The rows it learned from, over all columns of the matrix: for their means.
        columns: Those that the model's graph reads, ascending; default: its own.

    Returns:
        Its parts; None of a foreign model, whose margin is no sum of known parts.
    """
    if fitted.is_foreign:
        return None
    read = fitted.columns_ if columns is None else columns
    some = some_rows(X, MEAN_ROWS)
    parts = [
        Part(share, np.searchsorted(read, single.columns_), single.part(some))
        for single, share in _singles(fitted, 1.0)
    ]
    shift = Part(1.0, np.empty(0, dtype=np.int64), fitted.shift_)
    return [*parts, shift] if fitted.shift_ else parts


def _singles(fitted: Family, share: float) -> list[tuple[Family, float]]:
    """Return what a model is the sum of, and how much of each."""
    if not fitted.members_:
        return [(fitted, share)]
    members = zip(fitted.members_, fitted.member_weights_, strict=True)
    return [single for member, weight in members for single in _singles(member, share * weight)]


def contributions(
    parts: list[Part], X: csr_matrix, groups: np.ndarray, n_groups: int
) -> tuple[np.ndarray, float]:
    """Return what each group of columns adds to the log-odds of each row, and the base.

    Args:
        parts: Of the model.
        X: Rows over the model's columns, float32.
        groups: Number of the group per column, from 0.
        n_groups: How many there are.

    Returns:
        Contributions in log-odds, shape (n_rows, n_groups), and the log-odds they are added to.
    """
    columns = np.arange(len(groups))
    in_group = csr_matrix((np.ones(len(groups)), (columns, groups)), (len(groups), n_groups))
    total, base = np.zeros((X.shape[0], n_groups)), 0.0
    for part in parts:
        own_groups, own = in_group[part.places], X[:, part.places]
        if isinstance(part.model, LinearPart):
            linear = part.model
            terms = linear.transform.apply(own, np.float64).multiply(linear.weights).tocsr()
            usual = linear.means * linear.weights
            total += part.share * ((terms @ own_groups).toarray() - usual @ own_groups)
            base += part.share * (linear.intercept + usual.sum())
        elif isinstance(part.model, lightgbm.Booster):
            shap = csr_matrix(part.model.predict(own, pred_contrib=True, num_threads=1))
            total += part.share * (shap[:, :-1] @ own_groups).toarray()
            if X.shape[0]:
                base += part.share * float(shap[0, -1])
        else:
            base += part.share * part.model
    return total, base


def pack(parts: list[Part]) -> bytes:
    """Return the parts as bytes: arrays and LightGBM's text, nothing that runs when read."""
    arrays: dict[str, np.ndarray] = {"n_parts": np.array(len(parts))}
    for number, part in enumerate(parts):
        own: dict[str, object] = {"share": part.share, "places": part.places}
        if isinstance(part.model, LinearPart):
            linear = part.model
            own |= {
                "is_recency": linear.transform.is_recency, "cap": linear.transform.cap,
                "scale": linear.transform.scale, "reach": linear.transform.reach,
                "weights": linear.weights, "means": linear.means, "intercept": linear.intercept,
            }  # fmt: skip
        elif isinstance(part.model, lightgbm.Booster):
            # How many threads grew them is no part of a model: it is the same on every machine.
            trees = re.sub(r"\[num_threads: \d+\]\n", "", part.model.model_to_string())
            own["trees"] = np.frombuffer(trees.encode(), dtype=np.uint8)
        else:
            own["log_odds"] = part.model
        arrays |= {f"{number}.{name}": np.asarray(value) for name, value in own.items()}
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    return packed.getvalue()


def unpack(packed: bytes) -> list[Part]:
    """Read what pack wrote."""
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return [
            Part(
                float(arrays[f"{number}.share"]),
                arrays[f"{number}.places"],
                _unpacked({
                    name.partition(".")[2]: arrays[name]
                    for name in arrays.files
                    if name.startswith(f"{number}.")
                }),
            )
            for number in range(int(arrays["n_parts"]))
        ]  # fmt: skip


def _unpacked(own: dict[str, np.ndarray]) -> LinearPart | lightgbm.Booster | float:
    if "trees" in own:
        return lightgbm.Booster(model_str=own["trees"].tobytes().decode())
    if "weights" in own:
        reach = float(own.get("reach", 0.0))  # of models from before there was any
        transform = LinearTransform(own["is_recency"], own["cap"], own["scale"], reach)
        return LinearPart(transform, own["weights"], own["means"], float(own["intercept"]))
    return float(own["log_odds"])
