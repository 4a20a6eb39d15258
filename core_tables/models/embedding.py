from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Cast
from pgvector.django import HalfVectorField, HnswIndex, VectorField

from core_tables.models.base import Record
from core_tables.models.on_delete import CASCADE
from core_tables.querysets.embeddings import EmbeddingQuerySet


def _cosine_index(width: int) -> HnswIndex:
    return HnswIndex(fields=[f"dim_{width}"], opclasses=["vector_cosine_ops"], name=f"embeddings_dim_{width}_hnsw")


class Embedding(Record):
    """The vectors of one memory, a column for each width that embedding models use."""

    # Nullable because it is so in databases made by others; a check forbids NULL all the same.
    memory = models.OneToOneField(
        "core_tables.Memory",
        CASCADE,
        null=True,
        related_name="embedding",
        help_text="The memory that was embedded.",
    )
    # Here as well as on the memory, because a join keeps a search from using the vector index.
    agent = models.ForeignKey(
        "core_tables.Agent",
        CASCADE,
        null=True,
        blank=True,
        related_name="embeddings",
        help_text="The agent of the memory, copied so that a search can filter by it.",
    )
    model = models.TextField(null=True, blank=True, help_text="The embedding model that made the vectors.")
    dim_384 = VectorField("384 wide", dimensions=384, null=True, blank=True, help_text="A vector of 384 numbers.")
    dim_512 = VectorField("512 wide", dimensions=512, null=True, blank=True, help_text="A vector of 512 numbers.")
    dim_768 = VectorField("768 wide", dimensions=768, null=True, blank=True, help_text="A vector of 768 numbers.")
    dim_1024 = VectorField("1,024 wide", dimensions=1024, null=True, blank=True, help_text="A vector of 1,024 numbers.")
    dim_1536 = VectorField("1,536 wide", dimensions=1536, null=True, blank=True, help_text="A vector of 1,536 numbers.")
    dim_3072 = VectorField("3,072 wide", dimensions=3072, null=True, blank=True, help_text="A vector of 3,072 numbers.")

    objects = EmbeddingQuerySet.as_manager()

    class Meta(Record.Meta):
        db_table = "embeddings"
        indexes = [
            _cosine_index(384),
            _cosine_index(512),
            _cosine_index(768),
            _cosine_index(1024),
            _cosine_index(1536),
            # HNSW takes a vector up to 2,000 wide but a halfvec up to 4,000; a search has to cast likewise.
            HnswIndex(
                OpClass(Cast("dim_3072", HalfVectorField(dimensions=3072)), name="halfvec_cosine_ops"),
                name="embeddings_dim_3072_hnsw",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(memory__isnull=False), name="embedding_source_check"),
        ]

    def __str__(self) -> str:
        return f"embedding of {self.memory_id}"
