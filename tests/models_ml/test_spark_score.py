"""Rows as Spark hands them over, as blocks of whole users."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from models_ml import spark_score

IDS = np.array([3, 5, 7])
COLUMNS = pa.schema(
    [
        ("user_key", pa.int64()),
        ("as_of_hour", pa.int64()),
        ("feature_id", pa.int32()),
        ("value", pa.float32()),
        ("prediction", pa.string()),
        ("user_id", pa.string()),
    ]
)
ROWS = pa.Table.from_pylist(
    [
        {"user_key": 1, "as_of_hour": 9, "feature_id": 7, "value": 1.5},
        {"user_key": 1, "as_of_hour": 9, "prediction": "p", "user_id": "a"},
        {"user_key": 1, "as_of_hour": 9, "feature_id": 3, "value": 2.0},
        {"user_key": 1, "as_of_hour": 9, "prediction": "q", "user_id": "a"},
        {"user_key": 1, "as_of_hour": 10, "prediction": "r", "user_id": "a"},  # an hour later
        {"user_key": 2, "as_of_hour": 9, "prediction": "q", "user_id": "b"},  # nothing is known
        {"user_key": 4, "as_of_hour": 9, "feature_id": 9, "value": 4.0},  # is no input
        {"user_key": 4, "as_of_hour": 9, "feature_id": 5, "value": 1.0},
        {"user_key": 4, "as_of_hour": 9, "prediction": "p", "user_id": "c"},
        {"user_key": 5, "as_of_hour": 9, "feature_id": 5, "value": 1.0},  # nothing is asked
    ],
    schema=COLUMNS,
)
X = [[2.0, 0.0, 1.5], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
ASKED = [("p", "a", 0), ("q", "a", 0), ("r", "a", 1), ("q", "b", 2), ("p", "c", 3)]


def test_users_become_rows_of_a_matrix():
    block = spark_score.block_of(ROWS, IDS)
    assert block.X.toarray().tolist() == X
    assert [tuple(row.values()) for row in block.rows.to_pylist()] == ASKED
    assert block.of("q")["user_id"].to_pylist() == ["a", "b"]


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("block_rows", [1, 4, 100])
def test_users_stay_whole_however_their_rows_come(monkeypatch, batch_rows, block_rows):
    monkeypatch.setattr(spark_score, "ROWS_PER_BLOCK", block_rows)
    batches = ROWS.to_batches(max_chunksize=batch_rows)
    blocks = list(spark_score.blocks_of(batches, IDS))
    assert np.vstack([block.X.toarray() for block in blocks]).tolist() == X
    assert [(row["prediction"], row["user_id"]) for block in blocks
            for row in block.rows.to_pylist()] == [row[:2] for row in ASKED]  # fmt: skip
    assert len(blocks) == 1 or block_rows < 100


def test_no_rows_are_no_block():
    assert list(spark_score.blocks_of([], IDS)) == []
    assert spark_score.block_of(ROWS.slice(0, 0), IDS).X.shape == (0, 3)
