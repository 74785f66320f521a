from __future__ import annotations

from datetime import datetime

import pytest

from foretell import settings
from foretell.config import resolve
from foretell.errors import ForetellError
from foretell.new_project import init_project
from foretell.project import PACKAGE
from foretell.settings import in_effect, parse_as_of, read_settings
from foretell.sources.adapters import Source


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-05-25", datetime(2026, 5, 25)),
        ("2026-05-25T10:59:59", datetime(2026, 5, 25, 10)),
        ("2026-05-25T01:30:00+02:00", datetime(2026, 5, 24, 23)),
        ("2026-05-25 10:00Z", datetime(2026, 5, 25, 10)),
        ("", None),
    ],
)
def test_as_of_is_a_utc_hour_rounded_down(text, hour):
    assert parse_as_of(text) == hour


def test_a_wrong_as_of_is_refused_by_value():
    with pytest.raises(ForetellError, match="as_of 'next monday' is not an ISO time"):
        parse_as_of("next monday")


def test_nothing_set_means_the_demo(tmp_path):
    settings = read_settings({}, tmp_path)
    assert settings.is_demo
    assert settings.warehouse == PACKAGE / "warehouse/local.duckdb"
    assert settings.dbt_environment()["FORETELL_EVENTS"] == ""


def test_an_exported_relation_does_not_shadow_the_files_of_a_trial(tmp_path, monkeypatch):
    """inspect-source makes settings of its own; dbt reads what they name, not what is exported."""
    monkeypatch.setenv("FORETELL_EVENTS_RELATION", "raw.events")
    trial = settings.Settings(events="sample.csv", warehouse=tmp_path / "trial.duckdb")
    environment = trial.dbt_environment()
    assert environment["FORETELL_EVENTS"] == "sample.csv"
    assert environment["FORETELL_EVENTS_RELATION"] == ""
    relation = read_settings(dict(FORETELL_EVENTS_RELATION="raw.events"), tmp_path)
    assert '"relation": "raw.events"' in relation.dbt_environment()["FORETELL_SOURCES"]


def test_relative_paths_start_at_the_callers_folder(tmp_path):
    (tmp_path / "definitions").mkdir()
    settings = read_settings(
        {
            "FORETELL_EVENTS": "in/*.parquet",
            "FORETELL_WAREHOUSE": "out/w.duckdb",
            "FORETELL_PREDICTIONS": "definitions",
            "FORETELL_AS_OF": "2026-01-02T03:04",
        },
        tmp_path,
    )
    environment = settings.dbt_environment()
    assert environment["FORETELL_EVENTS"] == f"{tmp_path}/in/*.parquet"
    assert environment["FORETELL_WAREHOUSE"] == f"{tmp_path}/out/w.duckdb"
    assert environment["FORETELL_PREDICTIONS"] == f"{tmp_path}/definitions"
    assert environment["FORETELL_AS_OF"] == "2026-01-02T03:00:00"


def test_sources_take_the_place_of_events(tmp_path):
    given = (
        '[{"name": "web", "adapter": "ga4", "events": "in/*.json.gz"},'
        ' {"name": "shop", "relation": "raw.events"}]'
    )
    settings = read_settings({"FORETELL_SOURCES": given}, tmp_path)
    assert not settings.is_demo
    assert settings.input == f"{tmp_path}/in/*.json.gz, raw.events"
    assert settings.dbt_environment()["FORETELL_SOURCES"] == given.replace(
        "in/", f"{tmp_path}/in/"
    ).replace('"shop", ', '"shop", "adapter": "canonical", ')


def test_sources_in_dbt_project_yml_are_known_here_too(tmp_path, monkeypatch):
    """Else `foretell run` would check, and refuse, events that dbt does not read."""
    listed = "vars: {foretell: {sources: [{name: web, adapter: ga4, events: in/*.parquet}]}}"
    (tmp_path / "dbt_project.yml").write_text(listed)
    monkeypatch.setattr("foretell.project.PACKAGE", tmp_path)
    settings = read_settings({}, tmp_path / "elsewhere")
    assert settings.sources == (Source("web", "ga4", f"{tmp_path}/in/*.parquet"),)


def test_the_adapter_is_of_the_one_source(tmp_path):
    given = {"FORETELL_EVENTS": "e.json", "FORETELL_ADAPTER": "amplitude"}
    settings = read_settings(given, tmp_path)
    assert settings.sources == (Source("amplitude", "amplitude", f"{tmp_path}/e.json"),)
    assert settings.dbt_environment()["FORETELL_ADAPTER"] == "amplitude"
    with pytest.raises(ForetellError, match='unknown adapter "amplitud"; did you mean "amplitude"'):
        read_settings({**given, "FORETELL_ADAPTER": "amplitud"}, tmp_path)


def test_sources_that_are_not_json_are_refused(tmp_path):
    with pytest.raises(ForetellError, match="FORETELL_SOURCES is not JSON"):
        read_settings({"FORETELL_SOURCES": "web: ga4"}, tmp_path)


def test_object_stores_are_left_alone(tmp_path):
    assert (
        read_settings({"FORETELL_EVENTS": "s3://b/e/*.parquet"}, tmp_path).events
        == "s3://b/e/*.parquet"
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FORETELL_PREDICTIONS", "nowhere"),
        ("FORETELL_TARGET", "oracle"),
        ("FORETELL_MEMORY_LIMIT", "lots"),
        ("FORETELL_THREADS", "all"),
        ("FORETELL_THREADS", "0"),
        ("FORETELL_THREADS", "²"),
        ("FORETELL_SPILL", "spill"),
        ("FORETELL_SPILL", "/nowhere/at/all"),
        ("FORETELL_ADAPTER", "amplitude"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(variable, value, tmp_path):
    with pytest.raises(ForetellError, match=f"{variable}={value}"):
        read_settings({variable: value}, tmp_path)


def test_spark_needs_its_extra_and_java(tmp_path, monkeypatch):
    found = {"pyspark": None}
    monkeypatch.setattr(settings.importlib.util, "find_spec", found.get)
    with pytest.raises(ForetellError, match="make setup"):
        read_settings({"FORETELL_TARGET": "spark"}, tmp_path)
    found["pyspark"] = "there"
    with pytest.raises(ForetellError, match="no Java; install Java 17"):
        read_settings({"FORETELL_TARGET": "spark", "PATH": str(tmp_path)}, tmp_path)
    for java in ({"JAVA_HOME": "/java"}, {"SPARK_REMOTE": "sc://host", "PATH": str(tmp_path)}):
        read = read_settings({"FORETELL_TARGET": "spark", **java}, tmp_path)
        assert (read.target, read.warehouse.name) == ("spark", "spark")
        assert read.dbt_environment()["FORETELL_TARGET"] == "spark"


def test_in_a_project_of_somebody_its_profile_decides(tmp_path):
    init_project(tmp_path / "shop")
    settings = read_settings({}, tmp_path / "shop/predictions")
    assert settings.warehouse == tmp_path / "shop/warehouse/shop.duckdb"
    assert settings.events == f"{tmp_path}/shop/events/*.parquet"
    found = in_effect(settings, resolve({}, settings.project.dbt_folder, {}))
    assert (found["warehouse"].value, found["warehouse"].source) == (
        str(settings.warehouse),
        "profiles.yml",
    )
    assert found["project_dir"].value == f"{tmp_path}/shop"
    assert found["target"].value == "duckdb"
    assert found["predictions"].source == "dbt_project.yml"
