"""Which event properties, user properties and event types a SQL text asks for.

A column is followed through aliases, subqueries and CTEs by its role: the JSON object of
properties, or a name (of an event type, or of a key of that object) that a comparison with text
spells out. What is not certain is not counted.
"""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from foretell.errors import ForetellError
from foretell.usage.nodes import (
    ENTRIES,
    KEYS,
    NAME_WRAPPERS,
    NAMED_ENTRIES,
    accessed,
    compared,
    duckdb_path,
    first_argument,
    may_keep_role,
    restore_arrows,
)

EVENT_PROPERTY, USER_PROPERTY, EVENT_TYPE = "event_property", "user_property", "event_type"
LONGEST_QUERY = 1_000_000  # characters; parsing takes about 3 s per million
JINJA = "__jinja__"  # in place of what a tag wrote; what contains it is no name
UNNAMED = "*"  # in Outputs: columns are here that no name is known of

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it reports each oddity; we count them


@dataclass(frozen=True)
class Columns:
    """What the team's raw table calls the three columns."""

    event_properties: str = "event_properties"
    user_properties: str = "user_properties"
    event_name: str = "event_name"


@dataclass(frozen=True)
class Reference:
    """One place where a query asks for something.

    Attributes:
        kind: EVENT_PROPERTY, USER_PROPERTY or EVENT_TYPE.
        event_name: The event type; of a property the one that the query filters on, None if that is
            not certain.
        property: Top-level key of the JSON object; None for an event type.
    """

    kind: str
    event_name: str | None
    property: str | None


@dataclass(frozen=True)
class ParsedQuery:
    """What a text asks for, in no order, and why some of its statements could not be read."""

    references: tuple[Reference, ...] = ()
    failures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Role:
    """What a column is: a JSON object of properties, or a name of something of this kind."""

    kind: str
    is_name: bool = False


Outputs = dict[str, Role | None]  # column in lower case -> its role; None hides one further out


def check_dialect(name: str) -> str:
    """Return the name if sqlglot knows the dialect.

    Raises:
        ForetellError: If not, with the nearest that it knows.
    """
    known = [each for each in Dialect.classes if each]
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0)
        raise ForetellError(f'unknown SQL dialect "{name}"; the nearest is "{near[0]}"')
    return name


@lru_cache(maxsize=1_000)  # dashboards send the same text again and again
def parse_query(sql: str, dialect: str, columns: Columns = Columns()) -> ParsedQuery:
    """Return what the statements of a text ask for. No text makes it fail.

    Args:
        sql: One statement or several; without Jinja (see strip_jinja).
        dialect: As sqlglot calls it, e.g. snowflake, bigquery, databricks, duckdb.
        columns: The three columns that count.
    """
    if len(sql) > LONGEST_QUERY:
        return ParsedQuery(failures=(f"longer than {LONGEST_QUERY:,} characters",))
    references: list[Reference] = []
    failures: list[str] = []
    reader = Dialect.get_or_raise(dialect)
    if dialect == "duckdb":
        # On this instance: a subclass would register itself as one more dialect of sqlglot.
        reader.to_json_path = duckdb_path  # type: ignore[method-assign]
    for tokens in _statements(sql, reader, failures):
        # A parser of strange text fails in strange ways, and one query must not end the run.
        try:
            for statement in reader.parser().parse(tokens, sql):
                if isinstance(statement, exp.Command) and statement.name.upper() == "BEGIN":
                    block = parse_query(statement.expression.name, dialect, columns)
                    references += block.references
                    failures += block.failures
                elif isinstance(statement, exp.Command):
                    failures.append(f"no query: {str(statement.this).upper()}")
                elif statement is not None:
                    if dialect == "duckdb":
                        restore_arrows(statement)
                    references += _Statement(statement, columns).references()
        except (SqlglotError, RecursionError, ArithmeticError, AttributeError, LookupError,
                TypeError, ValueError) as error:  # fmt: skip
            failures.append(_reason(error))
    return ParsedQuery(tuple(references), tuple(failures))


def mentions(sql: str, columns: Columns) -> bool:
    """Return whether any of the columns is in the text: if not, parsing it is of no use."""
    lower = sql.lower()
    return any(name.lower() in lower for name in vars(columns).values())


def _statements(sql: str, reader: Dialect, failures: list[str]) -> Iterator[list[Token]]:
    """Yield the tokens of each statement, so that a broken one leaves the others."""
    try:
        tokens = reader.tokenize(sql)
    except (SqlglotError, ValueError, LookupError) as error:
        failures.append(_reason(error))
        return
    statement: list[Token] = []
    for token in tokens:
        if token.token_type == TokenType.SEMICOLON:
            yield statement
            statement = []
        elif statement or token.token_type not in (TokenType.BEGIN, TokenType.END):  # of a block
            statement.append(token)
    yield statement


