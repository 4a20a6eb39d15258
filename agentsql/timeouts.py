"""The limits of our own statements, whatever the role's are; every setting is back as it was afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg import IsolationLevel

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

LONGEST_WAIT_MS = 2**31 - 1  # the server's limit
POSTGRES_17 = 170000  # the first with transaction_timeout
WHOLE_RUN = {"idle_session_timeout": "0", "default_transaction_isolation": "read committed"}


def limit(connection: BaseDatabaseWrapper, lock_timeout: float, *, statement_timeout: float | None = None) -> None:
    """Let the statements of this transaction wait so many seconds for a lock, and otherwise take their time or this.

    A row that row-level security hides from us is an error rather than one that is not there.
    """
    limits = _limits(connection, lock_timeout) | {"row_security": "off"}
    if statement_timeout is not None:
        limits["statement_timeout"] = _milliseconds(statement_timeout)
    with connection.cursor() as cursor:
        _set(cursor, limits, local=True)


@contextmanager
def limited(connection: BaseDatabaseWrapper, lock_timeout: float, *, pooled: bool) -> Iterator[None]:
    """Do the same for statements that must run outside a transaction."""
    with _settings(connection, _limits(connection, lock_timeout), pooled=pooled):
        yield


@contextmanager
def unhurried(connection: BaseDatabaseWrapper, *, pooled: bool) -> Iterator[None]:
    """Keep a connection through a run: it may idle, and each of its statements sees what is committed by then.

    A transaction that keeps one snapshot, as of REPEATABLE READ, makes CREATE INDEX CONCURRENTLY wait for its end.
    """
    wire = connection.connection
    before, wire.isolation_level = wire.isolation_level, IsolationLevel.READ_COMMITTED
    try:
        with _settings(connection, WHOLE_RUN, pooled=pooled):
            yield
    finally:
        if not wire.closed:
            wire.isolation_level = before


@contextmanager
def _settings(connection: BaseDatabaseWrapper, values: Mapping[str, str], *, pooled: bool) -> Iterator[None]:
    """Set for the session, and set back.

    Behind a pooler in transaction mode a setting would stay on a connection that others get next, so there the role's
    own hold.
    """
    if pooled:
        yield
        return
    wire = connection.connection
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(f'current_setting({name!r})' for name in values)}")
        before = dict(zip(values, cursor.fetchone(), strict=True))
        _set(cursor, values, local=False)
    try:
        yield
    finally:
        if connection.connection is wire and not wire.closed:
            with connection.cursor() as cursor:
                _set(cursor, before, local=False)


def _limits(connection: BaseDatabaseWrapper, lock_timeout: float) -> dict[str, str]:
    limits = {
        "lock_timeout": _milliseconds(lock_timeout),
        "statement_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
    }
    if connection.connection.info.server_version >= POSTGRES_17:
        limits["transaction_timeout"] = "0"
    return limits


def _milliseconds(seconds: float) -> str:
    return str(round(min(max(1, seconds * 1000), LONGEST_WAIT_MS)))  # 0 would be no limit


def _set(cursor: Any, values: Mapping[str, str], *, local: bool) -> None:
    calls = ", ".join(f"set_config({name!r}, %s, {str(local).lower()})" for name in values)
    cursor.execute(f"SELECT {calls}", list(values.values()))
