"""What has no harmless form on a table that holds rows: refused with its price, made when that is allowed."""

import re

import pytest
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import IntegerRangeField
from django.db import models
from django.db.models import F

from tests.acceptance.populated import contents, fill, half_made, thing, unlike_django
from tests.oracle import differences

BY_HAND = re.compile("or by hand: (.*);", re.DOTALL)


class Spelled(models.Index):
    """An index that writes its own SQL, as some packages' do."""

    def create_sql(self, model, schema_editor, *_, **__):
        name, table = map(schema_editor.quote_name, (self.name, model._meta.db_table))
        return f"CREATE INDEX {name} ON {table} (n)"


# the fields that a model has beyond those of rows that are there; its Meta; the object that is refused
COSTLY = {
    "generated": (
        {"x": models.GeneratedField(expression=F("n") * 2, output_field=models.IntegerField(), db_persist=True)},
        {},
        "plug_thing.x",
    ),
    "exclusion": (
        {"span": IntegerRangeField(null=True)},
        {"constraints": [ExclusionConstraint(name="x", expressions=[("span", "&&")])]},
        "exclusion plug_thing(x)",
    ),
    "index of its own making": ({}, {"indexes": [Spelled(fields=["n"], name="x")]}, "index plug_thing(x)"),
    "identity": ({}, {}, "plug_thing.id"),
}


@pytest.fixture(params=COSTLY)
def costly(request, arena):
    """Rows, what a model wants of them that rewrites the table or locks it for long, and what that is."""
    more, meta, refused = COSTLY[request.param]
    arena.by_django([thing(**{name: field.clone() for name, field in more.items() if not field.generated})])
    fill(arena)
    if refused == "plug_thing.id":
        arena.sql("ALTER TABLE plug_thing DROP COLUMN id")
    arena.sql("ANALYZE plug_thing")
    wanted = {name: field.clone() for name, field in more.items()}
    return thing(meta, **wanted, good=models.IntegerField(default=1)), refused


def test_what_costs_too_much_waits_until_it_is_allowed(arena, costly):
    plugin, refused = costly
    left = arena.fingerprint()
    rows = contents(arena, left)

    report = arena.automigrate(plugin)

    (finding,) = report.findings
    assert (finding.id, finding.obj, report.status) == ("agentsql.D016", refused, "blocked")
    assert "(about 40 rows)" in finding.msg
    assert [outcome.step.name for outcome in report.outcomes] == ["good"]
    assert arena.automigrate(plugin, allow_rewrite=True).status == "converged"
    made_as_django_makes_it(arena, plugin, left, rows)


def test_what_costs_too_much_can_be_made_by_the_sql_of_its_hint(arena, costly):
    plugin, _ = costly
    left = arena.fingerprint()
    rows = contents(arena, left)
    (finding,) = arena.automigrate(plugin).findings

    arena.sql(*BY_HAND.search(finding.hint)[1].split("; "))

    assert arena.automigrate(plugin).status == "converged"
    made_as_django_makes_it(arena, plugin, left, rows)


def made_as_django_makes_it(arena, plugin, left, rows):
    assert (arena.automigrate(plugin).outcomes, half_made(arena), contents(arena, left)) == ((), [], rows)
    assert unlike_django(arena, plugin, left) == []


@pytest.mark.parametrize(
    ("field", "id_"),
    [
        (models.IntegerField(), "agentsql.D004"),
        (models.IntegerField(default=1, unique=True), "agentsql.D014"),
        (COSTLY["generated"][0]["x"], "agentsql.D016"),
    ],
    ids=["no default", "one value for all", "rewrite"],
)
def test_atomic_makes_nothing_where_something_cannot_be(arena, field, id_):
    arena.by_django([thing()])
    fill(arena)
    left = arena.fingerprint()

    report = arena.automigrate(thing(x=field.clone(), good=models.IntegerField(default=1)), atomic=True)

    assert (report.outcomes, report.status) == ((), "blocked")
    assert [finding.id for finding in report.findings] == [id_, "agentsql.D018"]
    assert differences(left, arena.fingerprint()) == []
