"""agentsql.E102: pgvector too old for what models use."""

from contextlib import contextmanager

import pytest
from django.contrib.postgres.indexes import OpClass
from django.core.checks import Error
from django.db import connection
from django.db.models import F, Func
from django.db.models.functions import Cast
from pgvector.django import BitField, HalfVectorField, HnswIndex, IvfflatIndex, SparseVectorField, VectorField

from agentsql.checks import check_databases
from agentsql.checks.versions import Use, outdated, uses

VECTOR = VectorField(dimensions=3)
HALF = OpClass(Cast("v", HalfVectorField(dimensions=3)), name="halfvec_l2_ops")
BITS = OpClass(Cast(Func(F("v"), function="binary_quantize"), BitField(length=3)), name="bit_hamming_ops")
NEW_VERSION = Use("halfvec of the index v", "0.7.0")
UPDATE = "ALTER EXTENSION vector UPDATE;"
UPGRADE = "Upgrade pgvector's package on the server's machine to 0.7.0 or newer"


def index(*opclasses, kind=HnswIndex):
    return kind(fields=["v"], opclasses=opclasses, name="v_index")


@pytest.mark.parametrize(
    ("field", "indexes", "expected"),
    [
        (VECTOR, [], []),
        (VECTOR, [index("vector_l2_ops", kind=IvfflatIndex)], []),
        (BitField(length=3), [], []),
        (VECTOR, [index("vector_l2_ops")], [("hnsw of the index v_index", "0.5.0")]),
        (VECTOR, [index("vector_l1_ops")], [("vector_l1_ops of the index v_index", "0.7.0")]),
        (BitField(length=3), [index("bit_jaccard_ops")], [("bit_jaccard_ops of the index v_index", "0.7.0")]),
        (HalfVectorField(dimensions=3), [], [("halfvec of blog.Post.v", "0.7.0")]),
        (SparseVectorField(dimensions=3), [], [("sparsevec of blog.Post.v", "0.7.0")]),
        (VECTOR, [HnswIndex(HALF, name="v_index")], [("halfvec_l2_ops of the index v_index", "0.7.0")]),
        (VECTOR, [HnswIndex(BITS, name="v_index")], [("bit_hamming_ops of the index v_index", "0.7.0")]),
    ],
    ids=["vector", "ivfflat", "bit alone", "hnsw", "L1", "bit index", "halfvec", "sparsevec", "cast", "quantized"],
)
def test_what_models_use(project, field, indexes, expected):
    model = project.model("blog", "Post", fields={"v": field}, indexes=indexes)
    assert list(uses(model, connection)) == expected


@pytest.mark.parametrize(
    ("installed", "available", "hint"),
    [
        ("0.6.2", "0.8.0", f"The server has 0.8.0. As an administrator, in this database: {UPDATE}"),
        ("0.5.0", "0.6.2", f"{UPGRADE}, then run in this database: {UPDATE}"),
        (None, "0.4.4", f"{UPGRADE}."),
    ],
    ids=["update", "upgrade", "not installed"],
)
def test_the_remedy(installed, available, hint):
    [found] = outdated([Use("hnsw of the index h", "0.5.0"), NEW_VERSION], installed, available, "default")
    assert (found.id, found.hint) == ("agentsql.E102", hint)
    assert NEW_VERSION.what in found.msg


@pytest.mark.parametrize(
    ("installed", "available"),
    [("0.7.0", "0.7.0"), ("0.10.1", None), (None, "0.8.0-dev"), (None, None)],
    ids=["just so", "by number", "available", "none at all, as the run tells"],
)
def test_versions_that_do(installed, available):
    assert list(outdated([NEW_VERSION], installed, available, "default")) == []


def test_many_uses_are_counted():
    [found] = outdated([Use(f"use {n}", "0.7.0") for n in range(7)], "0.6.0", None, "default")
    assert found.msg.endswith(": use 0, use 1, use 2, use 3, use 4 and 2 more.")


@contextmanager
def version(arena, number):
    """Let the database say that its pgvector is older than it is."""
    before = arena.rows("SELECT extversion FROM pg_extension WHERE extname = 'vector'")[0]
    change = "UPDATE pg_extension SET extversion = '%s' WHERE extname = 'vector'"
    arena.sql(change % number)
    try:
        yield
    finally:
        arena.sql(change % before)


@pytest.mark.extension("vector")
def test_on_a_database(project, arena):
    arena.sql("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")
    project.model("blog", "Post", fields={"v": VECTOR}, indexes=[index("vector_l2_ops")])
    available = arena.rows("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")[0][0]
    with version(arena, "0.4.4"):
        first, *_ = check_databases(databases=["default"])
    assert first == Error(
        "pgvector 0.4.4 of the database 'default' is too old; the models need 0.5.0 for: hnsw of the index v_index.",
        hint=f"The server has {available}. As an administrator, in this database: {UPDATE}",
        obj="extension vector",
        id="agentsql.E102",
    )
    assert "agentsql.E102" not in [message.id for message in check_databases(databases=["default"])]
