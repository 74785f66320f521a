"""Settings are read in one order, by `foretell` and by plain dbt alike."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import yaml
from typer.testing import CliRunner

from foretell import cli
from foretell.config import DEFAULT, SETTINGS, as_json, project_vars, resolve
from foretell.errors import ForetellError
from foretell.project import PACKAGE
from foretell.settings import read_settings
from tests.dbt_macros import loaded

SOURCES = [{"name": "web", "adapter": "ga4", "events": "/in/*.parquet"}]
NAMED = {  # what names events: (environment, vars)
    "nothing": ({}, {}),
    "environment": ({"FORETELL_EVENTS": "/e.csv", "FORETELL_ADAPTER": "segment"}, {}),
    "vars": ({}, {"events": "/v.csv", "adapter": "ga4"}),
    "environment before vars": ({"FORETELL_EVENTS": "/e.csv"}, {"events": "/v.csv", "sources": SOURCES}),
    "sources of vars before events": ({}, {"events": "/v.csv", "sources": SOURCES}),
    "sources of environment": ({"FORETELL_SOURCES": json.dumps(SOURCES), "FORETELL_EVENTS": "/e.csv"}, {}),
    "environment before relation": ({"FORETELL_EVENTS": "/e.csv"}, {"events_relation": "raw.events"}),
    "relation": ({}, {"events_relation": "raw.events", "adapter": "segment"}),
    "adapter alone": ({}, {"adapter": "segment"}),
}  # fmt: skip


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a function that writes a dbt_project.yml with other vars, which settings then read."""
    monkeypatch.setattr("foretell.project.PACKAGE", tmp_path)

    def write(**given):
        known = {**project_vars(PACKAGE), **given}
        text = yaml.safe_dump({"vars": {"foretell": known}})
        (tmp_path / "dbt_project.yml").write_text(text)
        return known

    return write


@pytest.mark.parametrize("case", NAMED)
def test_dbt_alone_reads_the_same_events(case, project, tmp_path):
    environment, given = NAMED[case]
    known = project(**given)
    settings = read_settings(environment, tmp_path)
    with loaded(
        "setting.sql", "adapters/*.sql", "definitions/check_definitions.sql",
        "warehouse/refuse_in_sql.sql",
        invocation_args_dict={"vars": {}}, var=known.get,
        env_var=lambda name, default: environment.get(name, default),
    ) as macros:  # fmt: skip
        read = macros.event_sources()
    assert [(each["adapter"], each["relation"]) for each in read] == [
        (each.adapter, each.relation) for each in settings.sources
    ]
    assert settings.is_demo == any(each.get("may_be_absent") for each in read)
    if not settings.is_demo:
        files = [each.events for each in settings.sources if each.events]
        assert [each["events"] for each in read if not each["relation"]] == files


def test_a_flag_wins_over_the_environment_and_that_over_the_project(project, tmp_path):
    project(as_of="2026-01-01")
    assert read_settings({}, tmp_path).as_of.day == 1
    environment = {"FORETELL_AS_OF": "2026-01-02"}
    assert read_settings(environment, tmp_path).as_of.day == 2
    assert read_settings(environment, tmp_path, as_of="2026-01-03").as_of.day == 3


def test_every_setting_has_its_source(project, tmp_path):
    project(late_days=9)
    found = resolve({"FORETELL_EVENTS": "s3://b/e?sig=abc"}, tmp_path, {"as_of": "2026-01-01"})
    assert asdict(found["as_of"]) == {"name": "as_of", "value": "2026-01-01", "source": "--as-of"}
    assert found["late_days"].value == 9
    assert found["late_days"].source == "dbt_project.yml"
    assert found["memory_limit"].source == DEFAULT
    shown = {row["name"]: row["value"] for row in json.loads(as_json(found))}
    assert shown["events"] == "s3://b/e?sig=***"
    assert set(shown) == {each.name for each in SETTINGS} | set(project_vars(tmp_path))


def test_the_reference_lists_every_variable():
    text = (PACKAGE / "docs/settings.md").read_text()
    assert [each.variable for each in SETTINGS if f"| `{each.variable}` |" not in text] == []


def test_config_prints_what_holds(monkeypatch):
    monkeypatch.setenv("FORETELL_THREADS", "3")
    printed = CliRunner().invoke(cli.app, ["config", "--json"])
    assert printed.exit_code == 0, printed.output
    (threads,) = [row for row in json.loads(printed.output) if row["name"] == "threads"]
    assert threads == {"name": "threads", "value": "3", "source": "FORETELL_THREADS"}


@pytest.mark.parametrize(
    ("text", "late_days", "events"),
    [
        ("name: x\n", 7, ""),
        ("vars: {late_days: 3, other: 1}\n", 3, ""),
        ("vars: {late_days: 3, foretell: {late_days: 2, events: a.csv}}\n", 2, "a.csv"),
    ],
)
def test_a_project_names_what_differs_from_the_defaults(tmp_path, text, late_days, events):
    (tmp_path / "dbt_project.yml").write_text(text)
    found = project_vars(tmp_path)
    assert (found["late_days"], found["events"]) == (late_days, events)
    assert "other" not in found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vars: {foretell: 3}\n", r"dbt_project.yml: vars: foretell: is 3; write names and values"),
        ("vars: {\n", r"dbt_project.yml is no YAML: "),
    ],
)
def test_a_project_that_cannot_be_read_is_refused(tmp_path, text, message):
    (tmp_path / "dbt_project.yml").write_text(text)
    with pytest.raises(ForetellError, match=message):
        project_vars(tmp_path)
