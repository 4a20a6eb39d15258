"""agentsql.E007: vectors wider than their index or type; the server is asked if it agrees."""

import pytest
from django.contrib.postgres.indexes import OpClass
from django.core.checks import Error
from django.db import DatabaseError, connection, models, transaction
from django.db.models import F, Func
from django.db.models.functions import Cast
from pgvector.django import BitField, HalfVectorField, HnswIndex, IvfflatIndex, SparseVectorField, VectorField

from agentsql.checks import check_project


def over(field, opclass="vector_cosine_ops", *, kind=HnswIndex):
    return {"v": field}, kind(fields=["v"], opclasses=[opclass], name="v_index")


def cast(width, *, to=HalfVectorField, opclass="halfvec_cosine_ops", field=None):
    expression = OpClass(Cast("v", to(dimensions=width)), name=opclass)
    return {"v": field or VectorField(dimensions=3072)}, HnswIndex(expression, name="v_index")


def quantized(field):
    bits = Cast(Func(F("v"), function="binary_quantize"), BitField(length=8000))
    return {"v": field}, HnswIndex(OpClass(bits, name="bit_hamming_ops"), name="v_index")


def half(opclass, width):
    return f'OpClass(Cast("v", HalfVectorField(dimensions={width})), name="{opclass}")'


NARROWER = "Use an embedding model of fewer dimensions, or take the index away."
WRONG = {
    "vector": (over(VectorField(dimensions=2001)), "hnsw takes 2,000 of a vector", half("halfvec_cosine_ops", 2001)),
    "vector, L2": (over(VectorField(dimensions=4000), "vector_l2_ops"), "4,000 dim", half("halfvec_l2_ops", 4000)),
    "wide vector": (over(VectorField(dimensions=4001)), "has 4,001 dimensions, and hnsw takes", NARROWER),
    "ivfflat": (over(VectorField(dimensions=2001), kind=IvfflatIndex), "ivfflat takes 2,000 of a vector", "halfvec"),
    "halfvec": (over(HalfVectorField(dimensions=4001), "halfvec_l2_ops"), "hnsw takes 4,000 of a halfvec", NARROWER),
    "bit": (over(BitField(length=64001), "bit_hamming_ops"), "64,001 dimensions, and hnsw takes", NARROWER),
    "no dimensions": (over(VectorField()), "no dimensions", "Give 'v' dimensions, or take the index away."),
    "sparse, none": (over(SparseVectorField(), "sparsevec_l2_ops"), "no dimensions", "Give 'v' dimensions"),
    "cast": (cast(4001, field=VectorField(dimensions=4001)), "has 4,001 dimensions, and hnsw takes", NARROWER),
    "cast to none": (cast(None), "no dimensions", "Give 'v' dimensions"),
}  # fmt: skip
RIGHT = {
    "vector": over(VectorField(dimensions=2000)),
    "halfvec": over(HalfVectorField(dimensions=4000), "halfvec_l2_ops"),
    "bit": over(BitField(length=64000), "bit_hamming_ops"),
    "sparsevec": over(SparseVectorField(dimensions=1_000_000), "sparsevec_l2_ops"),
    "cast": cast(3072),
    "cast of none": cast(384, to=VectorField, opclass="vector_l2_ops", field=VectorField()),
    "quantized": quantized(VectorField(dimensions=8000)),
}


@pytest.mark.parametrize(("declared", "fault", "hint"), WRONG.values(), ids=WRONG)
def test_what_an_index_can_not_hold(project, declared, fault, hint):
    fields, index = declared
    model = project.model("blog", "Post", fields=fields, indexes=[index])
    [found] = check_project()
    assert (found.id, found.obj) == ("agentsql.E007", model)
    assert found.msg.startswith("The index 'v_index' can't be made: 'v' has ")
    assert fault in found.msg
    assert hint in found.hint


@pytest.mark.parametrize("declared", RIGHT.values(), ids=RIGHT)
def test_what_an_index_holds(project, declared):
    fields, index = declared
    project.model("blog", "Post", fields=fields, indexes=[index])
    assert check_project() == []


@pytest.mark.parametrize("kind", [VectorField, HalfVectorField])
def test_what_a_type_can_not_hold(project, kind):
    model = project.model("blog", "Post", fields={"v": kind(dimensions=16001), "w": kind(dimensions=16000)})
    name = {VectorField: "vector", HalfVectorField: "halfvec"}[kind]
    assert check_project() == [
        Error(
            f"The column is {name}(16001); pgvector's {name} has at most 16,000 dimensions.",
            hint="Use an embedding model of fewer dimensions, or split the vector over several columns.",
            obj=model._meta.get_field("v"),
            id="agentsql.E007",
        )
    ]


def test_what_is_not_judged(project):
    fields, index = over(VectorField(dimensions=9000))
    project.migrations("shop", "0001_initial")
    project.model("shop", "Order", fields=fields, indexes=[index])  # no plugin's
    fields = {"v": VectorField(dimensions=9000), "n": models.IntegerField()}
    part = HnswIndex(OpClass(Func(F("v"), 1, 900, function="subvector"), name="vector_l2_ops"), name="part")
    lost = HnswIndex(fields=["n"], name="lost")
    lost.fields_orders = [("nothing", "")]
    project.model("blog", "Post", fields=fields, indexes=[part, models.Index(fields=["n"], name="plain"), lost])
    assert check_project() == []


@pytest.mark.extension("vector")
@pytest.mark.parametrize(
    ("declared", "right"),
    [*((item, True) for item in RIGHT.values()), *((item[0], False) for item in WRONG.values())],
    ids=[*(f"right: {name}" for name in RIGHT), *(f"wrong: {name}" for name in WRONG)],
)
def test_the_server_agrees(project, arena, declared, right):
    fields, index = declared
    model = project.model("blog", "Post", fields=fields, indexes=[index])
    arena.sql("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")
    try:
        with transaction.atomic(), connection.schema_editor(atomic=False) as editor:
            editor.create_model(model)
        made = True
    except DatabaseError as error:
        assert "dimensions" in str(error)  # noqa: PT017 the words tell why
        made = False
    assert made is right
