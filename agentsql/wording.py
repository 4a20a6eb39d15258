"""The facts of one object in words, close to SQL: from its details where the server printed them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch
from typing import Any

from agentsql.details import ColumnDetail, ConstraintDetail, Detail, IndexDetail, TableDetail
from agentsql.drift import GENERATED, IDENTITIES, LETTERS, MATCHES, PERSISTENCE
from agentsql.findings import RELATION_KINDS
from agentsql.indexes import keys_text
from agentsql.schema import Column, Constraint, Extension, Index, Kind, Namespace, SchemaObject, Table

TABLES = {"r": "a table", "p": "a partitioned table"}  # by pg_class.relkind
OF_COLUMNS = frozenset({Kind.PRIMARY_KEY, Kind.UNIQUE, Kind.FOREIGN_KEY})


def words(item: SchemaObject, name: str, detail: Detail | None) -> dict[str, str]:
    """Return what is known of an object by the names of its facts; "" says that it has none of a kind.

    Args:
        item: what the schema says of it.
        name: its own.
        detail: what the server prints of it; None where that was not asked, so that the item must do.
    """
    told: dict[str, str] = {}
    if isinstance(item, Extension | Namespace):
        told["exists"] = "yes"
    if isinstance(item, Table):
        told["kind"] = TABLES.get(item.relkind) or RELATION_KINDS.get(item.relkind, "not a table")
    if isinstance(item, Index | Constraint):
        told["name"] = name
    if isinstance(item, Constraint):
        told |= _constraint(item)
    return told | dict(_detailed(item if detail is None else detail))


def _constraint(item: Constraint) -> dict[str, str]:
    told = {"columns": ", ".join(item.columns)} if item.kind in OF_COLUMNS else {}
    if item.target is not None:
        told["references"] = f"{item.target}({', '.join(item.target_columns)})"
    if item.kind in {Kind.CHECK, Kind.FOREIGN_KEY}:
        told["enforced"] = "" if item.enforced else "NOT ENFORCED"
    return told


@singledispatch
def _detailed(_: Any) -> Iterator[tuple[str, str]]:
    """Yield the facts of a kind of detail, or of an object that has no details."""
    yield from ()


@_detailed.register
def _(detail: TableDetail) -> Iterator[tuple[str, str]]:
    yield "persistence", PERSISTENCE[detail.persistence]
    yield "comment", detail.comment


@_detailed.register
def _(detail: ColumnDetail) -> Iterator[tuple[str, str]]:
    kind, _, expression = detail.generated.partition(": ")
    yield "type", detail.type
    yield "null", _null(not_null=detail.not_null) + ("" if detail.proven else " NOT VALID")
    yield "default", detail.default
    yield "generated", f"{expression} {GENERATED[kind]}" if kind else ""
    yield "identity", IDENTITIES[detail.identity] if detail.identity else ""
    yield "collation", detail.collation
    yield "comment", detail.comment


@_detailed.register
def _(detail: ConstraintDetail) -> Iterator[tuple[str, str]]:
    yield "definition", detail.definition
    if detail.match.strip():
        yield "match", MATCHES[detail.match]
        yield "on delete", LETTERS[detail.on_delete]
        yield "on update", LETTERS[detail.on_update]
    yield "deferrable", _deferrable(deferrable=detail.deferrable, deferred=detail.deferred)


@_detailed.register
def _(detail: IndexDetail) -> Iterator[tuple[str, str]]:
    yield "method", detail.method
    yield "keys", keys_text(detail)
    yield "include", ", ".join(detail.include)
    yield "where", detail.predicate
    yield "unique", "UNIQUE" if detail.unique else ""
    yield "nulls", "NULLS NOT DISTINCT" if detail.nulls_not_distinct else ""
    yield "storage", ", ".join(sorted(detail.storage))
    yield "tablespace", detail.tablespace


@_detailed.register
def _(item: Column) -> Iterator[tuple[str, str]]:
    yield "type", item.type
    yield "null", _null(not_null=item.not_null)


@_detailed.register
def _(item: Index) -> Iterator[tuple[str, str]]:
    made = item.structure
    if made is None:  # expressions or a predicate: only the server can print them
        return
    yield "method", made.method
    yield "keys", keys_text(made)
    yield "include", ", ".join(made.include)
    yield "unique", "UNIQUE" if made.unique else ""
    yield "nulls", "" if made.nulls_distinct else "NULLS NOT DISTINCT"


@_detailed.register
def _(item: Constraint) -> Iterator[tuple[str, str]]:
    yield "definition", item.expression


def _null(*, not_null: bool) -> str:
    return "NOT NULL" if not_null else "NULL"


def _deferrable(*, deferrable: bool, deferred: bool) -> str:
    if not deferrable:
        return ""
    return f"DEFERRABLE INITIALLY {'DEFERRED' if deferred else 'IMMEDIATE'}"
