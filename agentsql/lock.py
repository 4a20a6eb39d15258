"""One run at a time for a database.

The lock is a transaction-level advisory lock held by a second connection that does nothing else. It is polled, never
waited for: a statement that waits holds a snapshot, and a snapshot blocks CREATE INDEX CONCURRENTLY. A transaction
survives a connection pooler in transaction mode, where a session lock would not, and a holder that dies frees it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from django.db import DatabaseError

from agentsql.exceptions import LockUnavailable

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

KEY = 0x6167656E7473716C  # "agentsql" in ASCII; advisory locks are per database
POSTGRES_17 = 170000  # the first with transaction_timeout
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
    connection: BaseDatabaseWrapper, *, wait: float, waiting: Callable[[str], None] = lambda _: None
) -> Iterator[None]:
    """Hold the database's automigrate lock.

    Args:
        connection: any connection to the database; a copy of it holds the lock.
        wait: seconds to wait for another run.
        waiting: called once with a sentence that names the holder, when there is one to wait for.

    Raises:
        LockUnavailable: another run held the lock all that time.
    """
    keeper = connection.copy()
    with closing(keeper):
        keeper.set_autocommit(False)
        with keeper.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            if keeper.connection.info.server_version >= POSTGRES_17:
                cursor.execute("SET LOCAL transaction_timeout = 0")
            deadline = time.monotonic() + wait
            pause, longest = POLL_SECONDS
            patience = time.monotonic() + QUIET_SECONDS
            told = False
            while True:
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [KEY])
                if cursor.fetchone()[0]:
                    break
                late = time.monotonic() > deadline
                if late or (not told and time.monotonic() > patience):
                    cursor.execute(HOLDER, [KEY >> 32, KEY & 0xFFFFFFFF])
                    sentence = _sentence(cursor.fetchone())
                    if late:
                        raise LockUnavailable(f"{sentence} Waited {wait:g} s; run automigrate again later.")
                    waiting(sentence)
                    told = True
                time.sleep(pause)
                pause = min(pause * 2, longest)
        try:
            yield
        finally:
            with suppress(DatabaseError):  # a connection that died has let go of the lock as well
                keeper.rollback()


def _sentence(holder: tuple[int, str, str, int] | None) -> str:
    if holder is None:
        return "Another automigrate run holds the lock."
    pid, user, application, age = holder
    name = f" {application}" if application else ""
    return f"Another automigrate run holds the lock: backend {pid}, role {user}{name}, for {age} s."
