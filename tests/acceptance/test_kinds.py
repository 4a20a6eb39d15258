"""From nothing, from what Django made, and from what is left after losses: always the schema Django would make."""

import pytest
from django.db import connection

from agentsql.schema import Kind
from tests.acceptance.kinds import KINDS
from tests.arena import Registry, oracle
from tests.losses import lose
from tests.oracle import differences

DROPS = {
    "column": "ALTER TABLE plug_plain DROP COLUMN small",
    "index": "DROP INDEX covers",
    "unique": "ALTER TABLE plug_plain DROP CONSTRAINT plug_plain_uuid_key",
    "check": "ALTER TABLE plug_plain DROP CONSTRAINT plug_plain_positive_check",
    "foreign key": "ALTER TABLE plug_answer DROP CONSTRAINT {foreign_key}",
}


def test_from_nothing(arena, plugin):
    expected = oracle(plugin)
    arena.enter()

    report = arena.automigrate(plugin)
    again = arena.automigrate(plugin)

    assert [outcome.failure for outcome in report.outcomes if outcome.failure] == []
    assert (report.status, report.findings) == ("converged", ())
    assert differences(expected, arena.fingerprint()) == []
    assert (again.outcomes, again.findings) == ((), ())


def test_django_made_it(arena, plugin):
    arena.by_django([plugin])

    report = arena.automigrate(plugin, plan_only=True)

    assert [str(outcome.step.key) for outcome in report.outcomes] == []
    assert (report.status, report.findings) == ("converged", ())


@pytest.mark.parametrize("seed", range(6))
def test_losses_come_back(arena, plugin, seed):
    arena.by_django([plugin])
    expected = arena.fingerprint()
    with connection.cursor() as cursor:
        lost = lose(cursor, expected, seed=seed, share=(0.05, 0.3, 0.6)[seed % 3])

    report = arena.automigrate(plugin)
    again = arena.automigrate(plugin)

    assert [outcome.failure for outcome in report.outcomes if outcome.failure] == [], lost
    assert (report.status, report.findings) == ("converged", ())
    assert differences(expected, arena.fingerprint()) == [], lost
    assert again.outcomes == ()


@pytest.mark.parametrize("kind", DROPS)
def test_exactly_the_lost_object_comes_back(arena, kind):
    registry = Registry()
    for make in KINDS:
        make(registry)
    plugin = registry.plugin(connection)
    arena.automigrate(plugin)
    every = arena.fingerprint()
    constraints = every["plug_answer"]["constraints"]
    foreign_key = next(name for name, item in constraints.items() if item["kind"] == "f")
    arena.sql(DROPS[kind].format(foreign_key=foreign_key))

    report = arena.automigrate(plugin)

    assert [outcome.step.key.kind.label for outcome in report.outcomes] == [kind]
    assert differences(every, arena.fingerprint()) == []


def test_kinds_cover_every_kind(database):
    registry = Registry()
    for make in KINDS:
        make(registry)
    from agentsql.desired import draft
    from agentsql.editor import dry_run
    from agentsql.facts import Dialect

    stated = draft([registry.plugin(connection)], dry_run(connection), Dialect())
    assert {key.kind for key in stated.objects} >= set(Kind) - {Kind.EXTENSION, Kind.NAMESPACE}
