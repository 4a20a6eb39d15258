"""Rows that stop an object: counted, some of them named, with the query for all; everything else is made."""

import re

import pytest
from django.db import connection, models
from django.db.models import Deferrable, Q, UniqueConstraint
from django.db.models.functions import Lower

from agentsql.report import Result
from tests.acceptance.populated import contents, declaring, fill, half_made, thing, unlike_django
from tests.arena import Registry
from tests.oracle import differences

ALL_OF_THEM = re.compile("All of them: (.*);", re.DOTALL)
DUPLICATES = "UPDATE plug_thing SET n = CASE WHEN id < 4 THEN 1 ELSE 20 END WHERE id IN (1, 2, 3, 20, 21)"
MENDED = "UPDATE plug_thing SET n = id, name = 'v' || id, maybe = id"
NEGATIVE = "UPDATE plug_thing SET n = -id WHERE id > 30"
ORPHANS = "UPDATE plug_thing SET maybe = 900 + id WHERE id > 33"
# what spoils the rows; what is wanted; the offenders; the words for them
BROKEN = {
    "unique": (
        DUPLICATES,
        UniqueConstraint(fields=["n"], name="x"),
        [(1, 3), (20, 2)],
        "2 keys are in more than one row",
    ),
    "unique field": (
        DUPLICATES,
        models.IntegerField(unique=True),
        [(1, 3), (20, 2)],
        "2 keys are in more than one row",
    ),
    "deferrable": (
        DUPLICATES,
        UniqueConstraint(fields=["n"], name="x", deferrable=Deferrable.DEFERRED),
        [(1, 3), (20, 2)],
        "2 keys are in more than one row",
    ),
    "two columns": (
        "UPDATE plug_thing SET n = 7, name = 'same' WHERE id IN (6, 7)",
        UniqueConstraint(fields=["name", "n"], name="x"),
        [("same", 7, 2)],
        "1 key is in more than one row",
    ),
    "partial": (
        "UPDATE plug_thing SET maybe = 3",
        UniqueConstraint(fields=["maybe"], name="x", condition=Q(n__lt=9)),
        [(3, 8)],
        "1 key is in more than one row",
    ),
    "expression": (
        "UPDATE plug_thing SET name = 'V' || id / 2 * 2 WHERE id IN (2, 3, 8, 9)",
        UniqueConstraint(Lower("name"), name="x"),
        [("v2", 2), ("v8", 2)],
        "2 keys are in more than one row",
    ),
    "descending expression": (
        "UPDATE plug_thing SET name = 'V2' WHERE id = 3",
        UniqueConstraint(Lower("name").desc(), name="x"),
        [("v2", 2)],
        "1 key is in more than one row",
    ),
    "operator class": (
        "UPDATE plug_thing SET name = 'v2' WHERE id = 3",
        UniqueConstraint(fields=["name"], opclasses=["text_pattern_ops"], name="x"),
        [("v2", 2)],
        "1 key is in more than one row",
    ),
    "nulls not distinct": (
        "UPDATE plug_thing SET maybe = NULL WHERE id < 4",
        UniqueConstraint(fields=["maybe"], name="x", nulls_distinct=False),
        [(None, 4)],
        "1 key is in more than one row",
    ),
    "check": (
        NEGATIVE,
        models.CheckConstraint(condition=Q(n__gt=0) | Q(name="100%"), name="x"),
        [(number,) for number in range(31, 41)],
        "10 rows break it",
    ),
    "field's check": (
        NEGATIVE,
        models.PositiveIntegerField(),
        [(number,) for number in range(31, 41)],
        "10 rows break it",
    ),
    "foreign key": (
        ORPHANS,
        models.ForeignKey("plug.Thing", models.CASCADE, null=True, db_column="maybe", db_index=False),
        [(number, 900 + number) for number in range(34, 41)],
        "7 rows point to nothing",
    ),
}


