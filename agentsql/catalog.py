"""The connection to a schema: what the database holds, by a constant number of catalog queries.

None writes, and each asks for all tables at once. Names are resolved the way an unqualified statement would resolve
them, along search_path.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django.db import ProgrammingError

from agentsql.names import FILL_PREFIX, TableName
from agentsql.schema import (
    Column,
    Constraint,
    Extension,
    Index,
    Key,
    Kind,
    Namespace,
    SchemaObject,
    Structure,
    Table,
    TypeId,
    schema_of,
)
from agentsql.server import Server, rows

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

RELATIONS = """
SELECT c.oid::bigint, n.nspname::text, c.relname::text, c.relkind::text, pg_has_role(c.relowner, 'USAGE'),
       c.relhassubclass, has_any_column_privilege(c.oid, 'REFERENCES')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relname = ANY(%s::name[]) AND n.nspname = ANY(%s::name[])
"""

COLUMNS = """
SELECT attrelid::bigint, attnum, attname::text, atttypid::bigint, atttypmod, format_type(atttypid, atttypmod),
       attnotnull, attgenerated <> '', atthasdef OR attidentity <> '' OR t.typdefault IS NOT NULL,
       attnotnull OR t.typnotnull
  FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
 WHERE attrelid = ANY(%s::oid[]) AND attnum > 0 AND NOT attisdropped
 ORDER BY attrelid, attnum
"""

CONSTRAINTS = """
SELECT conrelid::bigint, conname::text, contype::text, conkey, confrelid::bigint, confkey, condeferrable, convalidated,
       conindid::bigint, CASE WHEN contype = 'c' THEN pg_get_expr(conbin, conrelid) END, {enforced}
  FROM pg_constraint
 WHERE conrelid = ANY(%s::oid[]) AND contype IN ('p', 'u', 'f', 'c', 'x')
 ORDER BY oid
"""

INDEXES = """
SELECT i.indrelid::bigint, i.indexrelid::bigint, c.relname::text, a.amname::text, i.indkey::int[], i.indnkeyatts,
       i.indclass::bigint[], i.indoption::int[], i.indisunique, i.indisvalid,
       i.indpred IS NOT NULL OR i.indexprs IS NOT NULL, {nulls_not_distinct}
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_am a ON a.oid = c.relam
 WHERE i.indrelid = ANY(%s::oid[])
 ORDER BY c.relname
"""

# The check that marks an unfinished column, and what it is while that is made NOT NULL, as the server prints them.
MARK = re.compile(
    r"""\(\((?P<name>"(?:[^"]|"")+"|\w+) IS NULL\) OR \((?P=name) IS NOT NULL\)\)"""
    r"""|\(("(?:[^"]|"")+"|\w+) IS NOT NULL\)"""
)
POSTGRES_15 = 150000  # the first with NULLS NOT DISTINCT
POSTGRES_18 = 180000  # the first with NOT ENFORCED
KINDS = {
    "p": Kind.PRIMARY_KEY,
    "u": Kind.UNIQUE,
    "f": Kind.FOREIGN_KEY,
    "c": Kind.CHECK,
    "x": Kind.EXCLUSION,
}


def inspect(connection: BaseDatabaseWrapper, tables: Collection[TableName], server: Server) -> dict[Key, SchemaObject]:
    """Return all that exists of these tables, the extensions and the namespaces: four queries at most."""
    objects: list[SchemaObject] = [Extension(name=name) for name in server.extensions]
    objects += [Namespace(name=name) for name in server.namespaces]
    relations = _relations(connection, tables, server)
    objects += [table for _, table in relations.values()]
    names = {oid: table.table for oid, table in relations.values() if table.relkind in "rp"}
    if names:
        objects += contents(connection, names, server)
    return schema_of(objects)


def resolve_types(connection: BaseDatabaseWrapper, types: Collection[str]) -> dict[str, TypeId]:
    """Let the server read type texts: `varchar(20)` to its oid and modifier, in one query that returns no row.

    A text that the server can't read is left out, at the price of a query for each.
    """
    if not types:
        return {}
    types = sorted(types)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(f'NULL::{text}' for text in types)} LIMIT 0")
            result = cursor.cursor.pgresult
            return {text: TypeId(result.ftype(i), result.fmod(i)) for i, text in enumerate(types)}
    except ProgrammingError:
        if len(types) == 1:
            return {}
        return {text: found for one in types for text, found in resolve_types(connection, [one]).items()}


