"""What a second connection sees of a statement that is running: whom it waits for, and how far it is.

The second connection is the one that holds the run's lock, so each look also proves that the lock is still held. A
statement is known by its text: behind a pooler nobody knows the backend's pid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import DatabaseError

from agentsql.exceptions import LockLost

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

MINE = """
mine AS (
    SELECT pid, wait_event_type FROM pg_stat_activity
     WHERE datname = current_database() AND usename = current_user AND state = 'active'
       AND pid <> pg_backend_pid() AND query <> '' AND starts_with(%s, query)
)
"""
BLOCKERS = f"""
WITH {MINE}
SELECT DISTINCT b.pid, coalesce(b.usename, '')::text, coalesce(b.state, '')::text,
       coalesce(extract(epoch FROM clock_timestamp() - b.xact_start), 0)::int,
       coalesce(regexp_replace(substring(b.query FROM '^\\s*([[:alpha:]]+(\\s+[[:alpha:]]+)?)'), '\\s+', ' ', 'g'), ''),
       b.backend_type = 'autovacuum worker', coalesce(b.application_name, '')
  FROM mine, unnest(pg_blocking_pids(mine.pid)) AS blocking (pid) LEFT JOIN pg_stat_activity b ON b.pid = blocking.pid
 WHERE mine.wait_event_type = 'Lock'
 ORDER BY 1
"""
PROGRESS = f"""
WITH {MINE}
SELECT phase, greatest(blocks_done, tuples_done, lockers_done), greatest(blocks_total, tuples_total, lockers_total)
  FROM pg_stat_progress_create_index JOIN mine USING (pid)
"""


class Blocker(NamedTuple):
    """A backend in the way; `seconds` is the age of its transaction. A prepared transaction has no pid.

    `query` is the first words of its statement: the rest may hold a password, or a person's data.
    """

    pid: int | None
    user: str
    state: str
    seconds: int
    query: str
    autovacuum: bool = False
    application: str = ""

    def __str__(self) -> str:
        if self.pid is None:
            return "a prepared transaction (see pg_prepared_xacts)"
        program = f" ({self.application})" if self.application else ""
        doing = f": {self.query} ..." if self.query else ""
        return f"backend {self.pid}, role {self.user}{program}, {self.state} for {self.seconds} s{doing}"


@dataclass(frozen=True, slots=True)
class Watch:
    """A look at our own statements, and a proof that the lock is held."""

    keeper: BaseDatabaseWrapper

    def blockers(self, sql: str) -> list[Blocker]:
        """Return whom the statement waits for."""
        return [Blocker(*row) for row in self._look(BLOCKERS, sql)]

    def build(self, sql: str) -> tuple[str, int, int] | None:
        """Return an index build's phase, with blocks, tuples or transactions done of all."""
        return next(iter(self._look(PROGRESS, sql)), None)

    def confirm(self) -> None:
        """Prove that the lock is held.

        Raises:
            LockLost: its connection has died.
        """
        self._ask("SELECT pg_stat_clear_snapshot()")

    def _look(self, query: str, sql: str) -> list[Any]:
        self.confirm()  # in a transaction, statistics stay what they were at first sight
        return self._ask(query, sql)

    def _ask(self, query: str, *params: Any) -> list[Any]:
        try:
            with self.keeper.cursor() as cursor:
                cursor.execute(query, params or None)
                return list(cursor.fetchall())
        except DatabaseError as error:
            raise LockLost from error
