"""Memories: which ones, and forgetting them."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Self
from uuid import UUID

from asgiref.sync import sync_to_async
from django.apps import apps
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Now

from core_tables.embeddings.widths import column_for
from core_tables.querysets.base import RecordQuerySet, key_of
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.models import Memory, Room, World

CHUNK = 1000  # ids in one statement


class MemoryLists(RecordQuerySet["Memory"]):
    """Choosing memories, and deleting those that are chosen."""

    def in_rooms(self, *rooms: "Room | UUID") -> Self:
        """Return the memories of any of these rooms."""
        return self.filter(room__in=[key_of(room) for room in rooms])

    def in_world(self, world: "World | UUID") -> Self:
        """Return the memories of a world."""
        return self.filter(world_id=key_of(world))

    def of_type(self, *types: str) -> Self:
        """Return the memories of any of these types."""
        return self.filter(type__in=types)

    def live(self) -> Self:
        """Return the memories that have not expired, by the clock of the database."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=Now()))

    def expired(self) -> Self:
        """Return the memories whose time is over, by the clock of the database."""
        return self.filter(expires_at__lte=Now())

    def with_embedding(self, width: int | None = None) -> Self:
        """Return the memories that have a vector, or one of this width."""
        return self.filter(_embedded(width))

    def without_embedding(self, width: int | None = None) -> Self:
        """Return the memories that have no vector, or none of this width."""
        return self.filter(~_embedded(width))

    def with_text(self) -> Self:
        """Return the memories that have words to embed."""
        return self.alias(_text=KeyTextTransform("text", "content")).filter(_text__regex=r"\S")

    def fragments_of(self, document: "Memory | UUID") -> Self:
        """Return the fragments of a document that its agent keeps, in the order of their positions."""
        agents = self.model._default_manager.filter(pk=key_of(document)).values("agent")
        rows = self.alias(_document=KeyTextTransform("documentId", "metadata")).filter(
            _document=str(key_of(document)), agent__in=agents
        )
        return rows.order_by(KeyTransform("position", "metadata"), "pk")

    def delete_with_fragments(self) -> tuple[int, dict[str, int]]:
        """Delete these memories and, of those that are documents, the fragments that the same agent keeps.

        Returns:
            How many rows went in all, and how many of each model, as from Django's `delete()`.
        """
        self._for_write = True
        with transaction.atomic(using=self.db):
            rows = self.using(self.db)
            # Locked, or a vector that is just being put to one of them would be left with no memory.
            chosen = list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
            found = self._forget(chosen)
        return found.total(), dict(found)

    # As with `delete()`: no template may call it, nor may it delete everything without an `all()`.
    delete_with_fragments.alters_data = True  # type: ignore[attr-defined]
    delete_with_fragments.queryset_only = True  # type: ignore[attr-defined]
    adelete_with_fragments = twin(delete_with_fragments)

    def delete_expired(self, batch: int = 5000) -> Iterator[int]:
        """Delete these memories as far as they have expired, with fragments; yield the number of each batch.

        Each batch is a transaction of its own. What others hold is passed over, and goes the next time. As a generator
        this does nothing until it is read: `sum(Memory.objects.delete_expired())`.

        Raises:
            ValueError: `batch` is less than 1.
        """
        if batch < 1:
            raise ValueError("A batch has at least 1 row.")
        self._for_write = True
        while True:
            with transaction.atomic(using=self.db):
                rows = self.using(self.db).expired().order_by("expires_at")
                rows = rows.select_for_update(skip_locked=True, of=("self",))
                chosen = list(rows.values_list("pk", flat=True)[:batch])
                deleted = self._forget(chosen)[self.model._meta.label]
            if not chosen:
                return
            yield deleted

    async def adelete_expired(self, batch: int = 5000) -> AsyncIterator[int]:
        """Do what `delete_expired()` does, asynchronously."""
        batches = self.delete_expired(batch)
        following = sync_to_async(lambda: next(batches, None))
        while (deleted := await following()) is not None:
            yield deleted

    def _all(self) -> "models.QuerySet[Memory]":
        """Return all memories where this queryset writes, whatever it is filtered by."""
        return self.model._base_manager.using(self.db)

    def _forget(self, ids: Sequence[UUID]) -> Counter[str]:
        found: Counter[str] = Counter()
        for start in range(0, len(ids), CHUNK):
            found.update(self._forget_some(ids[start : start + CHUNK]))
        return found

    def _forget_some(self, ids: Sequence[UUID]) -> dict[str, int]:
        documents = self._all().filter(pk__in=ids).annotate(key=Cast("pk", models.TextField()))
        fragments = (
            self._all()
            .annotate(document=KeyTextTransform("documentId", "metadata"))
            .filter(Exists(documents.filter(key=OuterRef("document"), agent=OuterRef("agent"))))
        )
        every = {*ids, *fragments.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True)}
        # Their ids are all that Django's collector needs to see.
        return self._all().filter(pk__in=every).only("pk").delete()[1]


def _embedded(width: int | None) -> Exists:
    rows = apps.get_model("core_tables", "Embedding")._default_manager.filter(memory=OuterRef("pk"))
    # EXISTS, not a join: in databases made by others one memory may have several rows.
    return Exists(rows if width is None else rows.filter(**{f"{column_for(width).name}__isnull": False}))
