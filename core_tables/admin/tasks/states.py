"""Where tasks stand, in the words of operators; each list of them has an order that an index serves."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from core_tables.models import Task
from core_tables.querysets.task_filters import PATIENCE
from core_tables.querysets.task_sql import ago

Status = Task.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Tasks that an operator looks for.

    rows: narrows a queryset of tasks to these.
    order: of their list.
    """

    label: str
    rows: Callable[[Any], Any]
    order: tuple[str, ...]


def _ended(status: str) -> State:
    return State(label=status, rows=lambda tasks: tasks.filter(status=status), order=("-finished_at",))


WAITING, ANY = "waiting", "any"
STATES = {
    WAITING: State(label="waiting", rows=lambda tasks: tasks.pending(), order=("run_at",)),
    "due": State(label="due", rows=lambda tasks: tasks.due(), order=("run_at",)),
    # What a worker left behind is overdue too, but has a list of its own: no index has both in one order.
    "overdue": State(
        label="overdue", rows=lambda tasks: tasks.pending().filter(run_at__lt=ago(PATIENCE)), order=("run_at",)
    ),
    "running": State(label="running", rows=lambda tasks: tasks.running(), order=("locked_until",)),
    "lapsed": State(label="lapsed", rows=lambda tasks: tasks.lapsed(), order=("locked_until",)),
    "failed": _ended(Status.FAILED),
    "done": _ended(Status.DONE),
    "cancelled": _ended(Status.CANCELLED),
    "foreign": State(label="another program's", rows=lambda tasks: tasks.filter(run_at=None), order=("-created_at",)),
    ANY: State(label="any, by agent and name", rows=lambda tasks: tasks, order=("agent_id", "name")),
}


def state_of(task: Task) -> str:
    """Return where a task stands now, for people."""
    now = timezone.now()
    if task.run_at is None:
        return "another program's"
    if task.status == Status.PENDING and task.run_at <= now:
        return "overdue" if task.run_at < now - PATIENCE else "due"
    if task.status == Status.RUNNING and task.locked_until is not None and task.locked_until <= now:
        return "lapsed"
    return "waiting" if task.status == Status.PENDING else str(task.status)


def spelled(every: datetime.timedelta | None) -> str:
    """Return how often something repeats, "" where it does not: every 1 day 2 hours."""
    if every is None or every <= datetime.timedelta(0):
        return ""
    minutes, seconds = divmod(every.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = {"day": every.days, "hour": hours, "minute": minutes, "second": seconds}
    told = [f"{count:,} {unit}{'s' if count > 1 else ''}" for unit, count in parts.items() if count]
    return f"every {' '.join(told)}" if told else "more than once a second"
