"""What the database has beyond the models, and what could not be looked at, as findings: nothing of it is changed.

Most of it is information. One thing is not: a column that no model fills and that must have a value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING

from django.core.checks import CheckMessage, Error, Info, Warning  # noqa: A004 Django's names for them
from django.db import DatabaseError, transaction

from agentsql import restraints
from agentsql.comparison import place_of
from agentsql.details import TableDetail
from agentsql.hazards import strangers
from agentsql.names import TableName, quoted
from agentsql.schema import Column, Kind, Table
from agentsql.server import rows
from agentsql.timeouts import limit

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from agentsql.examination import Examination
    from agentsql.situation import Situation

FIRST_OF_USERS = 16384  # of pg_type.oid
REFUSED = {"23502", "23514"}  # not_null_violation, check_violation
PATIENCE = 1.0  # seconds, for a check of a domain
SHOWN, LISTED = 5, 10  # names of things alike, in one sentence
# Triggers of users, enabled, for each row before INSERT: ROW, BEFORE and INSERT are the bits 1, 2 and 4.
FILLING = """
SELECT DISTINCT tgrelid::bigint FROM pg_trigger
 WHERE tgrelid = ANY(%s::oid[]) AND NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgtype & 7 = 7
"""


def findings(connection: BaseDatabaseWrapper, now: Situation, seen: Examination | None) -> Iterator[CheckMessage]:
    """Yield a finding for each thing: always what breaks INSERTs, and the rest after an examination."""
    tables = dict(_tables(now))
    strange = [
        item
        for key, item in sorted(now.actual.items(), key=itemgetter(0))
        if isinstance(item, Column) and key.table in tables and key not in now.draft.objects
    ]
    strange = [column for column in strange if (column.table, column.name) not in now.renamed]  # D131 tells of these
    empty = [column for column in strange if not (column.has_default or column.generated)]
    types = {column.type: _takes_null(connection, column.type) for column in empty if _is_of_a_user(column)}
    unfilled = [column for column in empty if column.required or types.get(column.type) is False]
    filling = _with_triggers(connection, [tables[column.table].oid for column in unfilled])
    for column in unfilled:
        # A domain is asked before any trigger is.
        takes_null = types.get(column.type) is not False
        yield _required(column, by_trigger=takes_null and tables[column.table].oid in filling)
    if seen is not None:
        for column in strange:
            if column not in unfilled:
                yield _column(column, unsure=column in empty and types.get(column.type, True) is None)
        for part in PARTS:
            yield from part(now, seen, tables)


def _tables(now: Situation) -> Iterator[tuple[TableName, Table]]:
    """Yield the models' tables, but for those that are somebody else's."""
    strange = {key.table for key, _ in strangers(now)}
    for key, (_, found) in now.diff.shared.items():
        if isinstance(found, Table) and found.relkind in {"r", "p"} and key.table not in strange:
            yield key.table, found


def _with_triggers(connection: BaseDatabaseWrapper, oids: Collection[int]) -> frozenset[int]:
    return frozenset(oid for (oid,) in rows(connection, FILLING, [list(oids)])) if oids else frozenset()


def _is_of_a_user(column: Column) -> bool:
    return column.type_id is not None and column.type_id.oid >= FIRST_OF_USERS


def _takes_null(connection: BaseDatabaseWrapper, kind: str) -> bool | None:
    """Tell whether a type takes NULL; of a domain that is for the server to say, with all those it is made of.

    None where it can't be told: a check may call what this role may not, or take its time.
    """
    try:
        with transaction.atomic(using=connection.alias, durable=True):
            limit(connection, PATIENCE, statement_timeout=PATIENCE)
            rows(connection, f"SELECT NULL::{kind}")
            transaction.set_rollback(True, using=connection.alias)
    except DatabaseError as error:
        return False if getattr(error.__cause__, "sqlstate", "") in REFUSED else None
    return True


def _required(column: Column, *, by_trigger: bool) -> CheckMessage:
    change = f"ALTER TABLE {column.table.quoted} ALTER COLUMN {quoted(column.name)}"
    effect = "INSERTs of the models fail, unless its trigger fills it" if by_trigger else "INSERTs of the models fail"
    domain = "" if column.not_null else f" by its domain {column.type}"
    return (Warning if by_trigger else Error)(
        f"Column {column.key} is NOT NULL{domain} without a default, and no model has it: {effect}.",
        hint="A removed or renamed field leaves such a column. By hand: "
        + (f"{change} DROP NOT NULL; or give it a value: " if column.not_null else "")  # else it is its domain's
        + f"{change} SET DEFAULT ...;",
        obj=str(column.key),
        id="agentsql.D121",
    )


def _column(column: Column, *, unsure: bool) -> CheckMessage:
    effect = "INSERTs leave it out" + (", and whether its type takes NULL could not be told" if unsure else "")
    return (Warning if unsure else Info)(
        f"Column {column.key} ({column.type}) is in no model. {'' if unsure else 'Code goes on: '}{effect}.",
        hint=f"If nobody needs it: ALTER TABLE {column.table.quoted} DROP COLUMN {quoted(column.name)};",
        obj=str(column.key),
        id="agentsql.D122",
    )


def _owners(now: Situation, seen: Examination, tables: Mapping[TableName, Table]) -> Iterator[CheckMessage]:
    """Tell who owns tables that this role can't change; of those that lack something, the plan tells."""
    lacking = {key.table for key in now.diff.missing}
    owned = defaultdict(list)
    for name, table in tables.items():
        detail = seen.found.get((name, Kind.TABLE, ""))
        if not table.owned and name not in lacking and isinstance(detail, TableDetail):
            owned[detail.owner].append(name)
    for owner, names in owned.items():
        yield Info(
            f"The role {now.conditions.user!r} may not change what belongs to {owner!r}: {_some(names, SHOWN)}. "
            "Code goes on, but what models want later can't be added.",
            hint=f"Run automigrate as the owner, or hand {'it' if len(names) == 1 else 'each of them'} over: "
            f"ALTER TABLE {names[0].quoted} OWNER TO {quoted(now.conditions.user)};",
            obj=str(names[0]) if len(names) == 1 else f"role {owner}",
            id="agentsql.D117",
        )


