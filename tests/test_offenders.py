"""The queries that name the rows in the way: each must run, and find exactly those."""

import pytest
from django.contrib.postgres.indexes import OpClass
from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Lower

from agentsql.conf import Settings
from agentsql.offenders import NO_QUERY
from agentsql.schema import Kind
from agentsql.survey import Wishes, look
from tests.arena import Registry

ROWS = "(1, 'a', 1), (2, 'a', NULL), (3, 'A', NULL), (4, 'b', 7), (5, 'b', 7), (6, 'c', -1)"


def once(*expressions, **facts):
    return {"meta": {"constraints": [models.UniqueConstraint(*expressions, name="once", **facts)]}}


def checked(**condition):
    return {"meta": {"constraints": [models.CheckConstraint(condition=Q(**condition), name="checked")]}}


N, NAME = models.IntegerField(null=True), models.TextField()
CASES = {
    "field": ({"n": models.IntegerField(null=True, unique=True)}, [(7, 2)]),
    "two columns": (once(fields=["n", "name"]), [(7, "b", 2)]),
    "nulls not distinct": (once(fields=["n"], nulls_distinct=False), [(7, 2), (None, 2)]),
    "deferrable": (once(fields=["name"], deferrable=models.Deferrable.DEFERRED), [("a", 2), ("b", 2)]),
    "expression": (once(Lower("name")), [("a", 3), ("b", 2)]),
    "descending expression": (once(Lower("name").desc(nulls_last=True)), [("a", 3), ("b", 2)]),
    "operator class": (once(OpClass(Lower("name"), "text_pattern_ops").desc()), [("a", 3), ("b", 2)]),
    "expressions": (once(Lower("name"), "n"), [("b", 7, 2)]),
    "condition": (once(fields=["name"], condition=Q(n__gt=0)), [("b", 2)]),
    "condition and expression": (once(Lower("name"), condition=Q(n__isnull=True)), [("a", 2)]),
    "include": (once(fields=["n"], include=["name"]), [(7, 2)]),
    "check": (checked(n__gt=0), [(6,)]),
    "check that says 50%": (checked(name__in=["a", "b", "50%"]), [(3,), (6,)]),
    "check of a column": ({"n": models.PositiveIntegerField(null=True)}, [(6,)]),
    "foreign key": (
        {"n": models.ForeignKey("plug.Room", models.CASCADE, null=True, db_column="n", db_index=False)},
        [(4, 7), (5, 7), (6, -1)],
    ),
}
HOSTILE = ("t", "we\"ird %s ta'ble")


def step_of(arena, table="t", key=("id",), **fields):
    """Return the step that brings what the rows stand against."""
    quoted = '"' + table.replace('"', '""') + '"'
    arena.sql(
        f"CREATE TABLE {quoted} (id int NOT NULL, name text NOT NULL, n int)",
        *([f"ALTER TABLE {quoted} ADD PRIMARY KEY ({', '.join(key)})"] if key else []),
        "CREATE TABLE plug_room (id int PRIMARY KEY)",
        "INSERT INTO plug_room VALUES (1)",
        f"INSERT INTO {quoted} VALUES {ROWS}",
    )
    registry = Registry()
    registry.model("Room", id=models.IntegerField(primary_key=True))
    meta = {"db_table": table} | fields.pop("meta", {})
    defaults = {"id": models.IntegerField(primary_key=True), "name": NAME.clone(), "n": N.clone()}
    registry.model("Thing", meta=meta, **(defaults | fields))
    survey = look(arena.connection, [registry.plugin(connection)], Settings(), Wishes())
    return survey.plan.steps[-1]


def found(arena, query):
    return sorted(arena.rows(query), key=str)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("table", HOSTILE)
def test_each_row_in_the_way(arena, table, name):
    fields, rows = CASES[name]
    step = step_of(arena, table, **fields)
    assert found(arena, step.offenders) == sorted(rows, key=str)


def test_a_primary_key_takes_neither_null_nor_twins(arena):
    step = step_of(arena, key=())
    arena.sql("ALTER TABLE t ALTER id DROP NOT NULL", "INSERT INTO t VALUES (NULL, 'x', 1), (4, 'y', 2)")
    assert step.key.kind is Kind.PRIMARY_KEY
    assert found(arena, step.offenders) == [(4, 2), (None, 1)]


def test_a_table_without_a_key_shows_whole_rows(arena):
    step = step_of(arena, key=(), **checked(n__gt=0))
    assert found(arena, step.offenders) == [(6, "c", -1)]


def test_rows_are_named_by_the_key_they_have(arena):
    composite = {"pk": models.CompositePrimaryKey("id", "name"), "id": models.IntegerField()}
    step = step_of(arena, key=("id", "name"), **composite, **checked(n__gt=0))
    assert found(arena, step.offenders) == [(6, "c")]


@pytest.mark.parametrize(
    "fields",
    [
        {"x": models.IntegerField(null=True)},
        {"meta": {"indexes": [models.Index(fields=["n"], name="plain")]}},
    ],
    ids=["column", "index"],
)
def test_what_no_row_can_stop(arena, fields):
    assert step_of(arena, **fields).offenders == NO_QUERY


def test_a_new_table_has_no_rows(arena):
    registry = Registry()
    registry.model("Thing", n=models.IntegerField(unique=True))
    (step,) = look(arena.connection, [registry.plugin(connection)], Settings(), Wishes()).plan.steps
    assert step.offenders == NO_QUERY
