"""Who may read what Foretell writes: the owner, or whom FORETELL_FILE_MODE names."""

import os

import pytest

from foretell.errors import ForetellError
from foretell.system.file_modes import file_mode, restrict, restrict_files


@pytest.fixture(autouse=True)
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize(
    ("text", "of_file", "of_folder"),
    [("", 0o600, 0o700), ("640", 0o640, 0o750), ("644", 0o644, 0o755), ("0600", 0o600, 0o700)],
)
def test_new_and_old_files_get_the_mode(tmp_path, monkeypatch, text, of_file, of_folder):
    monkeypatch.setenv("FORETELL_FILE_MODE", text)
    (tmp_path / "old").mkdir(mode=0o777)
    (tmp_path / "old.duckdb").touch(0o666)
    restrict_files()
    (tmp_path / "new").mkdir()
    (tmp_path / "new.duckdb").touch()
    for name in ("old", "old.duckdb", "not there"):
        restrict(tmp_path / name)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    files = {"old.duckdb": of_file, "new.duckdb": of_file}
    assert modes == {"old": of_folder, "new": of_folder, **files}


@pytest.mark.parametrize("text", ["rw", "777", "044", "9", "-600"])
def test_what_is_no_mode_is_refused(text):
    with pytest.raises(ForetellError, match=f"FORETELL_FILE_MODE={text} is not a mode"):
        file_mode({"FORETELL_FILE_MODE": text})
