"""The worker: claims what is due, hands it to its threads, keeps the leases, and stops when asked."""

import math
import os
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from queue import Empty, SimpleQueue
from uuid import UUID

from django.db import DataError, IntegrityError, connections

from core_tables.exceptions import LeaseLost
from core_tables.models import Task
from core_tables.querysets.task_filters import matching
from core_tables.querysets.task_sql import from_now
from core_tables.worker.attempt import CONNECTION_LOST, LONGEST_WAIT, Ended, Outcome, attempt, tell
from core_tables.worker.registry import handler_of
from core_tables.worker.terms import Terms

BEATS = 3  # times that a lease is extended before it would run out
FIRST_WAIT = 0.5  # seconds
# Seconds. A signal that reaches another thread, as a second one may, is seen by the main thread only when that wakes.
LONGEST_REST = 1.0
# What one row that another program wrote can make of a statement or an answer: JSON that Python can't read, say.
BAD_ROW = (DataError, IntegrityError, ValueError, OverflowError, RecursionError)


class Worker:
    """Runs tasks in threads of its own. `run()` returns once it has stopped; `stop()` may come from a signal."""

    def __init__(self, terms: Terms, *, tell: Callable[[Ended], None], trouble: Callable[[str], None]) -> None:
        """Make a worker that tells how each attempt ended, and of the database when it comes and goes."""
        self.terms = terms
        self.name = terms.name or f"{socket.gethostname()}:{os.getpid()}"
        self.counts: Counter[Outcome] = Counter()
        self.given_back: list[Task] = []
        self._tell, self._trouble = tell, trouble
        self._held: dict[UUID | None, Task] = {}  # by lease: a task whose lease ran out may come back to us
        self._busy = 0
        self._unknown: set[str] = set()
        self._work: SimpleQueue[Task | None] = SimpleQueue()
        # A signal may interrupt anything: of all queues and events only this one may be fed from its handler.
        self._news: SimpleQueue[Ended | None] = SimpleQueue()
        self._stops = 0
        self._until = math.inf
        self._beat_at = self._look_at = 0.0  # by time.monotonic()
        self._dry = False
        self._down_since: float | None = None
        self._most = terms.concurrency  # to claim at once
        self._told: set[str] = set()

    def stop(self) -> None:
        """Take no more tasks, and give those at work the time of grace; asked twice, none."""
        self._stops += 1
        self._until = time.monotonic() + (self.terms.grace if self._stops == 1 else 0)
        self._news.put(None)

    def run(self) -> None:
        """Work until told to stop, or, to drain, until nothing is due."""
        # Daemons, because a handler that hangs must not keep the process from ending.
        threads = [threading.Thread(target=self._hand, daemon=True) for _ in range(self.terms.concurrency)]
        for thread in threads:
            thread.start()
        try:
            self._work_on()
        finally:
            self._give_back()
            for _ in threads:
                self._work.put(None)
            for thread in threads if not self._busy else ():
                thread.join()

    def _work_on(self) -> None:
        wait = FIRST_WAIT
        while not self._stops or (self._busy and time.monotonic() < self._until):
            try:
                self._round()
            except CONNECTION_LOST as error:
                self._down(error)
                self._listen(wait * random.uniform(0.5, 1))  # noqa: S311 - spreads the load, keeps no secret
                wait = min(LONGEST_WAIT, wait * 2)
                continue
            except BAD_ROW as error:
                self._pass_over(error)
            self._up()
            wait = FIRST_WAIT
            if self.terms.drain and self._dry and not self._busy:
                return
            self._listen(self._rest())

    def _round(self) -> None:
        """Keep the leases, and claim what there is room for, when it is time for either."""
        if time.monotonic() >= self._beat_at:
            self._beat()
        room = 0 if self._stops else min(self._most, self.terms.concurrency - self._busy)
        if room > 0 and time.monotonic() >= self._look_at:
            # By chance, so that workers started together don't ask together.
            self._look_at = time.monotonic() + self.terms.poll * random.uniform(0.75, 1.25)  # noqa: S311
            taken = self._claim(room)
            self._dry = len(taken) < room
            if not self._dry:
                self._look_at = 0.0
            for task in taken:
                self._held[task.lease] = task
                self._busy += 1
                self._work.put(task)

    def _claim(self, room: int) -> list[Task]:
        terms = self.terms
        lease = timedelta(seconds=terms.lease)
        # What an agent that may not run has to do waits until it may.
        rows = Task.objects.using(terms.using).filter(agent__enabled=True)
        return rows.claim(room, lease=lease, agents=terms.agents, names=terms.names, tags=terms.tags, worker=self.name)

    def _beat(self) -> None:
        """Extend the leases of what is at work, end what others left for good, and look for what nobody here can do."""
        tasks = Task.objects.using(self.terms.using)
        if self._held:
            until = from_now(timedelta(seconds=self.terms.lease))
            kept = {task.lease for task in tasks.held(*self._held.values())._returning(locked_until=until)}
            self._held = {lease: task for lease, task in self._held.items() if lease in kept}
        for task in tasks.filter(matching(*self.terms.names)).expire():
            tell(task, handler_of(task.name))
            why = LeaseLost(task.last_error)
            self._count(Ended(task=task, outcome=Outcome.FAILED, number=task.attempts, error=why))
        for name in self._strangers():
            self._unknown.add(name)
            self._trouble(f"Tasks named {name!r} are due, and nothing here does them: is its app installed?")
        self._beat_at = time.monotonic() + self.terms.lease / BEATS

    def _strangers(self) -> list[str]:
        rows = Task.objects.using(self.terms.using).due().exclude(matching(*self.terms.names, *self._unknown))
        rows = rows if self.terms.agents is None else rows.filter(agent__in=self.terms.agents)
        return list(rows.tagged(*self.terms.tags).order_by("name").values_list("name", flat=True).distinct()[:10])

    def _rest(self) -> float:
        """Return how long nothing happens unless there is news, in seconds."""
        next_look = self._look_at if self._busy < self.terms.concurrency else math.inf
        return min(LONGEST_REST, min(self._beat_at, next_look, self._until) - time.monotonic())

    def _listen(self, seconds: float) -> None:
        """Wait for the first news, and take in all that there is."""
        try:
            self._take_in(self._news.get(timeout=max(0.0, seconds)))
            while True:
                self._take_in(self._news.get_nowait())
        except Empty:
            pass

    def _take_in(self, ended: Ended | None) -> None:
        if ended is not None:
            self._busy -= 1
            self._look_at = 0.0
            self._held = {lease: task for lease, task in self._held.items() if task is not ended.task}
            self._count(ended)

    def _count(self, ended: Ended) -> None:
        self.counts[ended.outcome] += 1
        self._tell(ended)

    def _hand(self) -> None:
        """Do one task after another, in a thread."""
        while (task := self._work.get()) is not None:
            self._news.put(attempt(task, handler_of(task.name), self.terms.using))
        connections.close_all()

    def _pass_over(self, error: Exception) -> None:
        """Go on with the other tasks where a row of another program can't be read. Its lease will run out."""
        self._most, self._dry = 1, False  # one at a time from now on: no other task is taken along with such a one
        self._beat_at = max(self._beat_at, time.monotonic() + self.terms.poll)
        reason = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        if reason not in self._told:
            self._told.add(reason)
            self._trouble(f"A task can't be read ({reason}). Those beside it are done, one at a time.")

    def _down(self, error: Exception) -> None:
        connections[self.terms.using].close()
        if self._down_since is None:
            self._down_since = time.monotonic()
            reason = str(error).strip().partition("\n")[0]
            self._trouble(f"The database can't be used ({reason}). Trying again until it can.")

    def _up(self) -> None:
        if self._down_since is not None:
            self._trouble(f"The database is back after {time.monotonic() - self._down_since:.1f} s.")
            self._down_since = None

    def _give_back(self) -> None:
        """Let others take what is not done in time."""
        self._listen(0)
        for task in self._held.values():
            try:
                Task.objects.using(self.terms.using).release(task)
            except LeaseLost:
                continue
            except CONNECTION_LOST as error:
                self._trouble(f"Could not give tasks back, whose leases run out by themselves: {error}")
                return
            self.given_back.append(task)
