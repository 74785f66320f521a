"""`foretell status` while another process writes."""

import subprocess
import sys
from io import StringIO

import duckdb
import pytest
from rich.console import Console

from foretell.errors import InUse
from foretell.report.status import status
from foretell.settings import read_settings
from tests.shop import PROJECT

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("create schema if not exists foretell")
print("held", flush=True)
sys.stdin.read()
"""
METRICS = '{"base_rate": 0.25, "auroc": {"value": 0.8, "low": 0.7, "high": 0.9}}'


@pytest.fixture
def held(tmp_path):
    """Return settings of a warehouse that another process holds, with its copy."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "w.duckdb")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT,
    ) as holder:  # fmt: skip
        holder.stdout.readline()
        yield read_settings({"FORETELL_WAREHOUSE": str(tmp_path / "w.duckdb")}, tmp_path)
        holder.stdin.close()


def write_copy(path):
    with duckdb.connect(str(path)) as copy:
        copy.execute("create schema foretell; use foretell")
        copy.execute("""
            create table prediction_definitions as
            select 'buys' as prediction, 'Buys' as label, 'h' as definition_hash;
            create table models (
                prediction varchar, definition_hash varchar, model_id varchar, as_of timestamp,
                trained_at timestamp, status varchar, reason varchar, candidate varchar,
                calibration varchar, metrics varchar);
            create table alarms (kind varchar, message varchar, prediction varchar, is_held_back boolean);
            create table ingest_alarms (kind varchar, message varchar);
            create table predictions as
            select 'buys' as prediction, 'u' || i as user_id, 0.5 as probability,
                null::double as expected_value, timestamp '2026-01-02' as as_of
            from range(3) as t(i)
        """)
        row = [
            "buys",
            "h",
            "m",
            "2026-01-01",
            "2026-01-01",
            "champion",
            "",
            "average",
            "no",
            METRICS,
        ]
        copy.execute(f"insert into models values ({', '.join('?' * 10)})", row)


def text_of(shown):
    out = StringIO()
    Console(file=out, width=150).print(shown)
    return " ".join(out.getvalue().split())


def test_the_copy_is_shown_while_a_run_writes(held, tmp_path):
    write_copy(tmp_path / "w_published.duckdb")
    shown = text_of(status(held))
    assert shown.startswith("A run is writing now: this is the copy of 20")
    assert "│ buys │ 2026-01-02 00:00 │ 3 │ 25.00% │ 0.800 │ 0.700 to 0.900 │" in shown
    assert "average, no calibration" in shown


def test_without_a_copy_it_says_who_waits_for_whom(held):
    with pytest.raises(InUse, match="is in use by another process"):
        status(held)
