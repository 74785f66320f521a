"""How dbt's nodes look in Dagster, and which tables an hourly run needs."""

from __future__ import annotations

import pytest

from dagster_foretell import warehouse_assets
from dagster_foretell.warehouse_assets import (
    BuildConfig,
    Scope,
    Translator,
    build_raw_events,
)
from foretell.errors import ForetellError
from foretell.settings import Settings

SQL = "{# Counts in windows.\n   Grain: one row per user. #}\nselect 1"


@pytest.fixture
def settings(tmp_path):
    return Settings(events="https://ann:pw@host/e.csv", warehouse=tmp_path / "w.duckdb")


def test_a_group_is_the_folder_and_of_a_source_its_type():
    translator = Translator([])
    model = {"resource_type": "model", "fqn": ["foretell", "05_features", "user_features"]}
    assert translator.get_group_name(model) == "05_features"
    assert translator.get_group_name({"resource_type": "source", "fqn": []}) == "source"


def test_a_description_is_of_the_yaml_or_the_first_comment():
    translator = Translator([])
    of_yaml = translator.get_description({"description": "One row per user.", "raw_code": SQL})
    assert of_yaml.startswith("One row per user.\n\n```sql\n{# Counts")
    of_file = translator.get_description({"description": "", "raw_code": SQL})
    assert of_file.startswith("Counts in windows. Grain: one row per user.\n\n```sql")


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (
            {"test_metadata": {"name": "accepted_range", "kwargs": {"model": "m", "min": 0, "column": "p"}}},
            "accepted range: column p, min 0",
        ),
        ({"raw_code": "{# No row is lost. #} select 1"}, "No row is lost."),
        ({"raw_code": "select 1"}, ""),
    ],
)  # fmt: skip
def test_a_test_is_described_by_its_comment_or_its_arguments(test, words):
    assert warehouse_assets._describe_test(test) == words


def test_the_launchpad_offers_everyone_first():
    assert BuildConfig().scope is Scope.everyone
    assert [scope.value for scope in Scope] == ["everyone", "active"]


def test_raw_events_show_where_they_are_without_a_secret(settings):
    shown = build_raw_events(settings).metadata
    assert shown["Files"] == "https://***@host/e.csv"
    assert shown["Read into"] == str(settings.warehouse)


def test_an_hour_needs_the_tables_of_a_day(settings, monkeypatch):
    monkeypatch.setattr(warehouse_assets, "why_all_tables", lambda settings: "")
    warehouse_assets._check_daily_tables(settings)
    stopped = "the previous daily build was stopped"
    monkeypatch.setattr(warehouse_assets, "why_all_tables", lambda settings: stopped)
    with pytest.raises(ForetellError, match="stopped; the job daily builds its tables again"):
        warehouse_assets._check_daily_tables(settings)
