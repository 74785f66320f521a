"""Which dbt project a command works in."""

import pytest

from foretell.errors import ForetellError
from foretell.project import PACKAGE, Project, find_project


def make_project(folder, packages="packages: [{local: ../foretell}]"):
    folder.mkdir(parents=True)
    (folder / "dbt_project.yml").write_text("name: shop")
    if packages:
        (folder / "packages.yml").write_text(packages)
    return folder


def test_a_project_with_the_package_is_found_at_or_above_the_folder(tmp_path):
    shop = make_project(tmp_path / "shop")
    (shop / "models/marts").mkdir(parents=True)
    for start in (shop, shop / "models/marts"):
        assert find_project({}, start) == Project(shop, is_host=True)
    assert find_project({}, shop).dbt_folder == shop


def test_a_package_that_is_installed_counts_whatever_its_path_is(tmp_path):
    shop = make_project(tmp_path / "shop", "packages: [{local: ../x}]")
    with pytest.raises(ForetellError, match="does not have Foretell as a package"):
        find_project({}, shop)
    (shop / "dbt_packages/foretell").mkdir(parents=True)
    assert find_project({}, shop).is_host


def test_elsewhere_the_project_is_our_own_which_writes_into_the_clone(tmp_path):
    for start in (tmp_path, PACKAGE, PACKAGE / "models_ml"):
        assert find_project({}, start) == Project(PACKAGE, is_host=False)


def test_beside_a_project_without_the_package_events_must_be_named(tmp_path):
    """Else the demo's would be used, without a word."""
    other = make_project(tmp_path / "other", packages="")
    with pytest.raises(ForetellError, match=f"the dbt project {other} does not have Foretell as a"):
        find_project({}, other)
    for name in ("FORETELL_EVENTS", "FORETELL_SOURCES", "FORETELL_EVENTS_RELATION"):
        assert not find_project({name: "x"}, other).is_host


def test_a_local_package_is_known_by_where_its_path_leads(tmp_path):
    (tmp_path / "link").symlink_to(PACKAGE)
    for path in (PACKAGE, "../link"):
        shop = make_project(tmp_path / f"shop{len(str(path))}", f"packages: [{{local: {path}}}]")
        assert find_project({}, shop).is_host


def test_an_installed_package_writes_into_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("foretell.project.INSTALLED", PACKAGE)
    found = find_project({}, tmp_path)
    assert (found.folder, found.dbt_folder) == (tmp_path, PACKAGE)


def test_a_named_project_wins_and_is_checked(tmp_path):
    shop = make_project(tmp_path / "shop")
    named = {"FORETELL_PROJECT_DIR": "shop"}
    assert find_project(named, tmp_path) == Project(shop, is_host=True)
    assert not find_project({"FORETELL_PROJECT_DIR": str(PACKAGE)}, shop).is_host
    with pytest.raises(
        ForetellError, match=r"no dbt_project\.yml there; `foretell init no` makes one"
    ):
        find_project({"FORETELL_PROJECT_DIR": "no"}, tmp_path)
    make_project(tmp_path / "other", packages="")
    with pytest.raises(ForetellError, match="does not have Foretell as a package; `foretell init"):
        find_project({"FORETELL_PROJECT_DIR": "other"}, tmp_path)
