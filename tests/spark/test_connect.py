"""A Spark Connect server in place of a session of one's own: SPARK_REMOTE, and the tables are the same."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pyspark", reason="needs the extra `spark`: make test-spark")

import pyspark

from tests.spark.conftest import ROUNDS, new_folder, walk, write_dirty_events  # needs pyspark
from tests.spark.test_same_on_both_engines import differences

SECONDS_TO_START = 90


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Start a server from the jars of pyspark, with a warehouse of its own; return its address."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    settings = {
        "spark.connect.grpc.binding.port": port,
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": tmp_path / "tables",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={tmp_path}/metastore;create=true",
        "spark.driver.extraJavaOptions": f"-Duser.timezone=UTC -Dderby.stream.error.file={tmp_path}/derby.log",
        "spark.ui.enabled": "false",
    }
    options = [text for name, value in settings.items() for text in ("--conf", f"{name}={value}")]
    home = Path(pyspark.__file__).parent
    server = subprocess.Popen(
        [home / "bin/spark-submit", "--master", "local[2]", "--driver-memory", "3g", *options,
         "--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"],
        env={**os.environ, "SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable},
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=(tmp_path / "server.log").open("w"),
    )  # fmt: skip
    try:
        ends = time.monotonic() + SECONDS_TO_START
        while not is_listening(port):
            log = (tmp_path / "server.log").read_text()[-2000:]
            assert server.poll() is None, log
            assert time.monotonic() < ends, log
            time.sleep(0.5)
        yield f"sc://localhost:{port}"
    finally:
        server.terminate()
        server.wait()


def test_every_table_is_the_same_over_connect(server, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SPARK_REMOTE", server)
    folder = new_folder(tmp_path_factory.mktemp("connect"))
    write_dirty_events(folder, n_batches=1)
    walked = walk(folder, ROUNDS[:1])
    assert walked.on_duckdb["predictions"].num_rows
    assert differences(walked.on_duckdb, walked.on_spark) == {}
    assert not (folder / "spark/metastore").exists()  # nothing was started here


def is_listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("localhost", port)) == 0
