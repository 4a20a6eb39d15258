"""The rows that stop an object from being made: a query a kind, asked only after the server has refused. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from django.contrib.postgres.indexes import OpClass
from django.db.models import UniqueConstraint
from django.db.models.expressions import OrderBy

from agentsql.names import TableName, quoted
from agentsql.schema import Constraint, Key, Kind, SchemaObject

if TYPE_CHECKING:
    from agentsql.situation import Situation

NO_QUERY = ""


def offenders(item: SchemaObject, now: Situation) -> str:
    """Return a query whose rows name the offenders: keys that are not unique, or rows by their primary key."""
    query = QUERIES.get(item.key.kind)
    return query(item, now) if query is not None and now.exists(item.key.table) else NO_QUERY


def _nulls(item: Any, now: Situation) -> str:
    where = f"{item.table.quoted} WHERE {quoted(item.name)} IS NULL"
    return f"SELECT {_identity(item.table, now)} FROM {where}" if item.not_null else NO_QUERY


def _breaches(item: Any, now: Situation) -> str:
    condition = item.expression if item.of_column else now.statement(item.key).parts["check"]
    return f"SELECT {_identity(item.table, now)} FROM {item.table.quoted} WHERE NOT ({condition})"


def _duplicates(item: Any, _: Situation) -> str:
    columns = ", ".join(map(quoted, item.columns))
    nulls = f"num_nulls({columns})"
    where = f" WHERE {nulls} = 0" if item.kind is Kind.UNIQUE and item.nulls_distinct else ""
    having = f"count(*) > 1 OR {nulls} > 0" if item.kind is Kind.PRIMARY_KEY else "count(*) > 1"
    return f"SELECT {columns}, count(*) FROM {item.table.quoted}{where} GROUP BY {columns} HAVING {having}"


def _index_duplicates(item: Any, now: Situation) -> str:
    _, model, _, source, _ = now.draft.origins[item.key]
    if not isinstance(source, UniqueConstraint):
        return NO_QUERY
    parts = now.statement(item.key).parts
    columns = ", ".join(map(quoted, item.columns))
    if not columns:  # expressions can be selected once their order and operator class are off
        plain = UniqueConstraint(*map(_bare, source.expressions), name=source.name)
        columns = str(now.editor.declared(cast("Any", model), plain)[0].parts["columns"])
    condition = str(parts["condition"]) or " WHERE true"
    distinct = "" if "NOT DISTINCT" in str(parts["nulls_distinct"]) else f" AND num_nulls({columns}) = 0"
    table = item.table.quoted
    return f"SELECT {columns}, count(*) FROM {table}{condition}{distinct} GROUP BY {columns} HAVING count(*) > 1"


def _bare(expression: Any) -> Any:
    while isinstance(expression, OrderBy | OpClass):
        (expression,) = expression.get_source_expressions()
    return expression


def _orphans(item: Any, now: Situation) -> str:
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


QUERIES: Mapping[Kind, Callable[[Any, Situation], str]] = {
    Kind.COLUMN: _nulls,
    Kind.PRIMARY_KEY: _duplicates,
    Kind.UNIQUE: _duplicates,
    Kind.INDEX: _index_duplicates,
    Kind.CHECK: _breaches,
    Kind.FOREIGN_KEY: _orphans,
}
