"""Rows as Spark hands them over, as a matrix."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from foretell.pipeline.spark_score import block_of

COLUMNS = {
    "predictions": pa.list_(pa.string()),
    "user_ids": pa.list_(pa.string()),
    "feature_ids": pa.list_(pa.int32()),
    "feature_values": pa.list_(pa.float32()),
}


def users(*rows: tuple[list[str], list[str], list | None]) -> pa.RecordBatch:
    """Users with predictions, names, and features as pairs."""
    columns = zip(
        *(
            (predictions, names, known and [i for i, _ in known], known and [v for _, v in known])
            for predictions, names, known in rows
        ),
        strict=True,
    )
    pairs = zip(COLUMNS.items(), columns, strict=True)
    return pa.record_batch({name: pa.array(each, kind) for (name, kind), each in pairs})


def test_users_become_rows_of_a_matrix():
    batch = users(
        (["p", "q"], ["a", "a"], [(7, 1.5), (3, 2.0)]),
        (["q"], ["b"], None),  # nothing is known of b
        (["p"], ["c"], [(9, 4.0), (5, 1.0)]),  # 9 is no input
    )
    ids = np.array([3, 5, 7])
    block = block_of(batch, ids)
    assert block.X.toarray().tolist() == [[2.0, 0.0, 1.5], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    assert block.rows.to_pylist() == [
        {"prediction": "p", "user_id": "a", "place": 0},
        {"prediction": "q", "user_id": "a", "place": 0},
        {"prediction": "q", "user_id": "b", "place": 1},
        {"prediction": "p", "user_id": "c", "place": 2},
    ]
    assert block.of("q")["user_id"].to_pylist() == ["a", "b"]


def test_a_part_of_a_batch_is_its_own():
    batch = users(
        (["p"], ["a"], [(3, 1.0)]), (["p"], ["b"], [(3, 2.0)]), (["p"], ["c"], [(3, 3.0)])
    )
    block = block_of(batch.slice(1, 2), np.array([3]))
    assert block.X.toarray().tolist() == [[2.0], [3.0]]
    assert block.rows["user_id"].to_pylist() == ["b", "c"]
