"""A driver or an executor dies in the middle of scoring: a re-run completes, nothing twice, no loss."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("pyspark", reason="needs the extra `spark`: make test-spark")

from tests.faults.shops import processes_of
from tests.spark.conftest import settings  # needs pyspark

# What the graph answers comes late, in Python workers that Spark starts.
SLOW = """
import os, pathlib, time
import foretell.pipeline.score_block as score_block
predict = score_block.predict_outputs
def slow(*arguments):
    pathlib.Path(os.environ["FORETELL_TEST_MARK"]).touch()
    time.sleep(0.5)
    return predict(*arguments)
score_block.predict_outputs = slow
"""


@contextmanager
def scoring_slowly(folder: Path, master: str) -> Iterator[subprocess.Popen]:
    """Forget all scores, score anew; the block begins when workers are at it."""
    (folder / "slow").mkdir(exist_ok=True)
    (folder / "slow/sitecustomize.py").write_text(SLOW)
    one_by_one = "spark.sql.execution.arrow.maxRecordsPerBatch 1"
    (folder / "slow/spark-defaults.conf").write_text(one_by_one)
    mark = folder / "slow/mark"
    mark.unlink(missing_ok=True)
    environment = settings(folder, "spark") | {
        "FORETELL_SPARK_MASTER": master,
        "FORETELL_TEST_MARK": str(mark),
        "SPARK_CONF_DIR": str(folder / "slow"),
    }
    environment["PYTHONPATH"] = f"{folder / 'slow'}{os.pathsep}{environment['PYTHONPATH']}"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.spark.scoring", str(folder), "--forget"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        ends = time.monotonic() + 300
        while not mark.exists():
            assert process.poll() is None, process.communicate()[1][-2000:]
            assert time.monotonic() < ends
            time.sleep(0.1)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def numbers(output: str) -> list[int]:
    return [int(text) for text in output.split()[-4:]]


def score_now(folder: Path) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.spark.scoring", str(folder)],
        env=settings(folder, "spark"), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return numbers(done.stdout)


def test_the_driver_dies(dirty):
    with scoring_slowly(dirty.folder, "local[2]") as process:
        os.killpg(process.pid, signal.SIGKILL)
    time.sleep(2)  # Java lets go of the metastore
    appended, rows, users, n_to_score = score_now(dirty.folder)
    assert appended == rows == users == n_to_score > 3
    assert score_now(dirty.folder) == [0, n_to_score, n_to_score, n_to_score]


def test_an_executor_dies(dirty):
    with scoring_slowly(dirty.folder, "local-cluster[2,1,1024]") as process:
        executors = [pid for pid in processes_of(process.pid) if "CoarseGrained" in command(pid)]
        assert len(executors) == 2
        os.kill(executors[0], signal.SIGKILL)
        output, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors[-2000:]
    appended, rows, users, n_to_score = numbers(output)
    assert appended == rows == users == n_to_score > 3


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
