"""The package of somebody's project leads to the one that is installed."""

import pytest

from foretell.errors import ForetellError
from foretell.install_package import is_installed, link_package, uses_link
from foretell.project import PACKAGE

LISTED = "packages:\n  - local: .foretell/package\n"


def test_the_link_follows_the_installation(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / ".foretell").mkdir()
    (tmp_path / ".foretell/package").symlink_to(tmp_path / "old")
    for _ in range(2):
        link_package(tmp_path)
        assert (tmp_path / ".foretell/package").resolve() == PACKAGE
    assert [path.name for path in (tmp_path / ".foretell").iterdir()] == ["package"]


def test_a_package_is_installed_once_dbt_deps_made_it_of_this_version(tmp_path):
    (tmp_path / "packages.yml").write_text(LISTED)
    assert uses_link(tmp_path)
    assert not is_installed(tmp_path)
    (tmp_path / "dbt_packages").mkdir()
    (tmp_path / "dbt_packages/foretell").symlink_to(PACKAGE)
    assert is_installed(tmp_path)


def test_another_version_is_installed_again_by_the_link_and_refused_elsewhere(tmp_path):
    (tmp_path / "dbt_packages/foretell").mkdir(parents=True)
    (tmp_path / "dbt_packages/foretell/dbt_project.yml").write_text("version: 0.2.0")
    (tmp_path / "packages.yml").write_text(LISTED)
    assert not is_installed(tmp_path)
    (tmp_path / "packages.yml").write_text("packages: [{git: foretell, revision: v0.2.0}]")
    with pytest.raises(ForetellError, match=r"is Foretell 0\.2\.0, this command is "):
        is_installed(tmp_path)
