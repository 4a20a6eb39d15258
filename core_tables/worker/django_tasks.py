"""How a worker runs Django's tasks, and how a row of ours reads as a result of Django's. From Django 6.0 on."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.tasks import Task as Work
from django.tasks import TaskContext, TaskResult, TaskResultStatus
from django.tasks.base import TaskError
from django.tasks.signals import task_finished, task_started
from django.utils.dateparse import parse_datetime
from django.utils.json import normalize_json
from django.utils.module_loading import import_string

from core_tables.exceptions import LeaseLost
from core_tables.models import Task
from core_tables.querysets.task_sql import described
from core_tables.worker.registry import Handler

PREFIX = "django.tasks:"
Status = Task.Status
STATUSES = {
    Status.PENDING: TaskResultStatus.READY,
    Status.RUNNING: TaskResultStatus.RUNNING,
    Status.DONE: TaskResultStatus.SUCCESSFUL,
    Status.FAILED: TaskResultStatus.FAILED,
    Status.CANCELLED: TaskResultStatus.FAILED,
}


def work_of(row: Task) -> "Work[..., Any]":
    """Return what a row calls, as its queue and backend run it."""
    path = row.name.removeprefix(PREFIX)
    work = import_string(path)
    if not isinstance(work, Work):
        raise ImproperlyConfigured(f"Task {row.pk}: {path} is no longer a task of Django's: decorate it with @task.")
    known = row.metadata or {}
    return work.using(queue_name=known["queue"], backend=known["backend"], run_after=_time(known.get("run_after")))


def result_of(row: Task, work: "Work[..., Any]") -> "TaskResult[..., Any]":
    """Return a row as Django's own kind of result."""
    known = row.metadata or {}
    result: TaskResult[..., Any] = TaskResult(
        task=work,
        id=str(row.pk),
        status=STATUSES[Status(row.status)],
        enqueued_at=row.created_at,
        started_at=_time(known.get("started_at")) or row.started_at,
        finished_at=row.finished_at,
        last_attempted_at=row.started_at,
        args=known["args"],
        kwargs=known["kwargs"],
        backend=known["backend"],
        errors=_errors(row),
        worker_ids=_workers(row),
    )
    object.__setattr__(result, "_return_value", known.get("result"))
    return result


def _errors(row: Task) -> list[TaskError]:
    """Return what was raised, and at the end what else ended the task."""
    raised = [TaskError(**error) for error in (row.metadata or {}).get("errors", [])]
    if row.status == Status.CANCELLED:
        return [*raised, TaskError(exception_class_path=_path(LeaseLost), traceback="It was cancelled.")]
    if row.status == Status.FAILED and len(raised) < row.attempts and (row.last_error or "").startswith("The lease of"):
        return [*raised, TaskError(exception_class_path=_path(LeaseLost), traceback=row.last_error or "")]
    return raised


def _workers(row: Task) -> list[str]:
    """Return a worker for each attempt, for Django counts them so. A killed one is known as long as it is the last."""
    known = list((row.metadata or {}).get("workers", []))
    unknown = row.attempts - len(known)
    return known if unknown < 1 else [*known, *["unknown"] * (unknown - 1), row.worker or "unknown"]


def _time(told: str | None) -> datetime.datetime | None:
    return parse_datetime(told) if told else None


def _path(kind: type[BaseException]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def call(row: Task) -> Any:
    """Run a task of Django's, and return what it returns."""
    work = work_of(row)
    result = result_of(row, work)
    task_started.send(type(work.get_backend()), task_result=result)
    context: list[TaskContext[..., Any]] = [TaskContext(task_result=result)] if work.takes_context else []
    return normalize_json(work.call(*context, *result.args, **result.kwargs))


@dataclass(frozen=True, slots=True, kw_only=True)
class DjangoTasks(Handler):
    """Runs all tasks of Django's, whatever their names."""

    def failed(self, task: Task, error: BaseException) -> dict[str, Any]:
        """Return all errors and workers so far, and when the first one started: what the columns can't hold."""
        known = task.metadata or {}
        told = {"exception_class_path": _path(type(error)), "traceback": described(error)}
        return {
            "errors": [*known.get("errors", []), told],
            "workers": [*_workers(task)],
            "started_at": known.get("started_at") or (task.started_at and task.started_at.isoformat()),
        }

    def over(self, task: Task) -> None:
        """Send Django's signal, once nothing more comes."""
        if task.status in {Status.DONE, Status.FAILED}:
            work = work_of(task)
            task_finished.send(type(work.get_backend()), task_result=result_of(task, work))
