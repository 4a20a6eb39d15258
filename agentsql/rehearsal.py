"""What the models want, as the server itself would print it: their tables are made as temporary ones, read, and undone.

Expressions, predicates, defaults and checks are compared as the server normalises them, never by text. The tables are
empty, in a transaction that is always rolled back, and come in batches of what the server's lock table can hold.

A table's name is also that of the type of its rows. So `pg_temp` comes last in search_path whenever types are named,
while the tables are made and while they are read: a lasting type of that name is found first.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

import psycopg
from django.db import DatabaseError, transaction

from agentsql import catalog, details
from agentsql.details import Place
from agentsql.editor import dry_run
from agentsql.names import TableName, quoted
from agentsql.schema import Key, Kind, SchemaObject, Table, schema_of
from agentsql.server import Server, rows
from agentsql.session import first_line
from agentsql.statement import send
from agentsql.timeouts import limit

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from agentsql.desired import Draft
    from agentsql.details import Detail
    from agentsql.editor import DryRun

ALLOWED = "SELECT has_database_privilege(current_database(), 'TEMP')"
MADE = "SELECT oid::bigint, relname::text FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'"
UNDEFINED_FUNCTION = "42883"
SHARE = 4  # of the server's lock table, what a batch may take


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The desired schema as the server made it. `failed` has the tables that it could not make, with its words."""

    objects: dict[Key, SchemaObject] = field(default_factory=dict)
    details: dict[Place, Detail] = field(default_factory=dict)
    failed: dict[TableName, str] = field(default_factory=dict)


def rehearse(
    connection: BaseDatabaseWrapper, draft: Draft, tables: Collection[TableName], server: Server, *, patience: float
) -> Rehearsal:
    """Make these tables of the draft, but for their foreign keys, and return what came of them."""
    result = Rehearsal()
    editor = dry_run(connection, server.dialect.nondeterministic_collations, bare=True)
    why_not = _forbidden(connection, server) if tables else ""
    if why_not:
        result.failed.update(dict.fromkeys(tables, why_not))
        return result
    rendered = {}
    for table in tables:
        try:
            rendered[table] = list(statements(table, draft, editor))
        except Exception as error:  # noqa: BLE001 whatever a wrong declaration raises, other tables are fine
            result.failed[table] = f"Django can't render it ({type(error).__name__}: {first_line(error)})"
    stage = _Stage(connection=connection, rendered=rendered, server=server, patience=patience)
    waiting = list(_batches(rendered, draft, server.lock_capacity // SHARE))
    while waiting:
        batch = waiting.pop()
        try:
            objects, found = stage.make(batch)
        except (DatabaseError, psycopg.Error) as error:
            if len(batch) == 1:
                result.failed[batch[0]] = _reason(error, batch[0])
            else:  # which one it was shows when each half is tried
                half = len(batch) // 2
                waiting += [batch[:half], batch[half:]]
        else:
            result.objects.update(objects)
            result.details.update(found)
    return result


def _forbidden(connection: BaseDatabaseWrapper, server: Server) -> str:
    if server.in_recovery:
        return "the server is a replica, where no temporary table can be made"
    if server.read_only:
        return "transactions are read-only, so no temporary table can be made"
    (allowed,) = rows(connection, ALLOWED)[0]
    return "" if allowed else f"the role {server.user!r} may not make temporary tables (GRANT TEMPORARY ON DATABASE)"


def _reason(error: Exception, table: TableName) -> str:
    """Return what the server said, in plain words where a function takes whole rows of the lasting table."""
    said = first_line(error)
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None)
    if state == UNDEFINED_FUNCTION and re.search(rf'[(, ."]{re.escape(table.name)}\W', said):
        return (
            f"its SQL gives whole rows to what takes only rows of {table}, and those of the temporary copy that is "
            f"compared have a type of their own ({said})"
        )
    return said


def _batches(tables: Collection[TableName], draft: Draft, locks: int) -> Iterator[list[TableName]]:
    """Cut the tables into batches of so many locks, in which no two have one bare name."""
    batch: list[TableName] = []
    names: set[str] = set()
    held = 0
    for table in tables:
        weight = 3 + len(draft.contents[table])
        if batch and (held + weight > locks or table.name in names):
            yield batch
            batch, names, held = [], set(), 0
        batch.append(table)
        names.add(table.name)
        held += weight
    if batch:
        yield batch


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    connection: BaseDatabaseWrapper
    rendered: Mapping[TableName, Sequence[str]]
    server: Server
    patience: float

    def make(self, batch: Sequence[TableName]) -> tuple[dict[Key, SchemaObject], dict[Place, Detail]]:
        """Make tables, read what they became, and undo them."""
        with transaction.atomic(using=self.connection.alias, durable=True):
            limit(self.connection, self.patience)
            lasting = list(map(quoted, self.server.search_path))
            sql = [self.rendered[table] for table in batch]
            self._send((first for first, *_ in sql), [*lasting, "pg_temp"])
            self._send(chain.from_iterable(more for _, *more in sql), ["pg_temp", *lasting])
            self._look_in([*lasting, "pg_temp"])
            made = {name: oid for oid, name in rows(self.connection, MADE)}
            places = {made[table.name]: table for table in batch}
            objects = schema_of(catalog.contents(self.connection, places, self.server))
            objects |= {key: Table(table=table) for table in batch if (key := Key(table, Kind.TABLE))}
            found = details.read(self.connection, places, self.server)
            transaction.set_rollback(True, using=self.connection.alias)
        return objects, found

    def _send(self, sql: Iterable[str], path: Iterable[str]) -> None:
        self._look_in(path)
        wire = self.connection.connection
        with wire.pipeline():
            for statement in sql:
                send(statement, wire)

    def _look_in(self, path: Iterable[str]) -> None:
        rows(self.connection, "SELECT set_config('search_path', %s, true)", [", ".join(path)])


def statements(table: TableName, draft: Draft, editor: DryRun) -> Iterator[str]:
    """Yield CREATE TABLE, and the statements of all else that is its own; a temporary table can't refer to others.

    SQL that a custom index writes itself may name the schema: it would reach the table that is in use, and is left out.
    """
    for key in draft.contents[table]:
        origin = draft.origins[key]
        if origin.render is None or key.kind is Kind.FOREIGN_KEY or (origin.inline and key.kind is not Kind.TABLE):
            continue
        for statement in map(str, origin.render(editor, origin.model, origin.source)):
            if key.kind is Kind.TABLE or not (table.namespace and table.quoted in statement):
                yield statement
