"""Memories: changing what they say, and their vectors."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.utils import timezone

from core_tables.contents import as_content, content_json, metadata_json
from core_tables.querysets.base import key_of, lockable
from core_tables.querysets.memory_forgetting import MemoryForgetting
from core_tables.text_limit import clear_errors
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.models import Memory
    from core_tables.querysets.embeddings import EmbeddingQuerySet


class MemoryUpdates(MemoryForgetting):
    """Changing memories."""

    def put_embedding(self, memory: "Memory | UUID", vector: Any, *, model: str | None = None) -> None:
        """Give a memory a vector, in place of its older one of the same width; those of other widths stay.

        Raises:
            Memory.DoesNotExist: there is no such memory among these.
            UnknownWidth: no column is as wide as the vector.
            InvalidVector: the vector has no cosine.
        """
        self._for_write = True
        strange = self.query.where and not self.using(self.db).filter(pk=key_of(memory)).exists()
        if strange or not embeddings(self.db).put({memory: vector}, model=model):
            raise self.model.DoesNotExist(f"There is no memory {key_of(memory)} to put a vector to.")

    aput_embedding = twin(put_embedding)

    def update_content(
        self,
        memory: "Memory | UUID",
        content: Mapping[str, Any] | str,
        *,
        metadata: Mapping[str, Any] | None = None,
        vector: Any = None,
        model: str | None = None,
    ) -> None:
        """Replace what a memory says, and its metadata and its vector as far as given, in one transaction.

        Where its words change its old vectors go, of all widths: a search by what it said must not find it. Without a
        new one, `reembed` makes one.

        Raises:
            Memory.DoesNotExist: there is no such memory among these.
            InvalidContent, UnknownWidth, InvalidVector: as `add()`.
        """
        values: dict[str, Any] = {"content": as_content(content)}
        content_json(values["content"])
        if metadata is not None:
            metadata_json(metadata)
            values["metadata"] = metadata
        self._for_write = True
        with clear_errors(), transaction.atomic(using=self.db):
            rows = lockable(self.using(self.db).filter(pk=key_of(memory)))
            # Locked without what the rows may be joined to.
            before = rows.select_for_update(no_key=True, of=("self",)).values_list("content", flat=True).first()
            if before is None:
                raise self.model.DoesNotExist(f"There is no memory {key_of(memory)} to update.")
            self._all().filter(pk=key_of(memory)).update(updated_at=timezone.now(), **values)
            if not isinstance(before, dict) or before.get("text") != values["content"].get("text"):
                embeddings(self.db).filter(memory=key_of(memory)).delete()
            if vector is not None:
                embeddings(self.db).put({memory: vector}, model=model)

    aupdate_content = twin(update_content)


def embeddings(using: str) -> "EmbeddingQuerySet":
    rows: EmbeddingQuerySet = apps.get_model("core_tables", "Embedding")._default_manager.using(using)
    return rows
