"""A first check of raw files: format, mapping, refused rows, settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from foretell.errors import ForetellError
from foretell.inspect_source import inspect_source, report

FIXTURES = Path(__file__).parents[1] / "fixtures"


def test_inspection_shows_format_mapping_refused_rows_and_setting():
    found = inspect_source(str(FIXTURES / "segment/events.ndjson"))
    assert (found.form.adapter, found.n_rows, found.n_unusable) == ("segment", 8, 1)
    assert found.unusable == ["(nothing in it can be read)"]
    console = Console(width=150, record=True)
    console.print(report(found))
    shown = console.export_text()
    for part in ("Segment messages", "messageId", "1 of the first 8", "FORETELL_ADAPTER=segment"):
        assert part in shown


def test_inspection_of_something_else_names_the_nearest_format(tmp_path):
    (tmp_path / "e.csv").write_text("event,distinct_id,uuid,when\na,b,c,d\n")
    with pytest.raises(
        ForetellError, match=r"nearest is PostHog events \(posthog\), which has also properties"
    ):
        inspect_source(str(tmp_path / "e.csv"))


def test_rows_are_tried_not_only_names_of_columns():
    """Times that end in ":Z" were passed, and all rows rejected later; now both say the same."""
    lines = []
    path = str(FIXTURES / "cases/12-formats-not-read/segment_colon.json")
    refused = ""
    try:
        found = inspect_source(path, lines.append)
    except ForetellError as error:
        refused = str(error)
    if refused:
        assert "looks like Segment messages, but of the first 3 rows none can be used" in refused
        assert "3 rows: event_time is not a time" in refused
    else:
        assert (found.trial.n_rows, found.trial.n_accepted) == (3, 3)
    assert any("trying" in line for line in lines)
