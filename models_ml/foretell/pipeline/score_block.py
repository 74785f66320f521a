"""Scores and explains the users of one block: arrays in, Arrow out, on any engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import onnxruntime
import pyarrow as pa
from scipy.sparse import csr_matrix

from foretell.learn.onnx.model import (
    EXPECTED_VALUE,
    PROBABILITY,
    ROWS_PER_CALL,
    has_value,
    make_session,
    predict_outputs,
)
from foretell.pipeline.reasons import Explainer, reasons_of
from foretell.pipeline.registry import ModelRecord

ROWS_TO_EXPLAIN = 2_000


@dataclass(frozen=True)
class Scorer:
    """A model ready to score.

    Attributes:
        prediction: The prediction that it scores.
        session: The loaded graph.
        columns: Its inputs among the columns read for all models.
        outputs: Names of its outputs: PROBABILITY, and EXPECTED_VALUE of a value model.
    """

    prediction: str
    session: onnxruntime.InferenceSession
    columns: np.ndarray
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """Some users.

    Attributes:
        X: Their features, over the columns read for all models.
        rows: Columns prediction, user_id, and place: the user's row of X, ascending.
    """

    X: csr_matrix
    rows: pa.Table

    def of(self, prediction: str) -> pa.Table:
        """Return the rows of one prediction."""
        return self.rows.filter(self.rows["prediction"].to_numpy() == prediction)


def feature_ids_of(models: Sequence[ModelRecord]) -> np.ndarray:
    """Return the columns to read for some models: all their inputs, ascending, int64."""
    return np.unique(np.concatenate([_inputs(model) for model in models]))


def make_scorer(model: ModelRecord, feature_ids: np.ndarray, threads: int) -> Scorer:
    """Load a model's graph.

    Args:
        model: With a graph.
        feature_ids: The columns read for all models, ascending.
        threads: Number of threads that it may use.
    """
    assert model.onnx is not None
    session = make_session(model.onnx, threads=threads)
    outputs = (PROBABILITY, EXPECTED_VALUE) if has_value(session) else (PROBABILITY,)
    columns = np.searchsorted(feature_ids, _inputs(model))
    return Scorer(model.prediction, session, columns, outputs)


def score_block(block: Block, scorers: Sequence[Scorer]) -> Iterator[pa.Table]:
    """Yield one table per model: prediction, user_id, probability, expected_value (may be NULL)."""
    rows = [block.of(scorer.prediction) for scorer in scorers]
    places = [own["place"].to_numpy() for own in rows]
    predicted = [
        np.empty((len(scorer.outputs), len(place)))
        for scorer, place in zip(scorers, places, strict=True)
    ]
    for start in range(0, block.X.shape[0], ROWS_PER_CALL):
        dense = block.X[start : start + ROWS_PER_CALL].toarray()
        for scorer, place, outputs in zip(scorers, places, predicted, strict=True):
            low, high = np.searchsorted(place, [start, start + ROWS_PER_CALL])
            if low < high:
                own = _taken(_taken(dense, place[low:high] - start, 0), scorer.columns, 1)
                outputs[:, low:high] = predict_outputs(scorer.session, own, scorer.outputs)
    for own, outputs in zip(rows, predicted, strict=True):
        nulls = pa.nulls(own.num_rows, pa.float64())
        expected = pa.array(outputs[1]) if len(outputs) > 1 else nulls
        scored = own.select(["prediction", "user_id"])
        scored = scored.append_column(PROBABILITY, pa.array(outputs[0]))
        yield scored.append_column(EXPECTED_VALUE, expected)


def explain_block(
    block: Block, scorer: Scorer, explainer: Explainer, as_of: datetime
) -> Iterator[pa.Table]:
    """Yield the reasons of a model's users as of an hour, a few thousand users at a time."""
    own = block.of(scorer.prediction)
    X = block.X[own["place"].to_numpy()][:, scorer.columns]
    for start in range(0, own.num_rows, ROWS_TO_EXPLAIN):
        rows = slice(start, start + ROWS_TO_EXPLAIN)
        yield reasons_of(explainer, X[rows], own["user_id"].combine_chunks()[rows], as_of)


def _inputs(model: ModelRecord) -> np.ndarray:
    return np.array(model.feature_ids, dtype=np.int64)


def _taken(dense: np.ndarray, positions: np.ndarray, axis: int) -> np.ndarray:
    """Return these rows or columns; the array itself, without a copy, if that is all of them."""
    is_all = np.array_equal(positions, np.arange(dense.shape[axis]))
    return dense if is_all else dense.take(positions, axis)
