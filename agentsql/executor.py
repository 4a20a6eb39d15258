"""A plan to outcomes: runs steps and tells what became of each. The caller drives it.

Steps that may share a transaction are sent in one pipeline, without waiting for each answer. When one fails the
transaction is rolled back and the same steps run again one by one: then the failure has a name, what depends on it is
skipped, and everything else is made. That costs nothing as long as nothing fails.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise

import psycopg
from django.db import DatabaseError, transaction

from agentsql.attempt import attempt
from agentsql.failures import failure
from agentsql.report import Event, Failure, Outcome, Result
from agentsql.schema import Key, Kind
from agentsql.statement import Session, Work, send
from agentsql.step import Step
from agentsql.timeouts import limit

BATCH_STATEMENTS = 1000  # about a fifth of a second of work: progress is seen, and little is redone after a failure
CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8"


class _PipelineFailed(Exception):
    """Carries nothing: running the steps one by one finds out what failed."""


def execute(steps: Sequence[Step], session: Session, *, lock_capacity: int) -> Generator[Event, None, None]:
    """Run the steps in order, each committed when it is done.

    Args:
        steps: from a plan.
        session: its connection is in autocommit.
        lock_capacity: locks the server can hold in all; a transaction takes at most half of them.
    """
    failed: set[Key] = set()
    for batch in batches(steps, lock_capacity // 2):
        session.confirm()
        outcomes: list[Outcome] = []
        if len(batch) > 1 and not any(step.requires & failed for step in batch):
            with suppress(_PipelineFailed):
                outcomes = _together(batch, session)
        yield from outcomes
        for step in [] if outcomes else batch:
            outcome = yield from _alone(step, session, failed)
            if outcome.result is not Result.DONE:
                failed.update(step.creates)
            yield outcome


def batches(steps: Iterable[Step], locks: int) -> Iterator[list[Step]]:
    """Cut the steps into transactions that stay below so many locks and statements."""
    batch: list[Step] = []
    held = statements = 0
    for step in steps:
        weight = relations(step)
        full = held + weight > locks or statements + len(step.sql) > BATCH_STATEMENTS
        if batch and (full or not (step.shared and batch[-1].shared)):
            yield batch
            batch, held, statements = [], 0, 0
        batch.append(step)
        held += weight
        statements += len(step.sql)
    if batch:
        yield batch


def relations(step: Step) -> int:
    """Return how many relations a step may lock: a table has a TOAST table and its index, a key an index."""
    indexed = {Kind.PRIMARY_KEY, Kind.UNIQUE, Kind.EXCLUSION, Kind.INDEX}
    return 3 + sum(key.kind in indexed for key in step.creates)


def _together(batch: Sequence[Step], session: Session) -> list[Outcome]:
    """Send all statements at once, in one transaction; the server's clock, asked in between, times each step."""
    connection = session.connection
    try:
        with transaction.atomic(using=connection.alias, durable=True):
            limit(connection, session.settings.lock_timeout)
            with session.wire.pipeline():
                clocks = [send(CLOCK, session.wire)]
                for step in batch:
                    for sql in step.sql:
                        send(sql, session.wire)
                    clocks.append(send(CLOCK, session.wire))
            moments = [moment for clock in clocks for (moment,) in clock.fetchall()]
    except (psycopg.Error, DatabaseError) as error:
        if session.lost:
            raise
        raise _PipelineFailed from error
    return [
        Outcome(step=step, result=Result.DONE, seconds=after - before)
        for step, (before, after) in zip(batch, pairwise(moments), strict=True)
    ]


def _alone(step: Step, session: Session, failed: set[Key]) -> Generator[Event, None, Outcome]:
    if step.requires & failed:
        names = ", ".join(sorted(str(key) for key in step.requires & failed))
        return Outcome(step=step, result=Result.SKIPPED, failure=Failure(message=f"needs {names}"))
    start, work = time.perf_counter(), Work(step, session)
    try:
        for action in step.actions:
            yield from attempt(action, work)
    except psycopg.Error as error:
        if session.lost:
            raise
        seconds = time.perf_counter() - start
        return Outcome(step=step, result=Result.FAILED, seconds=seconds, failure=failure(error, work))
    return Outcome(step=step, result=Result.DONE, seconds=time.perf_counter() - start)
