"""What agents did: entries by the thousand, the runs that they tell of, and their end."""

import datetime
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import transaction

from core_tables.contents import check_row
from core_tables.querysets.base import RecordQuerySet, at_least_one, key_of, lockable, texts_of
from core_tables.querysets.runs import Run, summaries
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.models import Agent, Entity, Log, Room


class LogQuerySet(RecordQuerySet["Log"]):
    """Log entries."""

    def of_type(self, *types: str) -> Self:
        """Return the entries of any of these types."""
        return self.filter(type__in=texts_of(types, "Types"))

    def write(
        self,
        type: str,  # noqa: A002
        body: dict[str, Any],
        *,
        entity: "Entity | UUID",
        room: "Room | UUID",
        agent: "Agent | UUID | None" = None,
    ) -> "Log":
        """Write one entry.

        Raises:
            InvalidContent: the type or the body hold what PostgreSQL has no text for, or the body is no JSON.
        """
        ids = {"entity_id": key_of(entity), "room_id": key_of(room), "agent_id": key_of(agent)}
        check_row(self.model(type=type, body=body))
        return self.create(type=type, body=body, **ids)

    awrite = twin(write)

    def write_many(self, entries: "Iterable[Log]", *, batch: int = 1000) -> int:
        """Write many entries, built but not saved, in one transaction; return how many.

        Raises:
            InvalidContent: as with `write()`; it says which of the entries, counted from 0.
        """
        rows = list(entries)
        for place, row in enumerate(rows):
            check_row(row, f"log entry {place} of these")
        return len(self.bulk_create(rows, batch_size=batch))

    awrite_many = twin(write_many)

    def runs(self, *, status: str | None = None, limit: int = 20) -> list[Run]:
        """Return the newest runs that these entries tell of, newest first. One query.

        `Log.objects.filter(room=room).between(start).runs()` looks there; counts are over all entries of a run.

        Args:
            status: only runs that are started, completed, timeout or error; None for all.
            limit: how many at most. Only the newest run events are looked at, twenty for each run asked for.

        Raises:
            ValueError: `limit` is less than 1.
        """
        limit = at_least_one(limit, "The limit")
        entries = self.model._base_manager.using(self.db)
        return list(summaries(self, entries, status=status, limit=limit))

    aruns = twin(runs)

    def delete_older_than(self, moment: datetime.datetime, *, batch: int = 5000) -> Iterator[int]:
        """Delete the entries written before a moment, and yield how many after each batch.

        Each batch is a transaction of its own, unless the caller has one open: what is deleted stays deleted when
        the caller stops in the middle. Several may run at once: none waits for the rows of another.

        Raises:
            ValueError: `batch` is less than 1.
        """
        batch = at_least_one(batch, "The batch")
        while count := self._delete_some(moment, batch):
            yield count
            if count < batch:
                return

    async def adelete_older_than(self, moment: datetime.datetime, *, batch: int = 5000) -> AsyncIterator[int]:
        """Do what `delete_older_than()` does, asynchronously."""
        batches = self.delete_older_than(moment, batch=batch)
        following = sync_to_async(lambda: next(batches, None))
        while (count := await following()) is not None:
            yield count

    def _delete_some(self, moment: datetime.datetime, batch: int) -> int:
        self._for_write = True
        with transaction.atomic(using=self.db):
            old = lockable(self.using(self.db).filter(created_at__lt=moment)).order_by()
            old = old.select_for_update(skip_locked=True, of=("self",))
            rows = self.model._base_manager.using(self.db).filter(pk__in=old.values("pk")[:batch])
            return rows.delete()[1].get(self.model._meta.label, 0)
