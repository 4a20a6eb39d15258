from django.db import models

from core_tables.models.base import Record
from core_tables.models.on_delete import CASCADE, SET_NULL
from core_tables.models.swept import Swept
from core_tables.querysets.messages import MessageQuerySet


class Message(Swept, Record):
    """A message as it was said, apart from what agents remember of it."""

    room = models.ForeignKey(
        "core_tables.Room",
        CASCADE,
        db_index=False,
        related_name="messages",
        help_text="The room that it was said in.",
    )
    author = models.ForeignKey(
        "core_tables.Entity",
        SET_NULL,
        null=True,
        blank=True,
        related_name="messages",
        help_text="Who said it.",
    )
    in_reply_to = models.ForeignKey(
        "self",
        SET_NULL,
        null=True,
        blank=True,
        related_name="replies",
        help_text="The message that it answers.",
    )
    content = models.TextField(help_text="The text.")
    raw_message = models.JSONField(null=True, blank=True, help_text="The message as its source delivered it.")
    source_type = models.TextField(null=True, blank=True, help_text="Where it comes from, such as discord.")
    source_id = models.TextField(null=True, blank=True, help_text="Its id at that source.")
    metadata = models.JSONField(
        null=True,
        blank=True,
        default=dict,
        help_text="Anything else known about the message, as a JSON object.",
    )

    objects = MessageQuerySet.as_manager()

    class Meta(Record.Meta):
        db_table = "messages"
        indexes = [models.Index(fields=["room", "created_at"], name="messages_room_created_idx")]
        constraints = [
            models.UniqueConstraint(
                fields=["room", "source_type", "source_id"],
                condition=models.Q(source_id__isnull=False),
                name="messages_source_uniq",
            )
        ]

    def __str__(self) -> str:
        return self.content[:60]
