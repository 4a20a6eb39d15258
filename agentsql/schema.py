"""What a database schema is made of: frozen values, the same for what models want and what the catalog holds.

Everything here is standard library only. Two schemas are compared as dictionaries, so an object's `Key` is its
identity: a name where the name is the contract (tables, columns, checks), the columns where servers and tools choose
names of their own (primary, unique and foreign keys).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import takewhile
from typing import ClassVar, NamedTuple, TypeAlias

from agentsql.names import NOWHERE, TableName


class Kind(IntEnum):
    """What an object is; the value is its rank when objects of one table are created."""

    EXTENSION = 1
    NAMESPACE = 2
    TABLE = 3
    COLUMN = 4
    PRIMARY_KEY = 5
    UNIQUE = 6
    INDEX = 7
    CHECK = 8
    EXCLUSION = 9
    FOREIGN_KEY = 10

    @property
    def label(self) -> str:
        """Return the name people use: "foreign key"."""
        return self.name.lower().replace("_", " ")


class Key(NamedTuple):
    """The identity of an object; keys sort by table, then by the order of creation."""

    table: TableName
    kind: Kind
    identity: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return "memories", "memories.room_id" or "foreign key memories(room_id)"."""
        if self.kind is Kind.TABLE:
            return str(self.table)
        if self.kind is Kind.COLUMN:
            return f"{self.table}.{self.identity[0]}"
        if self.kind in {Kind.EXTENSION, Kind.NAMESPACE}:
            return f"{self.kind.label} {self.identity[0]}"
        columns = ", ".join(takewhile(bool, self.identity))  # an empty part ends them; what follows tells twins apart
        return f"{self.kind.label} {self.table}({columns})" if columns else f"{self.kind.label} {self.table}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    name: str
    complete: ClassVar[bool] = True

    @property
    def key(self) -> Key:
        return Key(NOWHERE, Kind.EXTENSION, (self.name,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    name: str
    complete: ClassVar[bool] = True

    @property
    def key(self) -> Key:
        return Key(NOWHERE, Kind.NAMESPACE, (self.name,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A relation of a table's name. `relkind` is pg_class's; only "r" and "p" are tables.

    schema: where it was found, also when the name does not say. inherited: others inherit from it. referable: this role
    may make keys to it. oid: pg_class's.
    """

    table: TableName
    relkind: str = "r"
    owned: bool = True
    schema: str = ""
    inherited: bool = False
    referable: bool = True
    oid: int = 0
    complete: ClassVar[bool] = True

    @property
    def usable(self) -> bool:
        """Tell whether it is a table that this role may change."""
        return self.owned and self.relkind in {"r", "p"}

    @property
    def key(self) -> Key:
        return Key(self.table, Kind.TABLE)


class PartIndex(NamedTuple):
    """An index of a partition, as far as it matters for its parent's."""

    valid: bool
    attached: bool
    of_constraint: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A partition at any depth; `leaf` if it holds rows itself. `foreign_keys` tells by name if they are validated."""

    table: TableName
    parent: TableName
    leaf: bool
    relkind: str = "r"
    indexes: Mapping[str, PartIndex]
    foreign_keys: Mapping[str, bool]


class TypeId(NamedTuple):
    """A type as the server knows it: pg_type.oid and the type modifier (-1: none)."""

    oid: int
    modifier: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column. `type` is text in SQL.

    `has_default` says that the database fills it by itself, `required` that NULL is refused, by it or by its domain;
    known on the actual side only, as is `type_id`.
    `reads` names the columns that a generated one is made of; known on the desired side only. `filled` is False while
    older rows wait for the value of a column that a run has added.
    """

    table: TableName
    name: str
    type: str
    not_null: bool
    generated: bool = False
    has_default: bool = True
    required: bool = False
    reads: tuple[str, ...] = ()
    type_id: TypeId | None = None
    filled: bool = True

    @property
    def complete(self) -> bool:
        """Tell whether it holds what it promises."""
        return self.filled

    @property
    def key(self) -> Key:
        return Key(self.table, Kind.COLUMN, (self.name,))


class Structure(NamedTuple):
    """An index without its name, as far as it can be compared: plain columns, no expression, no predicate.

    `opclasses` holds "" for a type's default; `options` are pg_index.indoption's bits (1 DESC, 2 NULLS FIRST).
    """

    method: str
    columns: tuple[str, ...]
    opclasses: tuple[str, ...]
    options: tuple[int, ...]
    include: tuple[str, ...] = ()
    unique: bool = False
    nulls_distinct: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index that belongs to no constraint. `structure` is None where it holds expressions or a predicate."""

    table: TableName
    name: str
    structure: Structure | None = None
    columns: tuple[str, ...] = ()
    valid: bool = True

    @property
    def complete(self) -> bool:
        """Tell whether it serves queries: one that CREATE INDEX CONCURRENTLY left invalid does not."""
        return self.valid

    @property
    def key(self) -> Key:
        return Key(self.table, Kind.INDEX, (self.name,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """A primary key, unique, check, exclusion or foreign key constraint.

    `expression` is a check's condition, as written or as the server prints it; only those of a column's own check
    (`of_column`, whose name the server picks) are ever compared.
    """

    table: TableName
    kind: Kind
    name: str = ""
    columns: tuple[str, ...] = ()
    target: TableName | None = None
    target_columns: tuple[str, ...] = ()
    deferrable: bool = False
    nulls_distinct: bool = True
    expression: str = ""
    of_column: bool = False
    validated: bool = True
    enforced: bool = True

    @property
    def complete(self) -> bool:
        """Tell whether all rows are known to keep it, or somebody wants it so that they need not."""
        return self.validated or not self.enforced

    @property
    def key(self) -> Key:
        return Key(self.table, self.kind, self._identity)

    @property
    def _identity(self) -> tuple[str, ...]:
        if self.kind is Kind.PRIMARY_KEY:
            return ()
        if self.kind is Kind.UNIQUE:
            flags = ("deferrable" * self.deferrable, "nulls not distinct" * (not self.nulls_distinct))
            return (*self.columns, "", *flags)
        if self.kind is Kind.FOREIGN_KEY:
            target = self.target or NOWHERE
            return (*self.columns, "", target.namespace, target.name, "", *self.target_columns)
        return (self.name, "", *self.columns) if self.of_column else (self.name,)


SchemaObject: TypeAlias = Extension | Namespace | Table | Column | Index | Constraint
Schema: TypeAlias = Mapping[Key, SchemaObject]


def schema_of(objects: Iterable[SchemaObject]) -> dict[Key, SchemaObject]:
    """Index objects by identity; of two with one identity the first that is complete stands."""
    schema: dict[Key, SchemaObject] = {}
    for item in objects:
        if not schema.setdefault(item.key, item).complete:
            schema[item.key] = item
    return schema
