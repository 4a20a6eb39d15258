from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone

from core_tables.models.base import Record, TransactionTime
from core_tables.models.on_delete import CASCADE
from core_tables.querysets.tasks import TaskQuerySet


class Task(Record):
    """Something to be done later, once or again and again."""

    class Status(models.TextChoices):
        PENDING = "pending", "pending"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    name = models.TextField(help_text="What is to be done: the name that a worker goes by.")
    description = models.TextField(null=True, blank=True, help_text="The same for people.")
    agent = models.ForeignKey(
        "core_tables.Agent",
        CASCADE,
        db_index=False,
        related_name="tasks",
        help_text="The agent that does it.",
    )
    room_id = models.UUIDField(null=True, blank=True, help_text="The room that it is for.")
    world_id = models.UUIDField(null=True, blank=True, help_text="The world that it is for.")
    entity_id = models.UUIDField(null=True, blank=True, help_text="The entity that it is for.")
    tags = ArrayField(
        models.TextField(),
        null=True,
        blank=True,
        default=list,
        db_default=[],
        help_text="What to find it by, such as queue or repeat.",
    )
    metadata = models.JSONField(
        null=True,
        blank=True,
        default=dict,
        db_default={},
        help_text="What the work needs to know, as a JSON object.",
    )
    status = models.TextField(
        choices=Status,
        default=Status.PENDING,
        db_default=Status.PENDING,
        help_text="How far it has come.",
    )
    # Null, not now: the tasks of programs that know nothing of this column are theirs to run.
    run_at = models.DateTimeField(
        null=True, blank=True, help_text="When it is due; empty for a task that our workers leave alone."
    )
    locked_until = models.DateTimeField(
        null=True, blank=True, help_text="Until when the worker that took it has it to itself."
    )
    attempts = models.IntegerField(
        default=0, db_default=0, help_text="How often it has been started; in its present slot, where it repeats."
    )
    max_attempts = models.IntegerField(
        default=5, db_default=5, help_text="How often it may be started before it counts as failed."
    )
    last_error = models.TextField(null=True, blank=True, help_text="What went wrong the last time.")
    every = models.DurationField(
        null=True, blank=True, help_text="How far its slots are apart, where it repeats; empty for once."
    )
    first_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was due first: its slots are counted from here."
    )
    # What the number of attempts can't tell: it starts anew with each slot.
    lease = models.UUIDField(
        null=True,
        blank=True,
        editable=False,
        help_text="New whenever a worker takes it: what that worker finishes counts while it stands.",
    )
    worker = models.TextField(null=True, blank=True, help_text="The worker that took it last.")
    started_at = models.DateTimeField(null=True, blank=True, help_text="When it was started the last time.")
    finished_at = models.DateTimeField(null=True, blank=True, help_text="When it was done, failed or cancelled.")
    # These two may be null in databases made by others, unlike those of every other table.
    created_at = models.DateTimeField(  # type: ignore[assignment]
        null=True,
        default=timezone.now,
        db_default=TransactionTime(),
        editable=False,
        help_text="When the row was written.",
    )
    updated_at = models.DateTimeField(  # type: ignore[assignment]
        null=True,
        auto_now=True,
        db_default=TransactionTime(),
        help_text="When the row last changed. Programs other than Django have to set it themselves.",
    )

    objects = TaskQuerySet.as_manager()

    class Meta(Record.Meta):
        db_table = "tasks"
        indexes = [
            models.Index(fields=["agent", "name"], name="tasks_agent_name_idx"),
            models.Index(fields=["room_id"], name="tasks_room_idx"),
            models.Index(
                fields=["run_at"],
                condition=models.Q(status="pending", run_at__isnull=False),
                name="tasks_due_idx",
            ),
            # Work whose worker went away: the lock has run out and nobody has finished it.
            models.Index(fields=["locked_until"], condition=models.Q(status="running"), name="tasks_lock_idx"),
            # What is over, the last first; and what other programs keep here.
            models.Index(
                fields=["status", "finished_at"],
                condition=models.Q(status__in=["done", "failed", "cancelled"]),
                name="tasks_ended_idx",
            ),
            models.Index(fields=["created_at"], condition=models.Q(run_at=None), name="tasks_foreign_idx"),
            GinIndex(fields=["tags"], name="tasks_tags_gin"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.status})"
