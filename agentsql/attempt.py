"""One action, tried until it has its lock: what waits in front of a busy table must soon let others pass."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg
from django.db import DatabaseError, transaction
from psycopg import errors

from agentsql.online import dropping
from agentsql.report import Event
from agentsql.server import is_invalid
from agentsql.statement import Session, Work, send, watched
from agentsql.step import REFERRING, Action, Mode
from agentsql.timeouts import limit, limited

if TYPE_CHECKING:
    pass

PAUSE_SECONDS = (0.5, 5.0)  # the first between two attempts, so that who queued can pass, and the longest
LOCKED = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure)


def pauses() -> Iterator[float]:
    """Yield the seconds between attempts: growing, and jittered so that two who collide don't do it again."""
    pause, longest = PAUSE_SECONDS
    while True:
        yield pause * random.uniform(0.5, 1)  # noqa: S311 nothing secret
        pause = min(pause * 2, longest)


def attempt(action: Action, work: Work) -> Iterator[Event]:
    """Run an action, again and again while others hold its locks; when it fails in the end, nothing of it is left.

    Raises:
        psycopg.Error: as the server raised it.
    """
    settings = work.session.settings
    waited = 0.0  # seconds of waiting, not of work: a backfill may take hours between two rows that are locked
    naps = pauses()
    patience = _patience(action, work)
    while True:
        started = time.monotonic()
        work.session.confirm()
        work.blockers = []
        try:
            with _place(action, work, patience):
                for sql in action.sql:
                    yield from watched(sql, work)
        except LOCKED as error:
            nap = next(naps)
            waited += min(time.monotonic() - started, patience) + nap
            gave_up = action.patient and isinstance(error, errors.LockNotAvailable)
            if gave_up or waited > settings.lock_wait:
                take_back(action, work.session, settings.lock_timeout)
                raise
            drop_invalid(action, work.session, settings.lock_wait)
            patience = _patience(action, work)
            time.sleep(nap)
        except psycopg.Error as error:
            # A backend whose client was killed may have built the index meanwhile.
            if isinstance(error, errors.DuplicateTable) and action.builds and _is_built(action.builds, work):
                return
            take_back(action, work.session, settings.lock_wait)
            raise
        except BaseException:  # Ctrl-C, perhaps because it waited for somebody: this should not wait for long, too
            take_back(action, work.session, settings.lock_timeout)
            raise
        else:
            return


def _patience(action: Action, work: Work) -> float:
    """Return how many seconds an attempt waits for each lock.

    The server lets an autovacuum in the way give up only after deadlock_timeout. And it looks for a deadlock once,
    after that time: if we wait for a second lock no longer than twice of it, we are the victim, not somebody's program.
    """
    session = work.session
    if action.patient:
        return session.settings.build_wait
    patience = session.settings.lock_timeout
    if work.blockers and all(blocker.autovacuum for blocker in work.blockers):
        patience = max(patience, session.deadlock_timeout * 1.2)
    return min(patience, session.deadlock_timeout * 2) if action.lock == REFERRING else patience


@contextmanager
def _place(action: Action, work: Work, patience: float) -> Iterator[None]:
    connection = work.session.connection
    if action.mode is Mode.OUTSIDE:
        with limited(connection, patience, pooled=work.session.pooled):
            yield
    else:
        # One that locks two tables would wait for each, others queueing behind it: it has that time in all.
        limits = {"statement_timeout": patience} if action.mode is Mode.INSTANT else {}
        with _canceled_as_locked(work), transaction.atomic(using=connection.alias, durable=True):
            limit(connection, patience, **limits)
            yield


@contextmanager
def _canceled_as_locked(work: Work) -> Iterator[None]:
    """Count the statement_timeout of an instant statement as that of its locks, if it did wait for some."""
    try:
        yield
    except errors.QueryCanceled as error:
        if work.blockers:
            raise errors.LockNotAvailable("canceling statement due to lock timeout") from error
        raise


def take_back(action: Action, session: Session, patience: float) -> None:
    """Remove what a failed action leaves: the constraint that it was to validate, an invalid index.

    What can't be removed within `patience` seconds, the next run finds and finishes.
    """
    if action.undo and not session.lost:
        with suppress(psycopg.Error, DatabaseError), transaction.atomic(using=session.connection.alias, durable=True):
            limit(session.connection, patience)
            for sql in action.undo:
                send(sql, session.wire)
    drop_invalid(action, session, patience)


def drop_invalid(action: Action, session: Session, patience: float) -> None:
    """Drop the index that a failed CREATE INDEX CONCURRENTLY has left."""
    if action.builds and not session.lost:
        with suppress(psycopg.Error, DatabaseError):
            if is_invalid(action.builds, session.connection):
                with limited(session.connection, patience, pooled=session.pooled):
                    send(dropping(action.builds), session.wire)


BUILT = "SELECT FROM pg_index WHERE indexrelid = to_regclass(%s) AND indrelid = to_regclass(%s) AND indisvalid"


def _is_built(name: str, work: Work) -> bool:
    """Tell whether an index of the step's table has been built, valid."""
    with work.session.connection.cursor() as cursor:
        cursor.execute(BUILT, [name, work.step.key.table.quoted])
        return cursor.fetchone() is not None
