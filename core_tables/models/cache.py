from django.db import models

from core_tables.models.base import Stamped
from core_tables.models.on_delete import CASCADE
from core_tables.querysets.cache import CacheQuerySet


class Cache(Stamped):
    """A value that an agent keeps under a key, for a while or for good."""

    pk = models.CompositePrimaryKey("key", "agent_id")
    key = models.TextField(help_text="What the value is kept under.")
    agent = models.ForeignKey(
        "core_tables.Agent",
        CASCADE,
        related_name="cache_entries",
        help_text="The agent that keeps the value.",
    )
    value = models.JSONField(help_text="The value, as JSON.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="When the value is void; empty for never.")

    objects = CacheQuerySet.as_manager()

    class Meta(Stamped.Meta):
        db_table = "cache"
        verbose_name = "cache entry"
        verbose_name_plural = "cache entries"
        get_latest_by = "created_at"
        indexes = [models.Index(fields=["expires_at"], name="cache_expires_idx")]

    def __str__(self) -> str:
        return self.key
