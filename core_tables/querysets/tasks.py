"""Work for later: what an agent writes down, and what operators do about it."""

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connections, transaction
from django.db.models.functions import Now

from core_tables.exceptions import WrongStatus
from core_tables.querysets.base import key_of
from core_tables.querysets.task_input import FOREIGN_TAG, check_attempts, check_name, check_words, first_slot, texts
from core_tables.querysets.task_leases import LeaseQuerySet
from core_tables.references import clear_references
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.models import Agent, Entity, Room, Task, World

__all__ = ["FOREIGN_TAG", "TaskQuerySet"]
LOCK = "core_tables.tasks"


class TaskQuerySet(LeaseQuerySet):
    def schedule(
        self,
        name: str,
        *,
        agent: "Agent | UUID",
        at: datetime.datetime | datetime.timedelta | None = None,
        every: datetime.timedelta | None = None,
        room: "Room | UUID | None" = None,
        world: "World | UUID | None" = None,
        entity: "Entity | UUID | None" = None,
        tags: Iterable[str] = (),
        metadata: dict[str, Any] | None = None,
        description: str | None = None,
        max_attempts: int = 5,
    ) -> "Task":
        """Write down a task for our workers.

        Args:
            at: when it is due: an aware time, or a span from now; None for now.
            every: how often to do it again, counted from `at`, with missed slots left out; None for once.
            tags: what to find it by; a lone text is one tag.
            max_attempts: how often it may be started before it counts as failed.

        Raises:
            InvalidContent: PostgreSQL or an index would refuse name, tags, metadata or description.
            ValueError: `every` or `max_attempts` is not above 0, `at` or `every` leads past the year 9998, or a tag is
                "queue", by which elizaOS takes a task.
            TypeError: one of them is of another kind.
            UnknownAgent: there is no such agent. In a transaction of your own, a deferred constraint says so only when
                that commits, as an IntegrityError.
        """
        tags, metadata = texts(tags, f"The tags of task {name!r}"), metadata or {}
        check_words(name, tags, metadata, description)
        check_attempts(name, max_attempts)
        due = first_slot(name, at, every)
        with clear_references(self.model):
            return self.create(
                name=name,
                agent_id=key_of(agent),
                room_id=key_of(room),
                world_id=key_of(world),
                entity_id=key_of(entity),
                run_at=due,
                first_at=due,
                every=every,
                tags=tags,
                metadata=metadata,
                description=description,
                max_attempts=max_attempts,
            )

    aschedule = twin(schedule)

    def get_or_schedule(
        self, name: str, *, agent: "Agent | UUID", room: "Room | UUID | None" = None, **options: Any
    ) -> "tuple[Task, bool]":
        """Return the unfinished task of this name, agent and room, and whether it had to be scheduled.

        For what an agent wants done every hour, whenever the agent starts. Safe in several processes at once.
        `options` are those of `schedule()`; a task that is there already keeps its own.
        """
        check_name(name)
        self._for_write = True
        wanted = f"{key_of(agent)} {key_of(room)} {name}"
        with clear_references(self.model), transaction.atomic(using=self.db):
            with connections[self.db].cursor() as cursor:
                # No constraint says that there is one only: done ones stay, and other programs write several.
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(%s))", [LOCK, wanted])
            same = self._afresh().unfinished().filter(agent=key_of(agent), name=name, room_id=key_of(room))
            if found := same.order_by("created_at").first():
                return found, False
            return self.schedule(name, agent=agent, room=room, **options), True

    aget_or_schedule = twin(get_or_schedule)

    def retry(self, task: "Task | UUID") -> "Task":
        """Make a task due now, with all its attempts before it, and return it.

        Raises:
            WrongStatus: a worker has it, it is another program's, or it is gone.
        """
        return self._one(task, self._afresh().filter(pk=key_of(task))._restarted(), "run again")

    aretry = twin(retry)

    def retry_all(self) -> int:
        """Make all these tasks due now but those that workers have, and return how many: `failed().retry_all()`."""
        self._for_write = True
        return len(self._restarted())

    aretry_all = twin(retry_all)

    def cancel(self, task: "Task | UUID") -> "Task":
        """End a task that is pending or running, and return it. What its worker does by then counts no longer.

        Raises:
            WrongStatus: it is over already, another program's, or gone.
        """
        return self._one(task, self._afresh().filter(pk=key_of(task))._cancelled(), "be cancelled")

    acancel = twin(cancel)

    def cancel_all(self) -> int:
        """End those of the tasks that are pending or running, and return how many."""
        self._for_write = True
        return len(self._cancelled())

    acancel_all = twin(cancel_all)

    def _restarted(self) -> "list[Task]":
        resting = self.ours().exclude(status=self.model.Status.RUNNING)
        return resting._returning(
            status=self.model.Status.PENDING, run_at=Now(), attempts=0, lease=None, locked_until=None, finished_at=None
        )

    def _cancelled(self) -> "list[Task]":
        status = self.model.Status.CANCELLED
        return self.unfinished()._returning(status=status, lease=None, locked_until=None, finished_at=Now())

    def _one(self, task: "Task | UUID", changed: "list[Task]", what: str) -> "Task":
        if changed:
            return changed[0]
        now = self._afresh().filter(pk=key_of(task)).values_list("status", "run_at").first()
        if now is None:
            why = "there is no such task"
        elif now[1] is None:
            why = "it has no run_at, so it belongs to another program"
        else:
            why = f"it is {now[0]}"
        raise WrongStatus(f"Task {key_of(task)} cannot {what}: {why}.")
