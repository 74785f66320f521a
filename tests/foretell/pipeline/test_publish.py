from __future__ import annotations

import subprocess
import sys
import time

import duckdb
import pytest

from foretell.errors import ForetellError
from foretell.pipeline.publish import PUBLISHED, publish, published_paths
from foretell.settings import Settings

# A reader of its own: opens the copy again and again, and looks for a torn state (two generations
# in one table, or tables of different generations in one connection).
READER = """
import duckdb, sys, time
seen, reads, end = set(), 0, time.time() + float(sys.argv[2])
while time.time() < end:
    with duckdb.connect(sys.argv[1], read_only=True) as connection:
        rows = connection.execute("select distinct generation from foretell.predictions").fetchall()
        other = connection.execute("select distinct generation from foretell.models").fetchall()
        count = connection.execute("select count(*) from foretell.predictions").fetchall()
    assert len(rows) == 1 and rows == other and count == [(5000,)], (rows, other, count)
    seen.add(rows[0][0]); reads += 1
print(reads, len(seen))
"""


def settings_of(path) -> Settings:
    return Settings(events="", warehouse=path)


def write_generation(path, generation: int) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            create schema if not exists foretell; create schema if not exists foretell_internal;
            create table if not exists foretell_internal.stg_as_of as select timestamp '2026-06-01' as as_of;
            create table if not exists foretell.prediction_history (as_of timestamp, scored_at timestamp);
            """
        )
        for table in PUBLISHED:
            connection.execute(
                f"""
                create or replace table foretell.{table} as
                select {generation} as generation, i as user_id, 'p' as prediction, i as percentile,
                    i as feature_id, i as volume_rank, 'x' as property, i as trained_at, i as batch_id,
                    'x' as kind, i as as_of, i as z_score, i as place, i as group_number, 'x' as value, false as is_held_back, '\\x00'::blob as onnx,
                    '\\x00'::blob as holdout_onnx, '\\x00'::blob as explain_model
                from range(5000) as t (i)
                """
            )


def test_readers_see_whole_runs_only(tmp_path):
    path = tmp_path / "w.duckdb"
    write_generation(path, 0)
    published = publish(settings_of(path))
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(published.database), "6"],
        stdout=subprocess.PIPE,
        text=True,
    )
    generation, end = 0, time.monotonic() + 6
    while time.monotonic() < end:
        generation += 1
        write_generation(path, generation)
        publish(settings_of(path))
    output, _ = reader.communicate(timeout=30)
    assert reader.returncode == 0
    reads, seen = map(int, output.split())
    assert reads > 5
    assert seen > 1


def test_the_copy_has_no_model_bytes_and_no_leftovers(tmp_path):
    path = tmp_path / "w.duckdb"
    write_generation(path, 1)
    published = publish(settings_of(path))
    with duckdb.connect(str(published.database), read_only=True) as connection:
        columns = [row[0] for row in connection.execute("describe foretell.models").fetchall()]
    assert "onnx" not in columns
    assert "holdout_onnx" not in columns
    assert "explain_model" not in columns
    assert sorted(file.stem for file in published.parquet.iterdir()) == sorted(PUBLISHED)
    assert not list(tmp_path.glob("*.tmp"))


def test_older_drivers_can_open_the_copy(tmp_path):
    path = tmp_path / "w.duckdb"
    write_generation(path, 1)
    header = publish(settings_of(path)).database.read_bytes()[:20]
    # Bytes 12 to 19 of a DuckDB file are its storage version; 64 is what DuckDB 0.10 to 1.0 wrote.
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") == 64


def test_a_failed_copy_leaves_the_old_one(tmp_path):
    path = tmp_path / "w.duckdb"
    write_generation(path, 1)
    before = publish(settings_of(path)).database.read_bytes()
    with duckdb.connect(str(path)) as connection:
        connection.execute("drop table foretell.audiences")
    with pytest.raises(ForetellError, match="no table audiences"):
        publish(settings_of(path))
    assert published_paths(settings_of(path)).database.read_bytes() == before


def test_a_warehouse_in_use_is_named(tmp_path):
    path = tmp_path / "w.duckdb"
    write_generation(path, 1)
    holder = subprocess.Popen(
        [sys.executable, "-c", f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print(1, flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    holder.stdout.readline()
    try:
        with pytest.raises(ForetellError, match="in use by another process"):
            publish(settings_of(path))
    finally:
        holder.communicate()


HOUR = """
    delete from predictions where user_id < 40;
    update predictions set percentile = null where user_id between 50 and 60;
    insert into predictions by name select 9000 + i as user_id, i as percentile from range(20) as t (i);
