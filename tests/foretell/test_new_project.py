"""What `foretell init` writes, into an empty folder and into a dbt project."""

import pytest
import yaml

from foretell.errors import ForetellError
from foretell.new_project import Source, init_project, project_name
from foretell.project import PACKAGE, find_project

HOST = "# ours\nname: jaffle\nprofile: jaffle\nmodel-paths: [dbt/models]\n"


def test_a_new_folder_gets_a_project_that_foretell_finds(tmp_path):
    shop = tmp_path / "My shop 2"
    lines = init_project(shop, Source('/data/"a".csv', "amplitude"))
    assert find_project({}, shop).is_host
    project = yaml.safe_load((shop / "dbt_project.yml").read_text())
    assert project["name"] == project["profile"] == "my_shop_2"
    assert project["vars"]["foretell"] == {"events": '/data/"a".csv', "adapter": "amplitude"}
    assert list(yaml.safe_load((shop / "profiles.yml").read_text())) == ["my_shop_2"]
    assert (shop / ".foretell/package").resolve() == PACKAGE
    first = yaml.safe_load((shop / "predictions/first.yml").read_text())
    assert first["exposures"][0]["type"] == "ml"
    assert [line for line in lines if line.endswith("first.yml: written")]
    left = [path for path in shop.rglob("*") if path.is_file() and "<" in path.read_text()]
    assert left == []  # every placeholder is filled


def test_a_second_time_is_refused_and_changes_nothing(tmp_path):
    init_project(tmp_path / "shop")
    (tmp_path / "shop/predictions/first.yml").write_text("mine")
    with pytest.raises(ForetellError, match="has Foretell as a package; `foretell run` runs it"):
        init_project(tmp_path / "shop")
    assert (tmp_path / "shop/predictions/first.yml").read_text() == "mine"


def test_files_of_a_folder_without_a_project_are_left_as_they_are(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "predictions").mkdir()
    (tmp_path / "predictions/own.yml").write_text("mine")
    lines = init_project(tmp_path)
    assert f"{tmp_path}/README.md: left as it is" in lines
    assert (tmp_path / "README.md").read_text() == "mine"
    assert [path.name for path in (tmp_path / "predictions").iterdir()] == ["own.yml"]


def test_a_dbt_project_gets_what_it_lacks_and_keeps_its_text(tmp_path):
    (tmp_path / "dbt_project.yml").write_text(HOST)
    (tmp_path / "packages.yml").write_text("packages:\n  - git: x  # pinned\n    revision: '1'\n")
    init_project(tmp_path)
    text = (tmp_path / "dbt_project.yml").read_text()
    assert text.startswith(HOST)
    assert yaml.safe_load(text)["vars"] == {"foretell": {"events": "ref('my_events')"}}
    assert "# pinned" in (tmp_path / "packages.yml").read_text()
    packages = yaml.safe_load((tmp_path / "packages.yml").read_text())["packages"]
    assert packages == [{"git": "x", "revision": "1"}, {"local": ".foretell/package"}]
    assert (tmp_path / "dbt/models/predictions/first.yml").is_file()
    assert ".foretell/" in (tmp_path / ".gitignore").read_text()
    assert not (tmp_path / "profiles.yml").exists()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("packages.yml", "packages: [{git: x, revision: '1'}]\n", "add under `packages:` the line"),
        ("dbt_project.yml", f"{HOST}vars: {{x: 1}}\n", "add under `vars:`"),
    ],
)
def test_what_cannot_be_added_by_a_line_is_left_to_a_person(tmp_path, name, text, said):
    (tmp_path / "dbt_project.yml").write_text(HOST)
    (tmp_path / name).write_text(text)
    lines = init_project(tmp_path)
    assert [line for line in lines if name in line and said in line]
    assert (tmp_path / name).read_text() == text


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "shop").write_text("")
    with pytest.raises(ForetellError, match="shop is a file; name a folder"):
        init_project(tmp_path / "shop")


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("My shop", "my_shop"),
        ("2026", "shop_2026"),
        ("été!", "t"),
        ("", "shop"),
        ("Foretell", "foretell_project"),
    ],
)
def test_names_are_those_that_dbt_accepts(folder, name):
    assert project_name(folder) == name
