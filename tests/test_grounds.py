"""What stands on a column that could be wider, by one query for all of them."""

from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from agentsql.conf import Settings
from agentsql.situation import Ground
from agentsql.survey import Wishes, look
from tests.arena import Registry


def asked(*, widen=True):
    registry = Registry()
    registry.model("Note", x=models.TextField(null=True), y=models.TextField(null=True), z=models.TextField(null=True))
    with CaptureQueriesContext(connection) as queries:
        survey = look(connection, [registry.plugin(connection)], Settings(), Wishes(widen=widen))
    found = survey.situation.conditions.grounds
    count = sum("pg_statistic_ext" in query["sql"] for query in queries)
    return {key.identity[0]: ground for key, ground in found.items()}, count


def made(arena, *more):
    arena.sql('CREATE TABLE plug_note (id bigint PRIMARY KEY, x varchar(9), y varchar(9) COLLATE "C", z text)', *more)


def test_what_there_is(arena):
    made(
        arena,
        "CREATE VIEW seen AS SELECT x FROM plug_note",
        "CREATE INDEX plain ON plug_note (x)",
        "CREATE INDEX low ON plug_note (lower(y))",
        "CREATE STATISTICS two ON x, y FROM plug_note",
    )
    found, count = asked()
    assert count == 1
    assert found == {
        "x": Ground(dependents=("view seen",), indexes=("index plain",), companions=("y",)),
        "y": Ground(collation='"pg_catalog"."C"', obstacles=("index low",), companions=("x",)),
    }


def test_nothing_is_asked_where_nothing_could_be_wider(arena):
    made(arena)
    assert asked(widen=False) == ({}, 0)
    arena.sql("ALTER TABLE plug_note ALTER x TYPE text, ALTER y TYPE text")
    assert asked() == ({}, 0)
