"""Worlds and rooms: where they belong, who is in them, and what was said last."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import connections, transaction
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from core_tables.contents import check_row, checked_text
from core_tables.querysets.base import key_of, rows_of
from core_tables.querysets.sweep import SweepingQuerySet
from core_tables.twins import twin

if TYPE_CHECKING:
    from core_tables.models import Agent, Entity, Room, World


KNOWN_BY = {"agent", "agent_id", "source", "channel_id"}


class WorldQuerySet(SweepingQuerySet["World"]):
    """Servers, workspaces and games."""


class RoomQuerySet(SweepingQuerySet["Room"]):
    """Channels, threads and direct conversations."""

    def in_world(self, world: "World | UUID") -> Self:
        """Return the rooms of a world."""
        return self.filter(world_id=key_of(world))

    def with_entity(self, entity: "Entity | UUID") -> Self:
        """Return the rooms that an entity is in, each once."""
        return self.filter(pk__in=rows_of("Participant").filter(entity=entity).values("room"))

    def with_last_message(self) -> Self:
        """Annotate `last_message` (its text), `last_message_at` and `member_count`.

        The first two are None in a room where nothing was said. Each is a look into an index for each room that is
        fetched, so page or slice long lists; to order by `last_message_at` looks into the index for every room.
        """
        newest = rows_of("Message").filter(room=OuterRef("pk")).order_by("-created_at", "-pk")[:1]
        # An adopted table may hold an entity twice.
        members = rows_of("Participant").filter(room=OuterRef("pk")).order_by().values("room")
        count = members.annotate(count=Count("entity", distinct=True)).values("count")
        return self.annotate(
            last_message=Subquery(newest.values("content")),
            last_message_at=Subquery(newest.values("created_at")),
            member_count=Coalesce(Subquery(count), 0, output_field=IntegerField()),
        )

    def ensure(
        self,
        *,
        agent: "Agent | UUID | None",
        source: str,
        channel_id: str | int,
        defaults: Mapping[str, Any] | None = None,
    ) -> tuple["Room", bool]:
        """Return the room of a channel, and whether it was made now, with `defaults` as its other fields.

        No constraint says that a channel has one room, and where another tool wrote it has several: then this is the
        oldest. Several at once make one room, for each takes an advisory lock on the channel, held until the end of
        the transaction: commit soon, and where one transaction makes many rooms, make them in the order of their
        channels. (Under REPEATABLE READ the look after the lock cannot see what the other one made.)

        Raises:
            InvalidContent: the source, the channel or a default hold what PostgreSQL has no text for.
            ValueError: the defaults name the agent, the source or the channel again.
        """
        if again := KNOWN_BY & (defaults or {}).keys():
            raise ValueError(f"The defaults have {', '.join(sorted(again))}, which a room is found by: take it out.")
        self._for_write = True
        source, channel = checked_text(source, "The source"), checked_text(channel_id, "The channel_id")
        fields = {"agent_id": key_of(agent), "source": source, "channel_id": channel}
        # Of all rooms, or one that some filter leaves out would be made again.
        rooms = rows_of("Room").using(self.db).filter(**fields).order_by("created_at", "pk")
        room = rooms.first()
        if room is not None:
            return room, False
        with transaction.atomic(using=self.db):
            with connections[self.db].cursor() as cursor:
                name = "\n".join(("rooms", str(fields["agent_id"]), source, channel))
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
            room = rooms.first()
            if room is not None:
                return room, False
            made = self.model(**fields, **(defaults or {}))
            check_row(made)
            made.save(using=self.db, force_insert=True)
            return made, True

    aensure = twin(ensure)
