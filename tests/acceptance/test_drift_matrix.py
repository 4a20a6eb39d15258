"""Every comparable fact of every kind of object, altered by hand, one at a time: one finding, and its remedy."""

import os
import re
from typing import NamedTuple

import django
import pytest
from django.contrib.postgres import fields as pg
from django.contrib.postgres import indexes as pgi
from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import connection, models
from django.db.models import Deferrable, F, Q, UniqueConstraint, Value
from django.db.models.functions import Lower, Now, Upper

from tests.arena import Registry

SCHEMA = "matrix_ai"
HAS_VIRTUAL = django.VERSION >= (6, 0)
STATEMENTS = re.compile(r"(?:ALTER|COMMENT|DROP|REINDEX|SELECT|UPDATE) [^;]*;")


def nulls_not_distinct():
    return {"nulls_distinct": False} if connection.pg_version >= 150000 else {}


def plugin_of():
    registry = Registry()
    registry.model("Target", code=models.CharField(max_length=5, unique=True), other=models.IntegerField(null=True))
    virtual = (
        {
            "half": models.GeneratedField(
                expression=F("literal") / 2, output_field=models.IntegerField(), db_persist=False
            )
        }
        if HAS_VIRTUAL and connection.pg_version >= 180000
        else {}
    )
    registry.model(
        "Thing",
        code=models.CharField(max_length=9, unique=True, db_comment="what people's call it"),
        literal=models.IntegerField(db_default=5),
        moment=models.DateTimeField(db_default=Now()),
        total=models.IntegerField(db_default=Value(2) + Value(3)),
        latin=models.CharField(max_length=9, db_collation="C"),
        plain=models.CharField(max_length=9),
        number=models.IntegerField(),
        positive=models.PositiveIntegerField(),
        maybe=models.IntegerField(null=True),
        python=models.IntegerField(default=3),
        wide=models.TextField(db_default=""),
        double=models.GeneratedField(
            expression=F("literal") * 2, output_field=models.BigIntegerField(), db_persist=True
        ),
        span=pg.DateTimeRangeField(null=True),
        json=models.JSONField(null=True),
        target=models.ForeignKey("Target", models.CASCADE),
        **virtual,
        meta={
            "db_table_comment": "what is kept",
            "constraints": [
                UniqueConstraint(fields=["number", "plain"], name="t_deferred", deferrable=Deferrable.DEFERRED),
                UniqueConstraint(fields=["maybe"], name="t_nulls", **nulls_not_distinct()),
                UniqueConstraint(fields=["number"], condition=Q(plain="x"), name="t_partial_unique"),
                models.CheckConstraint(condition=Q(number__gt=0), name="t_check"),
                ExclusionConstraint(name="t_exclusion", expressions=[("span", "&&")], condition=Q(number__gt=1)),
            ],
            "indexes": [
                models.Index(fields=["number"], name="t_plain"),
                models.Index(fields=["number"], condition=Q(plain="a"), name="t_partial"),
                models.Index(Upper("plain").desc(), "number", name="t_expression"),
                models.Index(fields=["number"], include=["plain"], name="t_covering"),
                models.Index(fields=["plain"], opclasses=["text_pattern_ops"], name="t_opclass"),
                models.Index(fields=["-number", "plain"], name="t_desc"),
                models.Index(Lower("latin"), name="t_lower"),
                pgi.GinIndex(fields=["json"], name="t_gin", opclasses=["jsonb_path_ops"]),
                pgi.BrinIndex(fields=["moment"], name="t_brin", pages_per_range=8, autosummarize=True),
                pgi.HashIndex(fields=["plain"], name="t_hash"),
            ],
        },
    )
    registry.model("Note", body=models.TextField(db_index=True), meta={"db_table": f'{SCHEMA}"."notes'})
    return registry.plugin(connection)


class Case(NamedTuple):
    """What somebody does, and what is told of it; `after`: what is still told when its hint was followed."""

    name: str
    sql: str
    id: str
    obj: str
    hint: str
    after: tuple[str, ...] = ()
    since: int = 140000


def column(name, what):
    return f"ALTER TABLE plug_thing ALTER COLUMN {name} {what}"


def index(name, what):
    return f"DROP INDEX {name}; CREATE {what.replace('INDEX', f'INDEX {name}', 1)}"


def constraint(name, what):
    return f"ALTER TABLE plug_thing DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {what}"


