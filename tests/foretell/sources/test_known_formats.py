"""Messages about files in formats that are not read yet.

Cases 09 and 12 of issue 33 (tests/fixtures/cases). Each piece of advice is followed here: what it
makes is read.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb
import pytest

from foretell.errors import ForetellError
from foretell.inspect_source import inspect_source
from foretell.sources.adapters import recognise
from foretell.sources.events_input import check_events, read_columns

CASES = Path(__file__).parents[2] / "fixtures/cases"
SNOWPLOW = ["shop", "web", "2026-01-01 10:00:03.000", "2026-01-01 10:00:02.000", "2026-01-01 10:00:01.000",
            "page_view", "5f1b9c2e-0000-4000-8000-000000000001"]  # fmt: skip


def refusal(path: Path) -> str:
    with pytest.raises(ForetellError) as refused:
        inspect_source(str(path))
    return str(refused.value)


def follow(advice: str, folder: Path, monkeypatch) -> tuple[Path, str]:
    """Run the statement of a piece of advice; return the file it makes and the adapter it names."""
    monkeypatch.chdir(folder)
    statement = re.search(r"(copy \(.* to '[^']+')", advice, re.DOTALL).group(1)
    duckdb.execute(statement)
    made, adapter = re.search(r"FORETELL_EVENTS=(\S+)(?: FORETELL_ADAPTER=(\S+))?", advice).groups()
    return folder / made, adapter or "canonical"


@pytest.fixture
def snowplow(tmp_path) -> Path:
    """Return Snowplow's enriched TSV of two events: 131 fields in the documented order, no names."""
    rows = []
    for user in ("u1", ""):
        fields = SNOWPLOW + [""] * (131 - len(SNOWPLOW))
        fields[12], fields[15], fields[126] = user, "dd11", "page_view"
        rows.append("\t".join(fields))
    path = tmp_path / "enriched.tsv"
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize(
    ("case", "title"),
    [
        ("09-segment-pages/seg_pages.parquet", "warehouse table pages"),
        ("12-formats-not-read/mixpanel.json", "Mixpanel's raw export"),
        ("12-formats-not-read/rudder_dump.json", "RudderStack's event dump"),
        ("12-formats-not-read/matomo.csv", "Matomo's log of actions"),
        ("12-formats-not-read/heap.csv", "Heap's events table"),
        ("12-formats-not-read/ga4_flat.csv", "Google Analytics 4, its parameters unnested"),
    ],
)
def test_a_known_format_is_named_and_its_advice_works(tmp_path, monkeypatch, case, title):
    shutil.copy(CASES / case, tmp_path)
    advice = refusal(tmp_path / Path(case).name)
    assert title in advice
    assert "for which there is no adapter yet" in advice
    made, adapter = follow(advice, tmp_path, monkeypatch)
    check_events(str(made), adapter)
    assert recognise(read_columns(str(made))).adapter == adapter


def test_snowplows_tsv_is_not_taken_for_another(snowplow, tmp_path, monkeypatch):
    advice = refusal(snowplow)
    assert "Snowplow's enriched TSV" in advice
    assert "Amplitude" not in advice
    made, adapter = follow(advice, tmp_path, monkeypatch)
    check_events(str(made), adapter)
    rows = duckdb.sql(f"select user_id, device_id, event_name, event_time from '{made}'").fetchall()
    assert rows == [
        ("u1", "dd11", "page_view", "2026-01-01 10:00:02.000"),
        (None, "dd11", "page_view", "2026-01-01 10:00:02.000"),
    ]


def test_an_unknown_format_gets_a_mapping_by_its_names(tmp_path, monkeypatch):
    shutil.copy(CASES / "12-formats-not-read/clicks.csv", tmp_path)
    advice = refusal(tmp_path / "clicks.csv")
    assert "has none of the formats. It has: Session ID, Timestamp, Visitor, Action" in advice
    assert "nearest" not in advice
    made, adapter = follow(advice, tmp_path, monkeypatch)
    check_events(str(made), adapter)
    assert duckdb.sql(f"select user_id, event_name from '{made}'").fetchall() == [("u1", "view")]


def test_screens_and_groups_are_no_identifies(tmp_path):
    columns = "id,anonymous_id,user_id,received_at,timestamp,name,group_id\n"
    (tmp_path / "screens.csv").write_text(columns.replace(",group_id", "") + "1,a,u,t,t,Home\n")
    (tmp_path / "members.csv").write_text(columns + "1,a,u,t,t,Home,g\n")
    assert "table screens" in refusal(tmp_path / "screens.csv")
    assert "table groups" in refusal(tmp_path / "members.csv")
    (tmp_path / "identifies.csv").write_text(columns.replace(",group_id", "") + "1,a,u,t,t,Ann\n")
    assert inspect_source(str(tmp_path / "identifies.csv")).form.adapter == "segment_identifies"


def test_pages_are_refused_as_identifies():
    path = str(CASES / "09-segment-pages/seg_pages.parquet")
    with pytest.raises(ForetellError, match="pages, not identifies: each row would become"):
        check_events(path, "segment_identifies")
