from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.fields.json import KeyTextTransform

from core_tables.models.base import Record
from core_tables.models.on_delete import CASCADE
from core_tables.querysets.logs import LogQuerySet


class Log(Record):
    """Something that an agent did: a model call, an action, a run."""

    agent = models.ForeignKey(
        "core_tables.Agent",
        CASCADE,
        null=True,
        blank=True,
        related_name="logs",
        help_text="The agent that did it.",
    )
    entity = models.ForeignKey(
        "core_tables.Entity", CASCADE, related_name="logs", help_text="The entity that it was done for."
    )
    room = models.ForeignKey(
        "core_tables.Room",
        CASCADE,
        db_index=False,
        related_name="logs",
        help_text="The room that it was done in.",
    )
    type = models.TextField(help_text="The kind of entry, such as action or run_event.")
    body = models.JSONField(help_text="What happened, as a JSON object.")

    objects = LogQuerySet.as_manager()

    class Meta(Record.Meta):
        db_table = "logs"
        verbose_name = "log entry"
        verbose_name_plural = "log entries"
        indexes = [
            models.Index(fields=["type", "created_at"], name="logs_type_created_idx"),
            models.Index(fields=["room", "created_at"], name="logs_room_created_idx"),
            # For the newest of all: the BRIN below knows nothing of what came since the last VACUUM.
            models.Index(fields=["created_at"], name="logs_created_idx"),
            # The entries of a run; those of no run take no room in it.
            models.Index(
                KeyTextTransform("runId", "body"), condition=models.Q(body__has_key="runId"), name="logs_run_idx"
            ),
            # Rows arrive in the order of time, so a few pages of this serve any range of a long log.
            BrinIndex(fields=["created_at"], name="logs_created_brin"),
        ]

    def __str__(self) -> str:
        return f"{self.type} at {self.created_at:%Y-%m-%d %H:%M:%S}"
