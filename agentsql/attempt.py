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
    deadline = None
    naps = pauses()
    while True:
        started = time.monotonic()
        work.session.confirm()
        try:
            with _place(action, work.session):
                for sql in action.sql:
                    yield from watched(sql, work)
        except LOCKED:
            now = time.monotonic()
            # Only waiting counts: a backfill may have worked for an hour before it met a lock.
            deadline = deadline or max(started, now - settings.lock_timeout) + settings.lock_wait
            nap = next(naps)
            if now + nap > deadline:
                take_back(action, work.session, settings.lock_timeout)
                raise
            drop_invalid(action, work.session, settings.lock_wait)
            time.sleep(nap)
        except errors.DuplicateTable:
            # A backend whose client was killed may have built the index meanwhile.
            if not action.builds or _is_invalid(action.builds, work.session.connection):
                raise
            return
        except psycopg.Error:
            take_back(action, work.session, settings.lock_wait)
            raise
        except BaseException:  # Ctrl-C, perhaps because it waited for somebody: this should not wait for long, too
            take_back(action, work.session, settings.lock_timeout)
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


def take_back(action: Action, session: Session, patience: float) -> None:
    """Remove what a failed action leaves: the constraint that it was to validate, an invalid index.

    What can't be removed within `patience` seconds, the next run finds and finishes.
    """
    if action.undo and not session.lost:
        with suppress(psycopg.Error, DatabaseError), transaction.atomic(using=session.connection.alias, durable=True):
            limit(session.connection, patience)
            send(action.undo, session.wire)
    drop_invalid(action, session, patience)


def drop_invalid(action: Action, session: Session, patience: float) -> None:
    """Drop the index that a failed CREATE INDEX CONCURRENTLY has left."""
    if action.builds and not session.lost:
        with suppress(psycopg.Error, DatabaseError):
            if _is_invalid(action.builds, session.connection):
                with limited(session.connection, patience, pooled=session.pooled):
                    send(f"DROP INDEX CONCURRENTLY IF EXISTS {action.builds}", session.wire)


INVALID = """
SELECT FROM pg_index i
 WHERE i.indexrelid = to_regclass(%s) AND NOT i.indisvalid
   AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
"""


def _is_invalid(name: str, connection: BaseDatabaseWrapper) -> bool:
    """Tell whether an index is there, invalid, and not in the making; nothing else may ever be dropped."""
    with connection.cursor() as cursor:
        cursor.execute(INVALID, [name])
        return cursor.fetchone() is not None
