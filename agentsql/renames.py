"""What may be there already under another name: a column or a table of the same make that no model knows.

Made anew beside it, the data would be in two places. Only a person knows, so that is a guess, and nothing is renamed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import DatabaseError, transaction

from agentsql.catalog import resolve_types
from agentsql.editor import table_name
from agentsql.names import TableName, clip, quoted
from agentsql.schema import Column, Key, Kind, TypeId
from agentsql.server import rows
from agentsql.timeouts import limit
from agentsql.wider import grows_into

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model

    from agentsql.desired import Draft
    from agentsql.diff import Diff
    from agentsql.server import Server

STRANGERS = """
SELECT n.nspname::text, c.relname::text, array_agg(a.attname::text), array_agg(a.atttypid::bigint),
       array_agg(a.atttypmod), array_agg(format_type(a.atttypid, a.atttypmod))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND pg_has_role(c.relowner, 'USAGE')
   AND n.nspname = ANY(%s::name[])
 GROUP BY n.nspname, c.relname
HAVING string_agg(a.attname::text, ',' ORDER BY a.attname::text COLLATE "C") = ANY(%s::text[])
 ORDER BY n.nspname, c.relname
"""


def columns(
    connection: BaseDatabaseWrapper, difference: Diff, in_use: Collection[TableName], draft: Draft
) -> dict[Key, tuple[str, ...]]:
    """Return, for missing columns of tables that hold rows, the names of unknown columns whose values they could hold.

    A generated column holds nothing of its own, so on neither side it is one. Asks once, and only where a table has
    both: outside a transaction, because a type may be unknown to the server.
    """
    extra = [item for item in difference.extra.values() if isinstance(item, Column) and not item.generated]
    known = _columns_of_models(draft) if extra else set()
    strangers: dict[TableName, list[Column]] = defaultdict(list)
    for item in extra:
        if item.table in in_use and item.key not in known:
            strangers[item.table].append(item)
    asked = [
        item
        for key, item in difference.missing.items()
        if isinstance(item, Column) and not item.generated and key not in difference.begun and key.table in strangers
    ]
    types = resolve_types(connection, {item.type for item in asked})
    found = {
        item.key: tuple(other.name for other in strangers[item.table] if _alike(item, other, types)) for item in asked
    }
    return {key: names for key, names in found.items() if names}


def with_values(
    connection: BaseDatabaseWrapper, found: Mapping[Key, tuple[str, ...]], patience: float
) -> dict[Key, tuple[str, ...]]:
    """Return of these columns those that hold a value in any row: beside one that is all NULL no data is split.

    One short query for each: what can't be looked into, or not within `patience` seconds, counts as holding values.
    """
    places = sorted({(key.table, name) for key, names in found.items() for name in names})
    held = {place for place in places if _holds_values(connection, *place, patience)}
    named = {key: tuple(name for name in names if (key.table, name) in held) for key, names in found.items()}
    return {key: names for key, names in named.items() if names}


def _holds_values(connection: BaseDatabaseWrapper, table: TableName, column: str, patience: float) -> bool:
    try:
        with transaction.atomic(using=connection.alias, durable=True):
            limit(connection, patience, statement_timeout=patience)
            sql = f"SELECT EXISTS (SELECT FROM {table.quoted} WHERE {quoted(column)} IS NOT NULL)"
            return bool(rows(connection, sql)[0][0])
    except DatabaseError:
        return True


def tables(
    connection: BaseDatabaseWrapper, difference: Diff, draft: Draft, server: Server
) -> dict[Key, tuple[TableName, ...]]:
    """Return, for missing tables, this role's unknown tables in the same schema that have just their columns and types.

    One query for all missing tables, and another for the types where one is found.
    """
    wanted = {key.table: _columns(key.table, draft) for key in difference.missing if key.kind is Kind.TABLE}
    if not wanted:
        return {}
    schemas = {table: table.namespace or server.current_schema for table in wanted}
    signs = {",".join(sorted(item.name for item in items)) for items in wanted.values()}
    candidates = rows(connection, STRANGERS, [sorted(filter(None, schemas.values())), sorted(signs)])
    known = set(_places_of_models(draft, server.search_path)) if candidates else set()
    strangers: dict[tuple[str | None, frozenset[str]], list[tuple[str, list[Column]]]] = defaultdict(list)
    for schema, name, *facts in candidates:
        if TableName(schema, name) not in known:
            items = [_found(TableName(schema, name), *fact) for fact in zip(*facts, strict=True)]
            strangers[schema, frozenset(item.name for item in items)].append((name, items))
    pairs = [
        (table, items, near)
        for table, items in wanted.items()
        if (near := strangers.get((schemas[table], frozenset(item.name for item in items))))
    ]
    types = resolve_types(connection, {item.type for _, items, _ in pairs for item in items})
    found = {
        Key(table, Kind.TABLE): tuple(TableName(table.namespace, name) for name, its in near if _all(items, its, types))
        for table, items, near in pairs
    }
    return {key: names for key, names in found.items() if names}


def _same_type(wanted: Column, found: Column, types: Mapping[str, TypeId]) -> bool:
    return wanted.type == found.type or types.get(wanted.type) == found.type_id


def _alike(wanted: Column, found: Column, types: Mapping[str, TypeId]) -> bool:
    # A field that was renamed may have got a wider type by the same change of its model.
    return _same_type(wanted, found, types) or grows_into(found.type, wanted.type)


def _all(wanted: Collection[Column], found: Collection[Column], types: Mapping[str, TypeId]) -> bool:
    by_name = {item.name: item for item in found}
    return all(_same_type(item, by_name[item.name], types) for item in wanted)


def _columns(table: TableName, draft: Draft) -> list[Column]:
    items = (draft.objects[key] for key in draft.contents[table])
    return [item for item in items if isinstance(item, Column)]


def _found(table: TableName, name: str, oid: int, modifier: int, text: str) -> Column:
    return Column(table=table, name=name, type=text, not_null=False, type_id=TypeId(oid, modifier))


def _models(draft: Draft) -> Iterator[type[Model]]:
    """Yield every model that anybody has, also those that the draft could not take."""
    yield from apps.get_models(include_auto_created=True)
    yield from (origin.model for origin in draft.origins.values() if origin.model is not None)
    yield from (model for *_, model in draft.rivals)
    yield from (model for model, _ in draft.unreadable)


def _columns_of_models(draft: Draft) -> set[Key]:
    return {
        Key(table_name(model._meta.db_table), Kind.COLUMN, (clip(field.column),))
        for model in set(_models(draft))
        for field in model._meta.local_concrete_fields
        if field.column is not None
    }


def _places_of_models(draft: Draft, search_path: Collection[str]) -> Iterator[TableName]:
    """Yield where models' tables are; one without a schema may be in any of search_path."""
    for name in {table_name(model._meta.db_table) for model in _models(draft)}:
        yield from (TableName(schema, name.name) for schema in ([name.namespace] if name.namespace else search_path))
