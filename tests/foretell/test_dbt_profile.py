"""The warehouse of somebody's dbt project, as dbt itself would find it."""

import os

import pytest

from foretell.dbt_profile import Profile, read_profile
from foretell.errors import ForetellError

PROFILES = """
shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: "{{ env_var('SHOP_FILE', 'shop.duckdb') }}", schema: analytics, threads: 1}
    prod: {type: duckdb, path: /data/prod.duckdb, schema: marts}
    memory: {type: duckdb, path: ":memory:", schema: x}
"""


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    (tmp_path / "profiles.yml").write_text(PROFILES)
    return tmp_path


def test_relative_paths_start_at_the_project(shop, monkeypatch):
    monkeypatch.chdir("/")
    assert read_profile(shop, {}) == Profile("duckdb", shop / "shop.duckdb", "analytics")


def test_variables_are_those_of_the_run_and_leave_the_process_as_it_was(shop):
    before = dict(os.environ)
    found = read_profile(shop, {"SHOP_FILE": "other.duckdb"})
    assert found.path == shop / "other.duckdb"
    assert dict(os.environ) == before


def test_a_target_can_be_named(shop):
    found = read_profile(shop, {"DBT_TARGET": "prod"})
    assert (str(found.path), found.schema) == ("/data/prod.duckdb", "marts")


def test_profiles_may_be_elsewhere(shop, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("profiles")
    (shop / "profiles.yml").rename(elsewhere / "profiles.yml")
    assert read_profile(shop, {"DBT_PROFILES_DIR": str(elsewhere)}).schema == "analytics"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("memory", "the profile's path is :memory:; Foretell needs a DuckDB file"),
        ("nope", "dbt finds no profile: .*nope"),
    ],
)
def test_a_warehouse_that_cannot_be_used_is_refused(shop, target, message):
    with pytest.raises(ForetellError, match=message):
        read_profile(shop, {"DBT_TARGET": target})
