"""The wheel, installed elsewhere and read-only: own events in, first scores out."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.e2e.test_operations import READ_ONLY, REMOUNT, may_remount
from tests.shop import PROJECT, shop_events

COMMAND = "import sys; from foretell.cli import main; main()"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(PROJECT)], check=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    """Return a folder with the wheel's files, as in site-packages; nothing may write to it."""
    folder = tmp_path_factory.mktemp("site")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    subprocess.run([*install, "--target", str(folder), str(wheel)], check=True)
    return folder


def foretell(site: Path, folder: Path, *arguments: str) -> str:
    """Run the installed command, the installation read-only where this user may do so."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("FORETELL_", "DBT_"))}
    alone = [*READ_ONLY, REMOUNT, "sh", str(site)] if may_remount() else []
    done = subprocess.run(
        [*alone, sys.executable, "-P", "-c", COMMAND, *arguments],
        cwd=folder, capture_output=True, text=True,
        env={**environment, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout


def test_the_wheel_has_the_dbt_project_and_nothing_else_beside_the_packages(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"foretell", "dagster_foretell"}
    dbt = {name.removeprefix("foretell/dbt/") for name in names if name.startswith("foretell/dbt/")}
    listed = subprocess.run(
        ["git", "ls-files", "dbt_project.yml", "profiles.yml", "dbt_project", "seeds", "tests/dbt"],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert dbt == set(listed.stdout.split())
    assert "dagster_foretell/dagster.yaml" in names
    assert [name for name in names if "__pycache__" in name or name.endswith(".duckdb")] == []


def test_own_events_become_scores(site, tmp_path):
    """As a newcomer does it: events in a file, init, run, show."""
    before = sorted(path for path in site.rglob("*"))
    with (tmp_path / "export.csv").open("w") as file:
        rows = csv.DictWriter(file, ["user_id", "event_name", "event_time"])
        rows.writeheader()
        rows.writerows(shop_events())
    made = foretell(site, tmp_path, "init", "shop", "--from", "export.csv")
    assert "purchase_within_7_days: enough to learn from" in made
    shop = tmp_path / "shop"
    assert "purchase_within_7_days" in foretell(site, shop, "run")
    shown = json.loads(foretell(site, shop, "show", "--top", "3", "--json"))
    assert len(shown) == 3
    assert all(0 < row["probability"] <= 1 for row in shown)
    assert "120" in foretell(site, shop / "predictions", "status")
    assert sorted(path for path in site.rglob("*")) == before
    assert {path.name for path in shop.iterdir()} == {
        ".foretell", ".gitignore", "README.md", "dbt_packages", "dbt_project.yml",
        "package-lock.yml", "packages.yml", "predictions", "profiles.yml", "warehouse",
    }  # fmt: skip


def test_without_a_project_the_demo_works_in_any_folder(site, tmp_path):
    foretell(site, tmp_path, "demo-events", "--users", "300", "--weeks", "6")
    shown = foretell(site, tmp_path, "check-predictions", "--select", "buys_within_7_days")
    assert "buys_within_7_days" in shown
    assert {path.name for path in tmp_path.iterdir()} == {"warehouse"}
