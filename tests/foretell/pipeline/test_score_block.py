"""One block of users, scored by models of different inputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_matrix

from foretell.pipeline.score_block import Block, feature_ids_of, make_scorer, score_block
from tests.foretell.pipeline.test_score import IDS, N_USERS, X, champion, value_champion


def block_of(**places: list[int]) -> Block:
    """Return users, and which of them each prediction scores; columns in order of feature ids."""
    rows = pa.table(
        {
            "prediction": [name for name, own in places.items() for _ in own],
            "user_id": [f"u{place}" for own in places.values() for place in own],
            "place": [place for own in places.values() for place in own],
        }
    )
    return Block(csr_matrix(X[:, np.argsort(IDS)]), rows)


def scored(block: Block, *models) -> list[dict[str, list]]:
    ids = feature_ids_of(models)
    scorers = [make_scorer(model, ids, threads=1) for model in models]
    return [table.to_pydict() for table in score_block(block, scorers)]


def test_the_columns_to_read_are_those_of_all_models():
    (whole, _), (part, _) = champion("all", [0, 1, 2]), champion("even", [2, 0])
    assert feature_ids_of([part]).tolist() == [7, 11]
    assert feature_ids_of([whole, part]).tolist() == [3, 7, 11]


@pytest.mark.parametrize("per_call", [1, 7, 1000])
def test_each_model_scores_its_own_users_on_its_own_columns(monkeypatch, per_call):
    monkeypatch.setattr("foretell.pipeline.score_block.ROWS_PER_CALL", per_call)
    (whole, of_whole), (part, of_part) = champion("all", [0, 1, 2]), champion("even", [2, 0])
    everybody, some = list(range(N_USERS)), [0, 5, 6, 39]
    first, second = scored(block_of(all=everybody, even=some), whole, part)
    assert first["user_id"] == [f"u{user}" for user in everybody]
    assert first["probability"] == pytest.approx(of_whole, abs=1e-6)
    assert second["user_id"] == [f"u{user}" for user in some]
    assert second["probability"] == pytest.approx(of_part[some], abs=1e-6)
    assert first["expected_value"] == [None] * N_USERS


def test_a_value_model_gives_an_expected_value_too():
    model, expected = value_champion("all")
    (table,) = scored(block_of(all=[1, 2]), model)
    assert table["expected_value"] == pytest.approx(expected[[1, 2]], rel=1e-5)


def test_a_prediction_without_users_has_no_rows():
    (model, _) = champion("all", [0, 1, 2])
    other = replace(model, prediction="nobody")
    _, none = scored(block_of(all=[3]), model, other)
    assert none == {"prediction": [], "user_id": [], "probability": [], "expected_value": []}
