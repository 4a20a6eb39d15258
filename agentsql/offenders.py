"""The rows that stop an object from being made: a query a kind, asked only after the server has refused. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentsql.editor import is_unique_index
from agentsql.names import TableName, quoted
from agentsql.schema import Constraint, Index, Key, Kind, SchemaObject

if TYPE_CHECKING:
    from agentsql.situation import Situation

NO_QUERY = ""


def offenders(item: SchemaObject, now: Situation) -> str:
    """Return a query whose rows name the offenders: keys that are not unique, or rows by their primary key."""
    if not now.exists(item.key.table):
        return NO_QUERY
    if isinstance(item, Index):
        source = now.draft.origins[item.key].source
        unique = hasattr(source, "nulls_distinct") and is_unique_index(source)
        return _index_duplicates(item, now) if unique else NO_QUERY
    if isinstance(item, Constraint):
        if item.kind in {Kind.UNIQUE, Kind.PRIMARY_KEY}:
            return _duplicates(item)
        if item.kind is Kind.CHECK:
            condition = item.expression if item.of_column else now.statement(item.key).parts["check"]
            return f"SELECT {_identity(item.table, now)} FROM {item.table.quoted} WHERE NOT ({condition})"
        if item.kind is Kind.FOREIGN_KEY:
            return _orphans(item, now)
    return NO_QUERY


def _duplicates(item: Constraint) -> str:
    columns = ", ".join(map(quoted, item.columns))
    nulls = f"num_nulls({columns})"
    where = f" WHERE {nulls} = 0" if item.kind is Kind.UNIQUE and item.nulls_distinct else ""
    having = f"count(*) > 1 OR {nulls} > 0" if item.kind is Kind.PRIMARY_KEY else "count(*) > 1"
    return f"SELECT {columns}, count(*) FROM {item.table.quoted}{where} GROUP BY {columns} HAVING {having}"


def _index_duplicates(item: Index, now: Situation) -> str:
    parts = now.statement(item.key).parts
    columns = ", ".join(map(quoted, item.columns)) or str(parts["columns"])
    condition = str(parts["condition"]) or " WHERE true"
    distinct = "" if "NOT DISTINCT" in str(parts["nulls_distinct"]) else f" AND num_nulls({columns}) = 0"
    table = item.table.quoted
    return f"SELECT {columns}, count(*) FROM {table}{condition}{distinct} GROUP BY {columns} HAVING count(*) > 1"


def _orphans(item: Constraint, now: Situation) -> str:
    assert item.target is not None  # noqa: S101 a foreign key has one
    (column,), (target_column,) = item.columns, item.target_columns
    there = f"SELECT FROM {item.target.quoted} AS there WHERE there.{quoted(target_column)} = here.{quoted(column)}"
    return (
        f"SELECT {_identity(item.table, now, item.columns)} FROM {item.table.quoted} AS here "
        f"WHERE here.{quoted(column)} IS NOT NULL AND NOT EXISTS ({there})"
    )


def _identity(table: TableName, now: Situation, more: tuple[str, ...] = ()) -> str:
    """Return the primary key's columns, and others, as a select list; the row itself where there is no key."""
    key = now.actual.get(Key(table, Kind.PRIMARY_KEY))
    columns = dict.fromkeys([*(key.columns if isinstance(key, Constraint) else ()), *more])
    return ", ".join(map(quoted, columns)) or "*"
