"""Each format's raw rows, as lines and as Parquet, become the same canonical rows on Spark."""

from __future__ import annotations

import gzip
import json

import duckdb
import pytest

pytest.importorskip("pyspark", reason="needs the extra `spark`: make test-spark")

from models_ml.sources import BY_ADAPTER
from tests.e2e.test_adapters import FIXTURES, TYPED, make_typed_table
from tests.spark.conftest import DBT_RUN, new_folder, walk
from tests.spark.test_same_on_both_engines import first_difference, plain

MODEL = "stg_raw_events"


def test_every_format_gives_the_same_rows(tmp_path, monkeypatch):
    folder = new_folder(tmp_path)
    (folder / "batches/0").mkdir()
    paths = {adapter: folder / f"{adapter}.json.gz" for adapter in BY_ADAPTER}
    for adapter, path in paths.items():
        path.write_bytes(gzip.compress((FIXTURES / adapter / "events.ndjson").read_bytes()))
    sources = [{"name": a, "adapter": a, "events": str(path)} for a, path in paths.items()]
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for adapter in TYPED:
            make_typed_table(connection, adapter)
            path = str(folder / f"{adapter}.parquet")
            connection.execute(f"copy {adapter} to '{path}'")
            sources.append({"name": f"{adapter} parquet", "adapter": adapter, "events": path})
    monkeypatch.setenv("FORETELL_SOURCES", json.dumps(sources))
    walked = walk(folder, [[*DBT_RUN, "--select", MODEL]], "--build-only", MODEL)
    on_duckdb, on_spark = (plain(of[MODEL], {}) for of in (walked.on_duckdb, walked.on_spark))
    assert {row[on_duckdb["columns"].index("source")] for row in on_duckdb["rows"]} == {
        source["name"] for source in sources
    }
    assert first_difference(on_duckdb, on_spark) == ""
