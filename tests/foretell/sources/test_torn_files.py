"""What is no whole file of its format is found: by the ends of Parquet, by checksums, by parsing."""

from __future__ import annotations

import gzip
import os

import duckdb
import pyarrow as pa
import pytest

from foretell.errors import ForetellError
from foretell.sources import torn_files
from foretell.sources.events_input import check_events
from foretell.sources.torn_files import find_torn_files

ROWS = [f"u{n},open,2026-01-01T00:00:{n % 60:02d},{n * 7919 % 1000}" for n in range(5000)]
CSV = "\n".join(["user_id,event_name,event_time,properties.n", *ROWS, ""]).encode()


@pytest.fixture
def folder(tmp_path):
    duckdb.execute(f"copy (select 1 as a) to '{tmp_path}/whole.parquet'")
    whole = (tmp_path / "whole.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:-20])
    (tmp_path / "empty.parquet").write_bytes(b"")
    (tmp_path / "long_footer.parquet").write_bytes(whole[:-8] + b"\xff\xff\xff\x7fPAR1")
    (tmp_path / "other.csv").write_text("a\n1\n")
    return tmp_path


def test_torn_files_are_named_and_whole_ones_are_not(folder):
    torn = find_torn_files([f"{folder}/*.parquet", f"{folder}/*.csv", "s3://b/*.parquet"], {})
    assert list(torn) == [f"{folder}/{name}.parquet" for name in ("cut", "empty", "long_footer")]


def test_strict_refuses_a_torn_file(folder):
    with pytest.raises(ForetellError, match=r"cut.parquet \(and 2 more\) cannot be read: half"):
        find_torn_files([f"{folder}/*.parquet"], {"FORETELL_STRICT": "1"})


def test_nothing_but_torn_files_is_refused(folder):
    with pytest.raises(ForetellError, match=r"cut.parquet cannot be read"):
        find_torn_files([f"{folder}/cut.parquet"], {})


PACKED, ZST = gzip.compress(CSV), pa.compress(CSV, codec="zstd", asbytes=True)
TEXTS = {
    "half of it": (".csv.gz", PACKED[: len(PACKED) // 2], "Compressed file ended before"),
    "without its checksum": (".ndjson.gz", PACKED[:-6], "Compressed file ended before"),
    # DuckDB reads these without a word: other rows, and rows up to where it breaks.
    "bytes of it are others": (
        ".csv.gz",
        PACKED[:5000] + bytes(3000) + PACKED[8000:],
        "cannot be unpacked",
    ),
    "a checksum that is another": (".csv.gz", PACKED[:-8] + bytes(4) + PACKED[-4:], "CRC check"),
    "half of a zst": (".csv.zst", ZST[: len(ZST) // 2], "Truncated compressed stream"),
    "a zst without its end": (".ndjson.zst", ZST[:-3], "Truncated compressed stream"),
    "a last line that is cut": (".csv", CSV[:-30], "cannot be read: Invalid Input Error"),
    "nothing": (".csv", b"", "is empty"),
    "no gzip at all": (".csv.gz", CSV, "Not a gzipped file"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_that_is_torn_is_named_with_what_is_wrong(tmp_path, name):
    ending, content, why = TEXTS[name]
    whole = {"gz": PACKED, "zst": ZST}.get(ending.rpartition(".")[2], CSV)
    (tmp_path / f"1{ending}").write_bytes(whole)
    (tmp_path / f"2{ending}").write_bytes(content)
    torn = find_torn_files([f"{tmp_path}/*"], {})
    assert list(torn) == [f"{tmp_path}/2{ending}"]
    assert why in torn[f"{tmp_path}/2{ending}"]
    if "csv" in ending:
        check_events(f"{tmp_path}/*{ending}")
    with pytest.raises(ForetellError, match=why):
        check_events(f"{tmp_path}/2{ending}")


def test_two_streams_in_one_file_and_a_table_without_rows_are_whole(tmp_path):
    (tmp_path / "two.ndjson.gz").write_bytes(gzip.compress(b'{"a": 1}\n') * 2)
    (tmp_path / "none.csv").write_bytes(CSV[: CSV.index(b"\n") + 1])
    assert find_torn_files([f"{tmp_path}/*"], {}) == {}


def test_a_whole_file_is_read_once_until_it_changes(tmp_path, monkeypatch):
    looked_at = []
    look = torn_files._why_torn
    monkeypatch.setattr(torn_files, "_why_torn", lambda file: looked_at.append(file) or look(file))
    file = tmp_path / "1.csv.gz"
    file.write_bytes(PACKED)
    for _ in range(2):
        assert find_torn_files([str(file)], {}, tmp_path / "work") == {}
    assert looked_at == [file]
    file.write_bytes(PACKED[:-6])
    for _ in range(2):  # what is torn is checked each time
        with pytest.raises(ForetellError):
            find_torn_files([str(file)], {}, tmp_path / "work")
    assert len(looked_at) == 3
    file.write_bytes(PACKED)
    os.utime(file, ns=(1, 1))
    assert find_torn_files([str(file)], {}, tmp_path / "work") == {}
    (tmp_path / "work/whole_files.json").write_text("torn too")
    assert find_torn_files([str(file)], {}, tmp_path / "work") == {}
    assert len(looked_at) == 5


def test_one_source_does_not_make_another_forget_its_files(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv.gz").write_bytes(PACKED)
        find_torn_files([f"{tmp_path}/{name}.csv.gz"], {}, tmp_path / "work")
    remembered = (tmp_path / "work/whole_files.json").read_text()
    assert "a.csv.gz" in remembered
    assert "b.csv.gz" in remembered
    (tmp_path / "a.csv.gz").unlink()
    find_torn_files([f"{tmp_path}/b.csv.gz"], {}, tmp_path / "work")
    assert "a.csv.gz" not in (tmp_path / "work/whole_files.json").read_text()
