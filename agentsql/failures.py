"""Why a step failed, in words that tell the next step: the server's error, who was in the way, which rows are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from django.db import DatabaseError, transaction

from agentsql import findings
from agentsql.brevity import shorten
from agentsql.report import Failure
from agentsql.schema import Kind
from agentsql.server import is_invalid, rows
from agentsql.timeouts import limit

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from agentsql.statement import Work
    from agentsql.step import Step

HINTS = {
    "55P03": "Something else holds a lock on a table of this statement: run again, raise LOCK_WAIT (--lock-wait), "
    "or end that session (pg_terminate_backend).",
    "57014": "It took longer than it may: LOCK_TIMEOUT for what should be instant, else (behind a pooler) the role's "
    "statement_timeout. Raise that.",
    "42501": "Run automigrate as a role that owns the table and sees all its rows (BYPASSRLS), or grant the right.",
    "53200": "Raise max_locks_per_transaction on the server, or free memory.",
    "53100": "The server's disk is full: free space, then run automigrate again.",
    "23505": "Rows break it: find and mend the duplicates, then run automigrate again.",
    "23503": "Rows point to nothing: mend them, then run automigrate again.",
    "23514": "Rows break it: mend them, then run automigrate again.",
    "23502": "Rows hold NULL: fill them, then run automigrate again.",
    "42830": "The referenced column is not unique in the database: make it so, then run automigrate again.",
    "09000": "A trigger or rule refuses UPDATEs of these rows: switch it off meanwhile, or fill the column by hand.",
}
NO_REPLICA_IDENTITY = (
    "The table is published, so its rows can't be filled: give it a primary key or a replica identity."
)
ROWS_BREAK_IT = {"23505", "23503", "23514", "23502"}
EXAMPLES = 5
PATIENCE_SECONDS = 60  # to count the offenders: the answer is a courtesy


def failure(error: psycopg.Error, work: Work) -> Failure:
    """Explain an error of a step."""
    step, diagnostic = work.step, error.diag
    message = diagnostic.message_primary or str(error).strip()
    detail = f": {shorten(diagnostic.message_detail)}" if diagnostic.message_detail else ""
    sqlstate = error.sqlstate or ""
    if sqlstate == "55P03" and work.blockers:
        detail = f"; it waited for {'; '.join(map(str, work.blockers))}"
    built = next((action.builds for action in step.actions if work.sql in action.sql), "")
    if built and is_invalid(built, work.session.connection):
        detail += f"; the invalid index {built} could not be dropped for a lock of others: the next run does it"
    replicated = "replica identity" in message and NO_REPLICA_IDENTITY
    hint = (
        replicated
        or HINTS.get(sqlstate)
        or diagnostic.message_hint
        or "Mend what the server names, then run automigrate again."
    )
    finding = None
    if sqlstate in ROWS_BREAK_IT and step.offenders:
        session = work.session
        count, some = offending_rows(step, session.connection, lock_timeout=session.settings.lock_timeout)
        finding = findings.rows_break(step.key, count, some, step.offenders)
    return Failure(message=f"{message}{detail}", hint=hint, sqlstate=sqlstate, statement=work.sql, finding=finding)


def offending_rows(
    step: Step, connection: BaseDatabaseWrapper, *, lock_timeout: float, patience: float | None = None
) -> tuple[int | None, list[str]]:
    """Count the rows that stop a step, and name some of them; None where that can't be found out.

    Args:
        step: with a query for them.
        connection: outside a transaction.
        lock_timeout: seconds to wait for a lock.
        patience: seconds that a question may take; None takes PATIENCE_SECONDS.
    """
    twice = step.key.kind in {Kind.UNIQUE, Kind.INDEX, Kind.PRIMARY_KEY}
    shown = "format('%s %s times', to_jsonb(offenders) - 'count', offenders.count)" if twice else "to_jsonb(offenders)"
    try:
        with transaction.atomic(using=connection.alias, durable=True):
            limit(connection, lock_timeout, statement_timeout=PATIENCE_SECONDS if patience is None else patience)
            count = rows(connection, f"SELECT count(*) FROM ({step.offenders}) AS offenders")[0][0]
            some = rows(connection, f"SELECT {shown} FROM ({step.offenders} LIMIT {EXAMPLES}) AS offenders")
    except DatabaseError:
        return None, []
    return count, [shorten(text) for (text,) in some]
