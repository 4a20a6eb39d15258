"""Which tasks: the questions of workers and of operators.

A task whose `run_at` is empty belongs to a program that knows nothing of that column. It is found by its tags, name
and room like any other, but it counts as neither pending nor due, and nothing here takes it.
"""

import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from core_tables.querysets.base import RecordQuerySet, key_of
from core_tables.querysets.task_sql import ago

if TYPE_CHECKING:
    from core_tables.models import Room, Task

PATIENCE = datetime.timedelta(minutes=5)


def matching(*names: str) -> Q:
    """Return the condition that a task has any of these names; one that ends in `*` stands for all that begin so."""
    chosen = Q(name__in=[name for name in names if not name.endswith("*")])
    for name in names:
        if name.endswith("*"):
            chosen |= Q(name__startswith=name.removesuffix("*"))
    return chosen


class TaskFilters(RecordQuerySet["Task"]):
    def tagged(self, *tags: str) -> Self:
        """Return the tasks that have all of these tags."""
        return self.filter(tags__contains=list(tags)) if tags else self.all()

    def named(self, *names: str) -> Self:
        """Return the tasks of any of these names; one that ends in `*` stands for all that begin so."""
        return self.filter(matching(*names))

    def in_room(self, room: "Room | UUID") -> Self:
        """Return the tasks for a room."""
        return self.filter(room_id=key_of(room))

    def ours(self) -> Self:
        """Return the tasks that are for our workers."""
        return self.filter(run_at__isnull=False)

    def pending(self) -> Self:
        """Return what waits for a worker, now or later."""
        return self.ours().filter(status=self.model.Status.PENDING)

    def due(self) -> Self:
        """Return what a worker may take now, the longest waiting first."""
        return self.pending().filter(run_at__lte=Now()).order_by("run_at")

    def running(self) -> Self:
        """Return what workers have taken, those that went away meanwhile included."""
        return self.ours().filter(status=self.model.Status.RUNNING)

    def lapsed(self) -> Self:
        """Return what counts as running though its lease has run out: its worker hangs or went away."""
        return self.running().filter(locked_until__lte=Now()).order_by("locked_until")

    def overdue(self, by: datetime.timedelta = PATIENCE) -> Self:
        """Return what nobody has been at for more than `by`: there are no workers, or too few, or none for its name."""
        waiting = Q(status=self.model.Status.PENDING, run_at__lt=ago(by))
        left = Q(status=self.model.Status.RUNNING, locked_until__lt=ago(by))
        return self.ours().filter(waiting | left)

    def failed(self) -> Self:
        """Return what was given up."""
        return self.ours().filter(status=self.model.Status.FAILED)

    def unfinished(self) -> Self:
        """Return what is pending or running."""
        return self.ours().filter(status__in=[self.model.Status.PENDING, self.model.Status.RUNNING])

    def held(self, *tasks: "Task") -> Self:
        """Return the rows of these tasks, as they were claimed, whose leases still stand."""
        running = self.filter(status=self.model.Status.RUNNING)
        return running.filter(pk__in=[task.pk for task in tasks], lease__in=[task.lease for task in tasks])
