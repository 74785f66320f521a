"""The formats of raw events: what each is recognised by, what it must have, what is made of it.

The SQL is in dbt_project/macros/adapters, one macro per format; described, with what was
decided and why, in docs/adapters.md.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from foretell.errors import ForetellError

CANONICAL_COLUMNS = (
    "event_id",
    "user_id",
    "device_id",
    "event_name",
    "event_time",
    "received_at",
    "event_properties",
    "user_properties",
    "previous_id",
)


@dataclass(frozen=True)
class Format:
    """One form in which events come.

    Attributes:
        adapter: Its name in settings.
        title: Its name for people.
        signs: Columns that, all together, only this format has.
        required: Columns without which nothing can be made of it; of several joined by "|" one.
        mapping: Canonical column to the columns it is made of, the first with a value counting; a
            point leads into nested values, and words stand in brackets.
    """

    adapter: str
    title: str
    signs: tuple[str, ...]
    required: tuple[str, ...]
    mapping: Mapping[str, tuple[str, ...]]

    def columns(self) -> list[str]:
        """Return the columns of the file that are read, each once."""
        named = [name.split(".")[0] for names in self.mapping.values() for name in names]
        return list(dict.fromkeys(name for name in named if not name.startswith("(")))


FORMATS = (
    Format(
        "amplitude",
        "Amplitude Export API",
        signs=("event_type", "event_time", "uuid", "amplitude_id"),
        required=("event_type", "event_time", "user_id|device_id"),
        mapping={
            "event_id": ("uuid",),
            "user_id": ("user_id",),
            "device_id": ("device_id",),
            "event_name": ("event_type",),
            "event_time": ("event_time",),
            "received_at": ("server_upload_time",),
            "event_properties": ("event_properties",),
            "user_properties": ("user_properties",),
        },
    ),
    Format(
        "segment",
        "Segment messages",
        signs=("messageId", "type", "timestamp"),
        required=("type", "timestamp", "userId|anonymousId"),
        mapping={
            "event_id": ("messageId",),
            "user_id": ("userId",),
            "device_id": ("anonymousId",),
            "event_name": ("event", "type", "(as $identify, $page, …)"),
            "event_time": ("timestamp",),
            "received_at": ("receivedAt",),
            "event_properties": ("properties",),
            "user_properties": ("traits", "(of identify)", "context.traits"),
            "previous_id": ("previousId", "(of alias)"),
        },
    ),
    Format(
        "segment_tracks",
        "Segment warehouse table tracks, or the table of one event",
        signs=("anonymous_id", "event", "event_text", "timestamp"),
        required=("event|event_text", "timestamp", "user_id|anonymous_id"),
        mapping={
            "event_id": ("id",),
            "user_id": ("user_id",),
            "device_id": ("anonymous_id",),
            "event_name": ("event_text", "event"),
            "event_time": ("timestamp",),
            "received_at": ("received_at",),
            "event_properties": ("(columns of your own)",),
        },
    ),
    Format(
        "segment_aliases",
        "Segment warehouse table aliases",
        signs=("id", "previous_id", "user_id", "timestamp", "received_at"),
        required=("timestamp", "user_id", "previous_id"),
        mapping={
            "event_id": ("id",),
            "user_id": ("user_id",),
            "event_name": ("(always $alias)",),
            "event_time": ("timestamp",),
            "received_at": ("received_at",),
            "previous_id": ("previous_id",),
        },
    ),
    Format(
        "segment_identifies",
        "Segment warehouse table identifies",
        signs=("id", "anonymous_id", "user_id", "timestamp", "received_at"),
        required=("timestamp", "user_id|anonymous_id"),
        mapping={
            "event_id": ("id",),
            "user_id": ("user_id",),
            "device_id": ("anonymous_id",),
            "event_name": ("(always $identify)",),
            "event_time": ("timestamp",),
            "received_at": ("received_at",),
            "user_properties": ("(columns of your own)",),
        },
    ),
    Format(
        "snowplow",
        "Snowplow atomic events",
        signs=("event_id", "event_name", "collector_tstamp", "domain_userid"),
        required=(
            "event_name|event",
            "derived_tstamp|collector_tstamp",
            "user_id|domain_userid|network_userid",
        ),
        mapping={
            "event_id": ("event_id",),
            "user_id": ("user_id",),
            "device_id": ("domain_userid", "network_userid"),
            "event_name": ("event_name", "event"),
            "event_time": ("derived_tstamp", "collector_tstamp"),
            "received_at": ("collector_tstamp",),
            "event_properties": ("(unstruct_event_…, contexts_…, page_…, se_…, tr_…, ti_…)",),
        },
    ),
    Format(
        "ga4",
        "Google Analytics 4, BigQuery export",
        signs=("event_name", "event_timestamp", "event_params", "user_pseudo_id"),
        required=("event_name", "event_timestamp", "user_pseudo_id|user_id"),
        mapping={
            "user_id": ("user_id",),
            "device_id": ("user_pseudo_id",),
            "event_name": ("event_name",),
            "event_time": ("event_timestamp",),
            "event_properties": ("event_params",),
            "user_properties": ("user_properties",),
        },
    ),
    Format(
        "posthog",
        "PostHog events",
        signs=("uuid", "event", "distinct_id", "properties"),
        required=("event", "timestamp", "distinct_id"),
        mapping={
            "event_id": ("uuid",),
            "user_id": ("distinct_id", "(after log-in)"),
            "device_id": (
                "properties.$device_id",
                "properties.$anon_distinct_id",
                "distinct_id",
                "(before log-in)",
            ),
            "event_name": ("event",),
            "event_time": ("timestamp",),
            "received_at": ("created_at",),
            "event_properties": ("properties",),
            "user_properties": ("person_properties", "properties.$set", "properties.$set_once"),
            "previous_id": (
                "properties.alias",
                "(of $create_alias, $merge_dangerously)",
                "properties.$anon_distinct_id",
                "(of $identify)",
            ),
        },
    ),
    Format(
        "canonical",
        "Foretell's own columns",
        signs=("event_name", "event_time"),
        required=("event_name", "event_time", "user_id|device_id"),
        mapping={column: (column,) for column in CANONICAL_COLUMNS},
    ),
)
BY_ADAPTER = {each.adapter: each for each in FORMATS}


@dataclass(frozen=True)
class Source:
    """Where some events come from: files (`events`: path or glob) or a relation.

    `loaded_at` is the relation's column with the load time of a row: then only newer rows are
    read.
    """

    name: str
    adapter: str = "canonical"
    events: str = ""
    relation: str = ""
    loaded_at: str = ""


def recognise(columns: Iterable[str]) -> Format | None:
    """Return the format that all these columns show the signs of; None if there is none."""
    present = {column.lower() for column in columns}
    return next(
        (each for each in FORMATS if present >= {sign.lower() for sign in each.signs}), None
    )


def missing_columns(form: Format, columns: Iterable[str]) -> list[str]:
    """Return what a format requires and the columns lack; of alternatives the first is named."""
    present = {column.lower() for column in columns}
    return [
        names.split("|")[0]
        for names in form.required
        if not present & set(names.lower().split("|"))
    ]


def check_adapter(where: str, name: str) -> None:
    """Refuse a name that is no adapter's.

    Raises:
        ForetellError: With the name, its place, and the nearest adapter.
    """
    if name not in BY_ADAPTER:
        raise ForetellError(f'{where}: unknown adapter "{name}"; {_nearest(name, BY_ADAPTER)}')


def parse_sources(given: object, where: str = "FORETELL_SOURCES") -> tuple[Source, ...]:
    """Turn a list of {name, adapter, events | relation} into sources.

    Args:
        given: What JSON or YAML held.
        where: What to name in messages.

    Raises:
        ForetellError: If it is no such list, naming the key or value and the nearest valid one.
    """
    if not isinstance(given, list):
        raise ForetellError(
            f"{where} is {given!r}; write a list, "
            'e.g. [{"name": "web", "adapter": "ga4", "events": "ga4/*.parquet"}]'
        )
    sources = tuple(_parse_source(f"{where}: source {i}", one) for i, one in enumerate(given, 1))
    names = [source.name for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise ForetellError(f'{where}: name "{name}" is given twice')
    return sources


def _parse_source(where: str, given: object) -> Source:
    if not isinstance(given, dict):
        raise ForetellError(
            f"{where} is {given!r}; write keys and values, "
            'e.g. {"name": "web", "events": "web/*.parquet"}'
        )
    keys = Source.__dataclass_fields__
    for key, value in given.items():
        if key not in keys:
            raise ForetellError(f'{where}: unknown key "{key}"; {_nearest(key, keys)}')
        if not isinstance(value, str) or not value:
            raise ForetellError(f"{where}: {key} is {value!r}; write a text")
    if "name" not in given:
        raise ForetellError(f'{where}: key "name" is missing')
    if ("events" in given) == ("relation" in given):
        raise ForetellError(
            f"{where} ({given['name']}) needs either events (a path or glob) or relation"
        )
    if "loaded_at" in given and "relation" not in given:
        raise ForetellError(
            f"{where} ({given['name']}): loaded_at is a column of a relation; files need none"
        )
    source = Source(**given)
    check_adapter(where, source.adapter)
    return source


def _nearest(name: object, valid: Iterable[str]) -> str:
    names = list(valid)
    (near,) = difflib.get_close_matches(str(name), names, n=1, cutoff=0)
    return f'did you mean "{near}"? Valid: {", ".join(names)}'
