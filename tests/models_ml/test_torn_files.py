"""What is no whole Parquet file is found by its first and last bytes."""

from __future__ import annotations

import duckdb
import pytest

from models_ml.errors import ForetellError
from models_ml.torn_files import find_torn_files


@pytest.fixture
def folder(tmp_path):
    duckdb.execute(f"copy (select 1 as a) to '{tmp_path}/whole.parquet'")
    whole = (tmp_path / "whole.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:-20])
    (tmp_path / "empty.parquet").write_bytes(b"")
    (tmp_path / "other.csv").write_text("a\n1\n")
    return tmp_path


def test_torn_files_are_named_and_whole_ones_are_not(folder):
    torn = find_torn_files([f"{folder}/*.parquet", f"{folder}/*.csv", "s3://b/*.parquet"], {})
    assert torn == [f"{folder}/cut.parquet", f"{folder}/empty.parquet"]


def test_strict_refuses_a_torn_file(folder):
    with pytest.raises(ForetellError, match=r"cut.parquet and 1 more cannot be read: half written"):
        find_torn_files([f"{folder}/*.parquet"], {"FORETELL_STRICT": "1"})


def test_nothing_but_torn_files_is_refused(folder):
    with pytest.raises(ForetellError, match=r"cut.parquet cannot be read"):
        find_torn_files([f"{folder}/cut.parquet"], {})
