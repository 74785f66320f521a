"""Counts what queries ask for and keeps it in the table `event_property_usage`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa

from foretell.errors import ForetellError
from foretell.usage.logs import Query
from foretell.usage.queries import Columns, Reference, mentions, parse_query
from foretell.warehouse.base import Warehouse

SCHEMA = pa.schema(
    [
        ("usage_date", pa.date32()),
        ("event_name", pa.string()),
        ("property", pa.string()),
        ("kind", pa.string()),
        ("source", pa.string()),
        ("n_queries", pa.int64()),
        ("n_references", pa.int64()),
        ("n_users", pa.int64()),
    ]
)


@dataclass
class UsageCounts:
    """The counts of the queries of one source.

    Attributes:
        source: What was read.
        n_queries: How many texts.
        n_parsed: Texts that name a column of events and could be read.
        n_elsewhere: Texts that do not.
        unparsed: Of texts with a statement that could not be read: name, reason.
        unused: Why queries did not count, with how many.
        queried: (day, reference) -> queries, references, people.
    """

    source: str
    n_queries: int = 0
    n_parsed: int = 0
    n_elsewhere: int = 0
    unparsed: list[tuple[str, str]] = field(default_factory=list)
    unused: Counter[str] = field(default_factory=Counter)
    queried: dict[tuple[date | None, Reference], tuple[Counter[str], set[str]]] = field(
        default_factory=dict
    )


def fill_usage(
    warehouse: Warehouse,
    sources: Mapping[str, Iterable[Query]],
    columns: Columns,
    progress: Callable[[str], None],
) -> list[UsageCounts]:
    """Count all sources, then write them: what refuses to be read leaves the table as it was.

    Raises:
        ForetellError: If a source cannot be read, or the warehouse was built by a version that did
            not know the table.
    """
    if not warehouse.has_table("event_property_usage"):
        raise ForetellError(
            "the warehouse has no table event_property_usage: `foretell run` makes it"
        )
    counts = [count_usage(name, queries, columns, progress) for name, queries in sources.items()]
    with warehouse.transaction():
        for each in counts:
            warehouse.execute("delete from event_property_usage where source = ?", [each.source])
            warehouse.append("event_property_usage", _rows(each))
    return counts


def count_usage(
    source: str, queries: Iterable[Query], columns: Columns, progress: Callable[[str], None]
) -> UsageCounts:
    """Parse queries and count what they ask for; what cannot be read is named and skipped."""
    counts = UsageCounts(source)
    for query in queries:
        counts.n_queries += 1
        if counts.n_queries % 1_000 == 0:
            progress(f"{source}: {counts.n_queries:,} queries")
        if query.unused:
            counts.unused[query.unused] += 1
        elif not mentions(query.sql, columns):
            counts.n_elsewhere += 1
        else:
            _count(query, columns, counts)
    return counts


def top_properties(warehouse: Warehouse, n: int = 10) -> list[dict[str, Any]]:
    """Return the most queried properties, over all sources."""
    return warehouse.rows(
        f"""
        select property, kind, sum(n_queries) as n_queries from event_property_usage
        where property is not null group by all order by n_queries desc, property, kind limit {n:d}
        """
    )


def _count(query: Query, columns: Columns, counts: UsageCounts) -> None:
    parsed = parse_query(query.sql, query.dialect, columns)
    if parsed.failures:
        counts.unparsed.append((query.name, parsed.failures[0]))
    else:
        counts.n_parsed += 1
    for reference, n_references in Counter(parsed.references).items():
        tally, people = counts.queried.setdefault((query.day, reference), (Counter(), set()))
        tally.update(queries=1, references=n_references)
        people |= {query.person} if query.person else set()


def _rows(counts: UsageCounts) -> pa.Table:
    rows = [
        {
            "usage_date": day,
            "event_name": reference.event_name,
            "property": reference.property,
            "kind": reference.kind,
            "source": counts.source,
            "n_queries": tally["queries"],
            "n_references": tally["references"],
            "n_users": len(people),
        }
        for (day, reference), (tally, people) in counts.queried.items()
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
