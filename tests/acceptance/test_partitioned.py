"""Tables that somebody partitioned by hand get what a model wants, on each partition; a killed run is finished."""

import pytest
from django.db.models import Q, UniqueConstraint
from django.db.models.functions import Lower

from tests.acceptance.partitions import CASES, LAYOUTS, PARTS, build, event, unlike_django, wanting
from tests.acceptance.populated import contents, half_made
from tests.oracle import differences

# Made on some partitions only, and unique there: a surprise to other programs.
APART = """
SELECT relname FROM pg_class
 WHERE relname LIKE '%%_part' AND relkind = 'i' AND NOT relispartition AND relnamespace = %s::regnamespace
"""


@pytest.fixture(params=LAYOUTS)
def layout(request):
    return request.param


@pytest.fixture(params=CASES)
def case(request, layout):
    if request.param == "foreign key to it" and layout == "list":
        pytest.skip("Django's foreign keys have one column, and this table's keys have two")
    return request.param


def converges(arena, plugin, left, **wishes):
    before = contents(arena, left)

    report = arena.automigrate(plugin, **wishes)

    assert [outcome.failure for outcome in report.outcomes if outcome.failure] == []
    assert (report.status, report.findings) == ("converged", ())
    assert (half_made(arena), len(arena.rows(PARTS))) == ([], 1)
    assert arena.automigrate(plugin).outcomes == ()
    assert contents(arena, left) == before
    return report


@pytest.mark.parametrize(("rows", "atomic"), [(True, False), (False, False), (True, True)])
def test_each_partition_gets_it(arena, layout, case, rows, atomic):
    build(arena, layout, case, rows=rows)
    left = arena.fingerprint()
    plugin = wanting(case, LAYOUTS[layout][0])

    report = converges(arena, plugin, left, atomic=atomic, allow_rewrite=atomic)

    assert len(report.outcomes) == 1 + case.startswith("indexed")
    assert unlike_django(arena, plugin, left) == []
    if case.endswith("uuid"):
        assert arena.rows("SELECT count(DISTINCT x) FROM plug_event") == [(40 if rows else 0,)]


@pytest.mark.parametrize(
    "case", ["commented uuid", "indexed foreign key", "partial index", "deferrable", "primary key"]
)
def test_a_run_killed_between_any_two_actions_is_finished(arena, layout, case):
    plugin = wanting(case, LAYOUTS[layout][0])
    build(arena, layout, case, rows=True)
    left = arena.fingerprint()
    steps = [outcome.step for outcome in arena.automigrate(plugin, plan_only=True).outcomes]
    actions = [action for step in steps for action in step.actions]

    for done in range(1, len(actions)):
        build(arena, layout, case, rows=True)
        arena.sql(*(sql for action in actions[:done] for sql in action.sql))

        converges(arena, plugin, left)

        assert unlike_django(arena, plugin, left) == []


@pytest.mark.parametrize("rows", [True, False])
@pytest.mark.parametrize("case", ["unique", "unique index", "index", "primary key"])
def test_a_parent_without_parts_is_given_them(arena, layout, case, rows):
    plugin = wanting(case, LAYOUTS[layout][0])
    build(arena, layout, case, rows=True)
    left = arena.fingerprint()
    (step,) = [outcome.step for outcome in arena.automigrate(plugin, plan_only=True).outcomes]
    arena.sql(*(sql for sql in step.sql if " ONLY " in sql), *([] if rows else ["DELETE FROM plug_event"]))
    assert half_made(arena) != []

    converges(arena, plugin, left)

    assert unlike_django(arena, plugin, left) == []


@pytest.mark.parametrize("rows", [True, False])
@pytest.mark.parametrize("case", ["unique", "unique index", "index"])
def test_an_invalid_part_is_built_again(arena, layout, case, rows):
    plugin = wanting(case, LAYOUTS[layout][0])
    build(arena, layout, case, rows=True)
    left = arena.fingerprint()
    (step,) = [outcome.step for outcome in arena.automigrate(plugin, plan_only=True).outcomes]
    builds = [number for number, action in enumerate(step.actions) if action.builds]
    last = step.actions[builds[-1]]
    arena.sql(*(sql for action in step.actions[: builds[-1] + 1] for sql in action.sql))
    arena.sql(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{last.builds}'::regclass")
    arena.sql(*([] if rows else ["DELETE FROM plug_event"]))

    converges(arena, plugin, left)

    assert unlike_django(arena, plugin, left) == []


@pytest.mark.parametrize("rows", [True, False])
@pytest.mark.parametrize(
    "declared",
    [
        UniqueConstraint(fields=["n", "name"], name="x"),
        UniqueConstraint(fields=["n"], name="x", condition=Q(n=3)),
        UniqueConstraint(Lower("name"), name="x"),
    ],
    ids=["constraint", "partial", "expression"],
)
def test_what_is_unique_without_the_partition_key_is_refused(arena, layout, declared, rows):
    build(arena, layout, "unique", rows=rows)
    left = arena.fingerprint()

    report = arena.automigrate(event(LAYOUTS[layout][0], declared))

    assert ([finding.id for finding in report.findings], report.status) == (["agentsql.D019"], "blocked")
    assert (report.outcomes, differences(left, arena.fingerprint())) == ((), [])


@pytest.mark.parametrize(
    ("spoil", "case", "words"),
    [
        ("UPDATE plug_event SET by_id = 99 WHERE n > 35", "foreign key", "5 rows point to nothing"),
        ("UPDATE plug_event SET n = -n WHERE n > 35", "check", "5 rows break it"),
        ("UPDATE plug_event SET n = -n WHERE n > 35", "check of a field", "5 rows break it"),
        ("UPDATE plug_event SET id = 25, n = 25, kind = 2 WHERE n > 35", "unique", "1 key is in more than one row"),
        (
            "UPDATE plug_event SET id = 25, n = 25, kind = 2 WHERE n > 35",
            "unique index",
            "1 key is in more than one row",
        ),
        (
            "UPDATE plug_event SET id = 25, kind = 2 WHERE n > 35",
            "primary key",
            "1 key is NULL or in more than one row",
        ),
    ],
)
def test_rows_that_break_it_leave_nothing_invalid(arena, layout, spoil, case, words):
    plugin = wanting(case, LAYOUTS[layout][0])
    build(arena, layout, "primary key", rows=True)
    left = arena.fingerprint()
    arena.sql(spoil)
    before = contents(arena, left)

    report = arena.automigrate(plugin)

    failed = [outcome.failure.finding for outcome in report.outcomes if outcome.result == "failed"]
    assert (report.status, {finding.id for finding in failed}) == ("failed", {"agentsql.D015"})
    assert any(words in finding.msg for finding in failed)
    assert (half_made(arena), contents(arena, left)) == ([], before)
    assert arena.rows(APART, arena.namespace) == []
    arena.sql("UPDATE plug_event SET n = substr(name, 2)::int, by_id = 1, id = substr(name, 2)::int, kind = 1")
    assert arena.automigrate(plugin).status == "converged"
    assert (half_made(arena), len(arena.rows(PARTS))) == ([], 1)
