"""What an interrupted run leaves, made by hand: the next run finishes it, and touches nothing of a stranger."""

import uuid
from contextlib import suppress

import pytest
from django.db import DatabaseError, models
from django.db.models import Deferrable, F, Q, UniqueConstraint

from agentsql.names import fill_name
from tests.acceptance.populated import ROWS, contents, declaring, fill, half_made, thing, unlike_django

TWINS = "UPDATE plug_thing SET n = 1 WHERE id = 2"
LONG = "a_column_whose_name_leaves_no_room_for_a_prefix_in_63_bytes"
TO_ITSELF = models.ForeignKey("plug.Thing", models.CASCADE, null=True, db_column="maybe", db_index=False)
POINT = 'ALTER TABLE plug_thing ADD CONSTRAINT "{foreign key}" FOREIGN KEY (maybe) REFERENCES plug_thing'
# what is wanted; SQL that leaves half of it: where it fails, that is what leaves an invalid index
HALVES = {
    "invalid index": (
        models.Index(F("n") + 1, name="x"),
        [
            'CREATE INDEX "x" ON plug_thing ((n + 1))',
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'x'::regclass",
        ],
    ),
    "invalid unique index": (
        UniqueConstraint(fields=["n"], name="x", condition=Q(n__gt=0)),
        [TWINS, 'CREATE UNIQUE INDEX CONCURRENTLY "x" ON plug_thing (n) WHERE n > 0'],
    ),
    "invalid index of a constraint": (
        UniqueConstraint(fields=["n"], name="x"),
        [TWINS, 'CREATE UNIQUE INDEX CONCURRENTLY "x" ON plug_thing (n)'],
    ),
    "invalid index of a field": (
        models.IntegerField(unique=True),
        [TWINS, 'CREATE UNIQUE INDEX CONCURRENTLY "plug_thing_n_key" ON plug_thing (n)'],
    ),
    "valid index of a constraint": (
        UniqueConstraint(fields=["n"], name="x"),
        ['CREATE UNIQUE INDEX CONCURRENTLY "x" ON plug_thing (n)'],
    ),
    "valid index of a deferrable constraint": (
        UniqueConstraint(fields=["n", "name"], name="x", deferrable=Deferrable.DEFERRED),
        ['CREATE UNIQUE INDEX CONCURRENTLY "x" ON plug_thing (n, name)'],
    ),
    "check": (
        models.CheckConstraint(condition=Q(n__gt=0), name="x"),
        ['ALTER TABLE plug_thing ADD CONSTRAINT "x" CHECK (n > 0) NOT VALID'],
    ),
    "check of a field": (
        models.PositiveIntegerField(),
        ['ALTER TABLE plug_thing ADD CONSTRAINT "plug_thing_n_check" CHECK (n >= 0) NOT VALID'],
    ),
    "foreign key": (
        TO_ITSELF,
        [f"{POINT} DEFERRABLE INITIALLY DEFERRED NOT VALID"],
    ),
}
ADD = 'ALTER TABLE plug_thing ADD {x} uuid, ALTER {x} SET DEFAULT gen_random_uuid(), ADD CONSTRAINT "{mark}" '
MARKED = f"{ADD} CHECK ({{x}} IS NULL OR {{x}} IS NOT NULL) NOT VALID"
FILLED = "UPDATE plug_thing SET {x} = DEFAULT WHERE id < {upto}"
STRICT = (
    'ALTER TABLE plug_thing DROP CONSTRAINT "{mark}", ADD CONSTRAINT "{mark}" CHECK ({x} IS NOT NULL) NOT VALID',
    'ALTER TABLE plug_thing VALIDATE CONSTRAINT "{mark}"',
    "ALTER TABLE plug_thing ALTER {x} SET NOT NULL",
)
STATES = {
    "added": (1, 0),
    "half filled": (20, 0),
    "filled": (99, 0),
    "strict": (99, 1),
    "valid": (99, 2),
    "set": (99, 3),
}
WAYS = {"rows": (False, True), "no rows": (False, False), "atomic": (True, True), "atomic, no rows": (True, False)}
REDO = "UPDATE plug_thing SET n = id"


@pytest.fixture(params=WAYS)
def run(request, arena):
    """Migrate a table that holds rows, or does no more, in the one way or the other, and give what changed of it."""
    atomic, rows = WAYS[request.param]

    def migrate(plugin):
        arena.sql(*([REDO] if rows else ["DELETE FROM plug_thing"]))
        before = contents(arena, left)

        report = arena.automigrate(plugin, atomic=atomic)

        assert [outcome.failure for outcome in report.outcomes if outcome.failure] == []
        assert (report.status, report.findings, half_made(arena)) == ("converged", (), [])
        assert arena.automigrate(plugin).outcomes == ()
        assert contents(arena, left) == before
        return report

    arena.by_django([thing()])
    fill(arena)
    left = arena.fingerprint()
    return migrate


def wanting(item):
    if isinstance(item, models.ForeignKey):
        return thing(maybe=None, to=item.clone())
    return thing(n=item.clone()) if isinstance(item, models.Field) else declaring(item)


def begin(arena, plugin, statements):
    (step,) = [outcome.step for outcome in arena.automigrate(plugin, plan_only=True).outcomes]
    for statement in statements:
        with suppress(DatabaseError):
            arena.sql(statement.replace("{foreign key}", step.name))
    return step


@pytest.mark.parametrize("half", HALVES)
def test_half_an_object_is_finished(arena, run, half):
    item, statements = HALVES[half]
    plugin = wanting(item)
    step = begin(arena, plugin, statements)
    assert half_made(arena) or half.startswith("valid")

    report = run(plugin)

    assert [outcome.step.key for outcome in report.outcomes] == [step.key]
    assert unlike_django(arena, plugin, {}) == []


@pytest.mark.parametrize("name", ["x", LONG])
@pytest.mark.parametrize("state", [*STATES, *(f"nullable, {state}" for state in list(STATES)[:3])])
def test_half_a_column_is_finished(arena, run, state, name):
    nullable, state = state.startswith("nullable"), state.removeprefix("nullable, ")
    left = arena.fingerprint()
    upto, strict = STATES[state]
    for statement in (MARKED, FILLED, *STRICT[:strict]):
        arena.sql(statement.format(x=name, mark=fill_name(name), upto=upto))
    kept = arena.rows(f"SELECT id, {name} FROM plug_thing WHERE {name} IS NOT NULL")
    plugin = thing(**{name: models.UUIDField(default=uuid.uuid4, null=nullable)})

    run(plugin)

    now = arena.rows(f"SELECT id, {name} FROM plug_thing")
    assert set(kept) <= set(now) or not now
    assert len({value for _, value in now} - {None}) == len(now) in {0, ROWS}
    assert unlike_django(arena, plugin, left) == []
