"""Translates DuckDB SQL to Spark SQL; updates and deletes become queries of the new rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlglot
from sqlglot import exp


def translated(sql: str, path_of: Callable[[str], str] | None = None) -> str:
    """Return a statement in Spark's SQL; parameters ? stay, $name becomes :name.

    Args:
        sql: As DuckDB has it.
        path_of: The name by which a table is written; an insert goes there.
    """
    statement = sqlglot.parse_one(sql, read="duckdb")
    if path_of is not None and isinstance(statement, exp.Insert):
        target = statement.this.find(exp.Table)
        target.replace(exp.to_table(path_of(target.name)))
    return statement.sql("spark")


def changed_table(sql: str) -> str | None:
    """Return the table that a statement updates or deletes from, if any."""
    statement = sqlglot.parse_one(sql, read="duckdb")
    return statement.this.name if isinstance(statement, (exp.Update, exp.Delete)) else None


def remaining_rows(sql: str, columns: Sequence[str]) -> str:
    """Return the query of the rows of a table after an update or a delete.

    Args:
        sql: The statement, of one table and without joins.
        columns: Of the table, in order.

    Returns:
        Spark's SQL with the parameters of the statement.
    """
    statement = sqlglot.parse_one(sql, read="duckdb")
    table = statement.this.sql("spark")
    where = statement.args.get("where")
    condition = f"coalesce({where.this.sql('spark')}, false)" if where else "true"
    if isinstance(statement, exp.Delete):
        return f"select * from {table} where not {condition}"
    new = {each.this.name: each.expression.sql("spark") for each in statement.expressions}
    listed = [
        f"case when {condition} then {new[column]} else {column} end as {column}"
        if column in new
        else column
        for column in columns
    ]
    return f"select {', '.join(listed)} from {table}"
