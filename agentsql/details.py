"""Every comparable fact of tables, as the server prints it: three queries for any number of tables.

`catalog.py` asks what must exist, on every run. This asks how it is made, when somebody wants to know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from agentsql.names import TableName
from agentsql.schema import Kind, TypeId
from agentsql.server import Server, rows

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = """
SELECT c.oid::bigint, coalesce(obj_description(c.oid, 'pg_class'), ''), c.relpersistence::text, r.rolname::text,
       CASE WHEN c.relrowsecurity AND c.relforcerowsecurity THEN 'forced' WHEN c.relrowsecurity THEN 'enabled'
            ELSE '' END,
       (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid),
       ARRAY(SELECT w.rulename::text FROM pg_rewrite w
              WHERE w.ev_class = c.oid AND w.is_instead AND w.ev_enabled IN ('O', 'A') ORDER BY w.rulename)
  FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
 WHERE c.oid = ANY(%s::oid[])
"""
COLUMNS = """
SELECT a.attrelid::bigint, a.attname::text, format_type(a.atttypid, a.atttypmod), a.atttypid::bigint, a.atttypmod,
       a.attnotnull, CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
       CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END, a.attgenerated::text,
       a.attidentity::text,
       coalesce((SELECT format('%%I.%%I', n.nspname, l.collname) FROM pg_collation l
                   JOIN pg_namespace n ON n.oid = l.collnamespace JOIN pg_type t ON t.oid = a.atttypid
                  WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation), ''),
       coalesce((SELECT collisdeterministic FROM pg_collation WHERE oid = a.attcollation), true),
       coalesce(col_description(a.attrelid, a.attnum), ''),
       NOT EXISTS (SELECT FROM pg_constraint n WHERE n.conrelid = a.attrelid AND n.contype = 'n'
                                                 AND n.conkey[1] = a.attnum AND NOT n.convalidated)
  FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attrelid = ANY(%s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
"""
CONSTRAINTS = """
SELECT conrelid::bigint, conname::text, contype::text,
       CASE contype WHEN 'c' THEN pg_get_expr(conbin, conrelid) || CASE WHEN connoinherit THEN ' NO INHERIT' ELSE '' END
                    WHEN 'x' THEN split_part(pg_get_constraintdef(oid), ' DEFERRABLE', 1) ELSE '' END,
       confmatchtype::text, confdeltype::text, confupdtype::text, condeferrable, condeferred,
       NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = c.oid AND t.tgenabled IN ('D', 'R')),
       pg_get_constraintdef(oid, true)
  FROM pg_constraint c
 WHERE conrelid = ANY(%s::oid[]) AND contype IN ('p', 'u', 'f', 'c', 'x')
"""
INDEXES = """
SELECT i.indrelid::bigint, c.relname::text, m.amname::text,
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, true) FROM generate_series(1, i.indnkeyatts) n),
       ARRAY(SELECT o.opcname || coalesce('(' || array_to_string(a.attoptions, ', ') || ')', '')
               FROM unnest(i.indclass) WITH ORDINALITY AS u (oid, place) JOIN pg_opclass o ON o.oid = u.oid
               JOIN pg_attribute a ON (a.attrelid, a.attnum) = (i.indexrelid, u.place)
              WHERE u.place <= i.indnkeyatts ORDER BY u.place),
       i.indoption::int[],
       ARRAY(SELECT CASE WHEN l.oid IS NULL THEN '' WHEN n.nspname = 'pg_catalog' THEN quote_ident(l.collname)
                         ELSE format('%%I.%%I', n.nspname, l.collname) END
               FROM unnest(i.indcollation) WITH ORDINALITY AS u (oid, place)
               LEFT JOIN pg_collation l ON l.oid = u.oid LEFT JOIN pg_namespace n ON n.oid = l.collnamespace
              ORDER BY u.place),
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, true) FROM generate_series(i.indnkeyatts + 1, i.indnatts) n),
       coalesce(pg_get_expr(i.indpred, i.indrelid), ''), i.indisunique, {nulls_not_distinct},
       coalesce(c.reloptions::text[], '{{}}'),
       coalesce((SELECT spcname::text FROM pg_tablespace WHERE oid = c.reltablespace), '')
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
 WHERE i.indrelid = ANY(%s::oid[])
