"""Events come in, are learned from and scored, on DuckDB and on Spark: every table of the pipeline is the
same, row by row. `make test-spark` sets up what it needs."""

from __future__ import annotations

import math
import re
from typing import Any

import pyarrow as pa
import pytest

pytest.importorskip("pyspark", reason="needs the extra `spark`: make test-spark")

# Times and name of this run, and when files were written: DuckDB knows seconds.
NOT_COMPARED = {
    "trained_at", "scored_at", "raised_at", "started_at", "invocation_id", "modified_at",
    "partition_day",
}  # fmt: skip
# What float32 graphs say, and the reports of it.
SAID = {"probability", "expected_value", "mean_expected_value", "mean_absolute_error"}
# Hashes and times of this run.
OF_ONE_ENGINE = {"build_state"}
# Groups of merged users are called by the key of one of them; what follows is compared.
CALLED_BY_KEYS = {"stg_merge_groups", "stg_merge_states", "stg_merge_state_groups"}


# Tables that must have rows, so that their being the same says something.
FILLED = {
    "first_load": {"features_values", "training_rows", "scoring_rows"},
    "dirty": {"features_values", "scoring_rows", "predictions", "reasons"},
    "demo": {"features_values", "training_rows", "scoring_rows", "predictions"},
}


@pytest.mark.parametrize("events", FILLED)
def test_every_table_is_the_same(events, request):
    walked = request.getfixturevalue(events)
    assert len(walked.on_duckdb) > (50 if events == "first_load" else 60)
    assert {name for name in FILLED[events] if not walked.on_duckdb[name].num_rows} == set()
    assert differences(walked.on_duckdb, walked.on_spark) == {}


def differences(one: dict[str, pa.Table], other: dict[str, pa.Table]) -> dict[str, str]:
    """Return where tables of two engines differ, by name."""
    one, other = (
        {name: plain(table, identities(engine)) for name, table in engine.items()}
        for engine in (one, other)
    )
    found = {
        name: first_difference(one[name], other[name])
        for name in one.keys() - CALLED_BY_KEYS - OF_ONE_ENGINE
    }
    return {name: difference for name, difference in found.items() if difference}


def identities(engine: dict[str, pa.Table]) -> dict[int, str]:
    """Return whose key each is: a key is a hash, and each engine has its own."""
    events = engine["stg_checked_events"].select(["identity_key", "user_id", "device_id"])
    return {
        row["identity_key"]: row["user_id"] or f"device:{row['device_id']}"
        for row in events.to_pylist()
    }


def plain(table: pa.Table, names: dict[int, str]) -> dict[str, Any]:
    """Return columns and sorted rows of a table, keys as the identities they stand for."""
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):  # hostile ones are beyond what Python knows
            as_numbers = table[field.name].cast(pa.timestamp("us")).cast(pa.int64())
            table = table.set_column(place, field.name, as_numbers)
    columns = sorted(set(table.column_names) - NOT_COMPARED)
    keys = {column for column in columns if column.endswith("_key")}
    rows = [
        tuple(names.get(row[c], row[c]) if c in keys else timeless(row[c]) for c in columns)
        for row in table.to_pylist()
    ]
    exact = [[v for v in row if not isinstance(v, float)] for row in rows]
    order = sorted(range(len(rows)), key=lambda i: repr(exact[i]))
    return {"columns": columns, "rows": [rows[i] for i in order]}


def timeless(value: Any) -> Any:
    """Return JSON about a model without how long it took to learn."""
    is_timed = isinstance(value, str) and '"seconds": ' in value
    return re.sub(r'"seconds": [0-9.]+', "", value) if is_timed else value


def first_difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """Return a sentence about where two tables differ; empty if they do not."""
    if one["columns"] != other["columns"] or len(one["rows"]) != len(other["rows"]):
        return f"{one['columns']} {len(one['rows'])} / {other['columns']} {len(other['rows'])}"
    for left, right in zip(one["rows"], other["rows"], strict=True):
        for column, a, b in zip(one["columns"], left, right, strict=True):
            if not is_same(column, a, b):
                return f"{column}: {a!r} / {b!r} in {left!r:.500} / {right!r:.500}"
    return ""


def is_same(column: str, a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        close = 1e-6 if column in SAID else 1e-9
        return math.isclose(a, b, rel_tol=close, abs_tol=close) or (math.isnan(a) and math.isnan(b))
    return a == b
