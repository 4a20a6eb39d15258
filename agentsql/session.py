"""The way in: a connection that a run may use, and one clear error where it may not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.contrib.postgres.signals import get_citext_oids, get_hstore_oids, register_type_handlers
from django.db import DatabaseError, OperationalError, connections, transaction

from agentsql.exceptions import (
    CatalogLocked,
    DatabaseReadOnly,
    DatabaseUnavailable,
    InsideTransaction,
    InsufficientPrivilege,
    UnknownDatabase,
    UnsupportedDatabase,
)
from agentsql.names import quoted
from agentsql.schema import Kind
from agentsql.step import Step
from agentsql.timeouts import limit

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from agentsql.server import Server

MINIMUM_VERSION = 140000


def named(using: str) -> BaseDatabaseWrapper:
    """Return the PostgreSQL database of an alias, if a run may start on it."""
    if using not in connections:
        raise UnknownDatabase(f"There is no database alias {using!r}. There are: {', '.join(connections)}.")
    connection = connections[using]
    if connection.vendor != "postgresql":
        raise UnsupportedDatabase(
            f"The database {using!r} is {connection.display_name}; automigrate needs PostgreSQL. "
            "Choose another alias with --database."
        )
    if connection.in_atomic_block:
        raise InsideTransaction
    return connection


def connect(connection: BaseDatabaseWrapper) -> None:
    """Connect, and refuse a server that is too old."""
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        name = connection.settings_dict["NAME"]
        raise DatabaseUnavailable(
            f"Can't connect to the database {name!r} ({connection.alias}): {first_line(error)}"
        ) from error
    if not connection.get_autocommit():
        raise InsideTransaction("Autocommit is off on this connection, and automigrate commits as it goes: turn it on.")
    version: int = connection.connection.info.server_version
    if version < MINIMUM_VERSION:
        major = version // 10000
        raise UnsupportedDatabase(f"The server is PostgreSQL {major}; automigrate needs 14 or newer: upgrade it.")


def refuse_if_powerless(server: Server, steps: Iterable[Step]) -> None:
    """Raise one clear error before anything starts, where each statement would fail with its own."""
    schema = server.current_schema or ""
    if server.in_recovery:
        raise DatabaseReadOnly(f"The server of {server.database!r} is a replica: run automigrate on its primary.")
    if server.read_only:
        raise DatabaseReadOnly(
            f"Transactions of role {server.user!r} on {server.database!r} are read-only "
            "(default_transaction_read_only): run automigrate as another role."
        )
    makes_tables = any(step.key.kind is Kind.TABLE and not step.key.table.namespace for step in steps)
    if makes_tables and not server.may_create_tables:
        raise InsufficientPrivilege(
            f"The role {server.user!r} may not create tables in schema {schema!r}. "
            f"Have its owner run: GRANT CREATE ON SCHEMA {quoted(schema)} TO {quoted(server.user)};"
        )


def learn_types(connection: BaseDatabaseWrapper) -> None:
    """Teach psycopg the types that new extensions brought, as Django's CreateExtension does: hstore reads as a dict."""
    get_hstore_oids.cache_clear()  # type: ignore[attr-defined]
    get_citext_oids.cache_clear()  # type: ignore[attr-defined]
    register_type_handlers(connection)


REMEDIES = {
    "query_wait_timeout": "A run needs two server connections of the pooler: raise its pool size, or connect directly.",
    "transaction timeout": "Behind a pooler the role's transaction_timeout holds: raise it, or connect directly.",
}


def told(error: Exception) -> str:
    """Return what a failure of the database says, with the remedy where there is one."""
    words = first_line(error)
    remedies = [remedy for sign, remedy in REMEDIES.items() if sign in words]
    return " ".join([f"The database failed: {words}", *remedies])


def first_line(error: Exception) -> str:
    """Return what an error says, without its context."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0]


@contextmanager
def patient(connection: BaseDatabaseWrapper, lock_wait: float) -> Iterator[None]:
    """Read in one transaction: printing an expression takes ACCESS SHARE, which another's long lock may hold up.

    Raises:
        CatalogLocked: it did.
    """
    try:
        with transaction.atomic(using=connection.alias, durable=True):
            limit(connection, lock_wait)
            yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) == "55P03":
            raise CatalogLocked(
                f"Another session keeps a table locked (ACCESS EXCLUSIVE); its constraints could not be read for "
                f"{lock_wait:g} s. pg_locks tells who; run automigrate again later."
            ) from error
        raise
