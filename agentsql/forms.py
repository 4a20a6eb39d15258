"""How a missing object is made: plainly where nobody is in the way, in harmless actions on a table in use. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

from agentsql import online, partitions
from agentsql.backfill import fill_at_once
from agentsql.defaults import standing_default
from agentsql.names import TableName, quoted
from agentsql.schema import Column, Constraint, Extension, Index, Key, Kind, Namespace, SchemaObject, Table
from agentsql.step import ALTERING, BUILDING, NO_LOCK, REFERRING, STRENGTH, Action, Mode

if TYPE_CHECKING:
    from django.db.models import Model

    from agentsql.situation import Situation

ADDED_TO_TABLES = set(Kind) - {Kind.EXTENSION, Kind.NAMESPACE, Kind.TABLE}
LOCKS = {Kind.INDEX: BUILDING, Kind.FOREIGN_KEY: REFERRING}  # of a plain statement; all others take ALTERING


def actions(item: SchemaObject, now: Situation) -> tuple[Action, ...]:
    """Return what makes an object, in order."""
    key = item.key
    parted = key.table in now.conditions.partitions and key.kind in partitions.FORMS
    # An empty partitioned table may have parts of an index from a run that was killed.
    if (parted or now.in_use(key.table)) and not now.conditions.atomic and not now.rewrites(key):
        return tuple((partitions if parted else online).FORMS[key.kind](item, now))
    target = item.target if isinstance(item, Constraint) else None
    refers = target is not None and now.exists(target)
    locks = key.kind in ADDED_TO_TABLES and (now.exists(key.table) or refers)
    if now.conditions.atomic:
        mode = Mode.SHARED
    elif now.in_use(key.table):
        mode = Mode.OWN  # a rewrite takes its time
    else:
        mode = Mode.INSTANT if refers else Mode.SHARED
    return (
        Action(
            sql=tuple(plain(item, now)),
            mode=mode,
            lock=LOCKS.get(key.kind, ALTERING) if locks else NO_LOCK,
        ),
    )


def plain(item: SchemaObject, now: Situation) -> Iterator[str]:
    """Yield the statements that make an object at once, and what is left to do of one that was begun."""
    if isinstance(item, Extension):
        yield f"CREATE EXTENSION IF NOT EXISTS {quoted(item.name)}"
        return
    if isinstance(item, Namespace):
        yield f"CREATE SCHEMA IF NOT EXISTS {quoted(item.name)}"
        return
    begun = now.diff.begun.get(item.key)
    if isinstance(begun, Index):
        if isinstance(item, Constraint) and begun.valid:
            yield online.using_index(item, item.table, item.name, now)
            return
        yield f"DROP INDEX {now.beside(begun.table, begun.name).quoted}"
    elif isinstance(begun, Constraint) and begun.kind in {Kind.CHECK, Kind.FOREIGN_KEY}:
        yield online.validate(begun.table, begun.name)
        return
    elif isinstance(begun, Column):
        yield from fill_at_once(begun.table, begun.name, required=cast("Column", item).not_null)
        return
    if item.key.kind is Kind.COLUMN and now.in_use(item.key.table):
        origin = now.draft.origins[item.key]
        model = cast("type[Model]", origin.model)
        yield from now.editor.column(model, origin.source, standing_default(origin.source, now.editor))
    else:
        yield from (str(statement) for statement in now.statements(item.key))


def locks(items: Iterable[SchemaObject], now: Situation) -> Action:
    """Return what takes all locks of a plan before its first statement, so that little is done in vain if one fails."""
    wanted: dict[TableName, str] = {}
    for item in items:
        target = item.target if isinstance(item, Constraint) else None
        for table, lock in ((item.key.table, LOCKS.get(item.key.kind, ALTERING)), (target, REFERRING)):
            found = now.actual.get(Key(table, Kind.TABLE)) if table is not None else None
            if isinstance(found, Table) and found.owned:
                wanted[found.table] = max(wanted.get(found.table, NO_LOCK), lock, key=STRENGTH.index)
    sql = tuple(f"LOCK TABLE {table.quoted} IN {lock} MODE" for table, lock in sorted(wanted.items()))
    return Action(sql=sql, lock=max(wanted.values(), key=STRENGTH.index, default=NO_LOCK))
