"""A plan to outcomes: runs steps in transactions and tells what became of each. The caller drives it.

Steps that may share a transaction are sent in one pipeline, without waiting for each answer. When one fails the
transaction is rolled back and the same steps run again one by one, each under a savepoint: then the failure has a
name, what depends on it is skipped, and everything else is made. That costs nothing as long as nothing fails.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import DatabaseError, transaction

from agentsql.plan import OWN, Step
from agentsql.report import Failure, Outcome, Result
from agentsql.schema import Key, Kind
from agentsql.server import limit_lock_wait

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

BATCH_STATEMENTS = 1000  # about a fifth of a second of work: progress is seen, and little is redone after a failure
CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8"
HINTS = {
    "55P03": "Something else holds a lock on a table of this statement: run again, or raise --lock-timeout.",
    "42501": "Run automigrate as a role that owns the table, or grant the right.",
    "53200": "Raise max_locks_per_transaction on the server, or free memory.",
    "53100": "The server's disk is full: free space, then run automigrate again.",
    "23505": "Rows break it: find and mend the duplicates, then run automigrate again.",
    "23503": "Rows point to nothing: mend them, then run automigrate again.",
    "23514": "Rows break it: mend them, then run automigrate again.",
    "23502": "Rows hold NULL: fill them, then run automigrate again.",
    "42830": "The referenced column is not unique in the database: make it so, then run automigrate again.",
}


class _PipelineFailed(Exception):
    """Carries nothing: the careful run finds out what failed."""


def execute(
    steps: Sequence[Step], connection: BaseDatabaseWrapper, *, lock_timeout: float, lock_capacity: int
) -> Iterator[Outcome]:
    """Run the steps in order.

    Args:
        steps: from a plan.
        connection: in autocommit.
        lock_timeout: seconds that a statement waits for a lock.
        lock_capacity: locks the server can hold in all; a transaction takes at most half of them.
    """
    failed: set[Key] = set()
    for batch in batches(steps, lock_capacity // 2):
        outcomes: list[Outcome] = []
        if len(batch) > 1 and not any(step.requires & failed for step in batch):
            with suppress(_PipelineFailed):
                outcomes = _together(batch, connection, lock_timeout)
        yield from outcomes or _carefully(batch, connection, lock_timeout, failed)


def batches(steps: Iterable[Step], locks: int) -> Iterator[list[Step]]:
    """Cut the steps into transactions that stay below so many locks and statements."""
    batch: list[Step] = []
    held = statements = 0
    for step in steps:
        weight = _relations(step)
        full = held + weight > locks or statements + len(step.sql) > BATCH_STATEMENTS
        if batch and (full or OWN in {step.transaction, batch[-1].transaction}):
            yield batch
            batch, held, statements = [], 0, 0
        batch.append(step)
        held += weight
        statements += len(step.sql)
    if batch:
        yield batch


def _relations(step: Step) -> int:
    """Return how many relations a step may lock: a table has a TOAST table and its index, a key an index."""
    indexed = {Kind.PRIMARY_KEY, Kind.UNIQUE, Kind.EXCLUSION, Kind.INDEX}
    return 3 + sum(key.kind in indexed for key in step.creates)


def _together(batch: Sequence[Step], connection: BaseDatabaseWrapper, lock_timeout: float) -> list[Outcome]:
    """Send all statements at once, in one transaction; the server's clock, asked in between, times each step."""
    try:
        with _transaction(connection, lock_timeout):
            session = connection.connection
            with session.pipeline():
                clocks = [_ask_time(session)]
                for step in batch:
                    _send(step, session)
                    clocks.append(_ask_time(session))
            moments = [moment for clock in clocks for (moment,) in clock.fetchall()]
    except (psycopg.Error, DatabaseError) as error:
        raise _PipelineFailed from error
    return [
        Outcome(step=step, result=Result.DONE, seconds=after - before)
        for step, (before, after) in zip(batch, pairwise(moments), strict=True)
    ]


def _send(step: Step, session: psycopg.Connection[Any]) -> None:
    for sql in step.sql:
        # Django's own cursor binds on the client, by a protocol that pipelines don't allow.
        psycopg.Cursor(session).execute(sql, prepare=False)


def _ask_time(session: psycopg.Connection[Any]) -> psycopg.Cursor[Any]:
    """Ask the server's clock between steps: the answers to statements in a pipeline arrive together."""
    return psycopg.Cursor(session).execute(CLOCK, prepare=True)


def _carefully(
    batch: Sequence[Step], connection: BaseDatabaseWrapper, lock_timeout: float, failed: set[Key]
) -> list[Outcome]:
    """Run one step after the other, each under a savepoint; `failed` grows by the keys that could not be made."""
    outcomes = []
    with _transaction(connection, lock_timeout):
        for step in batch:
            outcome = _alone(step, connection, failed)
            if outcome.result is not Result.DONE:
                failed.update(step.creates)
            outcomes.append(outcome)
    return outcomes


def _alone(step: Step, connection: BaseDatabaseWrapper, failed: set[Key]) -> Outcome:
    if step.requires & failed:
        names = ", ".join(sorted(str(key) for key in step.requires & failed))
        return Outcome(step=step, result=Result.SKIPPED, failure=Failure(message=f"needs {names}"))
    start = time.perf_counter()
    try:
        with connection.connection.transaction():
            _send(step, connection.connection)
    except psycopg.Error as error:
        if connection.connection.closed:
            raise
        failure = _failure(error)
        return Outcome(step=step, result=Result.FAILED, seconds=time.perf_counter() - start, failure=failure)
    return Outcome(step=step, result=Result.DONE, seconds=time.perf_counter() - start)


def _failure(error: psycopg.Error) -> Failure:
    diagnostic = error.diag
    message = diagnostic.message_primary or str(error).strip()
    detail = f": {diagnostic.message_detail}" if diagnostic.message_detail else ""
    sqlstate = error.sqlstate or ""
    hint = HINTS.get(sqlstate) or diagnostic.message_hint or "Mend what the server names, then run automigrate again."
    return Failure(message=f"{message}{detail}", hint=hint, sqlstate=sqlstate)


@contextmanager
def _transaction(connection: BaseDatabaseWrapper, lock_timeout: float) -> Iterator[None]:
    with transaction.atomic(using=connection.alias, durable=True):
        limit_lock_wait(connection, lock_timeout)
        yield