def wanting(item):
    """Return a model that wants this, and more that nothing stands in the way of."""
    good = {"good": models.IntegerField(default=1, db_index=True)}
    if isinstance(item, models.ForeignKey):
        return thing(maybe=None, to=item.clone(), **good)
    if isinstance(item, models.Field):
        return thing(n=item.clone(), **good)
    return declaring(item, **good)


@pytest.fixture(params=BROKEN)
def broken(request, arena):
    if request.param == "nulls not distinct" and connection.pg_version < 150000:
        pytest.skip("NULLS NOT DISTINCT is new in PostgreSQL 15")
    spoil, item, offenders, words = BROKEN[request.param]
    arena.by_django([thing()])
    fill(arena)
    arena.sql(spoil)
    return wanting(item), offenders, words


def test_offending_rows_are_named_and_all_else_is_made(arena, broken):
    plugin, offenders, words = broken
    left = arena.fingerprint()
    rows = contents(arena, left)

    report = arena.automigrate(plugin)
    again = arena.automigrate(plugin)

    (failed,) = [outcome for outcome in report.outcomes if outcome.result is not Result.DONE]
    (finding,) = report.findings
    assert (failed.result, report.status, report.remaining) == ("failed", "failed", 1)
    assert (finding, finding.id) == (failed.failure.finding, "agentsql.D015")
    assert f"can't be made: {words}, for example " in finding.msg
    assert finding.msg.count(";") == min(len(offenders), 5) - 1
    assert sorted(arena.rows(ALL_OF_THEM.search(finding.hint)[1])) == offenders
    assert (half_made(arena), contents(arena, left)) == ([], rows)
    assert len(report.outcomes) == 3
    assert [outcome.step.key for outcome in again.outcomes] == [failed.step.key]
    arena.sql(MENDED)
    assert arena.automigrate(plugin).status == "converged"
    assert (arena.automigrate(plugin).outcomes, half_made(arena)) == ((), [])
    assert unlike_django(arena, plugin, left) == []


def test_offending_rows_undo_an_atomic_run(arena, broken):
    plugin, offenders, words = broken
    left = arena.fingerprint()
    rows = contents(arena, left)

    report = arena.automigrate(plugin, atomic=True)

    assert sorted(outcome.result for outcome in report.outcomes) == ["failed", "skipped", "skipped"]
    (finding,) = report.findings
    assert f"can't be made: {words}, for example " in finding.msg
    assert sorted(arena.rows(ALL_OF_THEM.search(finding.hint)[1])) == offenders
    assert (differences(left, arena.fingerprint()), contents(arena, left)) == ([], rows)


@pytest.mark.parametrize(
    ("spoil", "offenders"),
    [
        ("UPDATE plug_keyed SET code = NULL WHERE n IN (3, 4)", [(None, 2)]),
        ("UPDATE plug_keyed SET code = NULL WHERE n = 3", [(None, 1)]),
        ("UPDATE plug_keyed SET code = 'v7' WHERE n IN (3, 4)", [("v7", 3)]),
    ],
    ids=["nulls", "one null", "duplicates"],
)
def test_a_primary_key_that_rows_break(arena, spoil, offenders):
    registry = Registry()
    registry.model("Keyed", code=models.CharField(max_length=5, primary_key=True), n=models.IntegerField())
    plugin = registry.plugin(connection)
    arena.by_django([plugin])
    fill(arena)
    loosen = "ALTER TABLE plug_keyed DROP CONSTRAINT plug_keyed_pkey", "ALTER TABLE plug_keyed ALTER code DROP NOT NULL"
    arena.sql(*loosen, spoil)

    report = arena.automigrate(plugin)

    (finding,) = (finding for finding in report.findings if finding.is_serious())
    assert (report.status, finding.id, half_made(arena)) == ("failed", "agentsql.D015", [])
    assert "1 key is NULL or in more than one row" in finding.msg
    assert arena.rows(ALL_OF_THEM.search(finding.hint)[1]) == offenders
    arena.sql("UPDATE plug_keyed SET code = 'v' || n")
    assert (arena.automigrate(plugin).status, half_made(arena)) == ("converged", [])
    assert unlike_django(arena, plugin, {}) == []
