"""Text files in another encoding, or with no object per line: what is wrong, and the command that mends it.

Cases 04 and 05 of issue 33 (tests/fixtures/cases).
"""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from foretell.errors import ForetellError
from foretell.inspect_source import inspect_source
from foretell.sources.events_input import check_events

CASES = Path(__file__).parents[2] / "fixtures/cases"


@pytest.mark.parametrize("name", ["array_oneline.json", "array_pretty.json"])
def test_a_json_array_is_refused_with_the_command_that_splits_it(name):
    path = CASES / "04-json-array" / name
    for look in (inspect_source, check_events):
        with pytest.raises(
            ForetellError, match=r"holds a JSON array; each line .* jq -c '\.\[\]' "
        ):
            look(str(path))


def test_an_array_in_a_glob_and_in_gzip_is_found_too(tmp_path):
    (tmp_path / "1.json").write_text(
        '{"event_name": "a", "event_time": "2026-01-01", "user_id": "u"}\n'
    )
    with gzip.open(tmp_path / "2.json.gz", "wt") as file:
        file.write('\ufeff  [{"event_name": "a"}]')
    with pytest.raises(ForetellError, match=r"2\.json\.gz holds a JSON array"):
        check_events(str(tmp_path / "2.json.gz"))
    shutil.copy(CASES / "04-json-array/array_oneline.json", tmp_path / "4.json")
    with pytest.raises(ForetellError, match=r"4\.json holds a JSON array"):
        check_events(str(tmp_path / "*.json"))
    (tmp_path / "3.json").write_text('{\n  "event_name": "a"\n}\n')
    with pytest.raises(ForetellError, match=r"3\.json holds objects over several lines"):
        check_events(str(tmp_path / "3.json"))


def test_a_file_in_latin_1_is_refused_with_its_line():
    path = CASES / "05-latin1-csv/latin1.csv"
    with pytest.raises(ForetellError) as refused:
        check_events(str(path))
    assert "is not UTF-8: line 2 ('u1,öffnen,2026-01-01 10:00:00' if it is Latin-1" in str(
        refused.value
    )
    assert "iconv -f windows-1252 -t utf-8 latin1.csv" in str(refused.value)


def test_utf_16_and_a_character_cut_at_the_end_of_what_is_checked(tmp_path, monkeypatch):
    text = "user_id,event_name,event_time\nu1,öffnen,2026-01-01\n"
    (tmp_path / "wide.csv").write_bytes(text.encode("utf-16"))
    with pytest.raises(ForetellError, match="is UTF-16, not UTF-8"):
        check_events(str(tmp_path / "wide.csv"))
    (tmp_path / "good.csv").write_text(text, encoding="utf-8")
    monkeypatch.setattr(
        "foretell.sources.text_files.CHECKED_BYTES", text.encode().index(b"\xc3") + 1
    )
    check_events(str(tmp_path / "good.csv"))
