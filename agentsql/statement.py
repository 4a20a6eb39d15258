"""One statement while it runs: in a thread of its own, so that the caller learns whom it waits for and how far it is.

Whoever stops asking, by Ctrl-C or by closing the generator, has the statement cancelled.
"""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg

from agentsql.exceptions import DatabaseUnavailable
from agentsql.report import Event, Notice, Progress
from agentsql.step import Step

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from agentsql.conf import Settings
    from agentsql.watch import Blocker, Watch

TICK_SECONDS = 0.25
QUIET_SECONDS = 1.0  # what takes less is not worth a word
LATE_SECONDS = 0.1  # for a signal on the server's machine
FILLED = re.compile(r"agentsql: (\d+) of (\d+) pages")  # a backfill's notices


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What statements run with.

    wire: the connection's session at the start. Django makes a new one when that is lost, but a run must not go on with
    it: search_path and role may be others there. pooled: a pooler gives each transaction another server connection.
    deadlock_timeout: the server's, in seconds.
    """

    connection: BaseDatabaseWrapper
    wire: psycopg.Connection[Any]
    settings: Settings
    watch: Watch
    pooled: bool = False
    deadlock_timeout: float = 1.0

    @property
    def lost(self) -> bool:
        return self.wire.closed or self.connection.connection is not self.wire

    def confirm(self) -> None:
        """Prove that the session is the one we began with, and that the lock is held.

        Raises:
            DatabaseUnavailable: the connection was lost.
            LockLost: that of the lock was.
        """
        if self.lost:
            raise DatabaseUnavailable(
                "The connection to the database was lost, so nothing more was started; run automigrate again."
            )
        self.watch.confirm()


@dataclass(slots=True)
class Work:
    """A step in the making.

    blockers: those it waited for last, for the error to name. told: the pids of those a notice has named. started: by
    the monotonic clock. sql: the statement that runs, or ran last.
    """

    step: Step
    session: Session
    blockers: list[Blocker] = field(default_factory=list)
    told: set[int | None] = field(default_factory=set)
    started: float = field(default_factory=time.monotonic)
    sql: str = ""


def watched(sql: str, work: Work) -> Iterator[Event]:
    """Run one statement, and tell what it waits for and how far it is."""
    work.sql = sql
    said: list[int] = []
    session = work.session
    tick = min(TICK_SECONDS, session.settings.lock_timeout / 3)
    with _notices(session.wire, said), closing(running(sql, session.wire, tick)) as ticks:
        for _ in ticks:
            seconds = time.monotonic() - work.started
            blockers = session.watch.blockers(sql)
            work.blockers = blockers or work.blockers
            if seconds > QUIET_SECONDS:
                news = [blocker for blocker in blockers if blocker.pid not in work.told]
                if news:
                    work.told |= {blocker.pid for blocker in news}
                    yield Notice(text=f"{work.step.key} waits for {'; '.join(map(str, news))}")
                doing, done, total = ("waiting for a lock", 0, 0) if blockers else _so_far(sql, session.watch, said)
                yield Progress(step=work.step, doing=doing, done=done, total=total, seconds=seconds)


def running(sql: str, connection: psycopg.Connection[Any], tick: float) -> Generator[None, None, None]:
    """Run a statement, yielding every `tick` seconds until it is done; closing the generator cancels it.

    Raises:
        psycopg.Error: as the server raised it.
    """
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(send, sql, connection)
        try:
            while not wait([future], tick).done:
                yield
        except BaseException:
            with suppress(psycopg.Error):
                connection.cancel_safe()
            wait([future])
            if not isinstance(future.exception(), psycopg.errors.QueryCanceled):
                time.sleep(LATE_SECONDS)  # else the cancel, too late for this statement, may hit the next
            raise
    future.result()


def send(sql: str, connection: psycopg.Connection[Any]) -> psycopg.Cursor[Any]:
    """Send one statement: Django's own cursor binds on the client, by a protocol that pipelines don't allow.

    Nothing is prepared: behind a pooler the next transaction has another server connection.
    """
    return psycopg.Cursor(connection).execute(sql, prepare=False)


@contextmanager
def _notices(connection: psycopg.Connection[Any], said: list[int]) -> Iterator[None]:
    """Keep what the last notice of a backfill said: pages done, and all."""

    def listen(diagnostic: psycopg.errors.Diagnostic) -> None:
        if found := FILLED.fullmatch(diagnostic.message_primary or ""):
            said[:] = [int(number) for number in found.groups()]

    connection.add_notice_handler(listen)
    try:
        yield
    finally:
        connection.remove_notice_handler(listen)


def _so_far(sql: str, watch: Watch, said: list[int]) -> tuple[str, int, int]:
    """Return what a statement is doing, and how much is done of all; 0 of 0 where the server doesn't tell."""
    if " INDEX CONCURRENTLY " in sql:
        return watch.build(sql) or ("working", 0, 0)
    if said:
        return "filling older rows", said[0], said[1]
    return ("validating" if " VALIDATE CONSTRAINT " in sql else "working"), 0, 0
