"""Of a folder of definitions only YAML is read, as data; what cannot be is refused by the user's file."""

import time

import pytest
import yaml

from foretell.definition_files import FILE_KEY, name_user_files, stage_definitions
from foretell.errors import ForetellError

BUYS = """
exposures:
  - name: buys
    label: Will buy
    type: ml
    owner: {name: test}
    description: "{{ doc('buys') }}"
    depends_on: [ref('predictions')]
    config: {meta: {prediction: {outcome: {event: purchase}, horizon_days: 7}}}
"""
ORDINARY = """
models:
  - name: customers
    columns: [{name: id, data_tests: [unique]}]
exposures:
  - name: dashboard
    type: dashboard
    owner: {name: test}
    depends_on: [ref('customers')]
"""
BOMB = (
    "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "exposures: *i\n"
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p/buys.yml").write_text(BUYS)
    return tmp_path / "p"


def staged(folder):
    target = stage_definitions(folder, folder.parent / "staged")
    assert {path.suffix for path in target.iterdir()} == {".yml"}
    return [
        exposure
        for path in sorted(target.iterdir())
        for exposure in yaml.safe_load(path.read_text())["exposures"]
    ]


def refusal(folder):
    began = time.monotonic()
    with pytest.raises(ForetellError) as refused:
        stage_definitions(folder, folder.parent / "staged")
    assert time.monotonic() - began < 5
    return str(refused.value)


def test_only_definitions_are_passed_on_with_their_file(folder):
    for name in ("evil.sql", "evil.py", "evil.csv", "notes.md"):
        (folder / name).write_text("select 1")
    (folder / "schema.yml").write_text(ORDINARY)
    (folder / "more").mkdir()
    (folder / "more/other.yaml").write_text(BUYS.replace("buys", "sells"))
    (folder / ".git").mkdir()
    (folder / ".git/hidden.yml").write_text(BUYS.replace("buys", "hides"))
    found = staged(folder)
    assert [each["name"] for each in found] == ["buys", "sells"]
    assert [each["config"]["meta"][FILE_KEY] for each in found] == [
        str(folder / "buys.yml"),
        str(folder / "more/other.yaml"),
    ]
    assert not any("description" in each for each in found)


def test_rules_of_the_taxonomy_are_definitions_too(folder):
    (folder / "rules.yml").write_text(
        "exposures: [{name: rules, type: analysis, owner: {name: t}, "
        "config: {meta: {taxonomy: {ban: [{event: a}]}}}}]"
    )
    assert [each["name"] for each in staged(folder)] == ["buys", "rules"]


def test_the_folder_is_the_same_until_a_definition_changes(folder):
    target = folder.parent / "staged"
    first = stage_definitions(folder, target)
    assert stage_definitions(folder, target) == first
    (folder / "buys.yml").write_text(BUYS.replace("7", "8"))
    assert stage_definitions(folder, target) != first
    assert first.exists()  # a run may be reading it


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("label: Will buy", "label: \"{{ env_var('TOKEN') }}\""),
        ("{event: purchase}", '{event: "{% set a = 1 %}purchase"}'),
        ("owner: {name: test}", "owner: {name: \"{{ run_query('drop table x') }}\"}"),
    ],
)
def test_jinja_is_refused_not_run(folder, where, code):
    (folder / "buys.yml").write_text(BUYS.replace(where, code))
    message = refusal(folder)
    assert message.startswith(f"{folder}/buys.yml: prediction buys: ")
    assert "holds Jinja" in message


def test_braces_in_raw_blocks_stay_as_written(folder):
    event = "{% raw %}it's {{ 1/0 }}{% endraw %}"
    (folder / "buys.yml").write_text(BUYS.replace("{event: purchase}", '{event: "' + event + '"}'))
    assert staged(folder)[0]["config"]["meta"]["prediction"]["outcome"]["event"] == event


def test_a_dependency_is_no_code(folder):
    (folder / "buys.yml").write_text(
        BUYS.replace("ref('predictions')", "\"ref('predictions') ~ run_query('drop table x')\"")
    )
    assert "depends_on holds" in refusal(folder)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (BOMB, "holds more than 100,000 values"),
        ("exposures: &a [*a]\n", "holds more than 100,000 values"),
        ("# " + "x" * 10_000_000 + BUYS, "has 10,000,2"),
        ("exposures: [\n", "is not YAML: line"),
        ("exposures: {buys: 1}\n", "exposures must be a list"),
        ("a: " + "[" * 100_000, "nested deeper than 100"),
    ],
)
def test_what_is_no_definition_is_refused_in_seconds(folder, content, part):
    (folder / "wrong.yml").write_text(content)
    message = refusal(folder)
    assert f"{folder}/wrong.yml" in message
    assert part in message


def test_a_file_in_another_encoding_is_named(folder):
    (folder / "wrong.yml").write_bytes("exposures: [{name: b, label: Käufe}]".encode("latin-1"))
    assert "wrong.yml is not UTF-8" in refusal(folder)


def test_a_folder_without_definitions(folder):
    (folder / "buys.yml").write_text(ORDINARY)
    assert f"FORETELL_PREDICTIONS={folder}: no prediction found there" in refusal(folder)


def test_messages_about_dbts_copy_name_the_users_file(folder):
    target = stage_definitions(folder, folder.parent / "staged")
    message = (
        f"Parsing Error: Invalid exposures config given in {target}/definitions_0.yml @ exposures"
    )
    users = f"Parsing Error: Invalid exposures config given in {folder}/buys.yml @ exposures"
    assert name_user_files(message, target) == users
    assert name_user_files(message.replace(str(target.parent), "../x"), target) == users
    file_path = (
        f"FilePath(searched_path='{target}', relative_path='definitions_0.yml', a=1, b='/x')"
    )
    assert name_user_files(f"given in {file_path} @ x", target) == f"given in {folder}/buys.yml @ x"
    assert name_user_files("definitions_0.yml", None) == "definitions_0.yml"
