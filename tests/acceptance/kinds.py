"""Every kind of thing that Django models can declare on PostgreSQL, a plugin each."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import django
from django.contrib.postgres import fields as pg
from django.contrib.postgres import indexes as pgi
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Deferrable, F, Func, Q, UniqueConstraint, Value
from django.db.models.functions import Coalesce, Lower, Now, Upper
from pgvector.django import (
    BitField,
    HalfVectorField,
    HnswIndex,
    IvfflatIndex,
    SparseVectorField,
    VectorField,
)

from tests.arena import Registry

LONG = "a_name_that_goes_on_and_on_well_past_what_the_server_keeps_of_any_name_at_all"
CASCADE = models.CASCADE


def plain_fields(plugin: Registry) -> None:
    plugin.model(
        "Plain",
        big=models.BigIntegerField(null=True),
        binary=models.BinaryField(default=b"\x00'"),
        boolean=models.BooleanField(default=True, db_default=False),
        char=models.CharField(max_length=9, unique=True, db_comment='it\'s "said"'),
        day=models.DateField(auto_now=True),
        decimal=models.DecimalField(max_digits=9, decimal_places=3, db_default=Value("1.5")),
        duration=models.DurationField(default=datetime.timedelta(days=1)),
        email=models.EmailField(db_index=True),
        file=models.FileField(),
        floating=models.FloatField(db_column="float"),
        ip=models.GenericIPAddressField(null=True, unique=True),
        integer=models.IntegerField(db_index=True),
        json=models.JSONField(default=dict, db_default=Value({"a": ["%s", "it's"]}, models.JSONField())),
        moment=models.DateTimeField(auto_now_add=True, db_default=Now()),
        positive=models.PositiveIntegerField(),
        positive_big=models.PositiveBigIntegerField(null=True, unique=True),
        positive_small=models.PositiveSmallIntegerField(db_column="order"),
        slug=models.SlugField(),
        small=models.SmallIntegerField(),
        text=models.TextField(db_default="'", db_index=True),
        time=models.TimeField(),
        url=models.URLField(unique=True),
        uuid=models.UUIDField(default=uuid.uuid4, unique=True),
        meta={"db_table_comment": "what an agent's plugin holds"},
    )


def array_and_range_fields(plugin: Registry) -> None:
    plugin.model(
        "Ranged",
        tags=pg.ArrayField(models.CharField(max_length=20), default=list, db_index=True),
        board=pg.ArrayField(pg.ArrayField(models.IntegerField(), size=3), size=3, null=True),
        span=pg.DateTimeRangeField(null=True),
        ages=pg.IntegerRangeField(default=(1, 9)),
        bigs=pg.BigIntegerRangeField(null=True),
        prices=pg.DecimalRangeField(null=True),
        days=pg.DateRangeField(null=True),
        words=SearchVectorField(null=True),
        meta={"indexes": [pgi.GinIndex(fields=["words"], name="ranged_words"), pgi.GistIndex(fields=["span"])]},
    )


def keys(plugin: Registry) -> None:
    plugin.model("SmallKey", id=models.SmallAutoField(primary_key=True))
    plugin.model("IntKey", id=models.AutoField(primary_key=True))
    plugin.model("BigKey", id=models.BigAutoField(primary_key=True))
    plugin.model("TextKey", code=models.CharField(max_length=5, primary_key=True))
    plugin.model(
        "Pair", pk=models.CompositePrimaryKey("left", "right"), left=models.TextField(), right=models.IntegerField()
    )
    plugin.model("UsesText", code=models.ForeignKey("TextKey", CASCADE), small=models.ForeignKey("SmallKey", CASCADE))


def relations(plugin: Registry) -> None:
    plugin.model("Tag", name=models.CharField(max_length=9, unique=True))
    plugin.model("Post", tags=models.ManyToManyField("Tag"), see=models.ManyToManyField("self"))
    plugin.model(
        "Profile", post=models.OneToOneField("Post", CASCADE), tag=models.ForeignKey("Tag", CASCADE, to_field="name")
    )
    plugin.model(
        "Loose",
        post=models.ForeignKey("Post", CASCADE, db_constraint=False),
        no=models.ForeignKey("Tag", CASCADE, db_index=False),
    )
    plugin.model("Link", left=models.ForeignKey("Post", CASCADE), right=models.ForeignKey("Rated", CASCADE))
    plugin.model("Rated", posts=models.ManyToManyField("Post", through="Link"))
    plugin.model("Answer", to=models.ForeignKey("Post", CASCADE), meta={"order_with_respect_to": "to"})


def inheritance(plugin: Registry) -> None:
    stamped = plugin.model("Stamped", at=models.DateTimeField(db_index=True), meta={"abstract": True})
    place = plugin.model("Place", bases=(stamped,), name=models.TextField())
    cafe = plugin.model("Cafe", bases=(place,), chairs=models.PositiveIntegerField())
    plugin.model("Bar", bases=(cafe,), stools=models.IntegerField())
    plugin.model("Proxy", bases=(place,), meta={"proxy": True})
    plugin.model("Elsewhere", n=models.IntegerField(), meta={"managed": False})


def constraints(plugin: Registry) -> None:
    plugin.model(
        "Ruled",
        a=models.IntegerField(),
        b=models.IntegerField(db_column="bee"),
        c=models.CharField(max_length=9),
        meta={
            "unique_together": {("a", "b"), ("b", "c")},
            "constraints": [
                models.CheckConstraint(condition=Q(a__gt=F("b")) | Q(c="it's 100%"), name="check it"),
                UniqueConstraint(fields=["a", "c"], name="plain"),
                UniqueConstraint(fields=["c", "a"], name="deferred", deferrable=Deferrable.DEFERRED),
                UniqueConstraint(fields=["b", "a"], name="immediate", deferrable=Deferrable.IMMEDIATE),
                UniqueConstraint(fields=["a"], condition=Q(c="x"), name="partial"),
                UniqueConstraint(fields=["b"], include=["c"], name="covering"),
                UniqueConstraint(fields=["c"], opclasses=["text_pattern_ops"], name="opclassed"),
                UniqueConstraint(Lower("c").desc(), "a", name="expressed"),
            ],
        },
    )


def nulls_distinct(plugin: Registry) -> None:
    plugin.model(
        "Nulls",
        a=models.IntegerField(null=True),
        b=models.IntegerField(null=True),
        meta={
            "constraints": [
                UniqueConstraint(fields=["a"], name="one_null", nulls_distinct=False),
                UniqueConstraint(fields=["b"], name="many_nulls", nulls_distinct=True),
                UniqueConstraint(fields=["b"], name="some", nulls_distinct=False, condition=Q(a=1)),
            ]
        },
    )


def indexes(plugin: Registry) -> None:
    plugin.model(
        "Indexed",
        a=models.IntegerField(),
        b=models.TextField(),
        j=models.JSONField(),
        meta={
            "indexes": [
                models.Index(fields=["a", "-b"]),
                models.Index(fields=["a"], include=["b"], name="covers"),
                models.Index(fields=["a"], condition=Q(b__startswith="100%"), name="partly"),
                models.Index(Upper("b").desc(nulls_last=True), "a", name="expressions"),
                models.Index(fields=["b"], opclasses=["text_pattern_ops"], name="patterns"),
                pgi.BTreeIndex(fields=["a"], fillfactor=70, name="full"),
                pgi.BrinIndex(fields=["a"], autosummarize=True, pages_per_range=4),
                pgi.GinIndex(fields=["j"], opclasses=["jsonb_path_ops"], name="paths", fastupdate=False),
                pgi.GinIndex(fields=["j"], opclasses=["jsonb_ops"], name="explicit_default"),
                pgi.HashIndex(fields=["b"], fillfactor=50),
                pgi.SpGistIndex(fields=["b"]),
                pgi.GinIndex(pgi.OpClass(Coalesce("j", Value({}, models.JSONField())), name="jsonb_ops"), name="opc"),
            ],
            "db_tablespace": "pg_default",
        },
    )


def generated(plugin: Registry) -> None:
    plugin.model(
        "Generated",
        side=models.IntegerField(),
        area=models.GeneratedField(
            expression=F("side") * F("side"), output_field=models.BigIntegerField(), db_persist=True, unique=True
        ),
        name=models.CharField(max_length=9, db_collation="C", db_index=True),
        shout=models.GeneratedField(expression=Upper("name"), output_field=models.TextField(), db_persist=True),
        words=models.GeneratedField(
            expression=SearchVector("name", config="english"), output_field=SearchVectorField(), db_persist=True
        ),
        sides=models.GeneratedField(
            expression=Func("side", "side", function="ARRAY", template="%(function)s[%(expressions)s]"),
            output_field=pg.ArrayField(models.IntegerField()),
            db_persist=True,
        ),
    )


def names(plugin: Registry) -> None:
    plugin.model(
        "Named",
        upper=models.IntegerField(db_column="UPPER Case", db_index=True),
        reserved=models.IntegerField(db_column="select", unique=True),
        apostrophe=models.CharField(max_length=5, db_column="it's", db_index=True),
        percent=models.PositiveIntegerField(db_column="100%"),
        umlaut=models.TextField(db_column="größe_日本", unique=True),
        long=models.ForeignKey("Other", CASCADE, db_column=f"{LONG[:50]}_id"),
        meta={"db_table": "a Table; DROP TABLE x --", "unique_together": {("upper", "long")}},
    )
    plugin.model("Other", body=models.CharField(max_length=9, unique=True), meta={"db_table": "user"})
    plugin.model("Accented", n=models.PositiveIntegerField(unique=True), meta={"db_table": "é" * 40})
    plugin.model("Long", n=models.PositiveIntegerField(unique=True, db_index=True), meta={"db_table": LONG[:63]})


def vectors(plugin: Registry) -> None:
    plugin.model(
        "Vectors",
        v=VectorField(dimensions=3, null=True),
        h=HalfVectorField(dimensions=4000),
        s=SparseVectorField(dimensions=9),
        b=BitField(length=8),
        meta={
            "indexes": [
                HnswIndex(fields=["v"], opclasses=["vector_cosine_ops"], name="v_hnsw", m=8, ef_construction=32),
                IvfflatIndex(fields=["v"], opclasses=["vector_l2_ops"], name="v_ivf", lists=3),
                HnswIndex(fields=["h"], opclasses=["halfvec_ip_ops"], name="h_hnsw"),
                HnswIndex(fields=["b"], opclasses=["bit_hamming_ops"], name="b_hnsw"),
            ]
        },
    )


def contrib(plugin: Registry) -> None:
    plugin.model(
        "Contrib",
        h=pg.HStoreField(default=dict),
        t=models.TextField(),
        n=models.IntegerField(),
        span=pg.DateTimeRangeField(),
        meta={
            "indexes": [
                pgi.GinIndex(fields=["t"], opclasses=["gin_trgm_ops"], name="trgm"),
                pgi.GistIndex(pgi.OpClass("t", name="gist_trgm_ops"), name="trgm_expression"),
                pgi.GinIndex(fields=["n"], name="gin_scalar"),
                pgi.BloomIndex(fields=["n", "t"], length=80, columns=[2, 4], name="bloomy"),
            ],
            "constraints": [
                ExclusionConstraint(name="once", expressions=[("span", "&&"), ("n", "=")], condition=Q(n__gt=0)),
            ],
        },
    )


def exclusion(plugin: Registry) -> None:
    plugin.model(
        "Booking",
        span=pg.DateTimeRangeField(),
        meta={"constraints": [ExclusionConstraint(name="no_overlap", expressions=[("span", "&&")])]},
    )


def database_cascades(plugin: Registry) -> None:
    rules: Any = models
    plugin.model("Top")
    plugin.model(
        "Leaf",
        top=models.ForeignKey("Top", rules.DB_CASCADE),
        maybe=models.ForeignKey("Top", rules.DB_SET_NULL, null=True, related_name="+"),
    )


KINDS = [
    plain_fields,
    array_and_range_fields,
    keys,
    relations,
    inheritance,
    constraints,
    indexes,
    generated,
    names,
    exclusion,
    *([database_cascades] if django.VERSION >= (6, 1) else []),
]
EXTENDED = {vectors: ("vector",), contrib: ("hstore", "pg_trgm", "btree_gin", "btree_gist", "bloom")}
