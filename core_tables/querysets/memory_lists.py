"""Memories: which ones."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Now

from core_tables.embeddings.widths import column_for
from core_tables.querysets.base import RecordQuerySet, key_of

if TYPE_CHECKING:
    from core_tables.models import Memory, Room, World


class MemoryLists(RecordQuerySet["Memory"]):
    """Choosing memories."""

    def in_rooms(self, *rooms: "Room | UUID | Iterable[Room | UUID]") -> Self:
        """Return the memories of any of these rooms: rows or their ids, one by one or several together."""
        return self.filter(room__in=[key_of(room) for room in _each(rooms)])

    def in_world(self, world: "World | UUID") -> Self:
        """Return the memories of a world."""
        return self.filter(world_id=key_of(world))

    def of_type(self, *types: str | Iterable[str]) -> Self:
        """Return the memories of any of these types, one by one or several together."""
        return self.filter(type__in=list(_each(types)))

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

    def _all(self) -> "models.QuerySet[Memory]":
        """Return all memories where this queryset writes, whatever it is filtered by."""
        return self.model._base_manager.using(self.db)


def _each(given: Iterable[Any]) -> Iterator[Any]:
    for one in given:
        if isinstance(one, Iterable) and not isinstance(one, str):
            yield from one
        else:
            yield one


def _embedded(width: int | None) -> Exists:
    rows = apps.get_model("core_tables", "Embedding")._default_manager.filter(memory=OuterRef("pk"))
    # EXISTS, not a join: in databases made by others one memory may have several rows.
    return Exists(rows if width is None else rows.filter(**{f"{column_for(width).name}__isnull": False}))
