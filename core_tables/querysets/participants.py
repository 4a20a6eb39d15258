"""Who is in which room, what they want of it, and what they have not read."""

import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Greatest, Now

from core_tables.querysets.base import RecordQuerySet, at_least_one, key_of, rows_of
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.models import Entity, Message, Participant, Room

NEVER = Value(datetime.datetime.min.replace(tzinfo=datetime.UTC), output_field=models.DateTimeField())


class RowCount(Subquery):
    """How many rows a subquery has: with a slice, the count stops there."""

    template = "(SELECT count(*) FROM (%(subquery)s) AS counted)"
    output_field = models.IntegerField()


class ParticipantQuerySet(RecordQuerySet["Participant"]):
    """Entities that are in rooms."""

    def in_room(self, room: "Room | UUID") -> Self:
        """Return those in a room."""
        return self.filter(room=room)

    def of(self, entity: "Entity | UUID") -> Self:
        """Return an entity's participations."""
        return self.filter(entity=entity)

    def join(self, room: "Room | UUID", *entities: "Entity | UUID") -> int:
        """Let entities into a room; return how many were not there before.

        Raises:
            Room.DoesNotExist: there is no such room.
        """
        self._for_write = True
        wanted = dict.fromkeys(key_of(entity) for entity in entities)
        with transaction.atomic(using=self.db):
            # The lock stands in for the unique constraint, which an adopted table may lack.
            place = rows_of("Room").using(self.db).select_for_update(no_key=True).only("agent_id").get(pk=key_of(room))
            there = set(self.filter(room=place, entity__in=wanted).values_list("entity_id", flat=True))
            new = [
                self.model(room=place, entity_id=entity, agent_id=place.agent_id)
                for entity in wanted
                if entity not in there
            ]
            # A writer that takes no lock is stopped by the constraint where it exists, and wins.
            self.bulk_create(new, ignore_conflicts=True)
        return len(new)

    ajoin = twin(join)

    def leave(self, room: "Room | UUID", *entities: "Entity | UUID") -> int:
        """Take entities out of a room; return how many rows that were."""
        return self.filter(room=room, entity__in=[key_of(entity) for entity in entities]).delete()[0]

    aleave = twin(leave)

    def state(self, room: "Room | UUID", entity: "Entity | UUID") -> str | None:
        """Return FOLLOWED, MUTED, or None for neither.

        Raises:
            Participant.DoesNotExist: the entity is not in the room.
        """
        found = self.filter(room=room, entity=entity).order_by("created_at").first()
        if found is None:
            raise self._absent(room, entity)
        return found.room_state

    astate = twin(state)

    def set_state(self, room: "Room | UUID", entity: "Entity | UUID", state: str | None) -> None:
        """Follow or mute a room for an entity; None does neither.

        Raises:
            ValueError: there is no such state.
            Participant.DoesNotExist: the entity is not in the room.
        """
        value = None if state is None else self.model.RoomState(state)
        if not self.filter(room=room, entity=entity).update(room_state=value, updated_at=Now()):
            raise self._absent(room, entity)

    aset_state = twin(set_state)

    def mark_read(
        self, room: "Room | UUID", entity: "Entity | UUID", at: "Message | datetime.datetime | None" = None
    ) -> None:
        """Note that an entity has read a room: up to a message or a moment, or up to the newest message that there is.

        Give the newest message that was shown: without it, what came after that one counts as read too. What was read
        stays read: an earlier moment than the one noted changes nothing.

        The note is a time. So a message with no later `created_at` counts as read as well, whether it was an import or
        its transaction ended only later: commit soon after recording.

        Raises:
            Participant.DoesNotExist: the entity is not in the room.
            TypeError: `at` is neither a message nor a time.
        """
        at = getattr(at, "created_at", at)
        if not isinstance(at, datetime.datetime | None):
            raise TypeError(f"`at` is {at!r}: give the newest message that was shown, or its created_at.")
        messages = rows_of("Message").filter(room=OuterRef("room"))
        newest = Subquery(messages.order_by("-created_at").values("created_at")[:1])
        read = Coalesce(newest, Now()) if at is None else Value(at)
        field = models.DateTimeField()
        # PostgreSQL's GREATEST passes over NULL.
        changes = {"last_read_at": Greatest("last_read_at", read, output_field=field), "updated_at": Now()}
        if not self.filter(room=room, entity=entity).update(**changes):
            raise self._absent(room, entity)

    amark_read = twin(mark_read)

    def unread(self, entity: "Entity | UUID", *, cap: int = 100) -> dict[UUID, int]:
        """Return how many messages an entity has not read, for each room that it is in, by the room's id.

        Its own messages do not count. Counting a room stops at `cap`, so that a million costs no more than a
        hundred: show a number that equals `cap` as "100+". One query.

        Raises:
            TypeError, ValueError: `cap` is no whole number from 1 on.
        """
        cap = at_least_one(cap, "The cap")
        unseen = Q(created_at__gt=Coalesce(OuterRef("last_read_at"), NEVER))
        others = Q(author__isnull=True) | ~Q(author=OuterRef("entity"))
        messages = rows_of("Message").filter(unseen, others, room=OuterRef("room"))
        counts = self.filter(entity=entity, room__isnull=False).annotate(count=RowCount(messages.values("pk")[:cap]))
        return dict(counts.order_by("count").values_list("room_id", "count"))

    aunread = twin(unread)

    def _absent(self, room: "Room | UUID", entity: "Entity | UUID") -> "Participant.DoesNotExist":
        message = f"Entity {key_of(entity)} is not in room {key_of(room)}: join() it first."
        return self.model.DoesNotExist(message)