def _relations(
    connection: BaseDatabaseWrapper, tables: Collection[TableName], server: Server
) -> dict[TableName, tuple[int, Table]]:
    """Return the relations of these names with their oids; on search_path the first schema wins."""
    asked = set(tables)
    namespaces = [*server.search_path, *sorted({table.namespace for table in tables if table.namespace})]
    candidates = rows(connection, RELATIONS, [[table.name for table in tables], namespaces]) if tables else []
    position = {name: place for place, name in enumerate(server.search_path)}
    found: dict[TableName, tuple[int, Table]] = {}
    for oid, namespace, name, relkind, owned, inherited, referable in sorted(
        candidates, key=lambda row: position.get(row[1], -1), reverse=True
    ):
        for table in (TableName("", name), TableName(namespace, name)):
            if table in asked and (table.namespace or namespace in position):
                found[table] = (
                    oid,
                    Table(
                        table=table,
                        relkind=relkind,
                        owned=owned,
                        schema=namespace,
                        inherited=inherited,
                        referable=referable,
                        oid=oid,
                    ),
                )
    return found


def contents(connection: BaseDatabaseWrapper, names: Mapping[int, TableName], server: Server) -> Iterator[SchemaObject]:
    oids = list(names)
    enforced = "conenforced" if server.version >= POSTGRES_18 else "true"
    constraints = rows(connection, CONSTRAINTS.format(enforced=enforced), [oids])
    marks = (row for row in constraints if row[1].startswith(FILL_PREFIX) and row[2] == "c" and MARK.fullmatch(row[9]))
    unfilled = {(row[0], number) for row in marks for number in row[3] or ()}
    columns: dict[int, dict[int, str]] = {oid: {} for oid in oids}
    for oid, number, name, type_oid, modifier, text, not_null, generated, default, required in rows(
        connection, COLUMNS, [oids]
    ):
        columns[oid][number] = name
        yield Column(
            table=names[oid],
            name=name,
            type=text,
            not_null=not_null,
            generated=generated,
            has_default=default,
            required=required,
            type_id=TypeId(type_oid, modifier),
            filled=(oid, number) not in unfilled,
        )
    nulls = "i.indnullsnotdistinct" if server.version >= POSTGRES_15 else "false"
    indexes = rows(connection, INDEXES.format(nulls_not_distinct=nulls), [oids])
    nulls_not_distinct = {row[1] for row in indexes if row[11]}
    invalid = {row[1] for row in indexes if not row[9]}  # of a partitioned table, until each partition has its part
    backing = {row[8] for row in constraints if row[2] in "pux"}
    for row in constraints:
        yield _constraint(row, names, columns, nulls_not_distinct, invalid)
    for row in indexes:
        if row[1] not in backing:
            yield _index(row, names, columns, server)


def _constraint(
    row: Any,
    names: Mapping[int, TableName],
    columns: Mapping[int, Mapping[int, str]],
    nulls_not_distinct: set[int],
    invalid: set[int],
) -> Constraint:
    oid, name, contype, key, target, target_key, deferrable, validated, index, expression, enforced = row
    return Constraint(
        table=names[oid],
        kind=KINDS[contype],
        name=name,
        columns=tuple(columns[oid][number] for number in key or () if number > 0),
        target=names.get(target) if target else None,
        target_columns=tuple(columns[target][number] for number in target_key) if target in names else (),
        deferrable=deferrable and contype == "u",
        nulls_distinct=index not in nulls_not_distinct or contype != "u",
        expression=expression or "",
        validated=validated and index not in invalid,
        enforced=enforced,
    )


def _index(row: Any, names: Mapping[int, TableName], columns: Mapping[int, Mapping[int, str]], server: Server) -> Index:
    oid, _, name, method, numbers, keys, classes, options, unique, valid, opaque, nulls_not_distinct = row
    parts = tuple(columns[oid].get(number, "") for number in numbers)
    opclasses = (server.opclasses.get(number, ("", "?", False)) for number in classes)
    structure = Structure(
        method,
        parts[:keys],
        tuple("" if default else opclass for _, opclass, default in opclasses),
        tuple(options[:keys]),
        include=parts[keys:],
        unique=unique,
        nulls_distinct=not nulls_not_distinct,
    )
    return Index(
        table=names[oid],
        name=name,
        structure=None if opaque else structure,
        columns=parts[:keys],
        valid=valid,
    )
