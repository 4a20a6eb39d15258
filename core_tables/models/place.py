"""Where things happen: worlds hold rooms, and participants are in rooms."""

from django.db import models

from core_tables.models.base import Record
from core_tables.models.on_delete import CASCADE
from core_tables.models.swept import Swept
from core_tables.querysets.participants import ParticipantQuerySet
from core_tables.querysets.places import RoomQuerySet, WorldQuerySet


class World(Swept, Record):
    """A server, workspace or game that an agent is in."""

    agent = models.ForeignKey(
        "core_tables.Agent", CASCADE, related_name="worlds", help_text="The agent that sees this world."
    )
    name = models.TextField(help_text="What the world is called.")
    message_server_id = models.UUIDField(null=True, blank=True, help_text="The message server behind the world.")
    metadata = models.JSONField(
        null=True, blank=True, default=dict, help_text="Owner, roles and settings of the world."
    )

    objects = WorldQuerySet.as_manager()

    class Meta(Record.Meta):
        db_table = "worlds"
        indexes = [models.Index(fields=["created_at"], name="worlds_created_idx")]

    def __str__(self) -> str:
        return self.name


class Room(Swept, Record):
    """A channel, thread or direct conversation."""

    agent = models.ForeignKey(
        "core_tables.Agent",
        CASCADE,
        null=True,
        blank=True,
        related_name="rooms",
        help_text="The agent that sees this room.",
    )
    source = models.TextField(help_text="Where the room comes from, such as discord.")
    type = models.TextField(help_text="The kind of room, such as DM or GROUP.")
    # Not a foreign key: rooms are often written before the world that they belong to is known.
    world_id = models.UUIDField(null=True, blank=True, help_text="The world that the room belongs to.")
    message_server_id = models.UUIDField(null=True, blank=True, help_text="The message server behind the room.")
    channel_id = models.TextField(null=True, blank=True, help_text="The id of the channel at its source.")
    name = models.TextField(null=True, blank=True, help_text="What the room is called.")
    metadata = models.JSONField(
        null=True, blank=True, default=dict, help_text="Anything else known about the room, as a JSON object."
    )

    objects = RoomQuerySet.as_manager()

    class Meta(Record.Meta):
        db_table = "rooms"
        indexes = [
            models.Index(fields=["world_id"], name="rooms_world_idx"),
            models.Index(fields=["source", "channel_id"], name="rooms_source_channel_idx"),
            models.Index(fields=["created_at"], name="rooms_created_idx"),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.source}:{self.channel_id or self.pk}"


class Participant(Record):
    """An entity that is in a room."""

    class RoomState(models.TextChoices):
        FOLLOWED = "FOLLOWED", "followed"
        MUTED = "MUTED", "muted"

    # No index of its own: the unique constraint begins with it.
    entity = models.ForeignKey(
        "core_tables.Entity",
        CASCADE,
        null=True,
        blank=True,
        db_index=False,
        related_name="participations",
        help_text="Who is in the room.",
    )
    room = models.ForeignKey(
        "core_tables.Room",
        CASCADE,
        null=True,
        blank=True,
        related_name="participants",
        help_text="The room that the entity is in.",
    )
    agent = models.ForeignKey(
        "core_tables.Agent",
        CASCADE,
        null=True,
        blank=True,
        related_name="participants",
        help_text="The agent that sees this.",
    )
    room_state = models.TextField(
        null=True,
        blank=True,
        choices=RoomState,
        help_text="Whether the entity follows or mutes the room; empty for neither.",
    )

    last_read_at = models.DateTimeField(
        null=True, blank=True, help_text="Up to when the entity has read what was said; empty for nothing."
    )

    objects = ParticipantQuerySet.as_manager()

    class Meta(Record.Meta):
        db_table = "participants"
        constraints = [models.UniqueConstraint(fields=["entity", "room"], name="participants_entity_room_uniq")]

    def __str__(self) -> str:
        return f"{self.entity_id} in {self.room_id}"
