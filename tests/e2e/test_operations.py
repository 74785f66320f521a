"""Where a run works: read-only installs, odd paths, full disks; and what people type afterwards.

Cases 10 and 11 of issue 33, and their cousins.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import duckdb
import pytest

from foretell.settings import read_settings
from tests.shop import PROJECT, environment_of, foretell, open_shop

CASES = PROJECT / "tests/fixtures/cases"
# A namespace of its own, in which the project's folder cannot be written to.
READ_ONLY = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
REMOUNT = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'


def may_remount() -> bool:
    if not shutil.which("unshare"):
        return False
    tried = [*READ_ONLY, REMOUNT, "sh", str(PROJECT), "true"]
    return subprocess.run(tried, capture_output=True).returncode == 0


def test_a_path_with_quotes_works_and_only_the_owner_reads(shop_after_run):
    made = [path for path in shop_after_run.iterdir() if path.name.startswith("my shop")]
    assert len(made) == 5
    assert {path.stat().st_mode & 0o777 for path in made if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in made if path.is_dir()} == {0o700}


def test_a_file_name_with_a_quote_is_refused_in_one_line(shop_after_run):
    done = foretell(shop_after_run, "run", WAREHOUSE="it's.duckdb")
    assert done.returncode == 1
    assert done.stderr.startswith("foretell: FORETELL_WAREHOUSE=it's.duckdb: dbt cannot open")


def test_the_query_of_the_readme_works_on_the_default_warehouse_and_its_copy(
    shop_after_run, tmp_path
):
    """The default file must not be named like the schema: DuckDB would call the name ambiguous."""
    text = (PROJECT / "README.md").read_text()
    (script,) = re.findall(r'python -c "(import duckdb\n.*?)"\n', text, re.DOTALL)
    copy = re.search(r"connect\('(.*?)'", script)[1]
    default = str(read_settings({}, tmp_path).warehouse.relative_to(PROJECT))
    assert copy == default.replace(".duckdb", "_published.duckdb")
    (tmp_path / "warehouse").mkdir()
    shutil.copy(shop_after_run / "my shop.duckdb", tmp_path / default)
    shutil.copy(shop_after_run / "my shop_published.duckdb", tmp_path / copy)
    shown = [
        subprocess.run(
            [sys.executable, "-c", script.replace(copy, name)],
            cwd=tmp_path, capture_output=True, text=True, check=True,
        ).stdout
        for name in (default, copy)
    ]  # fmt: skip
    for each in shown:
        assert "probability" in each
        assert "buys" in each


def test_status_tells_of_each_prediction_as_of_when_and_whom_it_covers(shop_after_run, tmp_path):
    """As after `run --select buys`: views was scored 28 days ago, half its cohort has no score."""
    shutil.copy(shop_after_run / "my shop.duckdb", tmp_path / "w.duckdb")
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("set search_path = 'foretell,foretell_internal'")
        connection.execute(
            "update predictions set as_of = as_of - interval 28 day where prediction = 'views'"
        )
        connection.execute(
            "delete from predictions where prediction = 'views' and user_id in "
            "(select user_id from scoring_rows where prediction = 'views' order by 1 limit 60)"
        )
        newest, older = connection.execute(
            "select max(as_of), min(as_of) from predictions"
        ).fetchall()[0]
    shown = " ".join(foretell(tmp_path, "status", PREDICTIONS="").stdout.split())
    assert f"│ buys │ {newest:%Y-%m-%d %H:%M} │ 120 │" in shown
    assert f"│ views │ {older:%Y-%m-%d %H:%M} │ 60 of 120 │" in shown
    assert f"views: its scores are as of {older:%Y-%m-%d %H:%M}, 28 days before now" in shown


@pytest.mark.skipif(not may_remount(), reason="needs leave to mount in a namespace (unshare)")
def test_a_read_only_install_works(tmp_path):
    """Whatever is written is beside the warehouse: parsed projects, logs, tables."""
    folder = open_shop(tmp_path / "shop")
    command = [sys.executable, "-m", "foretell.cli", "check-predictions"]
    done = subprocess.run(
        [*READ_ONLY, REMOUNT, "sh", str(PROJECT), *command],
        cwd=folder, env=environment_of(folder), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-2000:]
    assert "enough to learn from" in done.stdout
    assert (folder / "w_dbt/logs/dbt.log").exists()


@pytest.mark.parametrize("command", ["check-predictions", "run"])
def test_no_usable_event_is_reported_at_once(tmp_path, command):
    """After staging, not after all 216 nodes, and not of a table that is missing."""
    case = shutil.copytree(CASES / "10-no-usable-event-in-check-predictions", tmp_path / "case")
    (case / "epoch_ms.csv").write_text("user_id,event_name,event_time\n1,open,soon\n2,open,later\n")
    done = foretell(case, command, EVENTS="epoch_ms.csv", PREDICTIONS="p", WAREHOUSE="w.duckdb")
    assert done.returncode == 1
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith("foretell: no usable event in ")
    assert line.endswith("epoch_ms.csv (2 rows: event_time is not a time)")
    assert "features_values" not in done.stdout


@pytest.mark.skipif(os.geteuid() == 0 and not may_remount(), reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    folder = open_shop(tmp_path / "shop")
    done = subprocess.run(
        [*READ_ONLY, REMOUNT, "sh", str(folder), sys.executable, "-m", "foretell.cli", "run"],
        cwd=tmp_path, env=environment_of(folder), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout[-1000:]
    line = done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert re.match(r"foretell: .*Read-only file system.*shop", line), line
