"""Memories: deleting them, by several at once too.

Whoever deletes a document deletes its fragments, which others may have chosen by themselves. So all rows are locked
before any goes: by those who have to delete them all, in the order of their ids, and by those who may leave some for
the next time, without waiting.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from typing import TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import OperationalError, connections, transaction
from django.db.models import Exists, F, OuterRef, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from core_tables.querysets.base import at_least_one, lockable, with_keys
from core_tables.querysets.memory_lists import MemoryLists
from core_tables.twins import twin

R = TypeVar("R")

# PostgreSQL ends one of those that wait in a circle. Only with others, as with one that deletes the whole agent.
DEADLOCK = "40P01"
ATTEMPTS = 5
CHUNK = 1000  # memories that one statement deletes


class MemoryForgetting(MemoryLists):
    """Deleting memories with what belongs to them."""

    def delete_with_fragments(self) -> tuple[int, dict[str, int]]:
        """Delete these memories and, of those that are documents, the fragments that the same agent keeps.

        Returns:
            How many rows went in all, and how many of each model, as from Django's `delete()`.
        """
        self._for_write = True
        return self._undeadlocked(self._delete_with_fragments)

    # As with `delete()`: no template may call it, nor may it delete everything without an `all()`.
    delete_with_fragments.alters_data = True  # type: ignore[attr-defined]
    delete_with_fragments.queryset_only = True  # type: ignore[attr-defined]
    adelete_with_fragments = twin(delete_with_fragments)

    def delete_expired(self, batch: int = 5000) -> Iterator[int]:
        """Delete these memories as far as they have expired, with fragments; yield the number of each batch.

        Each batch is a transaction of its own. What others hold is passed over, and goes the next time; so is a
        document with a fragment that others hold. Any number of these may run at once. As a generator this does
        nothing until it is read: `sum(Memory.objects.delete_expired())`.

        Raises:
            TypeError, ValueError: `batch` is no whole number from 1 on.
        """
        batch = at_least_one(batch, "The batch")
        self._for_write = True
        held: set[UUID] = set()
        while True:
            passed_over = held.copy()
            chosen, deleted = self._undeadlocked(lambda: self._delete_expired(batch, passed_over))  # noqa: B023
            if deleted:
                yield deleted
            elif chosen:
                held |= chosen
            else:
                return

    async def adelete_expired(self, batch: int = 5000) -> AsyncIterator[int]:
        """Do what `delete_expired()` does, asynchronously."""
        batches = self.delete_expired(batch)
        following = sync_to_async(lambda: next(batches, None))
        while (deleted := await following()) is not None:
            yield deleted

    def _delete_with_fragments(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic(using=self.db):
            chosen = set(self.using(self.db).values_list("pk", flat=True))
            locked = self._locked(chosen | self._fragments(chosen).keys(), skip_locked=False)
            # What changed before it was locked, and is no longer meant, stays.
            chosen = set(with_keys(self.using(self.db), locked).values_list("pk", flat=True))
            found = self._forget(locked & (chosen | self._fragments(chosen).keys()))
        return found.total(), dict(found)

    def _delete_expired(self, batch: int, passed_over: Collection[UUID]) -> tuple[set[UUID], int]:
        """Choose some that have expired, and delete what can be; return what was chosen, and how many went."""
        with transaction.atomic(using=self.db):
            rows = lockable(self.using(self.db).expired().exclude(pk__in=passed_over)).order_by("expires_at")
            rows = rows.select_for_update(skip_locked=True, of=("self",))
            chosen = set(rows.values_list("pk", flat=True)[:batch])
            fragments = self._fragments(chosen)
            locked = chosen | self._locked(fragments.keys() - chosen, skip_locked=True)
            held = {document for fragment, document in fragments.items() if fragment not in locked}
            left = held | {fragment for fragment, document in fragments.items() if document in held}
            return chosen, self._forget(locked - left)[self.model._meta.label]

    def _fragments(self, documents: Collection[UUID]) -> dict[UUID, UUID]:
        """Return the fragments that the agents of documents keep of these, each with its document."""
        if not documents:
            return {}
        chosen = with_keys(self._all(), documents).annotate(key=Cast("pk", TextField()))
        same = chosen.filter(key=OuterRef("document"), agent=OuterRef("agent"))
        rows = self._all().annotate(document=KeyTextTransform("documentId", "metadata")).filter(Exists(same))
        return {fragment: UUID(document) for fragment, document in rows.values_list("pk", F("document"))}

    def _locked(self, ids: Collection[UUID], *, skip_locked: bool) -> set[UUID]:
        """Lock these in the order of their ids; return those that are there."""
        if not ids:
            return set()
        rows = with_keys(self._all(), ids).order_by("pk").select_for_update(skip_locked=skip_locked, of=("self",))
        return set(rows.values_list("pk", flat=True))

    def _forget(self, ids: Iterable[UUID]) -> Counter[str]:
        every, found = sorted(ids), Counter[str]()
        for start in range(0, len(every), CHUNK):
            # Their ids are all that Django's collector needs to see.
            found.update(with_keys(self._all(), every[start : start + CHUNK]).only("pk").delete()[1])
        return found

    def _undeadlocked(self, action: Callable[[], R]) -> R:
        """Do something in a transaction of its own, a few times where PostgreSQL ends it for a deadlock."""
        for _ in range(ATTEMPTS - 1):
            try:
                return action()
            except OperationalError as error:
                mine = not connections[self.db].in_atomic_block
                if not mine or getattr(error.__cause__, "sqlstate", None) != DEADLOCK:
                    raise
        return action()
