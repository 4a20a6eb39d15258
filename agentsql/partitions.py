"""The forms for a partitioned table in use: on the parent ONLY, then CONCURRENTLY on each partition, then attach.

PostgreSQL builds no index CONCURRENTLY on a partitioned table, and before 18 takes no NOT VALID foreign key on one.
Both can be made partition by partition; the parent's statement then finds the work done. Sources: documentation,
"Partition Maintenance"; tryAttachPartitionForeignKey() in src/backend/commands/tablecmds.c.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, cast

from django.db.models import UniqueConstraint

from agentsql import online
from agentsql.backfill import not_null, require_values
from agentsql.editor import CONCURRENTLY, ON_ONLY, respelled
from agentsql.names import TableName, chosen_name, quoted
from agentsql.schema import Constraint, Index, Kind, PartIndex, Partition, SchemaObject
from agentsql.step import ALTERING, BUILDING, REFERRING, VALIDATING, Action, Mode

if TYPE_CHECKING:
    from agentsql.situation import Situation


def index(item: SchemaObject, now: Situation) -> Iterator[Action]:
    wanted = cast("Index", item)
    statement = now.statement(wanted.key)

    def parent(table: TableName, name: str) -> Action:
        sql = respelled(statement, ON_ONLY, table=table.quoted, name=quoted(name))
        return Action(sql=(sql,), mode=Mode.INSTANT, lock=BUILDING)

    def leaf(table: TableName, name: str) -> str:
        return respelled(statement, CONCURRENTLY, table=table.quoted, name=quoted(name))

    undo = _without_parts(wanted, now) if isinstance(now.draft.origins[wanted.key].source, UniqueConstraint) else ()
    yield from _tree(wanted, now, parent=parent, leaf=leaf, undo=undo)


def unique(item: SchemaObject, now: Situation) -> Iterator[Action]:
    wanted = cast("Constraint", item)
    kind = "PRIMARY KEY" if wanted.kind is Kind.PRIMARY_KEY else "UNIQUE"
    columns = ", ".join(quoted(column) for column in wanted.columns)
    nulls = "" if wanted.nulls_distinct else " NULLS NOT DISTINCT"
    deferrable = now.editor.deferrability(now.draft.origins[wanted.key].source)
    nullable = now.nullable(wanted) if wanted.kind is Kind.PRIMARY_KEY else []
    check = online.key_check(wanted)
    between: tuple[Action, ...] = ()
    undo: tuple[str, ...] = _without_parts(wanted, now)
    if nullable:
        yield from require_values(wanted.table, check, nullable)
        between = (Action(sql=not_null(wanted.table, check, nullable), mode=Mode.INSTANT, lock=ALTERING),)
        undo = (*undo, f"ALTER TABLE {wanted.table.quoted} DROP CONSTRAINT IF EXISTS {check}")

    def parent(table: TableName, name: str) -> Action:
        sql = f"ALTER TABLE ONLY {table.quoted} ADD CONSTRAINT {quoted(name)} {kind}{nulls} ({columns}){deferrable}"
        return Action(sql=(sql,), mode=Mode.INSTANT, lock=ALTERING)

    def leaf(table: TableName, name: str) -> str:
        return online.unique_index(wanted, table, name, now)

    yield from _tree(wanted, now, parent=parent, leaf=leaf, between=between, undo=undo)


def _tree(
    wanted: Index | Constraint,
    now: Situation,
    *,
    parent: Callable[[TableName, str], Action],
    leaf: Callable[[TableName, str], str],
    between: Iterable[Action] = (),
    undo: tuple[str, ...] = (),
) -> Iterator[Action]:
    """Make what is missing of an index and its parts: the leaves' first, where rows may be in the way, then the rest.

    Whenever it ends early there is nothing invalid but perhaps the parents', and the next run knows the parts by name.
    `between` follows when no row can be in the way any more; `undo` is for when one is.
    """
    tree = now.conditions.partitions[wanted.table]
    places = {part.table: TableName(part.table.namespace, part_name(part.table, wanted)) for part in tree}
    known = {part.table: part.indexes.get(places[part.table].name) for part in tree}
    for part in tree:
        if part.leaf:
            yield from _leaf_index(part, places[part.table], known[part.table], leaf, undo)
    yield from between
    for part in tree:
        found, place = known[part.table], places[part.table]
        if part.leaf and isinstance(wanted, Constraint) and not (found is not None and found.of_constraint):
            sql = online.using_index(wanted, part.table, place.name, now)
            yield Action(sql=(sql,), mode=Mode.INSTANT, lock=ALTERING)
    if wanted.key not in now.diff.begun:
        yield parent(wanted.table, wanted.name)
    for part in tree:
        if not part.leaf and known[part.table] is None:
            yield parent(part.table, places[part.table].name)
    root = now.beside(wanted.table, wanted.name)
    for part in reversed(tree):  # from the leaves up
        found = known[part.table]
        if found is None or not found.attached:
            sql = f"ALTER INDEX {places.get(part.parent, root).quoted} ATTACH PARTITION {places[part.table].quoted}"
            yield Action(sql=(sql,), mode=Mode.INSTANT, lock=ALTERING)


def _without_parts(wanted: Index | Constraint, now: Situation) -> tuple[str, ...]:
    """Return what drops the unique indexes that the step builds: on some partitions only, they would be a surprise."""
    leaves = [(part, part_name(part.table, wanted)) for part in now.conditions.partitions[wanted.table] if part.leaf]
    built = [TableName(part.table.namespace, name) for part, name in leaves if not _has(part, name)]
    return (f"DROP INDEX IF EXISTS {', '.join(place.quoted for place in built)}",) if built else ()


def _has(part: Partition, name: str) -> bool:
    found = part.indexes.get(name)
    return found is not None and found.valid


def _leaf_index(
    part: Partition,
    place: TableName,
    found: PartIndex | None,
    leaf: Callable[[TableName, str], str],
    undo: tuple[str, ...],
) -> Iterator[Action]:
    if found is not None and not found.valid:
        yield online.drop_invalid(place.quoted)
    if found is None or not found.valid:
        yield online.concurrently(leaf(part.table, place.name), place.quoted, undo)


def foreign_key(item: SchemaObject, now: Situation) -> Iterator[Action]:
    """Yield the key of each partition, validated, and then the parent's, which adopts them without a scan."""
    wanted = cast("Constraint", item)
    if wanted.key in now.diff.begun:
        yield from online.foreign_key(wanted, now)
        return
    name = now.name(wanted)
    statement = now.statement(wanted.key)
    for part in now.conditions.partitions[wanted.table]:
        known = part.foreign_keys.get(name)
        if not part.leaf or known:
            continue
        if known is None:
            sql = f"{respelled(statement, table=part.table.quoted)} NOT VALID"
            yield Action(sql=(sql,), mode=Mode.INSTANT, lock=REFERRING)
        undo = (f"ALTER TABLE {part.table.quoted} DROP CONSTRAINT {quoted(name)}",)
        yield Action(sql=(online.validate(part.table, name),), mode=Mode.OWN, lock=VALIDATING, undo=undo)
    yield Action(sql=(str(statement),), mode=Mode.OWN, lock=REFERRING)  # no scan, but work for each partition


def part_name(table: TableName, wanted: Index | Constraint) -> str:
    """Return the name that a partition's part of an index has, the same in each run."""
    return chosen_name(table.name, wanted.name, "part")


FORMS: Mapping[Kind, Callable[[SchemaObject, Situation], Iterator[Action]]] = {
    Kind.PRIMARY_KEY: unique,
    Kind.UNIQUE: unique,
    Kind.INDEX: index,
    Kind.FOREIGN_KEY: foreign_key,
}
