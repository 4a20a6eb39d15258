"""Embeddings: their widths and models, and putting vectors to memories that are there already."""

import itertools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.utils import timezone
from pgvector import Vector

from core_tables.contents import check_text
from core_tables.embeddings.widths import checked, column_for, widths
from core_tables.querysets.base import RecordQuerySet, key_of
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.models import Embedding  # noqa: F401 - in a string that the linter takes for text


class EmbeddingQuerySet(RecordQuerySet["Embedding"]):
    """The vectors of memories."""

    def of_width(self, width: int) -> Self:
        """Return those that have a vector of this width.

        Raises:
            UnknownWidth: no column is as wide.
        """
        return self.filter(**{f"{column_for(width).name}__isnull": False})

    def made_by(self, model: str) -> Self:
        """Return those whose vectors this embedding model made."""
        return self.filter(model=model)

    def put(self, vectors: Mapping[Any, Any], *, model: str | None = None, clear_old: bool = False) -> int:
        """Give memories their vectors, in place of older ones of the same width; return how many memories have theirs.

        Args:
            vectors: a vector for each memory, or for its id. Memories that are gone are passed over.
            model: the embedding model that made them.
            clear_old: take away the vectors of other widths. Else a search finds these memories by them as before.

        Raises:
            UnknownWidth: no column is as wide as a vector.
            InvalidVector: a vector has no cosine.
            InvalidContent: `model` is not a text that PostgreSQL takes.
        """
        if model is not None:
            check_text(model, "The name of the model")
        key = apps.get_model("core_tables", "Memory")._meta.pk
        wanted = {key.to_python(key_of(memory)): checked(vector) for memory, vector in vectors.items()}
        self._for_write = True
        with transaction.atomic(using=self.db):
            agents = self._locked(wanted)
            rows = list(self.model._default_manager.using(self.db).filter(memory__in=agents).only("pk", "memory"))
            self._update(rows, wanted, agents, {"model": model, "updated_at": timezone.now()}, clear_old=clear_old)
            there = {row.memory_id for row in rows}
            self.model._default_manager.using(self.db).bulk_create(
                self.model(memory_id=memory, agent_id=agent, model=model, **_columns(wanted[memory]))
                for memory, agent in agents.items()
                if memory not in there
            )
        return len(agents)

    aput = twin(put)

    def _locked(self, memories: Iterable[UUID]) -> dict[UUID, UUID]:
        """Return the agents of memories, which nobody else changes or deletes until the end of the transaction.

        The lock is what keeps two writers from giving one memory two rows: databases made by others have no
        constraint against it.
        """
        rows = apps.get_model("core_tables", "Memory")._base_manager.using(self.db).filter(pk__in=memories)
        return dict(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", "agent_id"))

    def _update(
        self,
        rows: Iterable[Any],
        vectors: Mapping[UUID, Vector],
        agents: Mapping[UUID, UUID],
        values: dict[str, Any],
        *,
        clear_old: bool,
    ) -> None:
        def width(row: Any) -> int:
            return vectors[row.memory_id].dimensions()

        for _, group in itertools.groupby(sorted(rows, key=width), key=width):
            changed = list(group)
            for row in changed:
                row.agent_id = agents[row.memory_id]
                new = _columns(vectors[row.memory_id], clear_old=clear_old) | values
                for name, value in new.items():
                    setattr(row, name, value)
            self.model._default_manager.using(self.db).bulk_update(changed, ["agent", *new])


def _columns(vector: Vector, *, clear_old: bool = False) -> dict[str, Any]:
    own = {column_for(vector.dimensions()).name: vector}
    return dict.fromkeys((column_for(width).name for width in widths()), None) | own if clear_old else own
