"""A plan in one transaction: all or nothing, its tables locked as long as that takes."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence

import psycopg
from django.db import transaction

from agentsql.attempt import LOCKED, pauses
from agentsql.exceptions import TooManyLocks
from agentsql.executor import relations
from agentsql.failures import failure
from agentsql.report import Event, Failure, Outcome, Result
from agentsql.statement import Session, Work, watched
from agentsql.step import Step
from agentsql.timeouts import limit


def execute_atomically(steps: Sequence[Step], session: Session, *, lock_capacity: int) -> Generator[Event, None, None]:
    """Run the steps; when a lock can't be had, all is undone and tried again.

    Raises:
        TooManyLocks: one transaction can't hold as many locks as the steps take.
    """
    needed = sum(map(relations, steps))
    if needed > lock_capacity:
        raise TooManyLocks(
            f"--atomic would hold about {needed} locks in one transaction, and the server has room for "
            f"{lock_capacity}: leave --atomic out, or raise max_locks_per_transaction on the server."
        )
    deadline = time.monotonic() + session.settings.lock_wait
    naps = pauses()
    while steps:
        session.confirm()
        done: list[Outcome] = []
        try:
            with transaction.atomic(using=session.connection.alias, durable=True):
                limit(session.connection, session.settings.lock_timeout)
                for step in steps:
                    work = Work(step, session)
                    done.append((yield from _one(work)))
        except psycopg.Error as error:
            if session.lost:
                raise
            nap = next(naps)
            if not isinstance(error, LOCKED) or time.monotonic() + nap > deadline:
                yield from _undone(steps, work, error)
                return
            time.sleep(nap)
        else:
            yield from done
            return


def _one(work: Work) -> Generator[Event, None, Outcome]:
    start = time.perf_counter()
    for sql in work.step.sql:
        yield from watched(sql, work)
    return Outcome(step=work.step, result=Result.DONE, seconds=time.perf_counter() - start)


def _undone(steps: Sequence[Step], work: Work, error: psycopg.Error) -> Iterator[Outcome]:
    why = failure(error, work)
    with_it = Failure(message=f"rolled back with {work.step.key}")
    for step in steps:
        failed = step is work.step
        yield Outcome(step=step, result=Result.FAILED if failed else Result.SKIPPED, failure=why if failed else with_it)
