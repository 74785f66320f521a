"""Each format's raw rows, as lines and as Parquet, become the same canonical rows on Spark."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

pytest.importorskip("pyspark", reason="needs the extra `spark`: make test-spark")

from foretell.sources.adapters import BY_ADAPTER
from tests.conftest import SHOP
from tests.e2e.test_adapters import FIXTURES, TYPED, comparable, make_typed_table
from tests.spark.conftest import DBT_RUN, new_folder, walk
from tests.spark.test_same_on_both_engines import plain

MODEL = "stg_raw_events"


def written_as_lines(folder: Path, adapters: Sequence[str]) -> Iterator[tuple[str, Path]]:
    for adapter in adapters:
        path = folder / f"{adapter}.json.gz"
        path.write_bytes(gzip.compress((FIXTURES / adapter / "events.ndjson").read_bytes()))
        yield adapter, path


def written_as_parquet(folder: Path, adapters: Sequence[str]) -> Iterator[tuple[str, Path]]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for adapter in adapters:
            make_typed_table(connection, adapter)
            path = folder / f"{adapter}.parquet"
            connection.execute(f"copy {adapter} to '{path}'")
            yield adapter, path


# The view of all of them is too long for Derby (docs/scale.md).
@pytest.mark.parametrize(
    ("write", "adapters"),
    [
        (written_as_lines, list(BY_ADAPTER)[:4]),
        (written_as_lines, list(BY_ADAPTER)[4:]),
        (written_as_parquet, list(TYPED)),
    ],
)
def test_every_format_gives_the_same_rows(write, adapters, tmp_path, monkeypatch):
    folder = new_folder(tmp_path)
    (folder / "batches/0").mkdir()
    (folder / "predictions/shop.yml").write_text(SHOP)
    sources = [
        {"name": a, "adapter": a, "events": str(path)} for a, path in write(folder, adapters)
    ]
    monkeypatch.setenv("FORETELL_SOURCES", json.dumps(sources))
    walked = walk(folder, [[*DBT_RUN, "--select", MODEL]], "--build-only", MODEL)
    on_duckdb, on_spark = (rows_of(of[MODEL]) for of in (walked.on_duckdb, walked.on_spark))
    assert {row["source"] for row in on_duckdb} == {source["name"] for source in sources}
    assert on_spark == on_duckdb


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """Return rows in some order, JSON taken apart: an emoji may be escaped."""
    known = plain(table, {})
    rows = [comparable(dict(zip(known["columns"], row, strict=True))) for row in known["rows"]]
    return sorted(rows, key=repr)
