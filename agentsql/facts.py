"""What one model's table holds, straight from `_meta` and without a query."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.indexes import PostgresIndex
from django.db import models

from agentsql.editor import DryRun, is_inline, is_unique_index, table_name
from agentsql.names import TableName, chosen_name, clip
from agentsql.reads import named
from agentsql.schema import Column, Constraint, Index, Kind, SchemaObject, Structure, Table

if TYPE_CHECKING:
    from django.db.models import Model
    from django.db.models.constraints import BaseConstraint

    from agentsql.editor import ModelField


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What the server must tell before facts can be stated.

    nondeterministic_collations: names; LIKE indexes on them are impossible.
    default_opclasses: (access method, operator class) pairs that an index uses unasked.
    """

    nondeterministic_collations: Collection[str] = ()
    default_opclasses: Collection[tuple[str, str]] = ()


class Fact(NamedTuple):
    """An object, and how to render it: `render(editor, model, source)`.

    `source` is what declares it: a field, a member of Meta.indexes or Meta.constraints, names of unique_together.
    `inline` says that CREATE TABLE brings it along.
    """

    item: SchemaObject
    render: Callable[..., list[Any]]
    source: Any
    inline: bool = False


class ModelFacts:
    """The objects of one model's table."""

    def __init__(self, model: type[Model], table: TableName, editor: DryRun, dialect: Dialect) -> None:
        self.meta: Any = model._meta
        self.model = model
        self.table = table
        self.editor = editor
        self.dialect = dialect
        self.fields: list[tuple[ModelField, dict[str, Any]]] = []
        for item in self.meta.local_concrete_fields:
            parameters: dict[str, Any] = item.db_parameters(connection=editor.connection)
            if item.column is not None and parameters["type"] is not None:
                self.fields.append((item, parameters))
        self.types = {clip(item.column): parameters["type"] for item, parameters in self.fields}

    def objects(self) -> Iterator[Fact]:
        yield Fact(Table(table=self.table), DryRun.table, None, inline=True)
        for item, parameters in self.fields:
            yield from self._field(item, parameters)
        columns = tuple(clip(part.column) for part in self.meta.pk_fields)
        name = chosen_name(self.table.name, "", "pkey")
        key = self._constraint(Kind.PRIMARY_KEY, name=name, columns=columns)
        yield Fact(key, DryRun.primary_key, columns, inline=True)
        for names in self.meta.unique_together:
            columns = self.columns(names)
            name = self.editor.index_name(self.meta.db_table, columns, "_uniq")
            unique = self._constraint(Kind.UNIQUE, name=name, columns=columns)
            yield Fact(unique, DryRun.unique_together, tuple(names))
        for constraint in self.meta.constraints:
            stated = self._declared_constraint(constraint)
            yield Fact(stated, DryRun.declared, constraint, inline=is_inline(constraint))
        for index in self.meta.indexes:
            yield Fact(self._declared_index(index), DryRun.declared, index)

    def _field(self, item: ModelField, parameters: dict[str, Any]) -> Iterator[Fact]:
        column = clip(item.column)
        generated = bool(getattr(item, "generated", False))
        not_null = not item.null and not generated
        type_text = parameters["type"]
        stated = Column(
            table=self.table,
            name=column,
            type=type_text,
            not_null=not_null,
            generated=generated,
            reads=self._reads(item.expression) if generated else (),
        )
        yield Fact(stated, DryRun.column, item, inline=True)
        if item.unique and not item.primary_key:
            name = chosen_name(self.table.name, column, "key")
            unique = self._constraint(Kind.UNIQUE, name=name, columns=(column,))
            yield Fact(unique, DryRun.field_unique, item, inline=True)
        if parameters["check"]:
            name = chosen_name(self.table.name, column, "check")
            own = {"name": name, "columns": (column,), "expression": parameters["check"], "of_column": True}
            check = self._constraint(Kind.CHECK, **own)
            yield Fact(check, DryRun.field_check, item, inline=True)
        if item.db_index and not item.unique:
            yield Fact(self._field_index(item, "", ""), DryRun.field_index, item)
        if self._wants_like_index(item, type_text, parameters):
            opclass = "varchar_pattern_ops" if type_text.startswith("varchar") else "text_pattern_ops"
            yield Fact(self._field_index(item, "_like", opclass), DryRun.like_index, item)
        if item.remote_field and getattr(item, "db_constraint", False):
            yield Fact(self._foreign_key(item), DryRun.foreign_key, item)

    def _reads(self, expression: Any) -> tuple[str, ...]:
        names = {name.partition("__")[0] for name in named(expression)}
        return self.columns(sorted(names - {""}))

    def _wants_like_index(self, item: ModelField, type_text: str, parameters: dict[str, Any]) -> bool:
        """Follow Django: LIKE on text in a locale other than C needs an index of pattern operators."""
        return (
            (item.db_index or item.unique)
            and type_text.startswith(("varchar", "text"))
            and "[" not in type_text
            and parameters.get("collation") not in self.dialect.nondeterministic_collations
        )

    def _field_index(self, item: ModelField, suffix: str, opclass: str) -> Index:
        column = clip(item.column)
        return Index(
            table=self.table,
            name=self.editor.index_name(self.meta.db_table, [item.column], suffix),
            structure=Structure("btree", (column,), (opclass,), (0,)),
            columns=(column,),
        )

    def _foreign_key(self, item: ModelField) -> Constraint:
        target = item.target_field
        return self._constraint(
            Kind.FOREIGN_KEY,
            columns=(clip(item.column),),
            target=table_name(target.model._meta.db_table),
            target_columns=(clip(target.column),),
        )

    def _declared_constraint(self, constraint: BaseConstraint) -> SchemaObject:
        name = clip(constraint.name)
        if isinstance(constraint, models.UniqueConstraint):
            columns = self.columns(constraint.fields)
            if is_unique_index(constraint):
                return Index(table=self.table, name=name, structure=self._unique_structure(constraint), columns=columns)
            return self._constraint(
                Kind.UNIQUE,
                name=name,
                columns=columns,
                deferrable=constraint.deferrable is not None,
                nulls_distinct=constraint.nulls_distinct is not False,
            )
        kind = Kind.EXCLUSION if isinstance(constraint, ExclusionConstraint) else Kind.CHECK
        return self._constraint(kind, name=name, columns=())

    def _unique_structure(self, constraint: Any) -> Structure | None:
        if constraint.condition or constraint.contains_expressions:
            return None
        columns = self.columns(constraint.fields)
        return Structure(
            "btree",
            columns,
            self._opclasses("btree", constraint.opclasses, columns),
            (0,) * len(columns),
            include=self.columns(constraint.include),
            unique=True,
            nulls_distinct=constraint.nulls_distinct is not False,
        )

    def _declared_index(self, index: models.Index) -> Index:
        columns = self.columns(name for name, _ in index.fields_orders)
        return Index(
            table=self.table,
            name=clip(index.name),
            structure=self._structure(index, columns),
            columns=columns,
        )

    def _structure(self, index: models.Index, columns: tuple[str, ...]) -> Structure | None:
        method = access_method(index)
        if method is None or index.condition or index.contains_expressions:
            return None
        orders = [3 if order == "DESC" else 0 for _, order in index.fields_orders]  # DESC is NULLS FIRST by default
        return Structure(
            method,
            columns,
            self._opclasses(method, index.opclasses, columns),
            tuple(orders),
            include=self.columns(index.include),
        )

    def _opclasses(self, method: str, named: Iterable[str], columns: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple("" if (method, name) in self.dialect.default_opclasses else name for name in named)
        return names or ("",) * len(columns)

    def columns(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the columns of fields, given by name."""
        return tuple(clip(self.meta.get_field(name).column) for name in names)

    def _constraint(self, kind: Kind, **facts: Any) -> Constraint:
        return Constraint(table=self.table, kind=kind, **facts)


def access_method(index: models.Index) -> str | None:
    """Return pg_am's name for the index kinds whose SQL is known, None for a subclass that writes its own."""
    if isinstance(index, PostgresIndex):
        return index.suffix
    return "btree" if type(index) is models.Index else None
