"""One attempt at one task, from the first line of its handler to the note of how it ended."""

import datetime
import json
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db import DataError, InterfaceError, OperationalError, connections, reset_queries, transaction

from core_tables.exceptions import GiveUp, LeaseLost, TryLater
from core_tables.models import Task
from core_tables.worker.registry import Handler

if TYPE_CHECKING:
    from core_tables.querysets.tasks import TaskQuerySet

CONNECTION_LOST = (OperationalError, InterfaceError)
LONGEST_WAIT = 5.0  # seconds between two looks whether the database is back
log = logging.getLogger(__name__)


class Outcome(StrEnum):
    DONE = "done"
    RETRY = "to be tried again"
    FAILED = "failed"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How an attempt ended. The task is as its row is then; `number` is the attempt's, from 1."""

    task: Task
    outcome: Outcome
    number: int
    seconds: float = 0.0
    error: BaseException | None = None


def attempt(task: Task, handler: Handler, using: str) -> Ended:
    """Run the handler of a claimed task, and note how that ended. Raises nothing."""
    started, number = time.monotonic(), task.attempts
    tasks = Task.objects.using(using)
    error: BaseException | None = None
    try:
        _done(tasks, task, handler, using)
        outcome = Outcome.DONE
    except BaseException as raised:  # noqa: BLE001 - whatever a handler raises, SystemExit too, ends its task only
        error = raised
        outcome = _noted(tasks, task, handler, raised, using)
    tell(task, handler)
    _tidy()
    return Ended(task=task, outcome=outcome, number=number, seconds=time.monotonic() - started, error=error)


def tell(task: Task, handler: Handler) -> None:
    """Tell whom it concerns how an attempt ended; what they raise is theirs."""
    try:
        handler.over(task)
    except Exception:
        log.exception("What wanted to know how task %s (%s) ended raised.", task.pk, task.name)


def persistently(action: Callable[[], Any], using: str, *, sleep: Callable[[float], Any] = time.sleep) -> None:
    """Do something again until the database is there for it."""
    wait = 0.1
    while True:
        try:
            action()
        except CONNECTION_LOST:
            connections[using].close()
            sleep(wait * random.uniform(0.5, 1))  # noqa: S311 - spreads the load, keeps no secret
            wait = min(LONGEST_WAIT, wait * 2)
        else:
            return


def _done(tasks: "TaskQuerySet", task: Task, handler: Handler, using: str) -> None:
    if handler.atomic:
        with transaction.atomic(using=using):
            _complete(tasks, task, handler.run(task))
        return
    result = handler.run(task)
    persistently(lambda: _complete(tasks, task, result), using)


def _complete(tasks: "TaskQuerySet", task: Task, result: Any) -> None:
    """Note the result. One that no row can hold won't be better the next time."""
    try:
        json.dumps(result, allow_nan=False)
        tasks.complete(task, result)
    except (TypeError, ValueError, DataError) as error:
        kind = type(result).__name__
        raise GiveUp(f"The task returned {kind} that is no JSON for PostgreSQL: return None, or plain data.") from error


def _noted(tasks: "TaskQuerySet", task: Task, handler: Handler, error: BaseException, using: str) -> Outcome:
    """Note what went wrong, and return what comes of it."""
    # One that asks for no time at all, as a limit that has just passed does, waits like any other.
    after = error.after if isinstance(error, TryLater) and error.after > datetime.timedelta(0) else None
    try:
        if isinstance(error, LeaseLost):
            return _settled(tasks, task, using)
        note, retry = handler.failed(task, error), not isinstance(error, GiveUp)
        persistently(lambda: tasks.fail(task, error, retry=retry, after=after, note=note), using)
        return _outcome(task)
    except LeaseLost:
        return _settled(tasks, task, using)
    except Exception:
        log.exception("Could not note how task %s (%s) ended. Its lease will run out.", task.pk, task.name)
        return Outcome.LOST


def _settled(tasks: "TaskQuerySet", task: Task, using: str) -> Outcome:
    """Tell what became of a task whose lease no longer stands.

    It may have been ended under this lease: by its own code, or by a statement whose answer got lost.
    """
    found: list[Task] = []
    persistently(lambda: found.extend(tasks.filter(pk=task.pk, lease=task.lease)), using)
    if not found or found[0].status == Task.Status.RUNNING:
        return Outcome.LOST
    for field in Task._meta.concrete_fields:
        setattr(task, field.attname, getattr(found[0], field.attname))
    return _outcome(task)


def _outcome(task: Task) -> Outcome:
    if task.status == Task.Status.PENDING and task.attempts:
        return Outcome.RETRY
    ended_well = task.status == Task.Status.DONE or (task.status == Task.Status.PENDING and not task.last_error)
    return Outcome.DONE if ended_well else Outcome.FAILED


def _tidy() -> None:
    """Leave no broken connection to the next task. A sound one stays open: opening costs more than most tasks."""
    reset_queries()
    for connection in connections.all(initialized_only=True):
        autocommit = connection.settings_dict["AUTOCOMMIT"]
        if connection.connection is not None and (connection.errors_occurred or connection.autocommit != autocommit):
            connection.close()
