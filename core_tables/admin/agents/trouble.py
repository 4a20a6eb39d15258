"""What an agent has to do and what went wrong: found among the first tasks and log entries of their kinds."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import Q, QuerySet
from django.db.models.functions import Right

from core_tables.admin.bounded import MOST, Amount, compiled, steady
from core_tables.admin.links import page_of
from core_tables.admin.moments import EPOCH, plain
from core_tables.admin.shown import brief
from core_tables.admin.stored import beginning
from core_tables.models import Agent, Log, Task
from core_tables.querysets.task_filters import PATIENCE
from core_tables.querysets.task_sql import ago

LAST = 10
LOOKED_AT = 1_000  # of each kind
WORDS = 300  # characters

AMONG = "(SELECT ARRAY[count(*) FILTER (WHERE agent_id = %s), count(*)] FROM ({}) AS found)"
ERROR_TYPES = ("run_event", "action", "embedding_event", "error")
ERRORS = (
    Q(type="error")
    | Q(type="run_event", body__status="error")
    | Q(type="action", body__result__success=False)
    | Q(type="embedding_event", body__status="failed")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """How many tasks of an agent are in these states: exact where the table has no more than MOST in that state."""

    due: Amount
    overdue: Amount
    failed: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    at: datetime.datetime
    kind: str
    name: str
    text: str
    page: str | None


def tasks(agent: Agent) -> Tasks:
    """Count the agent's tasks that want somebody's eye. One statement."""
    waiting = Task.objects.pending().filter(run_at__lt=ago(PATIENCE)).order_by("run_at")
    left = Task.objects.running().filter(locked_until__lt=ago(PATIENCE)).order_by("locked_until")
    due, late, lapsed, failed = _among(agent, [Task.objects.due(), waiting, left, _failed()])
    exact = late.about is lapsed.about is None
    overdue = Amount(counted=late.counted + lapsed.counted, about=None if exact else 0)
    return Tasks(due=due, overdue=overdue, failed=failed)


def task_errors(agent: Agent, site: str) -> list[Error]:
    """Return the last errors of the agent's tasks, of those that are given up and those that are tried again."""
    waiting = Task.objects.pending().order_by("run_at").values("pk")[:LOOKED_AT]
    rows = Task.objects.filter(Q(pk__in=_failed().values("pk")[:LOOKED_AT]) | Q(pk__in=waiting), agent=agent)
    found = rows.exclude(last_error=None).exclude(last_error="").annotate(end=Right("last_error", WORDS))
    return [
        Error(
            at=task.updated_at or task.created_at or plain(EPOCH),
            kind="task",
            name=brief(task.name) or str(task.pk),
            text=task.end,
            page=page_of("task_change", task.pk, site=site),
        )
        for task in found.only("name", "updated_at", "created_at").order_by("-updated_at")[:LAST]
    ]


def log_errors(agent: Agent, site: str) -> list[Error]:
    """Return the last log entries that tell of an error."""
    first, *others = [_latest(kind).values("pk")[:LOOKED_AT] for kind in ERROR_TYPES]
    rows: Any = Log.objects.filter(ERRORS, agent=agent, pk__in=first.union(*others, all=True))
    found = rows.annotate(begins=beginning("body", WORDS)).only("type", "created_at").order_by("-created_at")[:LAST]
    return [
        Error(
            at=log.created_at,
            kind="log entry",
            name=brief(log.type),
            text=log.begins,
            page=page_of("log_change", log.pk, site=site),
        )
        for log in found
    ]


def _failed() -> "QuerySet[Task]":
    return Task.objects.failed().order_by("-finished_at")


def _latest(kind: str) -> "QuerySet[Log]":
    # With `type = ...` the planner may walk back through entries of all types instead.
    return Log.objects.filter(type__gte=kind, type__lte=kind).order_by("-type", "-created_at")


def _among(agent: Agent, kinds: list[Any]) -> list[Amount]:
    """Count the agent's among the first MOST rows of each kind, whosever they are."""
    using = Task.objects.db
    parts = [compiled(rows.values("agent_id")[:MOST], using) for rows in kinds]
    sql = ", ".join(AMONG.format(sql) for sql, _ in parts)
    with steady(using), connections[using].cursor() as cursor:
        cursor.execute(f"SELECT {sql}", [param for _, params in parts for param in (agent.pk, *params)])
        found = cursor.fetchone()
    return [Amount(counted=own, about=None if every < MOST else 0) for own, every in found]