"""
POSTGRES_15 = 150000
KINDS = {"p": Kind.PRIMARY_KEY, "u": Kind.UNIQUE, "f": Kind.FOREIGN_KEY, "c": Kind.CHECK, "x": Kind.EXCLUSION}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDetail:
    """`persistence` is pg_class.relpersistence: p, u (unlogged) or t.

    row_security: "enabled", "forced" (for the owner, too) or ""; with so many policies. rules: those that do something
    INSTEAD. Only the first two are compared.
    """

    comment: str
    persistence: str
    owner: str
    row_security: str = ""
    policies: int = 0
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDetail:
    """`identity` is pg_attribute's: a (ALWAYS), d (BY DEFAULT) or ""; `generated` has its kind, s or v, in front.

    `deterministic` says so of its collation; it is not compared. `proven` is False where NOT NULL is NOT VALID.
    """

    type: str
    type_id: TypeId
    not_null: bool
    default: str
    generated: str
    identity: str
    collation: str
    comment: str
    deterministic: bool = True
    proven: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstraintDetail:
    """`definition` of a check or an exclusion; the actions are pg_constraint's letters: a, r, c, n, d.

    `watched` is False where triggers by which the server keeps it are disabled. `text` is all of it in SQL, for people;
    it is not compared.
    """

    definition: str
    match: str
    on_delete: str
    on_update: str
    deferrable: bool
    deferred: bool
    watched: bool = True
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexDetail:
    """`opclasses` have their options with them; of what has no collation, that is ""."""

    method: str
    parts: tuple[str, ...]
    opclasses: tuple[str, ...]
    options: tuple[int, ...]
    collations: tuple[str, ...]
    include: tuple[str, ...]
    predicate: str
    unique: bool
    nulls_not_distinct: bool
    storage: frozenset[str]
    tablespace: str


Detail: TypeAlias = TableDetail | ColumnDetail | ConstraintDetail | IndexDetail
Place: TypeAlias = tuple[TableName, Kind, str]  # the name is the server's; "" of a table
Details: TypeAlias = Mapping[Place, Detail]


def read(connection: BaseDatabaseWrapper, tables: Mapping[int, TableName], server: Server) -> dict[Place, Detail]:
    """Return the details of tables, given by oid, of what is in them and of the indexes on them."""
    return dict(_read(connection, tables, server)) if tables else {}


def _read(
    connection: BaseDatabaseWrapper, tables: Mapping[int, TableName], server: Server
) -> Iterator[tuple[Place, Detail]]:
    oids = [list(tables)]
    for oid, comment, persistence, owner, security, policies, rules in rows(connection, TABLES, oids):
        yield (
            (tables[oid], Kind.TABLE, ""),
            TableDetail(
                comment=comment,
                persistence=persistence,
                owner=owner,
                row_security=security,
                policies=policies,
                rules=tuple(rules),
            ),
        )
    for row in rows(connection, COLUMNS, oids):
        oid, name, text, type_oid, modifier, not_null, default, expression, generated, *more = row
        identity, collation, deterministic, comment, proven = more
        yield (
            (tables[oid], Kind.COLUMN, name),
            ColumnDetail(
                type=text,
                type_id=TypeId(type_oid, modifier),
                not_null=not_null,
                default=default or "",
                generated=f"{generated}: {expression}" if generated else "",
                identity=identity,
                collation=collation,
                comment=comment,
                deterministic=deterministic,
                proven=proven,
            ),
        )
    for oid, name, kind, definition, match, on_delete, on_update, deferrable, deferred, watched, text in rows(
        connection, CONSTRAINTS, oids
    ):
        yield (
            (tables[oid], KINDS[kind], name),
            ConstraintDetail(
                definition=definition,
                match=match,
                on_delete=on_delete,
                on_update=on_update,
                deferrable=deferrable,
                deferred=deferred,
                watched=watched,
                text=text,
            ),
        )
    nulls = "i.indnullsnotdistinct" if server.version >= POSTGRES_15 else "false"
    for row in rows(connection, INDEXES.format(nulls_not_distinct=nulls), oids):
        (
            oid,
            name,
            method,
            parts,
            opclasses,
            options,
            collations,
            include,
            predicate,
            unique,
            nulls_not,
            storage,
            space,
        ) = row
        yield (
            (tables[oid], Kind.INDEX, name),
            IndexDetail(
                method=method,
                parts=tuple(parts),
                opclasses=tuple(opclasses),
                options=tuple(options),
                collations=tuple(collations),
                include=tuple(include),
                predicate=predicate,
                unique=unique,
                nulls_not_distinct=nulls_not,
                storage=frozenset(storage),
                tablespace=space,
            ),
        )
