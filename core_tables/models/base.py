"""What all core tables share: an id, two timestamps and metadata, each filled in by whoever writes the row.

The Python-side default shows the value before the row is saved; the database-side one serves other writers.
"""

import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.utils import timezone


class TransactionTime(models.Func):
    """`now()`, spelled as in databases that other tools made, so that the same default reads the same."""

    template = "now()"
    output_field = models.DateTimeField()


class Stamped(models.Model):
    # Not auto_now_add: an import keeps the times that it brings.
    created_at = models.DateTimeField(
        default=timezone.now,
        db_default=TransactionTime(),
        editable=False,
        help_text="When the row was written.",
    )
    updated_at = models.DateTimeField(
        auto_now=True,
        db_default=TransactionTime(),
        help_text="When the row last changed. Programs other than Django have to set it themselves.",
    )
    metadata = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text="Anything else worth keeping, as a JSON object.",
    )

    class Meta:
        abstract = True
        # A project's other databases, SQLite for one, have neither the types nor the indexes of these tables.
        required_db_vendor = "postgresql"


class Record(Stamped):
    id = models.UUIDField(
        primary_key=True,
        default=uuid.uuid4,
        db_default=RandomUUID(),
        editable=False,
        help_text="Made up when the row is written, unless the writer brings one.",
    )

    class Meta(Stamped.Meta):
        abstract = True
        get_latest_by = "created_at"
