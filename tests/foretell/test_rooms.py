"""Imports between the rooms of the package run one way, and `learn` knows arrays only."""

import ast
from pathlib import Path

import pytest

import foretell

PACKAGE = Path(foretell.__file__).parent
# From the foundation up: a module may import its own room and those before it.
ROOMS = (
    "errors", "project", "templates", "install_package", "markdown_text", "system", "machine", "definition_files", "config", "warehouse", "sources", "dbt_profile", "settings",
    "learn", "demo", "alarms", "pipeline", "usage", "report", "run", "inspect_source", "check_predictions", "new_project", "new_prediction", "propose", "init_command", "cli",
)  # fmt: skip
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def imported(file: Path) -> set[str]:
    """Return the modules of foretell that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("foretell"):
            found |= {f"{node.module}.{name.name}" for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names if name.name.startswith("foretell")}
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_run_one_way(file):
    place = file.relative_to(PACKAGE).with_suffix("").parts[0]
    if place == "__init__":
        assert imported(file) == {"foretell.system.no_telemetry.disable_telemetry"}
        return
    later = {m for m in imported(file) if ROOMS.index(room_of(m)) > ROOMS.index(place)}
    assert not later, f"{place} comes before {later}"


def test_learn_knows_arrays_only():
    known = {room_of(m) for file in FILES if "learn" in file.parts for m in imported(file)}
    assert known == {"learn", "machine", "errors"}


def test_every_room_is_listed():
    assert {p.stem for p in PACKAGE.iterdir()} - {"__init__", "__pycache__"} == set(ROOMS)


# Modules without a test file of their own, and why.
TESTED_ELSEWHERE = {
    "warehouse/spark": "needs pyspark and Java: tests/spark runs whole pipelines on it",
}


def test_every_module_has_its_test_file():
    tests = Path(__file__).parent
    modules = {file.relative_to(PACKAGE).with_suffix("") for file in FILES}
    without = {
        module.as_posix()
        for module in modules
        if module.name != "__init__"
        and not (tests / module.parent / f"test_{module.name}.py").exists()
    }
    assert without == set(TESTED_ELSEWHERE)


def test_every_module_of_the_dagster_package_has_its_test_file():
    import dagster_foretell

    modules = {file.stem for file in Path(dagster_foretell.__file__).parent.glob("*.py")}
    tests = Path(__file__).parents[1] / "dagster"
    tested = {file.stem.removeprefix("test_") for file in tests.glob("test_*.py")}
    assert modules - {"__init__"} - tested == set()
