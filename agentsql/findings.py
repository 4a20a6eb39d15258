"""What stands in the way, as `django.core.checks` messages: a function an id, each naming object and remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.checks import CheckMessage, Error

from agentsql.names import TableName, quoted
from agentsql.schema import Column, Constraint, Key, Table

if TYPE_CHECKING:
    from django.db.models import Model

RELATION_KINDS = {
    "v": "a view",
    "m": "a materialized view",
    "f": "a foreign table",
    "S": "a sequence",
    "i": "an index",
    "I": "a partitioned index",
    "c": "a composite type",
    "t": "a TOAST table",
}


def primary_key_differs(wanted: Constraint, found: Constraint) -> CheckMessage:
    return Error(
        f"Table {wanted.table} has the primary key ({', '.join(found.columns)}), "
        f"but its model wants ({', '.join(wanted.columns)}). Nothing was done to it.",
        hint="It belongs to something else: set another db_table on the model, or rename or move that table.",
        obj=str(Key(wanted.table, wanted.kind)),
        id="agentsql.D001",
    )


def not_a_table(found: Table) -> CheckMessage:
    what = RELATION_KINDS.get(found.relkind, "not a table")
    return Error(
        f"{found.table} is {what} in the database, but a model wants it to be a table.",
        hint="Rename it, or set another db_table (or managed = False) on the model.",
        obj=str(found.table),
        id="agentsql.D002",
    )


def target_missing(key: Key, target: TableName, model: type[Model] | None) -> CheckMessage:
    owner = f" of {model._meta.label}" if model is not None else ""
    label = model._meta.app_label if model is not None else ""
    hint = f"Create it (`manage.py migrate {label}`; `automigrate {label}` if it is a plugin)" if label else "Create it"
    return Error(
        f"The {key} waits: its target table {target}{owner} does not exist.",
        hint=f"{hint}, then run automigrate again.",
        obj=str(key),
        id="agentsql.D003",
    )


def no_default(column: Column) -> CheckMessage:
    return Error(
        f"Column {column.table}.{column.name} is NOT NULL without a default, and the table has rows.",
        hint="Give the field a db_default or default, or null=True; or add the column by hand with values.",
        obj=str(column.key),
        id="agentsql.D004",
    )


def volatile_default(column: Column) -> CheckMessage:
    return Error(
        f"Column {column.table}.{column.name} has a default that only Python can compute, and not once for all: "
        "the table has rows.",
        hint="Give the field a db_default that the server computes, or null=True and fill the rows yourself.",
        obj=str(column.key),
        id="agentsql.D005",
    )


def extension_unavailable(name: str) -> CheckMessage:
    return Error(
        f"The extension {name!r} is not installed on the database server.",
        hint=f"Install its package on the server's machine (for {name!r}), then run automigrate again.",
        obj=f"extension {name}",
        id="agentsql.D006",
    )


def extension_forbidden(name: str, user: str) -> CheckMessage:
    return Error(
        f"The role {user!r} may not create the extension {name!r}.",
        hint=f"Have an administrator run in this database: CREATE EXTENSION {quoted(name)};",
        obj=f"extension {name}",
        id="agentsql.D007",
    )


def rival_models(table: TableName, first: type[Model], second: type[Model]) -> CheckMessage:
    return Error(
        f"{first._meta.label} and {second._meta.label} both want the table {table}; the first has it.",
        hint="Set another db_table on one of them.",
        obj=second._meta.label,
        id="agentsql.D008",
    )


def name_twice(key: Key, model: type[Model]) -> CheckMessage:
    return Error(
        f"{model._meta.label} has two objects for one name: {key}. Only the first is made.",
        hint="PostgreSQL keeps 63 bytes of a name: give one of them another, shorter name in the model.",
        obj=model._meta.label,
        id="agentsql.D012",
    )


def model_unreadable(model: type[Model], error: Exception) -> CheckMessage:
    return Error(
        f"{model._meta.label} can't be turned into a table: {type(error).__name__}: {error}",
        hint="Mend the model; `manage.py check` tells more.",
        obj=model._meta.label,
        id="agentsql.D013",
    )


def one_value_for_all(column: Column) -> CheckMessage:
    return Error(
        f"Column {column.table}.{column.name} is unique, its default is one value, and the table has rows.",
        hint="Give the field a default that differs by row (uuid4, a db_default), or null=True and fill the rows.",
        obj=str(column.key),
        id="agentsql.D014",
    )


def name_taken(key: Key, name: str, holder: str) -> CheckMessage:
    return Error(
        f"The {key} can't be made: its name {name!r} is taken by {holder}.",
        hint=f"Rename the one that exists, or name the index otherwise in the model (`name=`, now {name!r}).",
        obj=str(key),
        id="agentsql.D009",
    )


def not_owner(table: TableName, user: str) -> CheckMessage:
    return Error(
        f"The role {user!r} does not own the table {table} and may not add to it.",
        hint=f"Run automigrate as the owner, or: ALTER TABLE {table.quoted} OWNER TO {quoted(user)};",
        obj=str(table),
        id="agentsql.D010",
    )


def invalid_index(key: Key, name: str) -> CheckMessage:
    index = TableName(key.table.namespace, name)
    return Error(
        f"The index {name} of {key.table} is invalid: an earlier CREATE INDEX CONCURRENTLY did not finish.",
        hint=f"Drop it, then run automigrate again: DROP INDEX CONCURRENTLY {index.quoted};",
        obj=str(key),
        id="agentsql.D011",
    )
