"""Tables that somebody partitioned by hand, two levels deep, and what models may want of them."""

import uuid

from django.db import connection, models
from django.db.models import Deferrable, Q, UniqueConstraint
from django.db.models.functions import Lower

from tests.arena import Registry, oracle
from tests.oracle import differences

BODY = "id bigint NOT NULL, kind integer NOT NULL, n integer NOT NULL, name text NOT NULL, by_id bigint"
AUTHORS = "CREATE TABLE plug_author (id bigint PRIMARY KEY, event_id bigint)"
ROWS = (
    "INSERT INTO plug_author SELECT g, g FROM generate_series(1, 40) g",
    "INSERT INTO plug_event SELECT g, g % 4, g, 'v' || g, g FROM generate_series(1, 40) g",
)
# the columns that a unique constraint needs, and the partitions
LAYOUTS = {
    "list": (
        ("id", "kind"),
        (
            f"CREATE TABLE plug_event ({BODY}) PARTITION BY LIST (kind)",
            "CREATE TABLE plug_event_a PARTITION OF plug_event FOR VALUES IN (0, 1)",
            "CREATE TABLE plug_event_b PARTITION OF plug_event FOR VALUES IN (2) PARTITION BY RANGE (id)",
            "CREATE TABLE plug_event_b1 PARTITION OF plug_event_b FOR VALUES FROM (MINVALUE) TO (20)",
            'CREATE TABLE "plug_event B rest" PARTITION OF plug_event_b DEFAULT',
            "CREATE TABLE plug_event_rest PARTITION OF plug_event DEFAULT",
        ),
    ),
    "range": (
        ("id",),
        (
            f"CREATE TABLE plug_event ({BODY}) PARTITION BY RANGE (id)",
            "CREATE TABLE plug_event_a PARTITION OF plug_event FOR VALUES FROM (0) TO (20) PARTITION BY HASH (id)",
            "CREATE TABLE plug_event_a0 PARTITION OF plug_event_a FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
            "CREATE TABLE plug_event_a1 PARTITION OF plug_event_a FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
            "CREATE TABLE plug_event_b PARTITION OF plug_event FOR VALUES FROM (20) TO (40)",
            "CREATE TABLE plug_event_c PARTITION OF plug_event FOR VALUES FROM (40) TO (MAXVALUE)",
        ),
    ),
}
FIELDS = {
    "constant": {"x": models.IntegerField(default=7)},
    "commented uuid": {"x": models.UUIDField(default=uuid.uuid4, db_comment="it's")},
    "nullable uuid": {"x": models.UUIDField(default=uuid.uuid4, null=True)},
    "indexed": {"x": models.IntegerField(null=True, db_index=True)},
    "check of a field": {"n": models.PositiveIntegerField()},
    "foreign key": {"by": models.ForeignKey("plug.Author", models.CASCADE, null=True, db_index=False)},
    "indexed foreign key": {"by": models.ForeignKey("plug.Author", models.CASCADE, null=True)},
}
DECLARED = {
    "index": models.Index(fields=["-n", "name"], name="x"),
    "partial index": models.Index(Lower("name"), name="x", condition=Q(n__gt=3)),
    "unique": UniqueConstraint(fields=["n", "kind", "id"], name="x"),
    "deferrable": UniqueConstraint(fields=["n", "kind", "id"], name="x", deferrable=Deferrable.DEFERRED),
    "unique index": UniqueConstraint(fields=["n", "kind", "id"], name="x", include=["name"]),
    "check": models.CheckConstraint(condition=Q(n__gt=0) | Q(name="100%"), name="x"),
}
CASES = [*FIELDS, *DECLARED, "primary key", "foreign key to it"]
# Of each partition: how many of its indexes and foreign keys belong to its parent's. All have as many as the root.
PARTS = """
SELECT DISTINCT ARRAY[
    (SELECT count(*) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
      WHERE i.indrelid = relid AND (level = 0 OR x.relispartition)),
    (SELECT count(*) FROM pg_constraint k
      WHERE k.conrelid = relid AND k.contype = 'f' AND (level = 0 OR k.conparentid <> 0)),
    (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = relid AND k.contype = 'f')]
  FROM pg_partition_tree('plug_event')
"""
# The server gives a key to a partitioned table a twin for each of its partitions.
TWINS = "SELECT conname::text FROM pg_constraint WHERE conrelid = 'plug_author'::regclass AND conparentid <> 0"


def event(key, *declared, author=None, **more):
    """Return a plugin whose event has a primary key of these columns; more fields take the place of its own."""
    indexes = [item.clone() for item in declared if isinstance(item, models.Index)]
    constraints = [item.clone() for item in declared if not isinstance(item, models.Index)]
    fields = {
        "id": models.BigIntegerField(primary_key=key == ("id",)),
        "kind": models.IntegerField(),
        "n": models.IntegerField(),
        "name": models.TextField(),
        "by": models.BigIntegerField(null=True, db_column="by_id"),
    }
    if len(key) > 1:
        fields["pk"] = models.CompositePrimaryKey(*key)
    registry = Registry()
    registry.model("Event", meta={"indexes": indexes, "constraints": constraints}, **fields | more)
    event_id = {"event": author} if author else {"event_id": models.BigIntegerField(null=True)}
    registry.model("Author", id=models.BigIntegerField(primary_key=True), **event_id)
    return registry.plugin(connection)


def wanting(case, key):
    if case in FIELDS:
        return event(key, **{name: field.clone() for name, field in FIELDS[case].items()})
    if case == "foreign key to it":
        return event(key, author=models.ForeignKey("plug.Event", models.CASCADE, null=True, db_index=False))
    return event(key, *([DECLARED[case]] if case in DECLARED else []))


def build(arena, layout, case, *, rows):
    """Make the tables, with all keys that the case is not about."""
    key, statements = LAYOUTS[layout]
    arena.sql("DROP TABLE IF EXISTS plug_event, plug_author", *statements, AUTHORS, *(ROWS if rows else []))
    if case != "primary key":
        arena.sql(f"ALTER TABLE plug_event ADD PRIMARY KEY ({', '.join(key)})")


def unlike_django(arena, plugin, left):
    """Return how the models' tables differ from Django's, but for being partitioned and keeping defaults."""
    expected = oracle(plugin)
    arena.enter()
    found = {table: facts for table, facts in arena.fingerprint().items() if table in expected}
    found["plug_event"]["kind"] = "r"
    for (name,) in arena.rows(TWINS):
        del found["plug_author"]["constraints"][name]
    for index in found["plug_event"]["indexes"].values():
        index["definition"] = index["definition"].replace(" ON ONLY ", " ON ")
    for name, column in expected["plug_event"]["columns"].items():
        if name not in left["plug_event"]["columns"]:
            column["default"] = found["plug_event"]["columns"][name]["default"]
    return differences(expected, found)
