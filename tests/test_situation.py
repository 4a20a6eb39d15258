"""What decisions ask of a database and its models, and what has no harmless form."""

import itertools
import uuid

import pytest
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.functions import RandomUUID
from django.db import connection, models
from django.db.models.functions import Random

from agentsql import hazards
from agentsql.names import TableName
from agentsql.plan import plan
from agentsql.schema import Key, Kind, Partition, Table
from tests.arena import Registry
from tests.support import column, column_key, constraint, draft_of, index, situation

counter = itertools.count()


class Custom(models.Index):
    def create_sql(self, model, *_args, **_kwargs):
        return f'CREATE INDEX "{self.name}" ON "{model._meta.db_table}" ("plain")'


DOUBLE = {"expression": models.F("id") * 2, "output_field": models.BigIntegerField()}
LOG = Registry().model(
    "Log",
    plain=models.TextField(null=True),
    token=models.UUIDField(default=uuid.uuid4),
    served=models.UUIDField(db_default=RandomUUID()),
    lucky=models.FloatField(db_default=Random()),
    moody=models.IntegerField(default=lambda: next(counter)),
    stored=models.GeneratedField(**DOUBLE, db_persist=True),
    meta={
        "indexes": [models.Index(fields=["plain"], name="log_plain"), Custom(fields=["plain"], name="log_custom")],
        "constraints": [
            models.CheckConstraint(condition=models.Q(id__gt=0), name="log_check"),
            ExclusionConstraint(name="log_exclude", expressions=[("plain", "=")]),
        ],
    },
)
DESIRED = draft_of(LOG)
LOGS = TableName("", "plug_log")
OBJECTS = {
    "column": column_key("plug_log", "plain"),
    "volatile default": column_key("plug_log", "token"),
    "stored": column_key("plug_log", "stored"),
    "identity": column_key("plug_log", "id"),
    "primary key": Key(LOGS, Kind.PRIMARY_KEY),
    "index": Key(LOGS, Kind.INDEX, ("log_plain",)),
    "custom index": Key(LOGS, Kind.INDEX, ("log_custom",)),
    "check": Key(LOGS, Kind.CHECK, ("log_check",)),
    "exclusion": Key(LOGS, Kind.EXCLUSION, ("log_exclude",)),
}


@pytest.fixture(autouse=True)
def _open(database):
    """Open the connection, as in a run: that asks the server for its types, and a default may ask nothing."""
    connection.ensure_connection()


def lacking(*missing, begun=(), **conditions):
    found = [DESIRED.objects[key] for key in DESIRED.objects.keys() - set(missing)]
    return situation(DESIRED, [*found, *begun], **conditions)


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({}, {"stored", "identity", "custom index", "exclusion"}),
        ({"atomic": True}, {"stored", "identity", "volatile default"}),
    ],
    ids=["step by step", "all or nothing"],
)
def test_what_has_no_harmless_form(wishes, expected):
    now = lacking(*OBJECTS.values(), populated={LOGS}, **wishes)
    assert {name for name, key in OBJECTS.items() if now.rewrites(key)} == expected
    refused = {key for key, finding in hazards.refusals(now) if finding.id == "agentsql.D016"}
    assert refused == {OBJECTS[name] for name in expected}


@pytest.mark.parametrize("allowed", [{"allow_rewrite": True, "populated": {LOGS}}, {}], ids=["allowed", "empty"])
def test_it_is_made_where_that_does_no_harm(allowed):
    now = lacking(OBJECTS["exclusion"], OBJECTS["custom index"], **allowed)
    assert list(hazards.refusals(now)) == []
    assert {step.key for step in plan(now).steps} == {OBJECTS["exclusion"], OBJECTS["custom index"]}


def test_a_refusal_gives_the_size_and_the_statement():
    now = lacking(OBJECTS["exclusion"], populated={LOGS})
    ((_, finding),) = hazards.refusals(now)
    assert "plug_log (about 3 rows)" in finding.msg
    assert 'by hand: ALTER TABLE "plug_log" ADD CONSTRAINT "log_exclude" EXCLUDE' in finding.hint


