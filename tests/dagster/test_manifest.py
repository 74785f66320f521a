"""The manifest is parsed when files or settings change, and only then."""

from pathlib import Path

import pytest

from dagster_foretell import manifest
from foretell.errors import ForetellError
from foretell.settings import read_settings

DEFINITION = """
exposures:
  - name: buys
    type: ml
    owner: {name: test}
    depends_on: [ref('predictions')]
    config: {meta: {prediction: {outcome: {event: purchase}, horizon_days: 7}}}
"""


@pytest.fixture
def parses(monkeypatch):
    """Stand in for dbt: write a manifest, record the call."""
    made = []

    def parse(target: Path, environment, variables):
        made.append(environment["FORETELL_PREDICTIONS"])
        (target / "manifest.json").write_text("{}")

    monkeypatch.setattr(manifest, "dbt_parse", parse)
    return made


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions/buys.yml").write_text(DEFINITION)
    return read_settings({"FORETELL_PREDICTIONS": "definitions"}, folder=tmp_path)


def test_parses_once(tmp_path, parses, settings):
    first = manifest.prepare_manifest(settings, tmp_path / "target")
    assert manifest.prepare_manifest(settings, tmp_path / "target") == first
    assert parses == [str(tmp_path / "definitions")]
    assert first.read_text() == "{}"


def test_parses_again_when_a_definition_changes(tmp_path, parses, settings):
    first = manifest.prepare_manifest(settings, tmp_path / "target")
    (tmp_path / "definitions/buys.yml").write_text(DEFINITION.replace("7", "8"))
    assert manifest.prepare_manifest(settings, tmp_path / "target") != first
    assert len(parses) == 2


def test_other_settings_have_their_own(tmp_path, parses, settings):
    made = {
        manifest.prepare_manifest(each, tmp_path / "target")
        for each in (
            settings,
            read_settings({}, folder=tmp_path),
            read_settings({"FORETELL_EVENTS": "events.csv"}, folder=tmp_path),
            read_settings({"FORETELL_WAREHOUSE": "other.duckdb"}, folder=tmp_path),
        )
    }
    assert len(made) == 4


def test_a_failed_parse_leaves_nothing(tmp_path, monkeypatch, settings):
    def fail(target, environment, variables):
        (target / "half").write_text("")
        raise ForetellError("dbt parse failed: no")

    monkeypatch.setattr(manifest, "dbt_parse", fail)
    with pytest.raises(ForetellError, match="dbt parse failed"):
        manifest.prepare_manifest(settings, tmp_path / "target")
    assert list((tmp_path / "target").iterdir()) == []


def test_folders_long_unused_go(tmp_path, parses, settings, monkeypatch):
    first = manifest.prepare_manifest(settings, tmp_path / "target")
    monkeypatch.setattr(manifest, "KEPT_SECONDS", -1)
    for horizon in range(1, 7):
        (tmp_path / "definitions/buys.yml").write_text(DEFINITION.replace("7", str(horizon)))
        last = manifest.prepare_manifest(settings, tmp_path / "target")
    assert last.exists()
    assert not first.exists()
    assert len(list((tmp_path / "target").iterdir())) == manifest.KEPT_FOLDERS
