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
        return Action(sql=(sql,), mode=Mode.OWN, lock=BUILDING)

    def leaf(table: TableName, name: str) -> str:
        return respelled(statement, CONCURRENTLY, table=table.quoted, name=quoted(name))

    yield from _tree(wanted, now, parent, leaf)


def unique(item: SchemaObject, now: Situation) -> Iterator[Action]:
    wanted = cast("Constraint", item)
    kind = "PRIMARY KEY" if wanted.kind is Kind.PRIMARY_KEY else "UNIQUE"
    columns = ", ".join(quoted(column) for column in wanted.columns)
    nulls = "" if wanted.nulls_distinct else " NULLS NOT DISTINCT"
    if wanted.kind is Kind.PRIMARY_KEY and (nullable := now.nullable(wanted)):
        yield from require_values(wanted.table, online.key_check(wanted), nullable)

    def parent(table: TableName, name: str) -> Action:
        sql = f"ALTER TABLE ONLY {table.quoted} ADD CONSTRAINT {quoted(name)} {kind}{nulls} ({columns})"
        return Action(sql=(sql,), mode=Mode.OWN, lock=ALTERING)

    def leaf(table: TableName, name: str) -> str:
        return online.unique_index(wanted, table, name, now)

    yield from _tree(wanted, now, parent, leaf)


def _tree(
    wanted: Index | Constraint,
    now: Situation,
    parent: Callable[[TableName, str], Action],
    leaf: Callable[[TableName, str], str],
) -> Iterator[Action]:
    """Make what is missing of an index and its parts, parents first; then attach, from the leaves up."""
    tree = now.conditions.partitions[wanted.table]
    names = {wanted.table: wanted.name} | {part.table: part_name(part.table, wanted) for part in tree}
    if wanted.key not in now.diff.begun:
        yield parent(wanted.table, wanted.name)
    for part in tree:
        name = names[part.table]
        found = part.indexes.get(name)
        if part.leaf:
            yield from _leaf_index(wanted, part, name, leaf(part.table, name))
        elif found is None:
            yield parent(part.table, name)
    for part in reversed(tree):
        name = names[part.table]
        found = part.indexes.get(name)
        if found is None or not found.attached:
            above = names.get(part.parent, wanted.name)
            place = _in_schema(part.parent if part.parent in names else wanted.table, above)
            sql = f"ALTER INDEX {place} ATTACH PARTITION {_in_schema(part.table, name)}"
            yield Action(sql=(sql,), mode=Mode.OWN, lock=ALTERING)


def _leaf_index(wanted: Index | Constraint, part: Partition, name: str, sql: str) -> Iterator[Action]:
    place = _in_schema(part.table, name)
    found = part.indexes.get(name)
    if found is not None and not found.valid:
        yield online.drop_invalid(place)
    if found is None or not found.valid:
        yield online.concurrently(sql, place)
    if isinstance(wanted, Constraint) and not (found is not None and found.of_constraint):
        kind = "PRIMARY KEY" if wanted.kind is Kind.PRIMARY_KEY else "UNIQUE"
        sql = f"ALTER TABLE {part.table.quoted} ADD CONSTRAINT {quoted(name)} {kind} USING INDEX {quoted(name)}"
        yield Action(sql=(sql,), mode=Mode.OWN, lock=ALTERING)


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
            yield Action(sql=(sql,), mode=Mode.OWN, lock=REFERRING)
        undo = f"ALTER TABLE {part.table.quoted} DROP CONSTRAINT {quoted(name)}"
        yield Action(sql=(online.validate(part.table, name),), mode=Mode.OWN, lock=VALIDATING, undo=undo)
    yield Action(sql=(str(statement),), mode=Mode.OWN, lock=REFERRING)


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
