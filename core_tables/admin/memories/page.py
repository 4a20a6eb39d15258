"""What surrounds a memory on its page: much like it, before and after it, and the parts of a document."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models.functions import Left

from core_tables.admin.memories.rows import WORDLESS, WORDS, line, listed
from core_tables.admin.shown import brief, text_of
from core_tables.models import Memory, Message
from core_tables.querysets.base import Cursor

ALIKE, AROUND, FRAGMENTS = 5, 3, 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something in a room: a memory, or a message as it was said."""

    at: datetime.datetime
    kind: str
    who: str
    text: str
    memory: UUID | None = None
    here: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a page shows besides the memory itself. A document has `fragments`, a fragment its `document`."""

    alike: Sequence[Any]
    around: Sequence[Moment]
    fragments: Sequence[Any]
    more_fragments: bool
    document: UUID | None

    @classmethod
    def of(cls, memory: Memory, *, messages: bool, names: bool) -> "Surroundings":
        """Look around a memory.

        Args:
            messages: whether whoever looks may see messages.
            names: whether they may see entities; else they are told ids.
        """
        kind = _metadata(memory).get("type")
        fragments = list(_fragments(memory)[: FRAGMENTS + 1]) if kind == "document" else []
        return cls(
            alike=_alike(memory),
            around=sorted(_around(memory, messages=messages, names=names), key=lambda one: one.at),
            fragments=fragments[:FRAGMENTS],
            more_fragments=len(fragments) > FRAGMENTS,
            document=_as_id(_metadata(memory).get("documentId")) if kind == "fragment" else None,
        )


def _metadata(memory: Memory) -> dict[str, Any]:
    return memory.metadata if isinstance(memory.metadata, dict) else {}


def _alike(memory: Memory) -> list[Any]:
    return listed(Memory.objects.all()).similar_to(memory, ALIKE, agent=memory.agent_id, expired=True)


def _fragments(memory: Memory) -> Any:
    return listed(Memory.objects.fragments_of(memory).filter(agent=memory.agent_id))


def _around(memory: Memory, *, messages: bool, names: bool) -> Iterator[Moment]:
    if memory.room_id is None:
        return
    here = Cursor.of(memory)
    yield Moment(
        at=memory.created_at,
        kind=memory.type,
        who=_who(memory.entity, names=names),
        text=brief(text_of(memory.content)) or WORDLESS,
        memory=memory.pk,
        here=True,
    )
    rooms = listed(Memory.objects.in_rooms(memory.room_id))
    for row in (*rooms.page(before=here, size=AROUND), *rooms.page(after=here, size=AROUND)):
        yield Moment(at=row.created_at, kind=row.type, who=_who(row.entity, names=names), text=line(row), memory=row.pk)
    if messages:
        yield from _said(memory, here, names=names)


def _said(memory: Memory, here: Cursor, *, names: bool) -> Iterator[Moment]:
    rows = Message.objects.filter(room=memory.room_id).select_related("author")
    rows = rows.only("created_at", "room", "author", "author__names").annotate(words=Left("content", WORDS))
    for row in (*rows.page(before=here, size=AROUND), *rows.page(after=here, size=AROUND)):
        who, text = _who(row.author, names=names), brief(row.words)  # type: ignore[attr-defined]
        yield Moment(at=row.created_at, kind="message", who=who, text=text)


def _who(entity: Any, *, names: bool) -> str:
    return brief(str(entity if names else entity.pk), 40) if entity else ""


def _as_id(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
