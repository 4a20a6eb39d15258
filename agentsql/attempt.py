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

from agentsql.report import Event
from agentsql.statement import Session, Work, send, watched
from agentsql.step import Action, Mode
from agentsql.timeouts import limit, limited

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

PAUSE_SECONDS = (0.1, 5.0)  # the first between two attempts, and the longest
LOCKED = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure)


def attempt(action: Action, work: Work) -> Iterator[Event]:
    """Run an action, again and again while others hold its locks; when it fails in the end, nothing of it is left.

    Raises:
        psycopg.Error: as the server raised it.
    """
    settings = work.session.settings
    deadline = None
    pause, longest = PAUSE_SECONDS
    while True:
        started = time.monotonic()
        try:
            with _place(action, work.session):
                for sql in action.sql:
                    yield from watched(sql, work)
        except LOCKED:
            take_back(action, work.session)
            now = time.monotonic()
            # Only waiting counts: a backfill may have worked for an hour before it met a lock.
            deadline = deadline or max(started, now - settings.lock_timeout) + settings.lock_wait
            nap = pause * random.uniform(0.5, 1)  # noqa: S311 only to spread the attempts
            if now + nap > deadline:
                raise
            time.sleep(nap)
            pause = min(pause * 2, longest)
        except BaseException:
            take_back(action, work.session)
            raise
        else:
            return


@contextmanager
def _place(action: Action, session: Session) -> Iterator[None]:
    connection, settings = session.connection, session.settings
    if action.mode is Mode.OUTSIDE:
        with limited(
            connection, settings.build_wait if action.patient else settings.lock_timeout, pooled=session.pooled
        ):
            yield
    else:
        with transaction.atomic(using=connection.alias, durable=True):
            limit(connection, settings.lock_timeout)
            yield


def take_back(action: Action, session: Session) -> None:
    """Remove what a failed action leaves: an invalid index, or the constraint that it was to validate.

    What can't be removed now, the next run finds and finishes.
    """
    connection = session.connection
    if connection.connection is None or connection.connection.closed:
        return
    with suppress(psycopg.Error, DatabaseError):
        if action.undo:
            with transaction.atomic(using=connection.alias, durable=True):
                limit(connection, session.settings.lock_timeout)
                send(action.undo, connection.connection)
        if action.builds and _is_invalid(action.builds, connection):
            with limited(connection, session.settings.lock_wait, pooled=session.pooled):
                send(f"DROP INDEX CONCURRENTLY IF EXISTS {action.builds}", connection.connection)


def _is_invalid(name: str, connection: BaseDatabaseWrapper) -> bool:
    """Tell whether an index is there and invalid; nothing else may ever be dropped."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid", [name])
        return cursor.fetchone() is not None