def test_a_column_that_was_begun_needs_no_rewrite_more():
    unfilled = column("token", "uuid", table=LOGS, not_null=False, filled=False)
    now = lacking(OBJECTS["volatile default"], begun=[unfilled], populated={LOGS}, atomic=True)
    assert not now.rewrites(OBJECTS["volatile default"])


@pytest.mark.parametrize(
    ("name", "volatile"), [("plain", False), ("token", True), ("served", True), ("lucky", True), ("id", False)]
)
def test_is_volatile(name, volatile):
    now = lacking(volatile={"gen_random_uuid", "random"})
    assert now.is_volatile(column_key("plug_log", name)) is volatile


def test_tables():
    now = lacking(populated={LOGS})
    other = TableName("", "other")
    assert (now.exists(LOGS), now.in_use(LOGS), now.exists(other), now.in_use(other)) == (True, True, False, False)
    assert not situation(DESIRED, []).exists(LOGS)


def part(name, parent="plug_log", *, leaf=True, relkind="r"):
    facts = {"indexes": {}, "foreign_keys": {}}
    return Partition(table=TableName("", name), parent=TableName("", parent), leaf=leaf, relkind=relkind, **facts)


def test_leaves_are_where_the_rows_are():
    tree = (part("a"), part("b", leaf=False, relkind="p"), part("c", "b"))
    now = lacking(partitions={LOGS: tree})
    assert now.leaves(LOGS) == [TableName("", "a"), TableName("", "c")]
    assert lacking().leaves(LOGS) == [LOGS]
    assert lacking(partitions={LOGS: ()}).leaves(LOGS) == []


@pytest.mark.parametrize(("name", "refused"), [("index", True), ("check", False), ("column", False)])
def test_a_foreign_table_as_a_partition(name, refused):
    tree = {LOGS: (part("a"), part("far", relkind="f"))}
    found = [finding.id for _, finding in hazards.refusals(lacking(OBJECTS[name], partitions=tree))]
    assert found == ["agentsql.D017"] * refused


def test_nullable_columns_of_a_key():
    wanted = constraint(Kind.PRIMARY_KEY, "id", "plain", "gone", table=LOGS)
    assert lacking().nullable(wanted) == ["plain"]


def test_names_that_objects_get():
    child = Registry().model("Child", log=models.ForeignKey(LOG, models.CASCADE))
    now = situation(draft_of(child, LOG), [])
    by_kind = {key.kind: now.name(item) for key, item in now.draft.objects.items() if key.table.name == "plug_child"}
    assert by_kind[Kind.TABLE] == "plug_child"
    assert by_kind[Kind.COLUMN] == "log_id"
    assert by_kind[Kind.FOREIGN_KEY] == "plug_child_log_id_df34e63e_fk_plug_log_id"
    assert now.name(index("i", "at")) == "i"
    assert now.beside(TableName("a i", "t"), 'i"x') == TableName("a i", 'i"x')
    assert now.beside(TableName("", "new"), "i") == TableName("", "i")


def test_an_index_is_where_its_table_is():
    """Not where search_path would find its name, or would make it."""
    found = [Table(table=LOGS, schema="old"), Table(table=TableName("", "plain"))]
    now = situation(DESIRED, found, current_schema="new")
    places = [now.beside(TableName("", name), "i").quoted for name in ("plug_log", "plain", "none")]
    assert places == ['"old"."i"', '"new"."i"', '"new"."i"']


def test_tables_that_inherit_hold_rows_too():
    heirs = {LOGS: (TableName("", "heir"),)}
    assert lacking(heirs=heirs).leaves(LOGS) == [LOGS, TableName("", "heir")]


def test_a_domain_with_a_rule_is_checked_row_by_row():
    kind = DESIRED.objects[OBJECTS["column"]].type
    assert lacking(OBJECTS["column"], populated={LOGS}, domains={kind}).rewrites(OBJECTS["column"])
