"""All that a decision looks at: the compared schemas, the models behind them, and what the database is like now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import AutoField

from agentsql.defaults import called, server_default
from agentsql.editor import CONCURRENTLY, is_made_of
from agentsql.names import TableName
from agentsql.schema import Column, Constraint, Key, Kind, Partition, SchemaObject, Table

if TYPE_CHECKING:
    from agentsql.desired import Draft
    from agentsql.diff import Diff
    from agentsql.editor import DryRun


class Ground(NamedTuple):
    """What a column of another type stands on.

    collation: its own, quoted; "" for its type's. obstacles: what would be scanned, rebuilt or lost with its type, in
    words. indexes: the plain indexes that hold it, and a default that means another time in another zone.
    dependents: for what the server refuses another type, in words. companions: the columns it shares statistics with.
    """

    collation: str = ""
    obstacles: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    dependents: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What decisions need to know of the database beyond the schema.

    populated: existing tables that hold rows, with their size in words.
    extensions: those the server can install, and whether only a superuser may.
    current_schema: where new tables go that don't say.
    taken: relation names in use where we would create, with what they name.
    types: of tables that are missing, those whose name is a type's, with what it is.
    building: index names that another backend is building, with its pid.
    volatile: functions that answer anew for each row.
    partitions: of existing partitioned tables, parents first.
    partition_keys: the columns of their keys; "" stands for an expression.
    heirs: the tables that inherit from one, at any depth.
    domains: types of new columns that the server must check or compute for each row.
    lookalikes: what may be a missing column or table under another name: names beside it.
    grounds: of columns that could be wider, what they stand on.
    atomic, allow_rewrite, rename_guess, widen, zone: what the caller asked for.
    """

    user: str
    superuser: bool
    may_create_in_database: bool
    populated: Mapping[TableName, str] = field(default_factory=dict)
    extensions: Mapping[str, bool] = field(default_factory=dict)
    current_schema: str = ""
    taken: Mapping[TableName, str] = field(default_factory=dict)
    types: Mapping[TableName, str] = field(default_factory=dict)
    building: Mapping[str, int] = field(default_factory=dict)
    volatile: Collection[str] = frozenset({"gen_random_uuid"})
    partitions: Mapping[TableName, tuple[Partition, ...]] = field(default_factory=dict)
    partition_keys: Mapping[TableName, Collection[str]] = field(default_factory=dict)
    heirs: Mapping[TableName, Collection[TableName]] = field(default_factory=dict)
    domains: Collection[str] = frozenset()
    lookalikes: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)
    grounds: Mapping[Key, Ground] = field(default_factory=dict)
    atomic: bool = False
    allow_rewrite: bool = False
    rename_guess: bool = True
    widen: bool = False
    zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that a decision looks at. `left_out`: of what is missing, what a plan has found that it can't make."""

    diff: Diff
    draft: Draft
    actual: Mapping[Key, SchemaObject]
    conditions: Conditions
    editor: DryRun
    left_out: Collection[Key] = frozenset()

    def exists(self, table: TableName) -> bool:
        return Key(table, Kind.TABLE) in self.actual

    def in_use(self, table: TableName) -> bool:
        """Tell whether a table holds rows, so that others may read and write it now."""
        return table in self.conditions.populated

    @property
    def renamed(self) -> frozenset[tuple[TableName, str]]:
        """The columns that look like missing ones under another name."""
        columns = ((key.table, names) for key, names in self.conditions.lookalikes.items() if key.kind is Kind.COLUMN)
        return frozenset((table, name) for table, names in columns for name in names)

    def statements(self, key: Key) -> list[Any]:
        """Return what the editor renders for an object that a model declares; a table is made without what can't be."""
        origin = self.draft.origins[key]
        assert origin.render is not None  # noqa: S101 only extensions and namespaces have none
        if key.kind is Kind.TABLE:
            own = (other for other in self.draft.contents[key.table] if other in self.left_out)
            return origin.render(self.editor, origin.model, [self.draft.origins[other].source for other in own])
        return origin.render(self.editor, origin.model, origin.source)

    def statement(self, key: Key) -> Any:
        """Return the one statement of an object that Django renders from parts."""
        (statement,) = self.statements(key)
        return statement

    def name(self, item: SchemaObject) -> str:
        """Return the name an object gets."""
        if isinstance(item, Table):
            return item.table.name
        if isinstance(item, Constraint) and item.kind is Kind.FOREIGN_KEY:
            return self.editor.foreign_key_name(self.draft.origins[item.key].source)
        return item.name

    def beside(self, table: TableName, name: str) -> TableName:
        """Return the place of an index: in the schema of its table, wherever search_path would find its name."""
        found = self.actual.get(Key(table, Kind.TABLE))
        schema = found.schema if isinstance(found, Table) else ""
        return TableName(schema or table.namespace or self.conditions.current_schema, name)

    def leaves(self, table: TableName) -> list[TableName]:
        """Return the tables that hold a table's rows: itself and those that inherit, or its partitions at any depth."""
        parts = self.conditions.partitions.get(table)
        if parts is None:
            return [table, *self.conditions.heirs.get(table, ())]
        return [part.table for part in parts if part.leaf]

    def nullable(self, wanted: Constraint) -> list[str]:
        """Return those columns of a constraint that exist and allow NULL."""
        found = (self.actual.get(Key(wanted.table, Kind.COLUMN, (name,))) for name in wanted.columns)
        return [column.name for column in found if isinstance(column, Column) and not column.not_null]

    def is_volatile(self, key: Key) -> bool:
        """Tell whether the default of a new column differs from row to row."""
        default = server_default(self.draft.origins[key].source, self.editor)
        return bool(called(default) & set(self.conditions.volatile))

    def rewrites(self, key: Key) -> bool:
        """Tell whether an object has no form but one that rewrites a table in use, or locks it for long.

        --atomic locks tables for long anyway, so there only what rewrites them counts.
        """
        if key.kind is Kind.COLUMN:
            field = self.draft.origins[key].source
            stored = getattr(field, "generated", False) and field.db_persist
            domain = field.db_parameters(self.editor.connection)["type"] in self.conditions.domains
            anew = (
                stored or domain or isinstance(field, AutoField) or (self.conditions.atomic and self.is_volatile(key))
            )
            return anew and key not in self.diff.begun
        if self.conditions.atomic:
            return False
        if key.kind is Kind.INDEX:
            return not is_made_of(self.statement(key), CONCURRENTLY)
        return key.kind is Kind.EXCLUSION
