"""What the plan must know beyond the schema, asked only where something is missing: rows, names, builds, partitions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import DatabaseError, transaction

from agentsql import partition_tree, renames
from agentsql.defaults import UnknownDefault, called, server_default
from agentsql.grounds import grounds
from agentsql.names import TableName, quoted
from agentsql.schema import Column, Constraint, Extension, Index, Key, Kind, SchemaObject, Table
from agentsql.server import Server, rows
from agentsql.situation import Conditions
from agentsql.timeouts import limit

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from agentsql.desired import Draft
    from agentsql.diff import Diff
    from agentsql.editor import DryRun

PROBED_AT_ONCE = 100  # tables: a query locks each one and all of its indexes
TAKEN = """
SELECT n.nspname::text, c.relname::text,
       coalesce('an index of table ' || i.indrelid::regclass,
                CASE c.relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view' WHEN 'S' THEN 'a sequence'
                               WHEN 'f' THEN 'a foreign table' WHEN 'c' THEN 'a composite type' ELSE 'a table' END)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
 WHERE c.relname = ANY(%s::name[]) AND n.nspname = ANY(%s::name[])
"""
TYPES = """
SELECT t.typname::text,
       CASE t.typtype WHEN 'e' THEN 'an enum type' WHEN 'd' THEN 'a domain'
                      WHEN 'c' THEN 'of PostgreSQL''s own catalog, which every query finds first,'
                      WHEN 'r' THEN 'a range type' ELSE 'a type' END
  FROM pg_type t
 WHERE t.typname = ANY(%s::name[])
   AND (t.typnamespace = to_regnamespace(%s) AND t.typrelid = 0 AND t.typelem = 0
        OR t.typnamespace = 'pg_catalog'::regnamespace AND t.typrelid <> 0)
"""
BUILDING = """
SELECT c.relname::text, p.pid FROM pg_stat_progress_create_index p JOIN pg_class c ON c.oid = p.index_relid
 WHERE p.datname = current_database() AND c.relname = ANY(%(names)s::name[])
UNION ALL
SELECT t.name, a.pid FROM unnest(%(names)s::text[], %(quoted)s::text[]) AS t (name, quoted), pg_stat_activity a
 WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.state = 'active'
   AND (starts_with(a.query, 'CREATE INDEX CONCURRENTLY ' || t.quoted)
        OR starts_with(a.query, 'CREATE UNIQUE INDEX CONCURRENTLY ' || t.quoted))
"""
VOLATILE = "SELECT DISTINCT lower(proname) FROM pg_proc WHERE provolatile = 'v' AND lower(proname) = ANY(%s)"
DOMAINS = """
SELECT asked.type FROM unnest(%s::text[]) AS asked (type) JOIN pg_type t ON t.oid = to_regtype(asked.type)
 WHERE t.typtype = 'd' AND (t.typnotnull OR t.typdefault IS NOT NULL
                            OR EXISTS (SELECT FROM pg_constraint c WHERE c.contypid = t.oid))
"""
EXTENSIONS = """
SELECT v.name::text, v.superuser AND NOT v.trusted
  FROM pg_available_extension_versions v JOIN pg_available_extensions e
    ON e.name = v.name AND e.default_version = v.version
 WHERE v.name = ANY(%s)
