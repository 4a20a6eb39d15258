"""The limits of our own statements, whatever the role's are; every setting is back as it was afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

LONGEST_WAIT_MS = 2**31 - 1  # the server's limit
POSTGRES_17 = 170000  # the first with transaction_timeout


def limit(connection: BaseDatabaseWrapper, lock_timeout: float) -> None:
    """Let the statements of this transaction wait so many seconds for a lock, and otherwise take their time."""
    with connection.cursor() as cursor:
        _set(cursor, _limits(connection, lock_timeout), local=True)


@contextmanager
def limited(connection: BaseDatabaseWrapper, lock_timeout: float, *, pooled: bool) -> Iterator[None]:
    """Do the same for statements that must run outside a transaction.

    Behind a pooler in transaction mode a setting would stay on a connection that others get next, so there the role's
    own limits hold.
    """
    if pooled:
        yield
        return
    limits = _limits(connection, lock_timeout)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(f'current_setting({name!r})' for name in limits)}")
        before = dict(zip(limits, cursor.fetchone(), strict=True))
        _set(cursor, limits, local=False)
    try:
        yield
    finally:
        if not connection.connection.closed:
            with connection.cursor() as cursor:
                _set(cursor, before, local=False)


def _limits(connection: BaseDatabaseWrapper, lock_timeout: float) -> dict[str, str]:
    milliseconds = min(max(1, round(lock_timeout * 1000)), LONGEST_WAIT_MS)  # 0 would be no limit
    limits = {"lock_timeout": str(milliseconds), "statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
    if connection.connection.info.server_version >= POSTGRES_17:
        limits["transaction_timeout"] = "0"
    return limits


def _set(cursor: object, values: Mapping[str, str], *, local: bool) -> None:
    calls = ", ".join(f"set_config({name!r}, %s, {str(local).lower()})" for name in values)
    cursor.execute(f"SELECT {calls}", list(values.values()))  # type: ignore[attr-defined]
