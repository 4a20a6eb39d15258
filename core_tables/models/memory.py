from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.fields.json import KeyTextTransform

from core_tables.models.base import Record
from core_tables.models.on_delete import CASCADE
from core_tables.querysets.memories import MemoryQuerySet


class TextVector(models.Func):
    """The words of a memory's text: `to_tsvector('simple', content->>'text')`.

    The index and the search must say the same expression, or the search scans. Django's SearchVector wraps
    COALESCE around the text and passes its parts as parameters, which a query bound by the server would not
    match. This one has no parameters: `alias(words=TextVector("content")).filter(words=SearchQuery(text,
    config=TextVector.config))`.
    """

    template = "to_tsvector('simple', %(expressions)s ->> 'text')"
    arity = 1
    config = "simple"
    output_field = SearchVectorField()


class Memory(Record):
    """Something that an agent remembers: a message, a fact, a document or a fragment of one."""

    type = models.TextField(help_text="The kind of memory, such as messages, facts or documents.")
    content = models.JSONField(help_text="What is remembered: a JSON object, its words under the key text.")
    agent = models.ForeignKey(
        "core_tables.Agent",
        CASCADE,
        db_index=False,
        related_name="memories",
        help_text="The agent that remembers.",
    )
    entity = models.ForeignKey(
        "core_tables.Entity",
        CASCADE,
        null=True,
        blank=True,
        related_name="memories",
        help_text="Who it comes from.",
    )
    room = models.ForeignKey(
        "core_tables.Room",
        CASCADE,
        null=True,
        blank=True,
        db_index=False,
        related_name="memories",
        help_text="The room that it was learned in.",
    )
    world_id = models.UUIDField(null=True, blank=True, help_text="The world that it was learned in.")
    unique = models.BooleanField(
        default=True, db_default=True, help_text="Off when a memory much like it was there before."
    )
    expires_at = models.DateTimeField(null=True, blank=True, help_text="When to forget it; empty for never.")

    objects = MemoryQuerySet.as_manager()

    class Meta(Record.Meta):
        db_table = "memories"
        verbose_name_plural = "memories"
        indexes = [
            models.Index(fields=["type", "room"], name="idx_memories_type_room"),
            models.Index(fields=["world_id"], name="idx_memories_world_id"),
            models.Index(KeyTextTransform("type", "metadata"), name="idx_memories_metadata_type"),
            models.Index(KeyTextTransform("documentId", "metadata"), name="idx_memories_document_id"),
            models.Index(
                KeyTextTransform("documentId", "metadata"),
                KeyTextTransform("position", "metadata"),
                name="idx_fragments_order",
            ),
            models.Index(fields=["created_at"], name="memories_created_idx"),
            models.Index(fields=["agent", "created_at"], name="memories_agent_created_idx"),
            models.Index(fields=["room", "created_at"], name="memories_room_created_idx"),
            models.Index(
                fields=["expires_at"],
                condition=models.Q(expires_at__isnull=False),
                name="memories_expires_idx",
            ),
            GinIndex(TextVector("content"), name="memories_text_gin"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(metadata__type="fragment")
                | models.Q(metadata__has_keys=["documentId", "position"]),
                name="fragment_metadata_check",
                violation_error_message="The metadata of a fragment needs the keys documentId and position.",
            ),
            models.CheckConstraint(
                condition=~models.Q(metadata__type="document") | models.Q(metadata__has_key="timestamp"),
                name="document_metadata_check",
                violation_error_message="The metadata of a document needs the key timestamp.",
            ),
        ]

    def __str__(self) -> str:
        text = self.content.get("text") if isinstance(self.content, dict) else None
        return f"{self.type}: {str(text)[:60]}" if text else f"{self.type} {self.pk}"
