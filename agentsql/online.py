"""The forms for a table in use: each action holds a lock for an instant, or one that readers and writers don't notice.

Locks and costs are PostgreSQL's: documentation, "Explicit Locking"; ALTER TABLE, "Notes"; CREATE INDEX, "Building
Indexes Concurrently". What has no such form is refused by `hazards`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from agentsql.backfill import add_filled, fill, not_null, require_values
from agentsql.defaults import server_default, standing_default
from agentsql.editor import CONCURRENTLY, respelled
from agentsql.names import TableName, clip, quoted
from agentsql.schema import Column, Constraint, Index, Kind, SchemaObject
from agentsql.step import ALTERING, REFERRING, VALIDATING, Action, Mode

if TYPE_CHECKING:
    from agentsql.situation import Situation


def column(item: SchemaObject, now: Situation) -> Iterator[Action]:
    wanted = cast("Column", item)
    origin = now.draft.origins[wanted.key]
    model, field = origin.model, origin.source
    begun = wanted.key in now.diff.begun
    if not begun and not now.is_volatile(wanted.key):
        sql = now.editor.column(cast("Any", model), field, standing_default(field, now.editor))
        yield Action(sql=tuple(sql), mode=Mode.INSTANT, lock=ALTERING)
        return
    if not begun:
        default = server_default(field, now.editor) or "NULL"
        comments = now.editor.comments(cast("Any", model), field)
        yield add_filled(wanted.table, wanted.name, now.editor.bare_column(field), default, comments)
    yield from fill(wanted.table, now.leaves(wanted.table), wanted.name, required=wanted.not_null)


def index(item: SchemaObject, now: Situation) -> Iterator[Action]:
    wanted = cast("Index", item)
    name = now.beside(wanted.table, wanted.name).quoted
    if wanted.key in now.diff.begun:
        yield drop_invalid(name)
    yield concurrently(respelled(now.statement(wanted.key), CONCURRENTLY), name)


def unique(item: SchemaObject, now: Situation) -> Iterator[Action]:
    wanted = cast("Constraint", item)
    name = now.beside(wanted.table, wanted.name).quoted
    found = now.diff.begun.get(wanted.key)
    nullable = now.nullable(wanted) if wanted.kind is Kind.PRIMARY_KEY else []
    check = key_check(wanted)
    if nullable:
        yield from require_values(wanted.table, check, nullable)
    if isinstance(found, Index) and not found.valid:
        yield drop_invalid(name)
    if not (isinstance(found, Index) and found.valid):
        undo = (f"ALTER TABLE {wanted.table.quoted} DROP CONSTRAINT IF EXISTS {check}",) if nullable else ()
        yield concurrently(unique_index(wanted, wanted.table, wanted.name, now), name, undo)
    key = not_null(wanted.table, check, nullable) if nullable else ()
    sql = using_index(wanted, wanted.table, wanted.name, now)
    yield Action(sql=(*key, sql), mode=Mode.INSTANT, lock=ALTERING)


def unique_index(wanted: Constraint, table: TableName, name: str, now: Situation) -> str:
    """Return CREATE UNIQUE INDEX CONCURRENTLY for a constraint's columns on a table."""
    origin = now.draft.origins[wanted.key]
    columns = ", ".join(quoted(column) for column in wanted.columns)
    nulls = "" if wanted.nulls_distinct else " NULLS NOT DISTINCT"
    tablespace = now.editor.tablespace(cast("Any", origin.model), origin.source)
    return f"CREATE UNIQUE INDEX CONCURRENTLY {quoted(name)} ON {table.quoted} ({columns}){nulls}{tablespace}"


def using_index(wanted: Constraint, table: TableName, name: str, now: Situation) -> str:
    """Return the statement that makes a constraint on a table of the unique index with its name."""
    kind = "PRIMARY KEY" if wanted.kind is Kind.PRIMARY_KEY else "UNIQUE"
    deferrable = now.editor.deferrability(now.draft.origins[wanted.key].source)
    return f"ALTER TABLE {table.quoted} ADD CONSTRAINT {quoted(name)} {kind} USING INDEX {quoted(name)}{deferrable}"


def key_check(wanted: Constraint) -> str:
    """Return the quoted name of the check by which a primary key's columns become NOT NULL."""
    return quoted(clip(f"agentsql_key_{wanted.name}"))


def check(item: SchemaObject, now: Situation) -> Iterator[Action]:
    wanted = cast("Constraint", item)
    if wanted.of_column:
        sql = f"ALTER TABLE {wanted.table.quoted} ADD CONSTRAINT {quoted(wanted.name)} CHECK ({wanted.expression})"
    else:
        sql = str(now.statement(wanted.key))
    yield from validated(wanted, wanted.name, sql, ALTERING, now)


def foreign_key(item: SchemaObject, now: Situation) -> Iterator[Action]:
    wanted = cast("Constraint", item)
    yield from validated(wanted, now.name(wanted), str(now.statement(wanted.key)), REFERRING, now)


def validated(wanted: Constraint, name: str, sql: str, lock: str, now: Situation) -> Iterator[Action]:
    """Yield a constraint in two actions: new rows keep it from now on, then the older ones are looked at."""
    found = now.diff.begun.get(wanted.key)
    undo: tuple[str, ...] = ()
    if isinstance(found, Constraint):
        name = found.name
    else:
        undo = (f"ALTER TABLE {wanted.table.quoted} DROP CONSTRAINT {quoted(name)}",)
        yield Action(sql=(f"{sql} NOT VALID",), mode=Mode.INSTANT, lock=lock)
    yield Action(sql=(validate(wanted.table, name),), mode=Mode.OWN, lock=VALIDATING, undo=undo)


def validate(table: TableName, name: str) -> str:
    return f"ALTER TABLE {table.quoted} VALIDATE CONSTRAINT {quoted(name)}"


def concurrently(sql: str, name: str, undo: tuple[str, ...] = ()) -> Action:
    return Action(sql=(sql,), mode=Mode.OUTSIDE, lock=VALIDATING, builds=name, undo=undo)


def drop_invalid(name: str) -> Action:
    return Action(sql=(dropping(name),), mode=Mode.OUTSIDE, lock=VALIDATING)


def dropping(name: str) -> str:
    return f"DROP INDEX CONCURRENTLY IF EXISTS {name}"


FORMS: Mapping[Kind, Callable[[SchemaObject, Situation], Iterator[Action]]] = {
    Kind.COLUMN: column,
    Kind.PRIMARY_KEY: unique,
    Kind.UNIQUE: unique,
    Kind.INDEX: index,
    Kind.CHECK: check,
    Kind.FOREIGN_KEY: foreign_key,
}