"""
ROWS = "select user_id, percentile from foretell.predictions order by all"
PLACES = (
    "select rowid from foretell.predictions where user_id between 100 and 5000 order by user_id"
)


def change(path, sql: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("use w.foretell")
        connection.execute(sql)


def read(database, sql: str) -> list[tuple]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_an_hour_writes_only_what_differs(tmp_path):
    path = tmp_path / "w.duckdb"
    write_generation(path, 1)
    published = publish(settings_of(path))
    places, untouched = read(published.database, PLACES), published.parquet / "models.parquet"
    before = untouched.stat().st_mtime_ns
    for _ in range(2):  # the second changes nothing
        publish(settings_of(path))
        assert read(published.database, ROWS) == read(path, ROWS)
    change(path, HOUR)
    publish(settings_of(path))
    rows = read(path, ROWS)
    assert read(published.database, ROWS) == rows
    assert read(published.database, PLACES) == places
    assert untouched.stat().st_mtime_ns == before
    parquet = ROWS.replace("foretell.predictions", f"'{published.parquet}/predictions.parquet'")
    assert duckdb.execute(parquet).fetchall() == rows
    assert sorted(file.name for file in tmp_path.glob("w*") if not file.is_dir()) == [
        "w.duckdb", "w_published.duckdb",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        "update predictions set percentile = 5000 - percentile",
        "alter table predictions add column place_of_birth varchar",
        "alter table predictions alter percentile type double",
        "create or replace table audiences as from audiences limit 7",
        "insert into predictions from predictions where user_id = 7",
    ],
    ids=["most rows", "a column more", "another type", "fewer rows", "a row twice"],
)
def test_where_more_differs_the_copy_is_made_anew(tmp_path, changed):
    path = tmp_path / "w.duckdb"
    write_generation(path, 1)
    change(path, "update predictions set percentile = -percentile")
    published = publish(settings_of(path))
    change(path, changed)
    publish(settings_of(path))
    for table in ("predictions", "audiences"):
        sql = f"select * from foretell.{table} order by all"
        assert read(published.database, sql) == read(path, sql)
    sorted_rows = "select user_id from foretell.predictions order by percentile desc, user_id"
    assert read(published.database, "select user_id from foretell.predictions") == read(
        path, sorted_rows
    )


@pytest.mark.parametrize("damage", ["torn", "garbled"])
def test_a_damaged_copy_is_made_anew(tmp_path, damage):
    path = tmp_path / "w.duckdb"
    write_generation(path, 1)
    published = publish(settings_of(path))
    copy = bytearray(published.database.read_bytes())
    if damage == "torn":
        del copy[5000:]
    else:  # its first block of rows, behind three headers of 4 KiB
        copy[13_000:13_100] = b"x" * 100
    published.database.write_bytes(copy)
    publish(settings_of(path))
    assert read(published.database, ROWS) == read(path, ROWS)


def test_a_table_that_is_not_there_is_named(tmp_path):
    write_generation(tmp_path / "w.duckdb", 1)
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("drop table foretell.value_report")
    with pytest.raises(ForetellError, match="no table value_report: `foretell run` makes it"):
        publish(settings_of(tmp_path / "w.duckdb"))


def test_only_the_owner_reads_what_is_published(tmp_path, monkeypatch):
    path = tmp_path / "w.duckdb"
    write_generation(path, 0)
    paths = publish(settings_of(path))
    files = [path, paths.database, *paths.parquet.glob("*.parquet")]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert paths.parquet.stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv("FORETELL_FILE_MODE", "644")
    write_generation(path, 1)
    publish(settings_of(path))
    assert {file.stat().st_mode & 0o777 for file in files} == {0o644}
