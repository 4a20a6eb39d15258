"""A backend for Django's tasks: `enqueue()` writes a row, and the workers of agents run it.

    TASKS = {"default": {"BACKEND": "core_tables.task_backend.AgentTaskBackend", "OPTIONS": {"AGENT": "Ada"}}}

The row is written in the transaction of whoever enqueues, if that is on the same database: it counts with that one's
commit, and is gone with its rollback, with no `transaction.on_commit()` about it.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core import checks
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import connections, router

try:
    from django.tasks import Task as Work
    from django.tasks import TaskResult
    from django.tasks.backends.base import BaseTaskBackend
    from django.tasks.exceptions import TaskResultDoesNotExist
    from django.tasks.signals import task_enqueued
    from django.utils.json import normalize_json
except ImportError as error:
    raise ImproperlyConfigured(
        "core_tables.task_backend stands on django.tasks, which Django has from 6.0 on. Until then, register functions "
        "with @agent_task and write tasks with Task.objects.schedule()."
    ) from error

from core_tables.models import Agent, Task
from core_tables.worker.django_tasks import PREFIX, DjangoTasks, call, result_of, work_of
from core_tables.worker.registry import register

OPTIONS = {"AGENT", "DATABASE", "MAX_ATTEMPTS"}


def tag_of(queue: str) -> str:
    """Return the tag by which a worker picks the tasks of a queue: `run_agent_tasks --tag queue:emails`."""
    return f"queue:{queue}"


class AgentTaskBackend(BaseTaskBackend):
    """Keeps tasks in the table of an agent's tasks.

    Options:
        AGENT: the id or the name of the agent that they are for.
        DATABASE: the alias of the database; by default, where the routers write tasks.
        MAX_ATTEMPTS: how often a task may be started; 1 by default, for, as with Django's own backends, what raised or
            was killed has failed. Above 1 it is tried again, as `Task.objects.fail()` says.
    """

    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    # There is no column for it; a worker of its own with --tag does what is urgent.
    supports_priority = False

    def enqueue(self, task: "Work[..., Any]", args: Iterable[Any], kwargs: dict[str, Any]) -> "TaskResult[..., Any]":  # type: ignore[override]
        """Write the task down, and return its result to be.

        Raises:
            ImproperlyConfigured: the agent is not there.
            TypeError: an argument is no JSON.
        """
        self.validate_task(task)
        arguments = {"args": normalize_json(list(args)), "kwargs": normalize_json(dict(kwargs))}
        place = {"backend": self.alias, "queue": task.queue_name}
        row = Task.objects.using(self.database).schedule(
            PREFIX + task.module_path,
            agent=self._agent(),
            at=task.run_after,
            tags=["django.tasks", tag_of(task.queue_name)],
            metadata={**arguments, **place, "run_after": task.run_after and task.run_after.isoformat()},
            max_attempts=self.options.get("MAX_ATTEMPTS", 1),
        )
        result = result_of(row, task)
        task_enqueued.send(type(self), task_result=result)
        return result

    def get_result(self, result_id: str) -> "TaskResult[..., Any]":
        """Return how far a task has come.

        Raises:
            TaskResultDoesNotExist: this backend has no such task, or has it no longer.
        """
        try:
            row = Task.objects.using(self.database).get(
                pk=result_id, name__startswith=PREFIX, metadata__backend=self.alias
            )
        except (Task.DoesNotExist, ValidationError) as error:
            raise TaskResultDoesNotExist(result_id) from error
        return result_of(row, work_of(row))

    def check(self, **_: Any) -> list[checks.CheckMessage]:
        """Return what is wrong with the options, without a look into the database."""
        wrong: list[str] = []
        if not self.options.get("AGENT"):
            wrong.append("has no AGENT: set it to the id or the name of the agent that the tasks are for")
        if unknown := sorted(set(self.options) - OPTIONS):
            wrong.append(f"does not know {', '.join(unknown)}: it knows {', '.join(sorted(OPTIONS))}")
        attempts = self.options.get("MAX_ATTEMPTS", 1)
        if not isinstance(attempts, int) or attempts < 1:
            wrong.append(f"has MAX_ATTEMPTS = {attempts!r}: it has to be a number of 1 or more")
        if self.database not in connections or connections[self.database].vendor != "postgresql":
            wrong.append(f"has DATABASE = {self.database!r}: it has to be the alias of a PostgreSQL database")
        return [checks.Error(f'TASKS[{self.alias!r}]["OPTIONS"] {what}.', id="core_tables.E101") for what in wrong]

    @property
    def database(self) -> str:
        """The alias of the database that has the tasks."""
        return str(self.options.get("DATABASE") or router.db_for_write(Task))

    def _agent(self) -> UUID:
        told = self.options.get("AGENT", "")
        try:
            return told if isinstance(told, UUID) else UUID(str(told))
        except ValueError:
            found = list(Agent.objects.using(self.database).filter(name=told).values_list("pk", flat=True)[:2])
        if len(found) != 1:
            why = "several agents have that name: give the id" if found else "there is no such agent"
            raise ImproperlyConfigured(f"TASKS[{self.alias!r}]: AGENT is {told!r}, but {why}.")
        return found[0]


register(DjangoTasks(name=PREFIX + "*", function=call))