SERIAL = (
    "ALTER TABLE plug_thing ALTER id DROP IDENTITY; CREATE SEQUENCE s OWNED BY plug_thing.id; "
    "ALTER TABLE plug_thing ALTER id SET DEFAULT nextval('s')"
)
FK = "plug_thing_target_id_{}_fk_plug_target_id"
FOREIGN_KEY = "foreign key plug_thing(target_id)"
CHECK = "check plug_thing(t_check)"
AGAIN = 'ALTER TABLE "plug_thing" DROP CONSTRAINT'
OF_TABLES = [
    Case("comment", "COMMENT ON TABLE plug_thing IS 'other'", "D110", "plug_thing", "IS 'what is kept';"),
    Case("no comment", "COMMENT ON TABLE plug_thing IS NULL", "D110", "plug_thing", "IS 'what is kept';"),
    Case("new comment", "COMMENT ON TABLE plug_target IS 'x'", "D110", "plug_target", "IS NULL;"),
    Case("unlogged", f"ALTER TABLE {SCHEMA}.notes SET UNLOGGED", "D116", f"{SCHEMA}.notes", "SET LOGGED;"),
]
OF_COLUMNS = [
    Case("wider text", column("plain", "TYPE varchar(20)"), "D101", "plug_thing.plain", "TYPE varchar(9)"),
    Case("text", column("code", "TYPE text"), "D101", "plug_thing.code", "TYPE varchar(9)"),
    Case("narrow", column("number", "TYPE smallint"), "D101", "plug_thing.number", "TYPE integer"),
    Case(  # back again the server's own casts stay in the checks
        "numeric",
        column("number", "TYPE numeric(9, 2)"),
        "D101",
        "plug_thing.number",
        "TYPE integer",
        after=("D112", "D112"),
    ),
    Case("no zone", column("moment", "TYPE timestamp"), "D101", "plug_thing.moment", "TYPE timestamp with time zone"),
    Case("collated", column("latin", 'TYPE text COLLATE "C"'), "D101", "plug_thing.latin", 'COLLATE pg_catalog."C"'),
    Case("null", column("number", "DROP NOT NULL"), "D102", "plug_thing.number", "SET NOT NULL;"),
    Case("not null", column("maybe", "SET NOT NULL"), "D102", "plug_thing.maybe", "DROP NOT NULL;"),
    Case("no default", column("literal", "DROP DEFAULT"), "D106", "plug_thing.literal", "SET DEFAULT 5;"),
    Case("literal", column("literal", "SET DEFAULT 6"), "D106", "plug_thing.literal", "SET DEFAULT 5;"),
    Case("function", column("moment", "SET DEFAULT '2000-01-01'"), "D106", "plug_thing.moment", "SET DEFAULT stat"),
    Case("expression", column("total", "SET DEFAULT 5"), "D106", "plug_thing.total", "SET DEFAULT (2 + 3);"),
    Case("new default", column("number", "SET DEFAULT 7"), "D106", "plug_thing.number", "DROP DEFAULT;"),
    Case(  # its default fits no integer as it is
        "text with a default",
        "ALTER TABLE plug_thing ALTER python DROP DEFAULT, ALTER python TYPE text, ALTER python SET DEFAULT '1'",
        "D101",
        "plug_thing.python",
        """TYPE integer USING "python"::integer, ALTER COLUMN "python" SET DEFAULT ('1'::text)::text::integer;""",
    ),
    Case(
        "wider text with its default",
        "ALTER TABLE plug_thing ALTER wide TYPE varchar(5); ALTER TABLE plug_thing ALTER wide TYPE text; "
        "COMMENT ON COLUMN plug_thing.wide IS 'was shorter'",
        "D110",
        "plug_thing.wide",
        "IS NULL;",
    ),
    Case(
        "plain default",
        "ALTER TABLE plug_thing ALTER id DROP IDENTITY; ALTER TABLE plug_thing ALTER id SET DEFAULT 7",
        "D107",
        "plug_thing.id",
        'DROP DEFAULT, ALTER COLUMN "id" ADD GENERATED BY DEFAULT',
    ),
    Case("no identity", column("id", "DROP IDENTITY"), "D107", "plug_thing.id", "ADD GENERATED BY DEFAULT AS IDENTITY"),
    Case("always", column("id", "SET GENERATED ALWAYS"), "D107", "plug_thing.id", "SET GENERATED BY DEFAULT;"),
    Case("serial", SERIAL, "D107", "plug_thing.id", "Leave it", after=("D107",)),
    Case(
        "new identity",
        column("number", "ADD GENERATED BY DEFAULT AS IDENTITY"),
        "D107",
        "plug_thing.number",
        "DROP IDENTITY;",
    ),
    Case("ordinary", column("double", "DROP EXPRESSION"), "D108", "plug_thing.double", 'DROP COLUMN "double";'),
    Case(
        "otherwise generated",
        "ALTER TABLE plug_thing DROP double, ADD double bigint GENERATED ALWAYS AS (literal * 3) STORED",
        "D108",
        "plug_thing.double",
        'DROP COLUMN "double";',
    ),
    Case(
        "newly generated",
        "ALTER TABLE plug_thing DROP maybe, ADD maybe int GENERATED ALWAYS AS (7) STORED; "
        "ALTER TABLE plug_thing ADD CONSTRAINT t_nulls UNIQUE {nulls} (maybe)",
        "D108",
        "plug_thing.maybe",
        "DROP EXPRESSION;",
    ),
    Case("no collation", column("latin", "TYPE varchar(9)"), "D109", "plug_thing.latin", 'COLLATE pg_catalog."C";'),
    Case("other", column("latin", 'TYPE varchar(9) COLLATE "POSIX"'), "D109", "plug_thing.latin", '."C";'),
    Case("collation", column("plain", 'TYPE varchar(9) COLLATE "C"'), "D109", "plug_thing.plain", '"default";'),
    Case("comment", "COMMENT ON COLUMN plug_thing.code IS 'x'", "D110", "plug_thing.code", "IS 'what people''s call"),
    Case("no comment", "COMMENT ON COLUMN plug_thing.code IS NULL", "D110", "plug_thing.code", "IS 'what people''s"),
    Case("new comment", "COMMENT ON COLUMN plug_thing.id IS 'x'", "D110", "plug_thing.id", "IS NULL;"),
    Case(
        "of a schema", f"ALTER TABLE {SCHEMA}.notes ALTER body DROP NOT NULL", "D102", f"{SCHEMA}.notes.body", "SET N"
    ),
]
OF_CONSTRAINTS = [
    Case(
        "key deferrable",
        constraint("plug_thing_pkey", "PRIMARY KEY (id) DEFERRABLE"),
        "D113",
        "primary key plug_thing",
        AGAIN,
    ),
    Case(
        "immediate",
        constraint("t_deferred", "UNIQUE (number, plain) DEFERRABLE"),
        "D113",
        "unique plug_thing(number, plain)",
        AGAIN,
    ),
    Case("check", constraint("t_check", "CHECK (number > 1)"), "D112", CHECK, AGAIN),
    Case(
        "column's check",
        constraint("plug_thing_positive_check", "CHECK (positive > 1)"),
        "D112",
        "check plug_thing(plug_thing_positive_check)",
        AGAIN,
    ),
    Case(
        "exclusion",
        constraint("t_exclusion", "EXCLUDE USING gist (span WITH -|-) WHERE (number > 1)"),
        "D112",
        "exclusion plug_thing(t_exclusion)",
        AGAIN,
    ),
    Case(
        "exclusion's predicate",
        constraint("t_exclusion", "EXCLUDE USING gist (span WITH &&) WHERE (number > 2)"),
        "D112",
        "exclusion plug_thing(t_exclusion)",
        AGAIN,
    ),
    Case(
        "exclusion deferrable",
        constraint("t_exclusion", "EXCLUDE USING gist (span WITH &&) WHERE (number > 1) DEFERRABLE"),
        "D113",
        "exclusion plug_thing(t_exclusion)",
        AGAIN,
    ),
    *(
        Case(
            what,
            constraint("{key}", f"FOREIGN KEY (target_id) REFERENCES plug_target {what} DEFERRABLE INITIALLY DEFERRED"),
            "D111",
            FOREIGN_KEY,
            AGAIN,
        )
        for what in ("ON DELETE CASCADE", "ON DELETE RESTRICT", "ON UPDATE CASCADE", "MATCH FULL")
    ),
    Case("not deferrable", "ALTER TABLE plug_thing ALTER CONSTRAINT {key} NOT DEFERRABLE", "D113", FOREIGN_KEY, AGAIN),
    Case(
        "immediate",
        "ALTER TABLE plug_thing ALTER CONSTRAINT {key} DEFERRABLE INITIALLY IMMEDIATE",
        "D113",
        FOREIGN_KEY,
        AGAIN,
    ),
    Case("not inherited", constraint("t_check", "CHECK (number > 0) NO INHERIT"), "D112", CHECK, AGAIN),
    Case("not watched", "ALTER TABLE plug_target DISABLE TRIGGER ALL", "D104", FOREIGN_KEY, AGAIN),
    Case(
        "nor watched here",
        "ALTER TABLE plug_thing DROP CONSTRAINT t_deferred; ALTER TABLE plug_thing DISABLE TRIGGER ALL; "
        "ALTER TABLE plug_thing ADD CONSTRAINT t_deferred UNIQUE (number, plain) DEFERRABLE INITIALLY DEFERRED",
        "D104",
        FOREIGN_KEY,
        AGAIN,
    ),
    Case(
        "a unique not watched",
        "DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE plug_thing DISABLE TRIGGER %I', tgname) FROM pg_trigger t "
        "JOIN pg_constraint c ON c.oid = tgconstraint WHERE conname = 't_deferred' AND tgrelid = 'plug_thing'::regclass"
        ");END $$",
        "D104",
        "unique plug_thing(number, plain)",
        AGAIN,
    ),
    Case(
        "not enforced",
        "ALTER TABLE plug_thing ALTER CONSTRAINT {key} NOT ENFORCED",
        "D104",
        FOREIGN_KEY,
        " ENFORCED;",
        since=180000,
    ),
    Case(
        "not enforced",
        constraint("t_check", "CHECK (number > 0) NOT ENFORCED"),
        "D104",
        "check plug_thing(t_check)",
        AGAIN,
        since=180000,
    ),
]
INDEXES = {  # by what differs: the index, and what it is instead
    "column": ("t_plain", "INDEX ON plug_thing (literal)"),
    "method": ("t_plain", "INDEX ON plug_thing USING hash (number)"),
    "unique": ("t_plain", "UNIQUE INDEX ON plug_thing (number)"),
    "width": ("t_plain", "INDEX ON plug_thing (number, literal)"),
    "order": ("t_desc", "INDEX ON plug_thing (number, plain)"),
    "nulls": ("t_desc", "INDEX ON plug_thing (number DESC NULLS LAST, plain)"),
    "collation": ("t_desc", 'INDEX ON plug_thing (number DESC, plain COLLATE "C")'),
    "opclass": ("t_opclass", "INDEX ON plug_thing (plain)"),
    "options of an opclass": (
        "t_brin",
        "INDEX ON plug_thing USING brin (moment timestamptz_bloom_ops (false_positive_rate = 0.02))",
    ),
    "collation of an expression": ("t_lower", 'INDEX ON plug_thing (lower(latin) COLLATE "POSIX")'),
    "opclass of gin": ("t_gin", "INDEX ON plug_thing USING gin (json)"),
    "include": ("t_covering", "INDEX ON plug_thing (number) INCLUDE (literal)"),
    "no include": ("t_covering", "INDEX ON plug_thing (number)"),
    "predicate": ("t_partial", "INDEX ON plug_thing (number) WHERE plain = 'b'"),
    "no predicate": ("t_partial", "INDEX ON plug_thing (number)"),
    "new predicate": ("t_plain", "INDEX ON plug_thing (number) WHERE plain = 'a'"),
    "expression": ("t_expression", "INDEX ON plug_thing (lower(plain) DESC, number)"),
    "order of an expression": ("t_expression", "INDEX ON plug_thing (upper(plain), number)"),
    "not unique": ("t_partial_unique", "INDEX ON plug_thing (number) WHERE plain = 'x'"),
    "method of hash": ("t_hash", "INDEX ON plug_thing (plain)"),
    "method of brin": ("t_brin", "INDEX ON plug_thing (moment) WITH (fillfactor = 90)"),
}
OF_INDEXES = [
    *(
        Case(name, index(which, what), "D103", f"index plug_thing({which})", f'."{which}";')
        for name, (which, what) in INDEXES.items()
    ),
    Case(
        "nulls not distinct",
        "DROP INDEX t_partial_unique; "
        "CREATE UNIQUE INDEX t_partial_unique ON plug_thing (number) NULLS NOT DISTINCT WHERE plain = 'x'",
        "D103",
        "index plug_thing(t_partial_unique)",
        '."t_partial_unique";',
        since=150000,
    ),
    Case("storage", "ALTER INDEX t_plain SET (fillfactor = 70)", "D114", "index plug_thing(t_plain)", "RESET (fillf"),
    Case("other storage", "ALTER INDEX t_brin SET (pages_per_range = 4)", "D114", "index plug_thing(t_brin)", "SET (a"),
    Case("no storage", "ALTER INDEX t_brin RESET (pages_per_range)", "D114", "index plug_thing(t_brin)", "=8"),
]
EXTRAS = [
    Case(
        "required",
        "ALTER TABLE plug_thing ADD late int NOT NULL",
        "D121",
        "plug_thing.late",
        'ALTER TABLE "plug_thing" ALTER COLUMN "late" DROP NOT NULL;',
        after=("D122",),
    ),
    Case("column", "ALTER TABLE plug_thing ADD late int", "D122", "plug_thing.late", 'DROP COLUMN "late";'),
    Case("served", "ALTER TABLE plug_thing ADD late int NOT NULL DEFAULT 1", "D122", "plug_thing.late", "DROP COLUMN"),
    Case(
        "identity",
        "ALTER TABLE plug_thing ADD late int GENERATED ALWAYS AS IDENTITY",
        "D122",
        "plug_thing.late",
        "DROP COLUMN",
    ),
    Case(
        "generated",
        "ALTER TABLE plug_thing ADD late int NOT NULL GENERATED ALWAYS AS (1) STORED",
        "D122",
        "plug_thing.late",
        "DROP COLUMN",
    ),
    *(
        Case(
            f"{kind} constraint",
            f"ALTER TABLE plug_thing ADD CONSTRAINT late {what}",
            "D123",
            f"{kind} plug_thing(late)",
            f'{AGAIN} "late";',
        )
        for kind, what in [
            ("unique", "UNIQUE (literal)"),
            ("check", "CHECK (literal < 9) NOT VALID"),
            ("exclusion", "EXCLUDE USING gist (span WITH -|-)"),
            ("foreign key", "FOREIGN KEY (code) REFERENCES plug_target (code)"),
            ("foreign key", "FOREIGN KEY (target_id) REFERENCES plug_target"),
        ]
    ),
    Case("index", "CREATE INDEX late ON plug_thing (literal)", "D124", "index plug_thing(late)", '."late";'),
    Case(
        "unique index", "CREATE UNIQUE INDEX late ON plug_thing (literal)", "D124", "index plug_thing(late)", "DROP I"
    ),
    Case(
        "partial index",
        "CREATE INDEX late ON plug_thing (literal) WHERE number > 1",
        "D124",
        "index plug_thing(late)",
        "CONCURRENTLY",
    ),
    Case("duplicate", "CREATE INDEX late ON plug_thing (number)", "D124", "index plug_thing(late)", "CONCURRENTLY"),
    Case("table", f"CREATE TABLE {SCHEMA}.late (n int)", "D125", f"schema {SCHEMA}", f'DROP TABLE "{SCHEMA}"."late";'),
]
CASES = [*OF_TABLES, *OF_COLUMNS, *OF_CONSTRAINTS, *OF_INDEXES, *EXTRAS]


