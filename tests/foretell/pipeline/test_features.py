"""Long features become a matrix, block by block."""

import duckdb
import numpy as np
import pytest

from foretell.pipeline import features
from foretell.pipeline.features import load_features
from foretell.warehouse.open import open_warehouse


@pytest.fixture
def warehouse(tmp_path):
    path = tmp_path / "small.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("""
            create schema foretell;
            create table foretell.features_values as
            select * from (values
                (1000, 5, 20, 1.5), (1000, 5, 10, 2.0), (832, 5, 10, 3.0), (1000, 6, 99, 4.0),
                (1000, 8, 20, 5.0), (1000, 9, 10, 6.0)
            ) as rows (as_of_hour, user_key, feature_id, value);
            alter table foretell.features_values alter value type float;
            alter table foretell.features_values alter user_key type bigint
        """)
    with open_warehouse(path, read_only=True) as opened:
        yield opened


@pytest.mark.parametrize("rows_per_block", [1, 2, 3, 100])
def test_rows_of_any_block_find_their_own_values(warehouse, monkeypatch, rows_per_block):
    monkeypatch.setattr(features, "ROWS_PER_BLOCK", rows_per_block)
    user_key = np.array([5, 5, 6, 7, 8], dtype=np.int64)
    as_of_hour = np.array([832, 1000, 1000, 1000, 832])
    got = load_features(warehouse, user_key, as_of_hour, np.array([20, 10]))
    expected = [[0, 3], [1.5, 2], [0, 0], [0, 0], [0, 0]]
    np.testing.assert_array_equal(got.toarray(), np.array(expected, dtype=np.float32))


def test_no_rows_give_an_empty_matrix(warehouse):
    nobody = np.array([], dtype=np.int64)
    assert load_features(warehouse, nobody, nobody, np.array([20, 10])).shape == (0, 2)


def test_rows_that_are_not_sorted_by_user_are_refused(warehouse):
    with pytest.raises(ValueError, match="user_key descends"):
        load_features(warehouse, np.array([6, 5]), np.array([1000, 1000]), np.array([20]))
