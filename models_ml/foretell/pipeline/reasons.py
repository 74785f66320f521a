"""The reasons for a user's score: the largest contributions of inputs, for the table `reasons`.

Rows of one user add up to the log-odds before calibration: the starting value of all users, the
largest contributions, and the sum of all others. A contribution is an association, no cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_matrix

from foretell.learn.contributions import Part, contributions, unpack
from foretell.pipeline.registry import ModelRecord
from foretell.warehouse.base import Warehouse

N_REASONS = 5
START, ALL_ELSE = "start", "all else"
SCHEMA = pa.schema(
    [
        ("prediction", pa.string()),
        ("user_id", pa.string()),
        ("as_of", pa.timestamp("us")),
        ("model_id", pa.string()),
        ("place", pa.int32()),
        ("input", pa.string()),
        ("words", pa.string()),
        ("contribution", pa.float64()),
    ]
)
# Reasons of users who are scored now, and of users who left the cohort.
DELETE_REASONS = """
    delete from reasons
    where prediction = $prediction and user_id not in (
        select user_id from scoring_rows where prediction = $prediction and not has_features
    )
"""


@dataclass(frozen=True)
class Explainer:
    """A model whose scores can be explained.

    Attributes:
        model: Its row.
        parts: The parts of the model.
        inputs: Names of its groups of columns, as in the importances: an event, a property, or a
            kind of feature about all events.
        groups: Number of the group per column.
        describers: One per group; they describe the values of a user.
    """

    model: ModelRecord
    parts: list[Part]
    inputs: list[str]
    groups: np.ndarray
    describers: list[_Describer]


def input_of(feature: dict[str, Any]) -> str:
    """Return the event, property or kind of feature of a catalogue row."""
    return str(feature["event_name"] or feature["property"] or feature["kind"])


def make_explainer(warehouse: Warehouse, model: ModelRecord) -> Explainer | None:
    """Return the model's explainer; None of a foreign model, or of one from before reasons."""
    if model.explain_model is None or model.feature_ids is None:
        return None
    catalogue = {
        row["feature_id"]: row
        for row in warehouse.rows(
            "select feature_id, kind, event_name, property, value from features"
        )
    }
    features = [catalogue[feature_id] for feature_id in model.feature_ids]
    # An event may have the name of a property, or of a kind of feature.
    keys = [
        (bool(f["event_name"]), bool(f["property"]) and not f["event_name"], input_of(f))
        for f in features
    ]
    distinct = sorted(set(keys))
    groups = np.array([distinct.index(key) for key in keys], dtype=np.int64)
    columns = [np.flatnonzero(groups == number) for number in range(len(distinct))]
    return Explainer(
        model,
        unpack(model.explain_model),
        [name for _, _, name in distinct],
        groups,
        [_Describer([features[column] for column in own], own) for own in columns],
    )


def reasons_of(explainer: Explainer, X: csr_matrix, users: pa.Array, as_of: object) -> pa.Table:
    """Return the reasons of some users, columns as in SCHEMA.

    Args:
        explainer: Of the model.
        X: Their features over the model's columns, shape (n_users, n_columns).
        users: Their ids.
        as_of: The as_of of their scores.
    """
    added, base = contributions(explainer.parts, X, explainer.groups, len(explainer.inputs))
    n_shown = min(N_REASONS, len(explainer.inputs))
    largest = np.argsort(-np.abs(added), axis=1, kind="stable")[:, :n_shown]
    shown = np.take_along_axis(added, largest, axis=1)
    rest = added.sum(axis=1) - shown.sum(axis=1)
    n_users = X.shape[0]
    values = np.column_stack([np.full(n_users, base), shown, rest])
    describers = explainer.describers
    dense = X.toarray()
    names, words = [], []
    for row, chosen in zip(dense, largest, strict=True):
        names += [START, *(explainer.inputs[n] for n in chosen), ALL_ELSE]
        words += ["starting value of all users", *(describers[n].words(row) for n in chosen)]
        words.append("sum of all other inputs")
    n_places = n_shown + 2
    return pa.table(
        {
            "prediction": [explainer.model.prediction] * (n_users * n_places),
            "user_id": users.take(pa.array(np.repeat(np.arange(n_users), n_places))),
            "as_of": pa.array([as_of] * (n_users * n_places), pa.timestamp("us")),
            "model_id": [explainer.model.model_id] * (n_users * n_places),
            "place": np.tile(np.arange(n_places, dtype=np.int32), n_users),
            "input": names,
            "words": words,
            "contribution": values.ravel(),
        },
        SCHEMA,
    )


class _Describer:
    """Describes a user's values of one group of columns as text."""

    def __init__(self, features: Sequence[dict[str, Any]], columns: np.ndarray) -> None:
        self._of_kind: dict[str, list[tuple[int, str | None]]] = {}
        for feature, column in zip(features, columns, strict=True):
            self._of_kind.setdefault(feature["kind"], []).append((int(column), feature["value"]))
        self._is_event = features[0]["event_name"] is not None

    def words(self, row: np.ndarray) -> str:
        """Return the description for one user's dense row."""
        kinds = self._of_kind
        if self._is_event:
            return self._event(row)
        if "user_property_number" in kinds:
            return f"{self._sum(row, 'user_property_number'):g}"
        if "user_property_last" in kinds or "user_property_first" in kinds:
            return self._value(row)
        (kind,) = kinds
        total = self._sum(row, kind)
        if kind.startswith("hours_since"):
            return _ago(total)
        if kind == "event_count":
            return f"{total:g} in the last {len(kinds[kind])} weeks"
        return f"{total:.3g}"

    def _event(self, row: np.ndarray) -> str:
        if "outcome_count" in self._of_kind:
            return f"happened {self._sum(row, 'outcome_count'):g} times before"
        if "event_count_ever" not in self._of_kind:  # too rare in the training rows
            return f"{self._sum(row, 'event_count'):g} lately"
        n_events, since = self._sum(row, "event_count_ever"), self._sum(row, "hours_since_last")
        if not n_events:
            return "never"
        return f"{n_events:g} in all" + (f", the last {_ago(since)}" if since else "")

    def _value(self, row: np.ndarray) -> str:
        for kind, when in (("user_property_last", ""), ("user_property_first", "first ")):
            for column, value in self._of_kind.get(kind, []):
                if row[column]:
                    return when + ("another value" if value is None else value)
        return "not known"

    def _sum(self, row: np.ndarray, kind: str) -> float:
        return float(sum(row[column] for column, _ in self._of_kind.get(kind, [])))


def _ago(hours: float) -> str:
    if hours <= 0:
        return "never"
    return f"{hours:.0f} hours ago" if hours < 48 else f"{hours / 24:.0f} days ago"
