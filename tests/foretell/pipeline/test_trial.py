"""Rows are tried on a sample of the first file, of the types that the file has."""

from __future__ import annotations

import gzip

import duckdb
import pytest

from foretell.pipeline import trial
from foretell.pipeline.trial import Trial, try_rows

CSV = "user_id,event_name\n" + "".join(f"u{n},open\n" for n in range(50))
NDJSON = "".join(f'{{"user_id": "u{n}", "event_name": "open"}}\n' for n in range(50))


def test_reasons_are_part_of_a_sentence():
    some = Trial(10, 7, (("no user", 2), ("no time", 1)))
    assert some.words() == "2 rows: no user; 1 rows: no time"
    assert not some.is_hopeless
    assert Trial(3, 0, ()).is_hopeless
    assert not Trial(0, 0, ()).is_hopeless


@pytest.fixture
def sampled(monkeypatch):
    """Stand in for dbt: count the rows of the sample, those of user u0 as rejected."""
    seen = {}

    def build(selection, environment, variables, progress):
        seen["file"] = environment["FORETELL_EVENTS"]
        seen["types"] = duckdb.sql(f"select * from '{seen['file']}'").types
        with duckdb.connect(environment["FORETELL_WAREHOUSE"]) as connection:
            connection.execute(
                f"""
                create schema foretell;
                create table foretell.stg_ingest_counts as
                select case when user_id = 'u0' then 'rejected' else 'accepted' end as status,
                    case when user_id = 'u0' then 'no time' else '' end as reason, 1 as n_rows
                from '{seen["file"]}'
                """
            )

    monkeypatch.setattr(trial, "dbt_build", build)
    return seen


def packed(text: str) -> bytes:
    return gzip.compress(text.encode())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("e.csv", CSV.encode()),
        ("e.tsv", CSV.replace(",", "\t").encode()),
        ("e.csv.gz", packed(CSV)),
        ("e.ndjson", NDJSON.encode()),
        ("e.json.gz", packed(NDJSON)),
    ],
)
def test_the_first_rows_of_a_text_file_are_tried(tmp_path, sampled, name, content):
    (tmp_path / name).write_bytes(content)
    lines = []
    found = try_rows(str(tmp_path / "e.*"), "canonical", 20, lines.append)
    assert found == Trial(20, 19, (("no time", 1),))
    assert lines == ["trying up to 20 rows as a run would read them"]


def test_a_sample_of_parquet_keeps_its_types(tmp_path, sampled):
    duckdb.execute(
        "copy (select 'u' || i as user_id, i as n, timestamp_ns '2026-01-01' as at from range(50) as r (i)) "
        f"to '{tmp_path}/e.parquet' (row_group_size 10)"
    )
    assert try_rows(f"{tmp_path}/e.parquet", "canonical", 20, lambda line: None).n_rows == 20
    assert [str(each) for each in sampled["types"]] == ["VARCHAR", "BIGINT", "TIMESTAMP_NS"]
