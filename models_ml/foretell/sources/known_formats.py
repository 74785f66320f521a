"""Formats that are recognised but not read yet: their name, and how to bring them into our columns.

Each advice is a statement of DuckDB that makes a file of it which Foretell reads; tests run them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from foretell.sources.text_files import first_line

Columns = frozenset[str]
READ_JSON = "read_ndjson_auto({path})"
READ_CSV = "read_csv({path}, all_varchar = true)"
READ_ANY = "{path}"
SNOWPLOW_COLUMNS = 131
ISO = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


@dataclass(frozen=True)
class KnownFormat:
    """A format without an adapter.

    Attributes:
        title: Its name for people.
        is_it: Whether columns (in lower case) and a path are of it.
        columns: What to select of it, as SQL; empty where one line is not enough.
        reader: What to select from, as SQL.
        adapter: The adapter that reads what comes out.
    """

    title: str
    is_it: Callable[[Columns, str], bool]
    columns: str
    reader: str
    adapter: str = "canonical"

    def advice(self, path: str) -> str:
        """Return what to do about files of this format, as part of a sentence."""
        source = self.reader.format(path=quoted(path))
        made = "events.json" if self.adapter == "segment" else "events.parquet"
        return (
            f"to use it now, bring it into columns that are read, e.g. with DuckDB: copy (select "
            f"{self.columns} from {source}) to '{made}'; then FORETELL_EVENTS={made} "
            f"FORETELL_ADAPTER={self.adapter}"
        )


def quoted(text: str) -> str:
    """Return a text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def _has(*names: str) -> Callable[[Columns, str], bool]:
    return lambda columns, path: columns >= set(names)


def _is_segment_table(columns: Columns) -> bool:
    return columns >= {"id", "anonymous_id", "timestamp", "received_at"} and "event" not in columns


def _is_pages(columns: Columns, path: str) -> bool:
    of_page = {"path", "url", "title", "referrer", "search"} & columns
    is_named = bool(re.search(r"(^|[^a-z])pages?([^a-z]|$)", Path(path).stem.lower()))
    return _is_segment_table(columns) and (
        {"path", "url"} <= of_page or (is_named and bool(of_page))
    )


def _is_screens(columns: Columns, path: str) -> bool:
    is_named = bool(re.search(r"(^|[^a-z])screens?([^a-z]|$)", Path(path).stem.lower()))
    return _is_segment_table(columns) and "name" in columns and is_named


def _is_groups(columns: Columns, path: str) -> bool:
    return _is_segment_table(columns) and "group_id" in columns


def _is_mixpanel(columns: Columns, path: str) -> bool:
    return {"event", "properties"} <= columns and not columns & {
        "uuid", "distinct_id", "timestamp", "messageid",
    }  # fmt: skip


def _is_rudderstack(columns: Columns, path: str) -> bool:
    has_time = any(column.startswith("timestamp") for column in columns)  # perhaps misspelt
    return {"messageid", "type", "originaltimestamp"} <= columns and not has_time


def _is_snowplow_tsv(columns: Columns, path: str) -> bool:
    """Told by the first line: 131 fields, the third to the fifth times, the sixth an event."""
    if "://" in path:
        return False
    fields = first_line(path).split("\t")
    return (
        len(fields) == SNOWPLOW_COLUMNS
        and sum(bool(ISO.match(field)) for field in fields[2:5]) >= 2
    )