@pytest.fixture
def made(arena):
    """A plugin with everything, whose schema is there."""
    plugin = plugin_of()
    assert arena.automigrate(plugin).status == "converged"
    yield plugin
    arena.sql(f"DROP SCHEMA {SCHEMA} CASCADE")


def look(arena, plugin):
    report = arena.automigrate(plugin, plan_only=True)
    assert report.outcomes == ()
    return report.findings


def test_untouched(arena, made):
    assert look(arena, made) == ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.obj.split('(')[0]}: {case.name}")
def test_one_finding_and_its_remedy(arena, made, case):
    if connection.pg_version < case.since:
        pytest.skip("this server has no such thing")
    keys = arena.rows("SELECT conname FROM pg_constraint WHERE conrelid = 'plug_thing'::regclass AND contype = 'f'")
    nulls = "NULLS NOT DISTINCT" if connection.pg_version >= 150000 else ""
    arena.sql(*case.sql.format(key=keys[0][0], nulls=nulls).split("; "))

    (finding,) = look(arena, made)
    assert (finding.id, finding.obj) == (f"agentsql.{case.id}", case.obj)
    assert case.hint in finding.hint
    if case.id == "D103":
        found, wanted = finding.msg.removesuffix(".").partition("the model's: ")[2].split(", not ")
        assert found != wanted

    arena.sql(*STATEMENTS.findall(finding.hint.replace("SET DEFAULT ...;", "")))
    arena.automigrate(made)
    assert [after.id for after in look(arena, made)] == [f"agentsql.{name}" for name in case.after]


