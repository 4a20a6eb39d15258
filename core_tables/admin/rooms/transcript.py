"""A room's transcript for people: pages that cursors lead to, and what was remembered and logged meanwhile."""

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Case, F, Func, JSONField, TextField, Value, When
from django.db.models.functions import Cast, JSONObject, Left
from django.db.models.lookups import GreaterThan

from core_tables.admin.memories.rows import beginning
from core_tables.admin.moments import EPOCH, plain, settled
from core_tables.admin.shown import LONGEST
from core_tables.admin.stored import LARGE, LARGE_TEXT, StoredSize, beginning_unless_large
from core_tables.models import Log, Memory, Message, Room
from core_tables.querysets.base import Cursor, Page

SIZE = 50
BESIDE = 20
WORDS, ANSWERED = 4_000, 80  # characters
MICROSECOND = datetime.timedelta(microseconds=1)
CURSOR = re.compile(r"(-?[0-9]{1,18})_([0-9a-f]{32})", re.ASCII)
RAW = ("id", "author_id", "in_reply_to_id", "source_type", "source_id", "created_at")


def encoded(place: Cursor) -> str:
    """Return a place as it stands in an address."""
    return f"{(place.created_at - plain(EPOCH)) // MICROSECOND}_{place.id.hex}"


def decoded(text: str) -> Cursor:
    """Return the place that an address names.

    Raises:
        ValueError: it names none.
    """
    found = CURSOR.fullmatch(text)
    if not found:
        raise ValueError("This is no place in a transcript.")
    try:
        return Cursor(plain(EPOCH) + int(found[1]) * MICROSECOND, UUID(found[2]))
    except OverflowError as error:
        raise ValueError("This is no place in a transcript.") from error


def moment(text: str) -> datetime.datetime:
    """Return a moment written in ISO 8601; a day begins at midnight of the current time zone.

    Raises:
        ValueError: it is no such moment.
    """
    return settled(datetime.datetime.fromisoformat(text))


class AttachmentNames(Func):
    """The names of the first ten attachments in a JSON value, titles or else addresses, and nothing else of it."""

    template = """(
        SELECT jsonb_agg(left(COALESCE(
            NULLIF(one ->> 'title', ''), NULLIF(one ->> 'name', ''), NULLIF(one ->> 'url', ''),
            one ->> 'id', one #>> '{}'
        ), 400)) FROM jsonb_path_query(%(expressions)s, '$.attachments[0 to 9]') AS found(one)
    )"""
    output_field = JSONField()


def said(room: Room) -> Any:
    """Return the messages of a room with what a transcript shows of each, which has a bound."""
    fields = ("room", "author", "author__names", "created_at", "in_reply_to")
    given, known = _unless_large("raw_message"), _unless_large("metadata")
    row = JSONObject(**{name: name for name in RAW}, metadata=known, raw_message=given)
    return (
        Message.objects.transcript(room)
        .only(*fields)
        .annotate(
            words=Left("content", WORDS + 1),
            raw=Left(Cast(row, TextField()), LONGEST + 1),
            attached=AttachmentNames(given),
            also_attached=AttachmentNames(known),
            answered=Left("in_reply_to__content", ANSWERED),
            answered_names=F("in_reply_to__author__names"),
            answered_room=F("in_reply_to__room_id"),
        )
    )


def _unless_large(column: str) -> Case:
    """Return a JSON column, and in place of what the server would have to unpack for long, a word."""
    is_large = GreaterThan(StoredSize(column), LARGE)
    return Case(When(is_large, then=Value(LARGE_TEXT, JSONField())), default=F(column), output_field=JSONField())


def page_of(messages: Any, asked: Mapping[str, str]) -> Page[Any]:
    """Return the page that an address asks for: `before` or `after` a place, `at` a moment, `message` by id.

    Raises:
        ValueError: what is asked for makes no sense.
        Message.DoesNotExist: the room has no such message.
    """
    before, after = (decoded(text) if (text := asked.get(name)) else None for name in ("before", "after"))
    if before or after:
        return messages.page(before=before, after=after, size=SIZE)  # type: ignore[no-any-return]
    if key := asked.get("message"):
        return with_message(messages, UUID(key))
    if at := asked.get("at"):
        return messages.around(moment(at), size=SIZE)  # type: ignore[no-any-return]
    return messages.page(size=SIZE)  # type: ignore[no-any-return]


def with_message(messages: Any, key: UUID) -> Page[Any]:
    """Return the page that has a message in its middle, however many were said at the same moment.

    Raises:
        Message.DoesNotExist: there is no such message.
    """
    message = messages.get(pk=key)
    past, later = (messages.page(**{side: Cursor.of(message)}, size=SIZE // 2) for side in ("before", "after"))
    return Page(rows=(*past, message, *later), older=past.older, newer=later.newer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Some:
    """Rows of a span of time, oldest first, BESIDE at most, and whether there were more before them."""

    rows: Sequence[Any]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What an agent did while a page was said; None for what nobody may see."""

    memories: Some | None
    logs: Some | None

    @classmethod
    def of(cls, room: Room, page: Page[Any], *, memories: bool, logs: bool) -> "Beside":
        """Look from the first message of a page up to the one after it; at an end of the room, there is no bound."""
        start = page.rows[0].created_at if page.older and page.rows else None
        end = _next(room, page.newer) if page.newer and (memories or logs) else None
        words = {"words": beginning()}
        body = {"words": beginning_unless_large("body")}
        return cls(
            memories=_some(Memory.objects.filter(room=room).annotate(**words), start, end) if memories else None,
            logs=_some(Log.objects.filter(room=room).annotate(**body), start, end) if logs else None,
        )


def _next(room: Room, place: Cursor) -> datetime.datetime | None:
    later = Message.objects.filter(room=room).after(place).order_by("created_at", "pk").only("created_at").first()
    return later.created_at if later else None


def _some(rows: Any, start: datetime.datetime | None, end: datetime.datetime | None) -> Some:
    found = list(rows.between(start, end).newest().only("type", "created_at")[: BESIDE + 1])
    return Some(rows=found[:BESIDE][::-1], more=len(found) > BESIDE)
