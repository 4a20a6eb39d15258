"""Who there is: entities, what is known of them, and how they relate."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from core_tables.fields import texts
from core_tables.models.base import Record
from core_tables.models.on_delete import CASCADE
from core_tables.models.swept import Swept
from core_tables.querysets.entities import ComponentQuerySet, EntityQuerySet
from core_tables.querysets.relationships import RelationshipQuerySet


class Entity(Swept, Record):
    """A person, an agent or a thing, as one agent knows it."""

    agent = models.ForeignKey(
        "core_tables.Agent", CASCADE, related_name="entities", help_text="The agent that knows the entity."
    )
    names = ArrayField(
        models.TextField(),
        default=list,
        db_default=[],
        blank=True,
        help_text="The names that it goes by, the usual one first.",
    )

    objects = EntityQuerySet.as_manager()

    class Meta(Record.Meta):
        db_table = "entities"
        verbose_name_plural = "entities"
        indexes = [
            GinIndex(fields=["names"], name="entities_names_gin"),
            models.Index(fields=["created_at"], name="entities_created_idx"),
        ]
        constraints = [models.UniqueConstraint(fields=["id", "agent"], name="id_agent_id_unique")]

    def __str__(self) -> str:
        return next(texts(self.names), str(self.pk))


class Component(Record):
    """One piece of data about an entity, of a type that the writer chooses."""

    # No index of its own: the one on (entity, type) begins with it.
    entity = models.ForeignKey(
        "core_tables.Entity",
        CASCADE,
        db_index=False,
        related_name="components",
        help_text="The entity that the data is about.",
    )
    agent = models.ForeignKey(
        "core_tables.Agent", CASCADE, related_name="components", help_text="The agent that keeps the data."
    )
    room = models.ForeignKey(
        "core_tables.Room",
        CASCADE,
        related_name="components",
        help_text="The room that the data was learned in.",
    )
    world = models.ForeignKey(
        "core_tables.World",
        CASCADE,
        null=True,
        blank=True,
        related_name="components",
        help_text="The world that the data holds for.",
    )
    source_entity = models.ForeignKey(
        "core_tables.Entity",
        CASCADE,
        null=True,
        blank=True,
        related_name="sourced_components",
        help_text="The entity that the data comes from.",
    )
    type = models.TextField(help_text="The kind of data.")
    data = models.JSONField(
        null=True, blank=True, default=dict, db_default={}, help_text="The data itself, as a JSON object."
    )

    objects = ComponentQuerySet.as_manager()

    class Meta(Record.Meta):
        db_table = "components"
        indexes = [
            models.Index(fields=["entity", "type"], name="components_entity_type_idx"),
            models.Index(fields=["created_at"], name="components_created_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.type} of {self.entity_id}"


class Relationship(Record):
    """How one entity stands to another, in one direction."""

    # No index of its own: the unique constraint begins with it.
    source_entity = models.ForeignKey(
        "core_tables.Entity",
        CASCADE,
        db_index=False,
        related_name="outgoing_relationships",
        help_text="The entity that relates.",
    )
    target_entity = models.ForeignKey(
        "core_tables.Entity",
        CASCADE,
        related_name="incoming_relationships",
        help_text="The entity that it relates to.",
    )
    agent = models.ForeignKey(
        "core_tables.Agent", CASCADE, related_name="relationships", help_text="The agent that knows of it."
    )
    tags = ArrayField(
        models.TextField(), null=True, blank=True, default=list, help_text="What kind of relationship it is."
    )
    metadata = models.JSONField(
        null=True,
        blank=True,
        default=dict,
        help_text="Anything else known about the relationship, as a JSON object.",
    )

    objects = RelationshipQuerySet.as_manager()

    class Meta(Record.Meta):
        db_table = "relationships"
        indexes = [
            GinIndex(fields=["tags"], name="relationships_tags_gin"),
            models.Index(fields=["created_at"], name="relationships_created_idx"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["source_entity", "target_entity", "agent"], name="unique_relationship")
        ]

    def __str__(self) -> str:
        return f"{self.source_entity_id} to {self.target_entity_id}"