def _extensions(_now: Situation, seen: Examination, _tables: object) -> Iterator[CheckMessage]:
    for name, (installed, offered) in seen.outdated.items():
        yield Info(
            f"The extension {name!r} is at version {installed}; the server offers {offered}. Code goes on.",
            hint=f"As its owner, after reading what is new in it: ALTER EXTENSION {quoted(name)} UPDATE;",
            obj=f"extension {name}",
            id="agentsql.D118",
        )


def _uncompared(now: Situation, seen: Examination, _tables: object) -> Iterator[CheckMessage]:
    reasons = defaultdict(list)
    for table, reason in seen.failed.items():
        reasons[reason].append(table)
    for reason, names in reasons.items():
        one = len(names) == 1
        yield Warning(
            f"{'A table was' if one else f'{len(names)} tables were'} not compared in every detail: "
            f"{_some(names, SHOWN)}. Why: {reason}.",
            hint="Types, NULL and plain indexes were compared. For the rest remove that reason, or compare by hand.",
            obj=str(names[0]) if one else "tables",
            id="agentsql.D190",
        )
    unknown = [
        key
        for key, (_, found) in now.diff.shared.items()
        if key not in seen.wanted and key.table not in seen.failed and place_of(found) in seen.found
    ]
    if unknown:
        yield Info(
            f"Not compared in every detail: {_some(unknown, SHOWN)}. Why: how the server would make them is not known.",
            hint="Compare them by hand: `manage.py automigrate --plan --format sql` on an empty database tells how.",
            obj=str(unknown[0]) if len(unknown) == 1 else "objects",
            id="agentsql.D190",
        )


def _strangers(_now: Situation, seen: Examination, _tables: object) -> Iterator[CheckMessage]:
    for schema, names in seen.strangers.items():
        yield Info(
            f"The schema {schema} has {'a table' if len(names) == 1 else f'{len(names)} tables'} "
            f"of no model: {_some(names, LISTED)}. Code goes on.",
            hint=f"If nobody needs such a table: DROP TABLE {TableName(schema, names[0]).quoted};",
            obj=f"schema {schema}",
            id="agentsql.D125",
        )


def _some(names: Collection[object], most: int) -> str:
    return ", ".join(sorted(map(str, names))[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


PARTS: tuple[Callable[[Situation, Examination, Mapping[TableName, Table]], Iterator[CheckMessage]], ...]
PARTS = (restraints.findings, _strangers, _owners, _extensions, _uncompared)