@pytest.mark.parametrize(
    ("name", "change", "default"),
    [
        ("moment", "TYPE timestamp, ALTER moment SET DEFAULT (now() AT TIME ZONE 'utc')", "statement_timestamp()"),
        ("total", "DROP DEFAULT, ALTER total TYPE text, ALTER total SET DEFAULT '1'", "(2 + 3)"),
    ],
)
def test_another_type_with_another_default(arena, made, name, change, default):
    """The remedy of the first mends both."""
    arena.sql(column(name, change))
    first, second = look(arena, made)
    assert (first.id, second.id) == ("agentsql.D101", "agentsql.D106")
    assert first.hint.endswith(f'ALTER COLUMN "{name}" SET DEFAULT {default};')
    arena.sql(*STATEMENTS.findall(first.hint))
    assert look(arena, made) == ()


@pytest.mark.parametrize("change", ["TYPE bigint", "TYPE bigint, ALTER positive TYPE bigint"])
def test_a_wider_integer_is_told_nowhere(arena, made, change):
    """Neither are the operator classes and casts that come with it."""
    arena.sql(f"ALTER TABLE plug_thing ALTER number {change}")
    assert look(arena, made) == ()


@pytest.mark.skipif(not HAS_VIRTUAL, reason="virtual columns are new in Django 6.0")
def test_virtual_instead_of_stored(arena, made):
    if connection.pg_version < 180000:
        pytest.skip("virtual columns are new in PostgreSQL 18")
    arena.sql("ALTER TABLE plug_thing DROP half, ADD half int GENERATED ALWAYS AS (literal / 2) STORED")
    (finding,) = look(arena, made)
    assert (finding.id, finding.obj) == ("agentsql.D108", "plug_thing.half")
    assert finding.msg.startswith("Column plug_thing.half is STORED; the model wants it VIRTUAL. Code goes on:")


