"""Memories as lists show them: the beginning of the text, names, and which vectors there are, but none of those."""

from typing import TYPE_CHECKING, Any

from django.db.models import Case, F, Func, JSONField, OuterRef, QuerySet, Subquery, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import JSONObject, Left

from core_tables.admin.shown import brief
from core_tables.admin.stranded import kept
from core_tables.embeddings.widths import column_for, widths
from core_tables.models import Embedding, Memory

if TYPE_CHECKING:
    from core_tables.querysets.memories import MemoryQuerySet

WORDS = 400  # characters
LISTED = ("type", "created_at", "expires_at", "agent__name", "entity__names")
NAMED = ("room__name", "room__source", "room__channel_id")
WORDLESS = "(no text)"


def _widths() -> Func:
    """Return the widths that an embedding has a vector of, as one text."""
    found = [Case(When(**{f"{column_for(width).name}__isnull": False}, then=Value(f"{width:,}"))) for width in widths()]
    return Func(Value(" and "), *found, function="concat_ws", output_field=TextField())


def beginning() -> Left:
    """Return the beginning of a memory's text, for `annotate()`."""
    return Left(KeyTextTransform("text", "content"), WORDS)


def listed(rows: "QuerySet[Memory]") -> "MemoryQuerySet":
    """Return these memories with `words` and `vectors`, and no more of them than a list needs."""
    vectors = Embedding.objects.filter(memory=OuterRef("pk")).values(
        found=JSONObject(widths=_widths(), model=F("model"))
    )
    keys = ("agent", "room", "entity")
    shown: Any = kept(rows).select_related(*keys).only("pk", *keys, *LISTED, *NAMED)
    return shown.annotate(words=beginning(), vectors=Subquery(vectors[:1], output_field=JSONField()))  # type: ignore[no-any-return]


def named(rows: "QuerySet[Memory]", most: int) -> list[Memory]:
    """Return up to so many memories that know their ids and names, and nothing else: not to be saved."""
    found = rows.order_by().annotate(words=beginning()).values_list("pk", "type", "words")[:most]
    return [Memory(pk=key, type=kind, content={"text": words}) for key, kind, words in found]


def line(memory: Any) -> str:
    """Return the text of a listed memory on one line."""
    return brief(memory.words or "") or WORDLESS


def vectors(memory: Any) -> str:
    """Return which vectors a listed memory has and what model made them, "" for none."""
    found = memory.vectors or {}
    if not found.get("widths"):
        return ""
    return f"{found['widths']} · {brief(found['model'], 40)}" if found.get("model") else str(found["widths"])
