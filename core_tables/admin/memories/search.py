"""Searching from the box above the list of memories: by words, by meaning, or by both."""

from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import F, FloatField, Func, IntegerField, UUIDField, Value

from core_tables.admin.memories.embedding import embedded
from core_tables.search.matching import Match

if TYPE_CHECKING:
    from core_tables.querysets.memories import MemoryQuerySet

FOUND = 100


class By(StrEnum):
    """What a search goes by. TEXT needs nothing; the others need the project's embedder."""

    TEXT = "text"
    MEANING = "meaning"
    BOTH = "both"

    @classmethod
    def of(cls, value: str | None) -> "By":
        """Return the one of this name, TEXT where there is none."""
        return cls(value) if value in set(cls) else cls.TEXT


# What tells how well a memory fits, by the name of its attribute.
MEASURE = {By.TEXT: "rank", By.MEANING: "similarity", By.BOTH: "score"}


class Item(Func):
    """An element of an array, by its place from 1."""

    template = "(%(expressions)s]"
    arg_joiner = ")["
    arity = 2


def found(rows: "MemoryQuerySet", query: str, by: By) -> "MemoryQuerySet":
    """Return the memories that a search finds, FOUND at most, best first, each with its `fit`.

    Args:
        rows: where to look, expired ones included if they are there.
        query: what people write into a search box; or an id, which finds that memory.

    Raises:
        one of embedding.FAILURES: the embedder is missing, or failed.
    """
    if key := _id(query):
        return rows.filter(pk=key)
    measures = {
        memory.pk: float(getattr(memory, MEASURE[by]) or 0)
        for memory in _best(rows.select_related(None).only("pk"), query, by)
    }
    ids, fits = list(measures), list(measures.values())
    place = Func(
        Value(ids, output_field=ArrayField(UUIDField())),
        F("pk"),
        function="array_position",
        output_field=IntegerField(),
    )
    fit = Item(Value(fits, output_field=ArrayField(FloatField())), place, output_field=FloatField())
    results: MemoryQuerySet = rows.filter(pk__in=ids).annotate(fit=fit).order_by(place)
    return results


def _best(rows: "MemoryQuerySet", query: str, by: By) -> list[Any]:
    if by is By.TEXT:
        return rows.search_text(query, FOUND, match=Match.WEB, expired=True)
    vector = embedded(query)
    if by is By.MEANING:
        return rows.search(vector, FOUND, expired=True)
    return rows.search_hybrid(vector, query, FOUND, expired=True)


def _id(query: str) -> UUID | None:
    try:
        return UUID(query.strip())
    except ValueError:
        return None
