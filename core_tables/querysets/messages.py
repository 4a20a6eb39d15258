"""What was said: transcripts to page through, and imports that may run twice."""

import datetime
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.constants import OnConflict

from core_tables.contents import check_row, checked_text
from core_tables.exceptions import InvalidContent
from core_tables.querysets.base import Cursor, Page, at_least_one, key_of, rows_of, with_ids
from core_tables.querysets.sweep import SweepingQuerySet
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.models import Message, Room


# Django gives a value each a parameter where the server binds them, and it takes 65,535 of them.
BATCH = 1000


class Recorded(NamedTuple):
    """A message as it is stored, and whether it was not there before."""

    message: "Message"
    new: bool


class Source(NamedTuple):
    """What a message is known by where it comes from; within one room it is unique."""

    room: str
    type: str
    id: str

    @classmethod
    def of(cls, message: "Message") -> "Source | None":
        if message.source_id is None:
            return None
        if message.source_type is None:
            raise InvalidContent(
                f"The message {message.source_id} has no source_type: say where its source_id is from."
            )
        return cls(str(message.room_id), message.source_type, message.source_id)


def checked(message: "Message", what: str) -> "Message":
    """Make the ids of a message and of its source what their columns hold: they are compared with those of rows.

    Raises:
        InvalidContent: a field holds what PostgreSQL has no text for.
    """
    for name in ("id", "room_id", "author_id", "in_reply_to_id"):
        setattr(message, name, key_of(getattr(message, name)))
    for name in ("source_type", "source_id"):
        if (value := getattr(message, name)) is not None:
            setattr(message, name, checked_text(value, f"The {name} of {what}"))
    check_row(message, what)
    return message


def _is_one_of(sources: Iterable[Source]) -> Q:
    """Return the condition for the messages of these sources, which follows the index."""
    channels: dict[tuple[str, str], list[str]] = {}
    for source in sources:
        channels.setdefault((source.room, source.type), []).append(source.id)
    found = (Q(room=room, source_type=kind, source_id__in=ids) for (room, kind), ids in channels.items())
    return reduce(or_, found, Q(pk__in=()))


