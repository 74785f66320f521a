"""Labelled rows become a training set, of a share of the users where all would take more memory."""

import duckdb
import numpy as np
import pytest

from foretell.pipeline.training_data import (
    BYTES_PER_VALUE,
    load_scored_sample,
    load_training_set,
    present_features,
)
from foretell.warehouse.open import open_warehouse

N_USERS, N_SNAPSHOTS = 1000, 3
# Half of the users of each bucket have both features, the others one.
ROWS = f"""
    create schema foretell; use w.foretell;
    create table training_rows as
    select
        'buys' as prediction, user_key::bigint as user_key, 'u' || user_key as user_id,
        (user_key % 100)::integer as user_bucket, 500000 + 24 * snapshot as as_of_hour,
        (user_key % 3 = 0)::integer as label, null::double as value
    from range({N_USERS}) as users (user_key), range({N_SNAPSHOTS}) as snapshots (snapshot);
    create table features_values as
    select user_key, as_of_hour, feature_id, 1::float as value
    from training_rows, (values (7), (8)) as ids (feature_id)
    where feature_id = 7 or user_key // 100 % 2 = 0;
    create table prediction_definitions as
        select 'buys' as prediction, 168 as horizon_hours, false as is_value;
    create table features as
        select id as feature_id, 'f' || id as feature_name, 'event_count' as kind
        from range(7, 9) as ids (id);
    create table taxonomy_features as
        select feature_name, true as is_kept, null::varchar as measure, null::varchar as asked_by
        from features;
    create table prediction_measures (measure_id integer, measure varchar);
    create table prediction_conditions (measure_id integer, prediction varchar);
"""
# What other predictions count, or did in the past, is no input.
OF_OTHERS = """
    insert into features values (9, 'own', 'event_count'), (10, 'other', 'event_count'),
        (11, 'own past', 'outcome_rate'), (12, 'past of other', 'outcome_rate');
    insert into taxonomy_features values ('own', true, 'm1', null), ('other', true, 'm2', null),
        ('own past', true, null, 'buys'), ('past of other', true, null, 'leaves');
    insert into prediction_measures values (1, 'm1'), (2, 'm2');
    insert into prediction_conditions values (1, 'buys'), (2, 'leaves'), (1, 'leaves');
"""
N_ROWS = N_USERS * N_SNAPSHOTS
N_VALUES = 1.5 * N_ROWS


def gb(n_values: float) -> float:
    return n_values * BYTES_PER_VALUE / 1e9


@pytest.fixture
def warehouse(tmp_path):
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(ROWS)
    with open_warehouse(path, read_only=True) as opened:
        yield opened


@pytest.mark.parametrize("n_values", [2 * N_ROWS, 1.01 * N_VALUES, np.inf])
def test_what_memory_allows_is_read_whole(warehouse, n_values):
    lines = []
    data = load_training_set(warehouse, "buys", gb(n_values), lines.append)
    assert len(data.y) == N_ROWS
    assert data.matrix.X.nnz == N_VALUES
    assert lines == []


def test_of_more_a_share_of_the_users_is_read_with_all_their_rows(warehouse):
    lines = []
    data = load_training_set(warehouse, "buys", gb(0.4 * N_VALUES), lines.append)
    assert 0.38 * N_VALUES < data.matrix.X.nnz <= 0.4 * N_VALUES
    users, n_rows = np.unique(data.user_key, return_counts=True)
    assert len(users) == len(data.user_ids) == len(data.y) / N_SNAPSHOTS
    assert set(n_rows) == {N_SNAPSHOTS}
    # Held-out users (the first 20 of 100 buckets) and folds have their shares.
    assert 0.15 < (data.user_bucket < 20).mean() < 0.25
    assert set(data.user_bucket % 3) == {0, 1, 2}
    (line,) = lines
    learned = f"buys: trains on {len(data.y):,} of {N_ROWS:,} rows, a sample of users: "
    assert line.startswith(learned)
    assert line.endswith(f"over {gb(0.4 * N_VALUES):g} GB (budget: memory_gb in its definition)")


def test_what_only_other_predictions_count_is_no_input(tmp_path):
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(ROWS + OF_OTHERS)
    with open_warehouse(path, read_only=True) as opened:
        ids = [row["feature_id"] for row in present_features(opened, "buys")]
        assert ids == [7, 8, 9, 11]
        assert [row["feature_id"] for row in present_features(opened)] == list(range(7, 13))
        assert list(load_training_set(opened, "buys").matrix.feature_ids) == ids


def test_snapshots_that_do_not_teach_are_left_out(warehouse):
    later = load_training_set(warehouse, "buys", since_hour=500_024)
    assert sorted(set(later.as_of_hour)) == [500_024, 500_048]
    without = load_training_set(warehouse, "buys", left_out={500_024, 7})
    assert sorted(set(without.as_of_hour)) == [500_000, 500_048]
    assert without.matrix.X.shape[0] == len(without.y) == 2 * N_USERS


def test_a_sample_of_who_is_scored_is_by_hash_and_of_the_same_columns(tmp_path):
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"""
            create schema foretell; use w.foretell;
            create table scoring_rows as
            select 'buys' as prediction, (user * ({2**63} // 1000))::bigint as user_key,
                1000 as as_of_hour, user <> 5 as has_features
            from range(1000) as users (user);
            create table features_values as
            select user_key, 1000 as as_of_hour, 8 as feature_id, 2::float as value
            from scoring_rows;
            """
        )
    with open_warehouse(path, read_only=True) as opened:
        few = load_scored_sample(opened, "buys", np.array([7, 8]), n_rows=100)
        assert few is not None
        assert 95 <= few.shape[0] <= 105
        assert (few.toarray() == [0, 2]).all()
        everybody = load_scored_sample(opened, "buys", np.array([8]))
        assert everybody is not None
        assert everybody.shape == (999, 1)
        assert load_scored_sample(opened, "leaves", np.array([8])) is None