"""


def ask(
    connection: BaseDatabaseWrapper,
    server: Server,
    *,
    difference: Diff,
    actual: Mapping[Key, SchemaObject],
    draft: Draft,
    editor: DryRun,
    patience: float,
    rename_guess: bool = True,
    widen: bool = False,
) -> Conditions:
    """Return the conditions for what is missing, and for what may be widened.

    Args:
        connection: in autocommit.
        server: its facts.
        difference: the compared schemas.
        actual: what the database holds.
        draft: what the models want.
        editor: renders defaults.
        patience: how many seconds to wait for a lock on a table.
        rename_guess: look for what may be there under another name.
        widen: look at what stands on columns that could be wider.
    """
    missing = difference.missing
    rights = Conditions(
        user=server.user,
        superuser=server.superuser,
        may_create_in_database=server.may_create_in_database,
        current_schema=server.current_schema or "",
        grounds=grounds(connection, difference, actual) if widen else {},
    )
    if not missing:
        return rights
    found = [actual.get(Key(table, Kind.TABLE)) for table in dict.fromkeys(key.table for key in missing)]
    tables = [table for table in found if isinstance(table, Table) and table.usable]
    names = [item.name for item in missing.values() if isinstance(item, Index | Constraint) and item.name]
    extensions = [item.name for item in missing.values() if isinstance(item, Extension)]
    parted = {table.table.quoted: table.table for table in tables if table.relkind == "p"}
    bequeathing = {table.table.quoted: table.table for table in tables if table.relkind == "r" and table.inherited}
    sizes = populated(connection, [table.table for table in tables], patience)
    alike = renames.columns(connection, difference, sizes, draft) if rename_guess else {}
    lookalikes = renames.with_values(connection, alike, patience)
    twins = renames.tables(connection, difference, draft, server) if rename_guess else {}
    lookalikes |= _with_rows(connection, twins, patience)
    with transaction.atomic(using=connection.alias, durable=True):
        limit(connection, patience)
        return replace(
            rights,
            populated=sizes,
            extensions=dict(rows(connection, EXTENSIONS, [extensions])) if extensions else {},
            taken=_taken(connection, names, _schemas(missing, tables, server)),
            types=_types(connection, missing, server),
            building=_building(connection, names) if names and tables else {},
            volatile=_volatile(connection, [key for key in missing if key.table in sizes], draft, editor),
            partitions=partition_tree.partitions(connection, parted),
            domains=_domains(connection, [item for item in missing.values() if item.key.table in sizes]),
            heirs=partition_tree.heirs(connection, bequeathing),
            partition_keys=partition_tree.key_columns(connection, parted),
            lookalikes=lookalikes,
        )


def _with_rows(
    connection: BaseDatabaseWrapper, twins: Mapping[Key, Sequence[TableName]], patience: float
) -> dict[Key, tuple[str, ...]]:
    """Return the names of those tables that hold rows."""
    held = populated(connection, sorted({table for tables in twins.values() for table in tables}), patience)
    named = {key: tuple(table.name for table in tables if table in held) for key, tables in twins.items()}
    return {key: names for key, names in named.items() if names}


def _schemas(missing: Iterable[Key], tables: Iterable[Table], server: Server) -> set[str | None]:
    """Return where the indexes of tables go, and those of tables that are missing themselves."""
    return {server.current_schema, *(table.schema for table in tables), *(key.table.namespace for key in missing)}


def _taken(connection: BaseDatabaseWrapper, names: list[str], schemas: Collection[str | None]) -> dict[TableName, str]:
    found = rows(connection, TAKEN, [names, list(schemas)]) if names else []
    return {TableName(schema, name): holder for schema, name, holder in found}


def _types(connection: BaseDatabaseWrapper, missing: Iterable[Key], server: Server) -> dict[TableName, str]:
    """Return those missing tables of the current schema whose names are types', with what these are."""
    names = [key.table.name for key in missing if key.kind is Kind.TABLE and not key.table.namespace]
    found = rows(connection, TYPES, [names, quoted(server.current_schema or "")]) if names else []
    return {TableName("", name): what for name, what in found}


def _domains(connection: BaseDatabaseWrapper, items: Iterable[SchemaObject]) -> frozenset[str]:
    """Return those types of new columns that are domains with a constraint or a default."""
    names = {item.type for item in items if isinstance(item, Column) and re.fullmatch(r'[\w". ]+', item.type)}
    return frozenset(name for (name,) in rows(connection, DOMAINS, [sorted(names)])) if names else frozenset()


def _building(connection: BaseDatabaseWrapper, names: list[str]) -> dict[str, int]:
    """Return who builds these indexes, or waits to begin: also a backend that goes on after its client was killed."""
    return dict(rows(connection, BUILDING, {"names": names, "quoted": [quoted(name) for name in names]}))


def populated(connection: BaseDatabaseWrapper, tables: Sequence[TableName], patience: float) -> dict[TableName, str]:
    """Return those tables that hold a row, with their size in words: a query for each hundred.

    A table that can't be looked into, for want of a right or of a lock within `patience` seconds, or because of
    row-level security, counts as holding rows: that is the careful answer.
    """
    found: dict[TableName, str] = {}
    for start in range(0, len(tables), PROBED_AT_ONCE):
        found |= _populated(connection, tables[start : start + PROBED_AT_ONCE], patience)
    return found


def _populated(connection: BaseDatabaseWrapper, tables: Sequence[TableName], patience: float) -> dict[TableName, str]:
    probes = ", ".join(f"EXISTS (SELECT FROM {table.quoted})" for table in tables)
    sizes = "SELECT reltuples::bigint FROM unnest(%s::text[]) WITH ORDINALITY AS t (name, place) JOIN pg_class c"
    try:
        with transaction.atomic(using=connection.alias, durable=True):
            limit(connection, patience)
            flags = rows(connection, f"SELECT ARRAY[{probes}]")[0][0]
            counts = rows(
                connection, f"{sizes} ON c.oid = to_regclass(t.name) ORDER BY t.place", [[t.quoted for t in tables]]
            )
    except DatabaseError:
        if len(tables) == 1:
            return {tables[0]: "of unknown size"}
        return {name: size for one in tables for name, size in _populated(connection, [one], patience).items()}
    return {
        table: f"about {count:,} rows" if count > 0 else "of unknown size"
        for table, flag, (count,) in zip(tables, flags, counts, strict=True)
        if flag
    }


def _volatile(connection: BaseDatabaseWrapper, keys: Iterable[Key], draft: Draft, editor: DryRun) -> frozenset[str]:
    """Return the functions in these columns' defaults that answer anew for each row."""
    names: set[str] = set()
    for key in keys:
        if key.kind is Kind.COLUMN:
            with suppress(UnknownDefault):
                names |= called(server_default(draft.origins[key].source, editor))
    return frozenset(name for (name,) in rows(connection, VOLATILE, [sorted(names)])) if names else frozenset()
