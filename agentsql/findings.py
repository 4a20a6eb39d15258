"""What stands in the way, as `django.core.checks` messages: a function an id, each naming object and remedy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 Django's name for it
from django.db import DEFAULT_DB_ALIAS

from agentsql.names import TableName, quoted
from agentsql.schema import Column, Constraint, Key, Kind, SchemaObject, Table

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
SHOWN = 5  # of many things alike, in one sentence
RENAMES_SHOWN = 3
FAULTS = {  # what, and what one or several of it do
    Kind.COLUMN: ("row", "holds NULL", "hold NULL"),
    Kind.CHECK: ("row", "breaks it", "break it"),
    Kind.FOREIGN_KEY: ("row", "points to nothing", "point to nothing"),
    Kind.UNIQUE: ("key", "is in more than one row", "are in more than one row"),
    Kind.INDEX: ("key", "is in more than one row", "are in more than one row"),
    Kind.PRIMARY_KEY: ("key", "is NULL or in more than one row", "are NULL or in more than one row"),
}


def primary_key_differs(wanted: Constraint, found: Constraint) -> CheckMessage:
    return Error(
        f"Table {wanted.table} has the primary key ({', '.join(found.columns)}), "
        f"but its model wants ({', '.join(wanted.columns)}). Nothing was done to it.",
        hint=ELSEWHERE,
        obj=str(Key(wanted.table, wanted.kind)),
        id="agentsql.D001",
    )


ELSEWHERE = "It belongs to something else: set another db_table on the model, or rename or move that table."


def primary_key_type_differs(wanted: Column, found: Column) -> CheckMessage:
    return Error(
        f"Table {wanted.table} has the primary key {found.name} of type {found.type}, but its model wants "
        f"{wanted.type}. Nothing was done to it.",
        hint=ELSEWHERE,
        obj=str(Key(wanted.table, Kind.PRIMARY_KEY)),
        id="agentsql.D001",
    )


def key_column_lacking(wanted: Constraint, lacking: Iterable[str]) -> CheckMessage:
    return Error(
        f"Table {wanted.table} has no column {', '.join(lacking)}, the primary key of its model, and columns that the "
        "model does not know. Nothing was done to it.",
        hint=ELSEWHERE,
        obj=str(wanted.key),
        id="agentsql.D001",
    )


def type_in_its_place(table: TableName, what: str) -> CheckMessage:
    return Error(
        f"{table} is {what} in the database, and a table needs that name for the type of its rows.",
        hint="Rename it, or set another db_table (or managed = False) on the model.",
        obj=str(table),
        id="agentsql.D002",
    )


def not_a_table(found: Table) -> CheckMessage:
    what = RELATION_KINDS.get(found.relkind, "not a table")
    return Error(
        f"{found.table} is {what} in the database, but a model wants it to be a table.",
        hint="Rename it, or set another db_table (or managed = False) on the model.",
        obj=str(found.table),
        id="agentsql.D002",
    )


def targets_missing(waiting: Sequence[tuple[Key, TableName, type[Model] | None]], alias: str = "") -> CheckMessage:
    """Tell of all foreign keys that wait at once: each with its target table and that table's model."""
    keys = [f"{key} for {target}" + (f" ({model._meta.label})" if model else "") for key, target, model in waiting]
    some = "; ".join(keys[:SHOWN]) + (f"; and {len(keys) - SHOWN} more" if len(keys) > SHOWN else "")
    option = f" --database {alias}" if alias not in {"", DEFAULT_DB_ALIAS} else ""
    models = {model._meta.app_label: model for *_, model in waiting if model is not None}
    ours = [label for label, model in models.items() if getattr(model._meta.app_config, "automigrate", False) is True]
    hints = [f"Run `manage.py automigrate {' '.join(ours)}{option}`: it makes its plugins' tables."] if ours else []
    if len(ours) < len(models):
        hints.append(
            f"Run `manage.py migrate{option}`: it makes the tables of apps with migrations, then adds the keys."
        )
    one = len(keys) == 1
    return Error(
        f"{'A key waits' if one else f'{len(keys)} keys wait'} for tables that do not exist yet: {some}.",
        hint=" ".join(hints) or "Make them, then run automigrate again.",
        obj=str(waiting[0][0]) if one else "foreign keys",
        id="agentsql.D003",
    )


