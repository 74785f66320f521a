"""What the machine gives is bounded alike for dbt, for the warehouse and for training."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from foretell.machine import bound_database, share_threads, usable_threads
from tests.conftest import dbt


def settings_of(path, share=1):
    connection = duckdb.connect(config={"temp_directory": "beside"})
    bound_database(connection, path, share)
    return connection.execute(
        "select current_setting('threads'), current_setting('temp_directory'),"
        " current_setting('memory_limit')"
    ).fetchone()


def test_variables_bound_a_database(tmp_path, monkeypatch):
    monkeypatch.delenv("FORETELL_SPILL", raising=False)
    monkeypatch.delenv("FORETELL_THREADS", raising=False)
    threads, spill, default = settings_of(Path("a.duckdb"))
    assert threads == usable_threads()
    assert spill == "beside"
    monkeypatch.setenv("FORETELL_THREADS", "3")
    monkeypatch.setenv("FORETELL_SPILL", str(tmp_path))
    monkeypatch.setenv("FORETELL_MEMORY_LIMIT", "2GiB")
    one, other = settings_of(Path("a.duckdb")), settings_of(Path("b.duckdb"))
    assert one[0] == usable_threads() == 3
    assert one[2] == "2.0 GiB" != default
    assert settings_of(Path("a.duckdb"), share=0.5)[2] == "1.0 GiB"
    assert Path(one[1]).parent == tmp_path
    assert one[1] != other[1], "two databases would write over each other"


def test_threads_that_do_the_same_share_what_there_is(monkeypatch):
    monkeypatch.setenv("FORETELL_THREADS", "5")
    with ThreadPoolExecutor(1, initializer=share_threads, initargs=(2,)) as pool:
        assert pool.submit(usable_threads).result() == 2
    with ThreadPoolExecutor(1, initializer=share_threads, initargs=(9,)) as pool:
        assert pool.submit(usable_threads).result() == 1
    assert usable_threads() == 5


def test_dbt_takes_the_same_variables(tmp_path):
    environment = {
        "FORETELL_WAREHOUSE": str(tmp_path / "a.duckdb"),
        "FORETELL_THREADS": "1",
        "FORETELL_SPILL": str(tmp_path),
    }
    done = dbt(["run-operation", "bound_database", "--log-level", "debug"], environment, tmp_path)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "set threads = '1'" in done.stdout
    assert "/foretell_" in done.stdout.split("set temp_directory = ")[1].split()[0]
