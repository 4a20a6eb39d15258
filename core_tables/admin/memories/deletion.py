"""What goes when memories are deleted, told in numbers: a document may have thousands of fragments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef
from django.db.models.deletion import get_candidate_relations_to_delete
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from core_tables.admin.memories.rows import named
from core_tables.admin.paginator import FAR
from core_tables.models import Embedding, Memory

NAMED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """Memories to be deleted.

    names: the first of them.
    related: {key that points to them: how many rows}, FAR at most each.
    """

    ids: Sequence[UUID]
    names: Sequence[Memory]
    related: dict[Any, int] = field(default_factory=dict)
    fragments: int = 0

    @classmethod
    def of(cls, ids: Sequence[UUID]) -> "Deletion":
        """Look at what would go."""
        every = [*ids, *(fragments := _fragments(ids))]
        related = {key: _pointing(key, every)[:FAR].count() for key in _keys()} if ids else {}
        names = named(Memory.objects.filter(pk__in=ids), NAMED)
        return cls(ids=ids, names=names, related=related, fragments=len(fragments))

    def shown(self, request: HttpRequest, site: Any) -> tuple[list[Any], dict[str, str], set[str], list[Any]]:
        """Return what Django's confirmations ask for: names, numbers, missing rights, and what forbids it."""
        protected = [row for key, count in self.related.items() if count and _forbids(key) for row in self._rows(key)]
        lacking = {
            str(key.model._meta.verbose_name)
            for key, count in self.related.items()
            if count and not _may_delete(key.model, request, site)
        }
        return list(self._names(site)), dict(self._numbers()), lacking, protected

    def _rows(self, key: Any) -> list[str]:
        return [str(row) for row in _pointing(key, self.ids)[:NAMED]]

    def _names(self, site: Any) -> Iterator[str]:
        for memory in self.names:
            page = reverse("admin:core_tables_memory_change", args=[memory.pk], current_app=site.name)
            yield format_html('Memory: <a href="{}">{}</a>', page, memory)
        if more := len(self.ids) - len(self.names):
            yield f"and {more:,} more"

    def _numbers(self) -> Iterator[tuple[str, str]]:
        yield "memories", f"{len(self.ids):,}"
        if self.fragments:
            yield "fragments of these", _at_most(self.fragments)
        for key, count in self.related.items():
            if count:
                yield str(key.model._meta.verbose_name_plural), _at_most(count)


def _fragments(ids: Sequence[UUID]) -> list[UUID]:
    """Return the ids of the fragments that would go along, FAR at most."""
    documents = Memory.objects.filter(pk__in=ids).annotate(key=Cast("pk", models.TextField()))
    rows = (
        Memory.objects.alias(document=KeyTextTransform("documentId", "metadata"))
        .filter(document__in=list(map(str, ids)))
        .filter(Exists(documents.filter(key=OuterRef("document"), agent=OuterRef("agent"))))
        .exclude(pk__in=ids)
    )
    return list(rows.values_list("pk", flat=True)[:FAR])


def _keys() -> Iterator[Any]:
    """Yield the keys of all models, also those of plugins, that point to a memory."""
    return (relation.field for relation in get_candidate_relations_to_delete(Memory._meta))  # type: ignore[arg-type, attr-defined]


def _pointing(key: Any, ids: Sequence[UUID]) -> Any:
    return key.model._base_manager.filter(**{f"{key.name}__in": ids}).order_by().only("pk")


def _forbids(key: Any) -> bool:
    return getattr(key.remote_field.on_delete, "__name__", "") in {"PROTECT", "RESTRICT"}


def _may_delete(model: type[models.Model], request: HttpRequest, site: Any) -> bool:
    """Ask as Django does: of models that the site does not know, nobody asks. A vector is a part of its memory."""
    if model is Embedding or not site.is_registered(model):
        return True
    return bool(site.get_model_admin(model).has_delete_permission(request))


def _at_most(count: int) -> str:
    return f"{count:,} or more" if count >= FAR else f"{count:,}"
