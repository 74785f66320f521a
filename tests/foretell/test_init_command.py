"""`foretell init`: what it refuses, and what it says; tests/package walks it whole."""

from io import StringIO

import pytest
from rich.console import Console

from foretell.errors import ForetellError
from foretell.init_command import init


def said(made) -> str:
    out = StringIO()
    Console(file=out, width=200).print(made)
    return out.getvalue()


def quiet(line: str) -> None:
    pass


def test_without_events_it_says_what_was_written_and_what_comes_next(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = said(init(tmp_path / "shop", None, quiet))
    assert f"{tmp_path}/shop/dbt_project.yml: written" in text
    assert (
        f"Next: put events where dbt_project.yml says, then cd {tmp_path}/shop && foretell run"
        in text
    )


def test_events_that_cannot_be_used_leave_no_project_behind(tmp_path):
    with pytest.raises(ForetellError, match="no events at "):
        init(tmp_path / "shop", str(tmp_path / "none.csv"), quiet)
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ForetellError, match="has none of the formats"):
        init(tmp_path / "shop", str(tmp_path / "x.csv"), quiet)
    assert not (tmp_path / "shop").exists()


def test_in_a_dbt_project_the_events_become_a_var(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dbt_project.yml").write_text("name: jaffle\n")
    (tmp_path / "e.csv").write_text("user_id,event_name,event_time\nu,view,2026-01-01\n")
    text = said(init(tmp_path, "e.csv", quiet))
    assert f"events: {tmp_path}/e.csv" in text
    assert "Next: foretell run" in text
