"""Messages as a transcript shows them: who said it, on which side, in which colour, and what it answers."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core_tables.admin.rooms.transcript import WORDS
from core_tables.admin.shown import LONGEST, brief, laid_out
from core_tables.fields import texts
from core_tables.models import Room

HUES = 12
NAME = 60  # characters
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The message that another one answers; `here` where it is on the same page."""

    id: UUID
    room: UUID
    name: str
    words: str
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """A message, its texts cut where they are long.

    hue: 0 to HUES - 1, always the same for an entity; None for nobody.
    own: whether the agent of the room said it: the entity that has its id.
    """

    message: Any
    name: str
    initials: str
    hue: int | None
    own: bool
    reply: Reply | None
    words: str
    is_cut: bool
    attachments: list[str]
    raw: str

    @classmethod
    def of(cls, message: Any, room: Room, here: frozenset[UUID]) -> "Bubble":
        """Return the bubble of a message that `said()` found; `here` has the ids of its page."""
        author = message.author_id
        name = _name(message.author.names if message.author else None)
        return cls(
            message=message,
            name=name,
            initials=initials(name),
            hue=author.int % HUES if author else None,
            own=author is not None and author == room.agent_id,
            reply=_reply(message, here),
            words=message.words[:WORDS],
            is_cut=len(message.words) > WORDS,
            attachments=[brief(one) for one in (*(message.attached or ()), *(message.also_attached or ())) if one],
            raw=_laid_out(message.raw),
        )


def initials(name: str) -> str:
    """Return one or two letters for a name, "?" where it has none."""
    letters = [next(filter(str.isalnum, word), "") for word in name.split()]
    found = [letter for letter in letters if letter]
    return "".join([*found[:1], *found[1:][-1:]]).upper() or "?"


def _name(names: Any) -> str:
    return brief(next(texts(names), ""), NAME) or UNKNOWN


def _laid_out(raw: str) -> str:
    if len(raw) > LONGEST:
        return f"{raw[:LONGEST]}\n…"
    try:
        return laid_out(json.loads(raw))
    except RecursionError:
        return raw


def _reply(message: Any, here: frozenset[UUID]) -> Reply | None:
    if message.in_reply_to_id is None:
        return None
    return Reply(
        id=message.in_reply_to_id,
        room=message.answered_room,
        name=_name(message.answered_names),
        words=brief(message.answered or ""),
        here=message.in_reply_to_id in here,
    )