def _reason(error: Exception) -> str:
    """Return the first line of an error, without the colours that sqlglot underlines with."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    lines = re.sub(r"\x1b\[\d+m", "", str(error)).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


class _Statement:
    """Follows columns through one statement: which of its columns has which role.

    What a SELECT reads and gives is remembered before it is complete, so that a look-up on the way
    sees what precedes it (as SQL does) and no recursion is endless.
    """

    def __init__(self, root: exp.Expr, columns: Columns) -> None:
        self._root = root
        self._raw: Outputs = {
            columns.event_properties.lower(): Role(EVENT_PROPERTY),
            columns.user_properties.lower(): Role(USER_PROPERTY),
            columns.event_name.lower(): Role(EVENT_TYPE, is_name=True),
        }
        self._select_around: dict[int, exp.Select | None] = {}
        for node in root.walk(bfs=False):  # parents first; climbing from each node is quadratic
            parent = node.parent if node is not root else None
            around = parent if isinstance(parent, exp.Select) else None
            if around is None and not isinstance(parent, exp.CTE):  # it sees nothing around it
                around = self._select_around.get(id(parent))
            self._select_around[id(node)] = around
        self._inputs_by_select: dict[int, list[tuple[str, Outputs]]] = {}
        self._outputs_by_query: dict[int, Outputs] = {}

    def references(self) -> list[Reference]:
        """Return what the statement asks for.

        A property belongs to the event type that the innermost SELECT around it filters on, if that
        is one: the inner filters of a SELECT are its own.
        """
        found = [
            (role.kind, name, [*self._selects_around(node), self._root])
            for node in self._root.walk()
            for role, name in self._asked(node)
            if name and JINJA not in name
        ]
        event_names: dict[int, set[str]] = {}
        for kind, name, around in found:
            if kind == EVENT_TYPE:
                for each in around:
                    event_names.setdefault(id(each), set()).add(name)
        references = []
        for kind, name, around in found:
            if kind == EVENT_TYPE:
                references.append(Reference(kind, name, None))
                continue
            candidates = next((event_names[id(e)] for e in around if id(e) in event_names), set())
            is_certain = kind == EVENT_PROPERTY and len(candidates) == 1
            references.append(Reference(kind, min(candidates) if is_certain else None, name))
        return references

    def _selects_around(self, node: exp.Expr) -> Iterator[exp.Expr]:
        select = self._select_around[id(node)]
        while select is not None:
            yield select
            select = self._select_around[id(select)]

    def _asked(self, node: exp.Expr) -> Iterator[tuple[Role, str]]:
        """Yield what this one node asks for: a role and the name spelled out beside it."""
        if isinstance(node, exp.Column):
            role, path = self._follow(node)
            if role and not role.is_name and path and path[0] != "*":
                yield role, path[0]
        elif access := accessed(node):
            role = self._role(access[0])
            if role and not role.is_name:
                yield from ((role, key) for key in access[1])
        for subject, texts in compared(node):
            role = self._role(subject) if texts else None
            if role and role.is_name:
                yield from ((role, text) for text in texts)

    def _role(self, node: exp.Expr | None) -> Role | None:
        """Return the role of a value."""
        if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Func):
            node = node.expression  # safe.parse_json(…)
        if isinstance(node, exp.Column):
            role, path = self._follow(node)
            return None if path else role
        access = accessed(node) if node else None
        if node is None or (access and access[1]):
            return None
        inner = self._role(first_argument(node)) if may_keep_role(node) else None
        if inner and not inner.is_name:
            return Role(inner.kind, is_name=True) if isinstance(node, KEYS) else inner
        return inner if isinstance(node, NAME_WRAPPERS + ENTRIES) else None

    def _follow(self, column: exp.Column) -> tuple[Role | None, list[str]]:
        """Return a column's role and the path into it: `e.event_properties.plan` is one column."""
        parts = [part.name for part in column.parts]
        select = self._select_around[id(column)]
        for place in range(1, len(parts)):
            role = self._find(parts[place], select, of_table=parts[place - 1])
            if role:
                return role, parts[place + 1 :]
        return self._find(parts[0], select), parts[1:]

    def _find(
        self, name: str, select: exp.Select | None, of_table: str | None = None
    ) -> Role | None:
        """Look a column up in what a SELECT reads, its own aliases, then the SELECTs around it."""
        name = name.lower()
        if select is None:  # update, delete, merge
            return self._raw.get(name)
        for table, outputs in self._inputs(select):
            if (of_table is None or of_table.lower() == table) and name in outputs:
                return outputs[name]
        role = None if of_table else self._outputs(select).get(name)
        around = self._select_around[id(select)]
        return role or (self._find(name, around, of_table) if around else None)

    def _inputs(self, select: exp.Select) -> list[tuple[str, Outputs]]:
        """Return what a SELECT reads: names of tables with their columns."""
        if id(select) not in self._inputs_by_select:
            inputs: list[tuple[str, Outputs]] = []
            self._inputs_by_select[id(select)] = inputs
            clauses = [select.args.get("from_"), *select.args.get("joins", [])]
            items = [each.this for each in clauses if each] + select.args.get("laterals", [])
            while items:
                item = items.pop(0)
                if isinstance(item, exp.Subquery) and not item.alias:  # parentheses
                    items.insert(0, item.this)
                else:
                    inputs.append(self._input(item))
                    items = [join.this for join in item.args.get("joins") or []] + items
        return self._inputs_by_select[id(select)]

    def _input(self, item: exp.Expr) -> tuple[str, Outputs]:
        alias, columns = item.alias_or_name.lower(), item.alias_column_names
        if isinstance(item, exp.Table) and isinstance(item.this, exp.Identifier):
            role = self._raw.get(item.name.lower()) if item.db else None
            if role and not role.is_name:  # BigQuery: from e.event_params as p
                return alias, {"key": Role(role.kind, is_name=True)}
            cte = None if item.db else _find_cte(item)
            outputs = self._outputs(cte) if cte else self._raw
            return alias, _renamed(outputs, cte.alias_column_names if cte else [])
        query = item.this if isinstance(item, exp.Subquery | exp.Lateral) else item
        if isinstance(query, exp.Query) and not isinstance(query, exp.Table):
            return alias, _renamed(self._outputs(query), columns)
        function = item if isinstance(item, exp.Unnest) else item.this
        return self._entries(function, alias, [column.lower() for column in columns])

    def _entries(self, function: Any, alias: str, columns: list[str]) -> tuple[str, Outputs]:
        """Return the columns of an object's pairs, or of a list of its keys, as rows."""
        is_entries = isinstance(function, ENTRIES) or (
            isinstance(function, exp.Anonymous) and function.name.lower() in NAMED_ENTRIES
        )
        role = self._role(first_argument(function)) if is_entries else None
        if role is None:  # read_parquet(…) gives raw events, unnest(…) of something else does not
            return alias, ({} if is_entries else self._raw)
        named = Role(role.kind, is_name=True)
        usual = "value" if role.is_name else "key"
        if usual in columns or not columns:
            return alias, {usual: named}
        if isinstance(function, exp.Unnest) and len(columns) == 1 and not role.is_name:
            return columns[0], {usual: named}  # unnest(event_params) as p: p.key
        return alias, {columns[0]: named}

    def _outputs(self, query: exp.Expr) -> Outputs:
        """Return the columns that a query gives."""
        while isinstance(query, exp.CTE | exp.Subquery):
            query = query.this
        if id(query) in self._outputs_by_query:
            return self._outputs_by_query[id(query)]
        outputs = self._outputs_by_query[id(query)] = {}
        if isinstance(query, exp.SetOperation):
            outputs |= self._outputs(query.left)
            right = self._outputs(query.right)
            if UNNAMED not in outputs | right and not query.args.get("by_name"):
                right = _renamed(right, list(outputs))
            outputs |= {name: role for name, role in right.items() if not outputs.get(name)}
        if isinstance(query, exp.Select):
            for place, projection in enumerate(query.expressions):
                if projection.is_star:
                    outputs |= self._star(projection, query)
                else:
                    name = projection.output_name.lower() or f"{UNNAMED}{place}"
                    outputs[name] = self._role(projection)
        return outputs

    def _star(self, projection: exp.Expr, select: exp.Select) -> Outputs:
        """Return the columns of `*` or `table.*`, as far as it has a role."""
        outputs: Outputs = {UNNAMED: None}
        table = projection.args.get("table")
        for name, columns in self._inputs(select):
            if table is None or table.name.lower() == name:
                outputs |= columns
        star = projection.this if isinstance(projection, exp.Column) else projection
        for again in [*(star.args.get("replace") or []), *(star.args.get("rename") or [])]:
            outputs[again.alias.lower()] = self._role(again)
        return outputs


def _find_cte(table: exp.Table) -> exp.CTE | None:
    """Return the CTE that a table's name means; inside a CTE its own name is another table."""
    around: exp.Expr | None = table.parent
    inside = []
    while around is not None:
        inside.append(around)
        clause = around.args.get("with_")
        ctes: list[exp.CTE] = clause.expressions if clause else []
        for cte in ctes:
            if cte.alias.lower() == table.name.lower() and not any(cte is each for each in inside):
                return cte
        around = around.parent
    return None


def _renamed(outputs: Outputs, names: list[str]) -> Outputs:
    """Return the columns under the names that an alias gives them by position, if it gives any."""
    if not names:
        return outputs
    if UNNAMED in outputs:  # behind a `*`, which is which is not known
        return {}
    return dict(zip(map(str.lower, names), outputs.values(), strict=False))
