"""What single nodes of parsed SQL mean: which read a key of a JSON object, which compare with text.

The dialects' functions as sqlglot (30.30) sees them; usage.py follows the columns between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlglot import exp

# Functions that read a key: the object is `this`, the key or path one of PATH_ARGUMENTS.
KEY_ACCESSORS = (
    exp.Bracket,
    exp.Dot,
    exp.GetExtract,
    exp.GetIgnoreCase,
    exp.MapContainsKey,
    exp.StructExtract,
)
PATH_ACCESSORS = (
    exp.JSONBExtract,
    exp.JSONBExtractScalar,
    exp.JSONExists,
    exp.JSONExtract,
    exp.JSONExtractArray,
    exp.JSONExtractScalar,
    exp.JSONValue,
    exp.JSONValueArray,
)
PATH_ARGUMENTS = ("expression", "expressions", "key", "path")
# The same of functions that sqlglot does not know, by name.
NAMED_KEY_ACCESSORS = {
    "element_at",
    "json_tuple",
    "map_extract",
    "map_extract_value",
    "object_pick",
}
NAMED_PATH_ACCESSORS = {"json_exists", "json_query", "json_value", "try_variant_get", "variant_get"}
# Functions whose rows or items are the keys of an object, or an object's pairs of key and value.
KEYS = (exp.JSONKeys, exp.JSONKeysAtDepth, exp.MapKeys)
ENTRIES = (exp.Explode, exp.Unnest)
NAMED_ENTRIES = {"explode_outer", "json_each", "variant_explode", "variant_explode_outer"}
# What leaves a name a name; of an object, every function is taken to leave it one.
NAME_WRAPPERS = (
    exp.Alias,
    exp.Any,
    exp.Cast,
    exp.Coalesce,
    exp.Collate,
    exp.Lower,
    exp.Paren,
    exp.Trim,
    exp.Upper,
)
OBJECT_WRAPPERS = (exp.Bracket, exp.IgnoreNulls, exp.Limit, exp.Order, exp.SafeFunc, exp.Window)
EQUALITIES = (exp.ArrayContains, exp.EQ, exp.EqualNull, exp.NullSafeEQ)
LISTS = (exp.Any, exp.Array, exp.Cast, exp.Paren, exp.Tuple, exp.Unnest)


def duckdb_path(path: exp.Expr | None) -> exp.Expr | None:
    """Keep the text of a path: in DuckDB 'a.b' is one key, and only '$.a.b' a path of two."""
    if isinstance(path, exp.Literal) and not path.name.startswith(("$", "/")):
        return exp.JSONPath(expressions=[exp.JSONPathRoot(), exp.JSONPathKey(this=path.name)])
    return path


def restore_arrows(statement: exp.Expr) -> None:
    """Undo in place that sqlglot takes the arrow in DuckDB's `f(a -> 'key')` for a lambda's."""
    for arrow in list(statement.find_all(exp.Lambda)):
        left: Any = arrow.this
        while isinstance(left, exp.Binary | exp.Cast):
            left = left.this
        if isinstance(left, exp.Literal) and left.is_string and len(arrow.expressions) == 1:
            column = exp.Column(this=arrow.expressions[0])
            left.replace(exp.JSONExtract(this=column, expression=duckdb_path(left.copy())))
            arrow.replace(arrow.this)


def _first_key(path: str) -> str | None:
    """Return the top-level key of the text of a path, None if it names none."""
    if path.startswith("/"):  # a JSON pointer
        return path[1:].split("/")[0].replace("~1", "/").replace("~0", "~") or None
    step = re.match(
        r"""(?:(?:lax|strict)\s+)?(?:\$(?=[.\[]|$))?+\.?\[?"""
        r"""(?:"((?:[^"\\]|\\.)+)"|'((?:[^'\\]|\\.)+)'|([^.\["'*\]]+))""",
        path,
    )
    key = next((part for part in step.groups() if part), None) if step else None
    return key and re.sub(r"\\(.)", r"\1", key)


def _keys(path: exp.Expr, is_key: bool) -> Iterator[str]:
    """Yield the top-level keys that an argument names.

    Args:
        path: A literal, a list of them, an identifier, or the path that sqlglot made of it.
        is_key: True if text is the key itself, whatever it looks like.
    """
    if isinstance(path, exp.JSONPath):
        first = path.expressions[1] if len(path.expressions) > 1 else None
        if isinstance(first, exp.JSONPathKey) and isinstance(first.this, str):
            yield first.this
    elif isinstance(path, exp.Identifier):
        yield path.name
    else:
        for text in _texts(path):
            key = text if is_key else _first_key(text)
            if key:
                yield key


def _texts(node: exp.Expr | None) -> Iterator[str]:
    """Yield the text literals that a value or a list consists of."""
    if isinstance(node, exp.RawString | exp.National) or (
        isinstance(node, exp.Literal) and node.is_string
    ):
        yield node.name
    elif isinstance(node, LISTS):
        for each in node.expressions or [node.this]:
            yield from _texts(each)


def first_argument(function: exp.Expr) -> exp.Expr | None:
    """Return what a function is of; named arguments count as in their place."""
    first: exp.Expr | None = function.this
    if not isinstance(first, exp.Expr):  # the name of an unknown function, or nothing
        first = next(iter(function.expressions), None)
    if isinstance(first, exp.Kwarg):
        first = first.expression
    return first


def accessed(node: exp.Expr) -> tuple[exp.Expr | None, list[str]] | None:
    """Return the object that is read from and the keys read, None if the node reads none."""
    if isinstance(node, exp.Anonymous):
        name = node.name.lower()
        is_key = name in NAMED_KEY_ACCESSORS
        if not is_key and name not in NAMED_PATH_ACCESSORS:
            return None
        paths = node.expressions[1:] if is_key else node.expressions[1:2]
    elif isinstance(node, KEY_ACCESSORS + PATH_ACCESSORS):
        is_key = isinstance(node, KEY_ACCESSORS)
        paths = []
        for argument in PATH_ARGUMENTS:
            value = node.args.get(argument) or []
            paths += value if isinstance(value, list) else [value]
        paths = paths if isinstance(node, exp.Bracket) else paths[:1]
    else:
        return None
    return first_argument(node), [key for path in paths for key in _keys(path, is_key)]


def compared(node: exp.Expr) -> Iterator[tuple[exp.Expr | None, list[str]]]:
    """Yield what is compared with text, and the texts; what is excluded does not count."""
    if isinstance(node, exp.In):
        if not isinstance(node.parent, exp.Not):
            values = [*node.expressions, node.args.get("unnest")]
            yield node.this, [text for value in values for text in _texts(value)]
    elif isinstance(node, EQUALITIES):
        if not isinstance(node.parent, exp.Not):
            yield node.this, list(_texts(node.expression))
            yield node.expression, list(_texts(node.this))
    elif isinstance(node, exp.Case):
        yield node.this, [text for branch in node.args["ifs"] for text in _texts(branch.this)]
    elif isinstance(node, exp.DecodeCase):
        subject, *pairs = node.expressions  # value, result, value, result, …, perhaps a default
        values = pairs[: len(pairs) // 2 * 2 : 2]
        yield subject, [text for value in values for text in _texts(value)]


def may_keep_role(node: exp.Expr) -> bool:
    """Return whether a value may have the role of its first argument."""
    return isinstance(node, (exp.Func, *NAME_WRAPPERS, *OBJECT_WRAPPERS))