@pytest.mark.skipif(not hasattr(models, "DB_CASCADE"), reason="rules of the database are new in Django 6.1")
@pytest.mark.parametrize("action", ["", "ON DELETE SET NULL", "ON DELETE RESTRICT"])
def test_another_rule_of_the_database(arena, action):
    registry = Registry()
    registry.model("Top")
    registry.model("Leaf", top=models.ForeignKey("Top", models.DB_CASCADE))
    plugin = registry.plugin(connection)
    arena.automigrate(plugin)
    ((key,),) = arena.rows("SELECT conname FROM pg_constraint WHERE conrelid = 'plug_leaf'::regclass AND contype = 'f'")
    arena.sql(
        f"ALTER TABLE plug_leaf DROP CONSTRAINT {key}, ADD CONSTRAINT {key} "
        f"FOREIGN KEY (top_id) REFERENCES plug_top {action} DEFERRABLE INITIALLY DEFERRED"
    )
    (finding,) = look(arena, plugin)
    assert (finding.id, finding.obj) == ("agentsql.D111", "foreign key plug_leaf(top_id)")
    arena.sql(*STATEMENTS.findall(finding.hint))
    arena.automigrate(plugin)
    assert look(arena, plugin) == ()


def test_another_tablespace(arena, made):
    if connection.pg_version < 150000:
        pytest.skip("a tablespace without a directory of its own is new in PostgreSQL 15")
    space = f"space_{os.getpid()}"  # tablespaces are the server's, and two sessions may share one
    arena.sql("SET allow_in_place_tablespaces = true", f"CREATE TABLESPACE {space} LOCATION ''")
    arena.sql(f"ALTER INDEX t_plain SET TABLESPACE {space}")
    (finding,) = look(arena, made)
    arena.sql(*STATEMENTS.findall(finding.hint), f"DROP TABLESPACE {space}", "RESET allow_in_place_tablespaces")
    assert (finding.id, finding.obj) == ("agentsql.D115", "index plug_thing(t_plain)")
    assert look(arena, made) == ()


@pytest.mark.parametrize("builder", ["automigrate", "by Django"])
def test_nothing_of_any_kind_differs(arena, plugin, builder):
    if builder == "automigrate":
        assert arena.automigrate(plugin).status == "converged"
    else:
        arena.by_django([plugin])
    assert look(arena, plugin) == ()


def test_an_index_elsewhere_of_a_differing_ones_name(arena, made):
    """A hint names the schema: search_path may find another's index first."""
    arena.sql(*index("t_plain", "INDEX ON plug_thing (literal)").split("; "))
    (finding,) = look(arena, made)
    assert finding.hint.endswith(f'DROP INDEX CONCURRENTLY "{arena.namespace}"."t_plain";')
