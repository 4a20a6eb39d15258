"""A library: the documents that an agent has read, cut into passages to search, and who may see them."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now
from pgvector.django import HnswIndex, VectorField


class Topic(models.Model):
    name = models.TextField(primary_key=True)
    description = models.TextField(blank=True, default="", db_default="")

    class Meta:
        # Say it when a project may have other databases, SQLite for one, that lack what the models use.
        required_db_vendor = "postgresql"

    def __str__(self) -> str:
        return self.name


class Document(models.Model):
    # `default` fills the field in Python; `db_default` fills the column for writers that are not Django.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    agent = models.ForeignKey("core_tables.Agent", models.CASCADE, related_name="documents")
    topic = models.ForeignKey(Topic, models.SET_NULL, null=True, blank=True, related_name="documents")
    title = models.TextField()
    url = models.TextField(blank=True, default="", db_default="")
    tags = ArrayField(models.TextField(), blank=True, default=list, db_default=[])
    details = models.JSONField(blank=True, default=dict, db_default={})
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())

    # A table of its own, made by Django: example_plugin_document_rooms.
    rooms = models.ManyToManyField("core_tables.Room", blank=True, related_name="documents")
    # The same with columns of our own, so its model is written out below.
    readers = models.ManyToManyField("core_tables.Entity", through="Reader", related_name="documents")

    class Meta:
        required_db_vendor = "postgresql"
        # Name them yourself: a name is how an index is found again.
        indexes = [GinIndex(fields=["tags"], name="example_document_tags_gin")]
        constraints = [
            # One copy of a page for each agent, but any number of documents that have no address.
            models.UniqueConstraint(
                fields=["agent", "url"], condition=~models.Q(url=""), name="example_document_url_uniq"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Passage(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    document = models.ForeignKey(Document, models.CASCADE, db_index=False, related_name="passages")
    # What the agent made of it; the passage stays when the agent forgets.
    memory = models.ForeignKey("core_tables.Memory", models.SET_NULL, null=True, blank=True, related_name="passages")
    position = models.IntegerField(help_text="Counted from 0.")
    text = models.TextField()
    # The width has to be that of the embedding model.
    embedding = VectorField(dimensions=384, null=True, blank=True)

    class Meta:
        required_db_vendor = "postgresql"
        indexes = [
            HnswIndex(fields=["embedding"], opclasses=["vector_cosine_ops"], name="example_passage_embedding_hnsw"),
        ]
        constraints = [
            # Also the index of the foreign key, since it begins with it.
            models.UniqueConstraint(fields=["document", "position"], name="example_passage_position_uniq"),
            models.CheckConstraint(condition=models.Q(position__gte=0), name="example_passage_position_check"),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} #{self.position}"


class Reader(models.Model):
    pk = models.CompositePrimaryKey("document_id", "entity_id")
    document = models.ForeignKey(Document, models.CASCADE, db_index=False)
    entity = models.ForeignKey("core_tables.Entity", models.CASCADE)
    may_edit = models.BooleanField(default=False, db_default=False)

    class Meta:
        required_db_vendor = "postgresql"

    def __str__(self) -> str:
        return f"{self.entity_id} reads {self.document_id}"