class MessageQuerySet(SweepingQuerySet["Message"]):
    """Messages, apart from what agents remember of them."""

    def transcript(self, room: "Room | UUID | None" = None) -> Self:
        """Return what was said in a room, oldest first, with the authors; `page()` it where it is long.

        On `room.messages`, the room is given already.
        """
        rows = self if room is None else self.filter(room=room)
        return rows.select_related("author").order_by("created_at", "pk")

    def around(self, moment: datetime.datetime, *, size: int = 50) -> "Page[Message]":
        """Return the page that has a moment in its middle: half from before it, half from then on. Two queries.

        Raises:
            ValueError: `size` is less than 1.
        """
        size = at_least_one(size, "The size of a page")
        place = Cursor(moment, UUID(int=0))
        half = size // 2
        past = self.before(place).page(size=half) if half else Page(rows=(), older=None, newer=None)
        later = list(self.filter(created_at__gte=moment).order_by("created_at", "pk")[: size - half + 1])
        rows = (*past.rows, *later[: size - half])
        more = len(later) > size - half
        older = past.older if half else Cursor.of(rows[0]) if rows else None
        return Page(rows=rows, older=older, newer=Cursor.of(rows[-1]) if more else None)

    aaround = twin(around)

    def record(self, **fields: Any) -> Recorded:
        """Write a message down, unless one with the same room, source_type and source_id is there already.

        A message with no source_id is always new. One that is there stays as it is, and is the one returned.

        Args:
            fields: those of a message, by name; `room`, `author` and `in_reply_to` are rows or their ids.

        Raises:
            InvalidContent: there is a source_id but no source_type, or a field holds what PostgreSQL has no text for.
        """
        return self._recorded([checked(self.model(**with_ids(self.model, fields)), "the message")])[0]

    arecord = twin(record)

    def record_many(
        self, messages: "Iterable[Message]", *, replies: Mapping[str, str] | None = None
    ) -> "list[Recorded]":
        """Do what `record()` does for many unsaved messages; return them in their order.

        Two queries, one more for each further thousand, and two more where there are `replies`.

        Args:
            messages: built, not saved; as for `bulk_create()`, no signals are sent. Ids that are texts, and a
                source_id that is a number, become what their columns hold.
            replies: from the source_id of a message to that of the one it answers, at the same source and in the
                same room. Those that are not there, in this batch or before, leave `in_reply_to` empty.

        Raises:
            InvalidContent: as with `record()`; it says which of the messages, counted from 0.
        """
        written = [checked(message, f"message {place} of these") for place, message in enumerate(messages)]
        answered = {str(each): str(other) for each, other in (replies or {}).items()}
        return self._recorded(written, answered)

    arecord_many = twin(record_many)

    def _recorded(
        self, written: "list[Message]", replies: Mapping[str, str] | None = None, attempts: int = 3
    ) -> "list[Recorded]":
        sources = [Source.of(message) for message in written]
        self._for_write = True
        with transaction.atomic(using=self.db):
            new = self._insert_new(written, sources)
            others = [
                (message, source) for message, source in zip(written, sources, strict=True) if message.pk not in new
            ]
            stored = self._stored(others) if others else {}
            if replies:
                self._answer([message for message in written if message.pk in new], replies)
        results = []
        for message in written:
            if new.pop(message.pk, False):
                results.append(Recorded(message, True))
            elif message.pk in stored:
                results.append(Recorded(stored[message.pk], False))
            elif attempts > 1:  # Somebody deleted the one that kept ours out: now ours goes in.
                results += self._recorded([message], replies, attempts - 1)
            else:  # A constraint that is not ours keeps it out, and says so.
                message.save(using=self.db, force_insert=True)
                results.append(Recorded(message, True))
        return results

    def _insert_new(self, messages: "list[Message]", sources: list[Source | None]) -> dict[UUID, bool]:
        """Insert those that are not there, by source or id; return their ids."""
        # All writers in one order, or two imports of the same messages could wait for each other for ever.
        order = sorted(zip(sources, messages, strict=True), key=lambda each: each[0] or (str(each[1].pk),))
        rows = [message for _, message in order]
        options = self.model._meta
        new: dict[UUID, bool] = {}
        for start in range(0, len(rows), BATCH):
            # What bulk_create() does, but it does not tell which rows conflicted. No target, for either id or source
            # may conflict, and Django cannot name an index that has a condition.
            found = self._insert(  # type: ignore[attr-defined]
                rows[start : start + BATCH],
                fields=options.concrete_fields,
                returning_fields=[options.pk],
                using=self.db,
                on_conflict=OnConflict.IGNORE,
            )
            # For a single row that was not inserted, Django may say None.
            new.update({row[0]: True for row in found if row})
        for message in messages:
            message._state.adding, message._state.db = False, self.db
        return new

    def _stored(self, messages: "Iterable[tuple[Message, Source | None]]") -> "dict[UUID, Message]":
        """Return the messages in whose place others are there, by the ids of the former."""
        by_id = Q(pk__in=[message.pk for message, _ in messages])
        rows = rows_of("Message").using(self.db).filter(by_id | _is_one_of(source for _, source in messages if source))
        found: dict[Any, Message] = {}
        for row in rows:
            found[row.pk] = row
            found.setdefault(Source.of(row), row)
        pairs = ((message.pk, found.get(source) or found.get(message.pk)) for message, source in messages)
        return {pk: row for pk, row in pairs if row is not None}

    def _answer(self, messages: "list[Message]", replies: Mapping[str, str]) -> None:
        """Lead messages to those that they answer."""
        answered = {
            message.pk: source._replace(id=replies[source.id])
            for message in messages
            if (source := Source.of(message)) and source.id in replies
        }
        there = rows_of("Message").using(self.db).filter(_is_one_of(answered.values()))
        ids = {Source.of(row): row.pk for row in there.only("room", "source_type", "source_id")}
        changed = [message for message in messages if answered.get(message.pk) in ids]
        for message in changed:
            message.in_reply_to_id = ids[answered[message.pk]]
        self.bulk_update(changed, ["in_reply_to"])
