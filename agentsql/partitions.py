"""The forms for a partitioned table in use: on the parent ONLY, then CONCURRENTLY on each partition, then attach.

PostgreSQL builds no index CONCURRENTLY on a partitioned table, and before 18 takes no NOT VALID foreign key on one.
Both can be made partition by partition; the parent's statement then finds the work done. Sources: documentation,
"Partition Maintenance"; tryAttachPartitionForeignKey() in src/backend/commands/tablecmds.c.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, cast

from agentsql import online
from agentsql.backfill import require_values
from agentsql.editor import CONCURRENTLY, ON_ONLY, respelled
from agentsql.names import TableName, chosen_name, quoted
from agentsql.schema import Constraint, Index, Kind, Partition, SchemaObject
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

    yield from _tree(wanted, now, parent, leaf)


def unique(item: SchemaObject, now: Situation) -> Iterator[Action]:
    wanted = cast("Constraint", item)
    kind = "PRIMARY KEY" if wanted.kind is Kind.PRIMARY_KEY else "UNIQUE"
    columns = ", ".join(quoted(column) for column in wanted.columns)
    nulls = "" if wanted.nulls_distinct else " NULLS NOT DISTINCT"
    deferrable = now.editor.deferrability(now.draft.origins[wanted.key].source)
    if wanted.kind is Kind.PRIMARY_KEY and (nullable := now.nullable(wanted)):
        yield from require_values(wanted.table, online.key_check(wanted), nullable)

    def parent(table: TableName, name: str) -> Action:
        sql = f"ALTER TABLE ONLY {table.quoted} ADD CONSTRAINT {quoted(name)} {kind}{nulls} ({columns}){deferrable}"
        return Action(sql=(sql,), mode=Mode.INSTANT, lock=ALTERING)

    def leaf(table: TableName, name: str) -> str:
        return online.unique_index(wanted, table, name, now)

    yield from _tree(wanted, now, parent, leaf)


def _tree(
    wanted: Index | Constraint,
    now: Situation,
    parent: Callable[[TableName, str], Action],
    leaf: Callable[[TableName, str], str],
) -> Iterator[Action]:
    """Make what is missing of an index and its parts: the leaves' first, where rows may be in the way, then the rest.

    Whenever it ends early there is nothing invalid but perhaps the parents', and the next run knows the parts by name.
    """
    tree = now.conditions.partitions[wanted.table]
    names = {wanted.table: wanted.name} | {part.table: part_name(part.table, wanted) for part in tree}
    for part in tree:
        if part.leaf:
            yield from _leaf(wanted, part, names[part.table], leaf, now)
    if wanted.key not in now.diff.begun:
        yield parent(wanted.table, wanted.name)
    for part in tree:
        if not part.leaf and names[part.table] not in part.indexes:
            yield parent(part.table, names[part.table])
    for part in reversed(tree):  # from the leaves up
        found = part.indexes.get(names[part.table])
        if found is None or not found.attached:
            above = part.parent if part.parent in names else wanted.table
            place, name = _in_schema(above, names[above]), _in_schema(part.table, names[part.table])
            yield Action(sql=(f"ALTER INDEX {place} ATTACH PARTITION {name}",), mode=Mode.INSTANT, lock=ALTERING)


def _leaf(
    wanted: Index | Constraint, part: Partition, name: str, leaf: Callable[[TableName, str], str], now: Situation
) -> Iterator[Action]:
    place = _in_schema(part.table, name)
    found = part.indexes.get(name)
    if found is not None and not found.valid:
        yield online.drop_invalid(place)
    if found is None or not found.valid:
        yield online.concurrently(leaf(part.table, name), place)
    if isinstance(wanted, Constraint) and not (found is not None and found.of_constraint):
        sql = online.using_index(wanted, part.table, name, now)
        yield Action(sql=(sql,), mode=Mode.INSTANT, lock=ALTERING)


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
        undo = f"ALTER TABLE {part.table.quoted} DROP CONSTRAINT {quoted(name)}"
        yield Action(sql=(online.validate(part.table, name),), mode=Mode.OWN, lock=VALIDATING, undo=undo)
    yield Action(sql=(str(statement),), mode=Mode.INSTANT, lock=REFERRING)


def part_name(table: TableName, wanted: Index | Constraint) -> str:
    """Return the name that a partition's part of an index has, the same in each run."""
    return chosen_name(table.name, wanted.name, "part")


def _in_schema(table: TableName, name: str) -> str:
    """Return an index's quoted name, in the schema of its table."""
    return TableName(table.namespace, name).quoted


FORMS: Mapping[Kind, Callable[[SchemaObject, Situation], Iterator[Action]]] = {
    Kind.PRIMARY_KEY: unique,
    Kind.UNIQUE: unique,
    Kind.INDEX: index,
    Kind.FOREIGN_KEY: foreign_key,
}
