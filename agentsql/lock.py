"""One run at a time for a database.

The lock is a transaction-level advisory lock held by a second connection that does nothing else. It is polled, never
waited for: a statement that waits holds a snapshot, and a snapshot blocks CREATE INDEX CONCURRENTLY. A transaction
survives a connection pooler in transaction mode, where a session lock would not, and a holder that dies frees it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from django.db import DatabaseError

from agentsql.exceptions import LockUnavailable
from agentsql.timeouts import limit, unhurried
from agentsql.watch import Watch

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

KEY = 0x6167656E7473716C  # "agentsql" in ASCII; advisory locks are per database
QUIET_SECONDS = 1.0  # a shorter wait is not worth a line
POLL_SECONDS = (0.02, 0.5)  # the first pause and the longest

HOLDER = """
SELECT a.pid, a.usename::text, a.application_name, extract(epoch FROM now() - a.xact_start)::int
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.classid = %s AND l.objid = %s
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@contextmanager
def exclusive(
    connection: BaseDatabaseWrapper,
    *,
    wait: float,
    waiting: Callable[[str], None] = lambda _: None,
    pooled: bool = False,
) -> Iterator[Watch]:
    """Hold the database's automigrate lock, and give the means to watch what is done under it.

    Args:
        connection: any connection to the database; a copy of it holds the lock.
        wait: seconds to wait for another run.
        waiting: called with a sentence that names the holder, when there is one to wait for.
        pooled: the connection goes through a pooler that shares servers between transactions.

    Raises:
        LockUnavailable: another run held the lock all that time.
    """
    keeper = connection.copy()
    with closing(keeper):
        keeper.ensure_connection()
        with unhurried(keeper, pooled=pooled):
            _take(keeper, wait, waiting)
            try:
                yield Watch(keeper)
            finally:
                with suppress(DatabaseError):  # a connection that died has let go of the lock as well
                    keeper.rollback()
                    keeper.set_autocommit(True)


def _take(keeper: BaseDatabaseWrapper, wait: float, waiting: Callable[[str], None]) -> None:
    started = time.monotonic()
    pause, longest = POLL_SECONDS
    told = ""
    while not _taken(keeper):
        waited = time.monotonic() - started
        if waited > wait or waited > QUIET_SECONDS:
            sentence, holder = _holder(keeper)
            if waited > wait:
                raise LockUnavailable(f"{sentence} Waited {wait:g} s; run automigrate again later.")
            if holder != told:
                waiting(sentence)
                told = holder
        time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 only to spread the questions
        pause = min(pause * 2, longest)


def _taken(keeper: BaseDatabaseWrapper) -> bool:
    """Try once, in a transaction that stays open if the lock is ours and ends if not.

    A pooler gives us a server only while a transaction is open: those who wait must not use its servers up.
    """
    keeper.set_autocommit(False)
    limit(keeper, 1)
    with keeper.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [KEY])
        (taken,) = cursor.fetchone()
    if not taken:
        keeper.rollback()
        keeper.set_autocommit(True)
    return bool(taken)


def holder(connection: BaseDatabaseWrapper) -> str:
    """Return a sentence about the run that holds the lock now; "" where there is none."""
    found = _found(connection)
    return _sentence(found) if found else ""


def _holder(keeper: BaseDatabaseWrapper) -> tuple[str, str]:
    """Return a sentence about the holder, and who it is."""
    found = _found(keeper)
    return _sentence(found), str(found and found[0])


def _found(connection: BaseDatabaseWrapper) -> tuple[int, str, str, int] | None:
    with connection.cursor() as cursor:
        cursor.execute(HOLDER, [KEY >> 32, KEY & 0xFFFFFFFF])
        found: tuple[int, str, str, int] | None = cursor.fetchone()
    return found


def _sentence(holder: tuple[int, str, str, int] | None) -> str:
    if holder is None:
        return "Another automigrate run holds the lock."
    pid, user, application, age = holder
    name = f" {application}" if application else ""
    return f"Another automigrate run holds the lock: backend {pid}, role {user}{name}, for {age} s."
