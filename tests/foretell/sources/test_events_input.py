from __future__ import annotations

import gzip

import pytest

from foretell.errors import ForetellError
from foretell.sources.events_input import check_events
from tests.conftest import write_events

CSV = "event_name,event_time,user_id\nopen,2026-01-01,u1\n"


def test_each_format_is_accepted(tmp_path):
    write_events(
        tmp_path / "a.parquet", [{"event_name": "open", "event_time": "2026-01-01", "user_id": "u"}]
    )
    (tmp_path / "a.csv").write_text(CSV)
    line = '{"event_name": "open", "event_time": "2026-01-01", "user_id": "u1"}\n'
    (tmp_path / "a.ndjson").write_text(line)
    with gzip.open(tmp_path / "a.json.gz", "wt") as file:
        file.write(line)
    for name in ("a.parquet", "a.csv", "a.ndjson", "a.json.gz", "*.parquet"):
        check_events(str(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "none.parquet",
            None,
            "no events at .*none.parquet; name a file or glob in FORETELL_EVENTS",
        ),
        ("zero.parquet", "", "zero.parquet is empty"),
        (
            "junk.parquet",
            "not a parquet file",
            "junk.parquet cannot be read: half written or cut off",
        ),
        ("only_header.csv", "event_name,event_time,user_id\n", "holds no rows"),
        (
            "odd.csv",
            CSV.replace("event_name", "event_nme"),
            'no column event_name; did you mean "event_nme"',
        ),
        ("nobody.csv", CSV.replace("user_id", "customer"), "no column user_id"),
        ("notes.txt", "x", "cannot tell the format"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(ForetellError, match=message):
        check_events(str(tmp_path / name))


def test_a_missing_file_is_named_with_the_nearest(tmp_path):
    (tmp_path / "events.csv").write_text(CSV)
    with pytest.raises(
        ForetellError, match=r'no events at .*evnets.csv; did you mean "events.csv"'
    ):
        check_events(str(tmp_path / "evnets.csv"))
