"""Checks over what both sides have. A finding tells and changes nothing; each check is one function with one id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from django.core.checks import CheckMessage, Warning  # noqa: A004 Django's name for it

from agentsql.names import quoted
from agentsql.schema import Column, Constraint, Index, SchemaObject, TypeId

if TYPE_CHECKING:
    from agentsql.diff import Diff

INTEGER_BYTES = {21: 2, 23: 4, 20: 8}  # by pg_type.oid: smallint, integer, bigint


def check(diff: Diff, types: Mapping[str, TypeId]) -> Iterator[CheckMessage]:
    """Yield a finding for each shared object whose facts differ.

    Args:
        diff: the compared schemas.
        types: what the server makes of each desired type text.
    """
    for wanted, found in diff.shared.values():
        if isinstance(wanted, Column) and isinstance(found, Column):
            yield from column_type(wanted, found, types)
            yield from column_null(wanted, found)
        elif isinstance(found, Index):
            yield from index_structure(wanted, found)
        elif isinstance(found, Constraint):
            yield from constraint_enforced(found)


def column_type(wanted: Column, found: Column, types: Mapping[str, TypeId]) -> Iterator[CheckMessage]:
    asked = types.get(wanted.type, found.type_id)
    same = wanted.type == found.type  # of a domain, a result tells only the base type
    if not same and asked != found.type_id and not is_wider_integer(found.type_id, asked):
        yield Warning(
            f"Column {wanted.key} is {found.type}; the model wants {wanted.type}.",
            hint=f"automigrate never changes a type. By hand: ALTER TABLE {wanted.table.quoted} "
            f"ALTER COLUMN {quoted(wanted.name)} TYPE {wanted.type} USING {quoted(wanted.name)}::{wanted.type};",
            obj=str(wanted.key),
            id="agentsql.D101",
        )


def is_wider_integer(found: TypeId | None, asked: TypeId | None) -> bool:
    """Tell whether a column holds every integer that is asked for, and more.

    Migrations give an automatic many-to-many table an id of the project's DEFAULT_AUTO_FIELD, models of their app's.
    """
    if found is None or asked is None or asked.oid not in INTEGER_BYTES:
        return False
    return INTEGER_BYTES.get(found.oid, 0) > INTEGER_BYTES[asked.oid]


def column_null(wanted: Column, found: Column) -> Iterator[CheckMessage]:
    if wanted.not_null != found.not_null:
        state, verb = ("allows NULL", "SET") if wanted.not_null else ("is NOT NULL", "DROP")
        yield Warning(
            f"Column {wanted.key} {state}; the model wants {'NOT NULL' if wanted.not_null else 'NULL'}.",
            hint=f"By hand: ALTER TABLE {wanted.table.quoted} ALTER COLUMN {quoted(wanted.name)} {verb} NOT NULL;",
            obj=str(wanted.key),
            id="agentsql.D102",
        )


def index_structure(wanted: SchemaObject, found: Index) -> Iterator[CheckMessage]:
    if isinstance(wanted, Index) and wanted.structure and found.structure and wanted.structure != found.structure:
        yield Warning(
            f"The {wanted.key} is another index than the model's: {found.structure.method} on "
            f"({', '.join(found.columns)}), not {wanted.structure.method} on ({', '.join(wanted.columns)}).",
            hint="Give the model's index another name, or drop the one that exists and run automigrate again.",
            obj=str(wanted.key),
            id="agentsql.D103",
        )


def constraint_enforced(found: Constraint) -> Iterator[CheckMessage]:
    if not found.enforced:
        yield Warning(
            f"The constraint {found.name} of {found.table} is NOT ENFORCED: rows may break it.",
            hint=f"ALTER TABLE {found.table.quoted} ALTER CONSTRAINT {quoted(found.name)} ENFORCED; "
            "a check must be dropped, and automigrate makes it again.",
            obj=str(found.key),
            id="agentsql.D104",
        )