def target_elsewhere(key: Key, target: TableName, model: type[Model], alias: str) -> CheckMessage:
    return Error(
        f"The {key} can't be made: its target {target} ({model._meta.label}) is not on the database {alias!r}; "
        "the routers keep it elsewhere.",
        hint="Give the field db_constraint=False, or let the routers put both tables on one database.",
        obj=str(key),
        id="agentsql.D020",
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


def name_taken(key: Key, name: str, holder: str, *, declared: bool) -> CheckMessage:
    """Tell who has the name of an index; `declared`: the model gives that name."""
    otherwise = f", or name the {key.kind.label} otherwise in the model (`name=`, now {name!r})"
    return Error(
        f"The {key} can't be made: its name {name!r} is taken by {holder}.",
        hint=f"Rename the one that exists{otherwise if declared else ''}.",
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


def not_referable(key: Key, target: TableName, user: str) -> CheckMessage:
    return Error(
        f"The {key} can't be made: the role {user!r} may not make keys to the table {target}.",
        hint=f"Have its owner run: GRANT REFERENCES ON {target.quoted} TO {quoted(user)};",
        obj=str(key),
        id="agentsql.D024",
    )


def key_types_differ(key: Key, column: Column, target: Column) -> CheckMessage:
    return Error(
        f"The {key} can't be made: {column.key} is {column.type}, and {target.key}, which it would point to, is "
        f"{target.type}; PostgreSQL has no equality of the two.",
        hint="Give one of them the type of the other, then run automigrate again: the D101 of the column that differs "
        "from its model has the statement.",
        obj=str(key),
        id="agentsql.D023",
    )


def being_built(key: Key, name: str, pid: int) -> CheckMessage:
    return Error(
        f"The index {name} of {key.table} is being built right now by backend {pid}, which is not ours.",
        hint="Run automigrate again when it is done.",
        obj=str(key),
        id="agentsql.D011",
    )


def rows_break(key: Key, count: int | None, examples: Iterable[str], query: str) -> CheckMessage:
    what, one, several = FAULTS.get(key.kind, FAULTS[Kind.CHECK])
    fault = f"1 {what} {one}" if count == 1 else f"{f'{count} ' if count else ''}{what}s {several}"
    some = "; ".join(examples)
    return Error(
        f"The {key} can't be made: {fault}" + (f", for example {some}." if some else "."),
        hint=f"Mend them, then run automigrate again. All of them: {query};",
        obj=str(key),
        id="agentsql.D015",
    )


def needs_rewrite(item: SchemaObject, size: str, sql: Sequence[str], *, only_here: bool = False) -> CheckMessage:
    """`only_here`: it is --atomic that has no other form."""
    table, index = item.key.table, item.key.kind is Kind.INDEX
    what = f"Column {item.key}" if item.key.kind is Kind.COLUMN else f"The {item.key}"
    cost = "rewrites the table" if item.key.kind is Kind.COLUMN else "builds its index"
    where = " in one transaction" if only_here else ""
    instead = "without --atomic, which fills it in batches; or with " if only_here else ""
    return Error(
        f"{what} has no form{where} that leaves {table} ({size}) usable: it {cost} while nobody can "
        f"{'write' if index else 'read or write'}.",
        hint=f"Run automigrate {instead}--allow-rewrite when the table may be locked, or by hand: {'; '.join(sql)};",
        obj=str(item.key),
        id="agentsql.D016",
    )


def foreign_partition(key: Key, partition: TableName) -> CheckMessage:
    return Error(
        f"The {key} can't be made: the partition {partition} is a foreign table, which can have none.",
        hint="Detach that partition, or make it by hand on the others.",
        obj=str(key),
        id="agentsql.D017",
    )


def lacks_partition_key(key: Key, columns: Iterable[str]) -> CheckMessage:
    lacking = ", ".join(column or "an expression" for column in columns)
    return Error(
        f"The {key} can't be made: on a partitioned table it must include the partition key ({lacking}).",
        hint="Add those fields to the model's constraint, or partition the table otherwise.",
        obj=str(key),
        id="agentsql.D019",
    )


def all_or_nothing() -> CheckMessage:
    return Error(
        "With --atomic nothing is made, because something can't be.",
        hint="Mend the other findings, or run automigrate without --atomic to make all the rest.",
        obj="--atomic",
        id="agentsql.D018",
    )


def receiver_failed(label: str, receiver: object, error: Exception) -> CheckMessage:
    name = getattr(receiver, "__qualname__", repr(receiver))
    return Error(
        f"{name}() of {getattr(receiver, '__module__', '?')}, which listens to schema_applied of {label}, failed: "
        f"{type(error).__name__}: {error}",
        hint="The schema is as told. Mend the receiver and run automigrate again: it is called after every run.",
        obj=label,
        id="agentsql.D021",
    )


def unusable(alias: str, error: Exception) -> CheckMessage:
    return Error(
        f"Nothing could be done on the database {alias!r}: {error}",
        hint=f"Mend that, then run `manage.py automigrate --database {alias}`.",
        obj=alias,
        id="agentsql.D022",
    )


def column_renamed(column: Column, others: Sequence[str]) -> CheckMessage:
    change = f"ALTER TABLE {column.table.quoted} RENAME COLUMN"
    return Error(
        f"Column {column.key} looks like another name of {_either(others)}: of the same type or one that grows "
        f"into it ({column.type}), unknown to every model, in a table with rows. Made beside it, the data would be in "
        "two columns.",
        hint=_renaming([f"{change} {quoted(other)} TO {quoted(column.name)};" for other in others]),
        obj=str(column.key),
        id="agentsql.D131",
    )


def table_renamed(table: TableName, others: Sequence[str]) -> CheckMessage:
    places = [TableName(table.namespace, other) for other in others]
    sql = [f"ALTER TABLE {place.quoted} RENAME TO {quoted(table.name)};" for place in places]
    return Error(
        f"Table {table} looks like another name of {_either(list(map(str, places)))}: with the same columns and types, "
        "unknown to every model, with rows. Made beside it, the data would be in two tables.",
        hint=_renaming(sql),
        obj=str(table),
        id="agentsql.D132",
    )


def _either(names: Sequence[str]) -> str:
    more = f" (or {len(names) - RENAMES_SHOWN} more)" if len(names) > RENAMES_SHOWN else ""
    return " or ".join(names[:RENAMES_SHOWN]) + more


def _renaming(sql: Sequence[str]) -> str:
    return (
        f"If it is, rename it, then run automigrate again: {' or '.join(sql[:RENAMES_SHOWN])} "
        'If not, run automigrate --no-rename-guess, or set AGENTSQL["RENAME_GUESS"] = False.'
    )


def zone_unknown(key: Key, zone: str, sql: str) -> CheckMessage:
    return Error(
        f"Column {key} holds timestamps without time zone, and only those written in UTC become timestamptz as they "
        f"are: from {zone} the server must rewrite each row. It was left as it is.",
        hint=f"Run automigrate --widen --zone UTC if they are in UTC; else by hand, which rewrites the table: {sql};",
        obj=str(key),
        id="agentsql.D133",
    )


def not_widened(key: Key, obstacles: Sequence[str], sql: str, dependents: Sequence[str] = ()) -> CheckMessage:
    """`obstacles` are what it would cost, `dependents` what the server refuses it for."""
    reasons = {
        "the server refuses that, because of": dependents,
        "it would scan or rebuild, while nobody can read or write, or lose:": obstacles,
    }
    hint = f"Drop that, and make it again afterwards; or by hand when the table may be locked: {sql};"
    if dependents:
        hint = (
            "Drop what is in the way, run automigrate --widen again, then make it anew as it was (`pg_dump "
            f"--schema-only` keeps that); or all of it by hand in one transaction, with: {sql};"
        )
    told = "; ".join(f"{why} {_some(what)}" for why, what in reasons.items() if what)
    return Warning(
        f"Column {key} was not widened: {told}.",
        hint=hint,
        obj=str(key),
        id="agentsql.D134",
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