PAGE_COLUMNS = (
    "id as event_id, user_id, anonymous_id as device_id, {name} as event_name, timestamp as "
    "event_time, received_at, to_json(struct_pack({properties})) as event_properties"
)
FORMATS = (
    KnownFormat(
        "Snowplow's enriched TSV, without names of columns",
        _is_snowplow_tsv,
        "column006 as event_id, nullif(column012, '') as user_id, column015 as device_id, "
        "coalesce(nullif(column127, ''), column005) as event_name, column003 as event_time, "
        "column003 as received_at",
        "read_csv({path}, all_varchar = true, header = false, delim = '\t', quote = '')",
    ),
    KnownFormat(
        "Segment's or RudderStack's warehouse table pages",
        _is_pages,
        PAGE_COLUMNS.format(name="'$page'", properties="path := path, url := url"),
        READ_ANY,
    ),
    KnownFormat(
        "Segment's or RudderStack's warehouse table screens",
        _is_screens,
        PAGE_COLUMNS.format(name="'$screen'", properties="name := name"),
        READ_ANY,
    ),
    KnownFormat(
        "Segment's or RudderStack's warehouse table groups",
        _is_groups,
        PAGE_COLUMNS.format(name="'$group'", properties="group_id := group_id"),
        READ_ANY,
    ),
    KnownFormat(
        "Mixpanel's raw export",
        _is_mixpanel,
        "properties.\"$insert_id\" as event_id, properties.distinct_id as user_id, "
        "properties.\"$device_id\" as device_id, event as event_name, "
        "to_timestamp(cast(properties.time as bigint)) as event_time, "
        "to_json(properties) as event_properties",
        READ_JSON,
    ),
    KnownFormat(
        "RudderStack's event dump",
        _is_rudderstack,
        "*, originalTimestamp as timestamp",
        READ_JSON,
        "segment",
    ),
    KnownFormat(
        "Matomo's log of actions",
        _has("idvisit", "idvisitor", "server_time"),
        "idvisitor as device_id, nullif(user_id, '') as user_id, type as event_name, "
        "server_time as event_time, to_json(struct_pack(url := url)) as event_properties",
        READ_CSV,
    ),
    KnownFormat(
        "Heap's events table",
        _has("event_table_name", "user_id", "time"),
        "event_id, user_id, event_table_name as event_name, time as event_time",
        READ_CSV,
    ),
    KnownFormat(
        "Google Analytics 4, its parameters unnested into rows or columns",
        lambda columns, path: {"event_timestamp", "event_name", "user_pseudo_id"} <= columns
        and "event_params" not in columns,
        "distinct user_pseudo_id as device_id, event_name, "
        "make_timestamp(cast(event_timestamp as bigint)) as event_time",
        READ_CSV,
    ),
    KnownFormat(
        "Adobe Analytics' data feed",
        lambda columns, path: "hit_time_gmt" in columns
        and bool(columns & {"visid_high", "post_visid_high"}),
        "post_visid_high || '-' || post_visid_low as device_id, post_event_list as event_name, "
        "to_timestamp(cast(hit_time_gmt as bigint)) as event_time",
        READ_CSV,
    ),
)  # fmt: skip
GUESSES = (
    ("event_name", r"^event$|event.?name|action|activity|event.?type|^type$|^name$"),
    ("event_time", r"event.?time|timestamp|date.?time|_at$|^time$|^date$|^ts$|time"),
    ("user_id", r"user.?id|^user$|customer|visitor|client|account|member|person|profile|device"),
)


def find_known(columns: Sequence[str], path: str) -> KnownFormat | None:
    """Return the format without an adapter that some files are of; None if it is none of these."""
    present = frozenset(column.lower() for column in columns)
    return next((each for each in FORMATS if each.is_it(present, path)), None)


def guess_mapping(columns: Sequence[str], path: str) -> str:
    """Return a statement of DuckDB that brings unknown columns into ours, as far as names tell."""
    left, chosen = list(columns), []
    for ours, pattern in GUESSES:
        found = [column for column in left if re.search(pattern, column.lower())]
        if found:
            left.remove(found[0])
        name = '"' + found[0].replace('"', '""') + '"' if found else "YOUR_COLUMN"
        chosen.append(f"{name} as {ours}")
    return f"copy (select {', '.join(chosen)} from {quoted(path)}) to 'events.parquet'"
