"""How a plan is cut into transactions, and what becomes of each step."""

from itertools import pairwise

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from agentsql.executor import BATCH_STATEMENTS, batches, execute, relations
from agentsql.report import Failure, Outcome, Result
from agentsql.schema import Kind
from agentsql.step import Mode
from tests.support import action, column, constraint, index, session, step, table

PLENTY = 10**6


def plain(number=1, statements=1):
    return [step(sql=("SELECT 1",) * statements) for _ in range(number)]


def sizes(steps, locks=PLENTY):
    return [len(batch) for batch in batches(steps, locks)]


OWNER = step(mode=Mode.OWN)


@pytest.mark.parametrize(
    ("steps", "locks", "expected"),
    [
        ([], PLENTY, []),
        (plain(5), PLENTY, [5]),
        ([*plain(2), OWNER, *plain(3)], PLENTY, [2, 1, 3]),
        ([OWNER, OWNER], PLENTY, [1, 1]),
        (plain(5), 6, [2, 2, 1]),
        (plain(5), 8, [2, 2, 1]),
        (plain(3), 1, [1, 1, 1]),
        (plain(BATCH_STATEMENTS + 1), PLENTY, [BATCH_STATEMENTS, 1]),
        (plain(4, BATCH_STATEMENTS // 2), PLENTY, [2, 2]),
        (plain(2, BATCH_STATEMENTS + 1), PLENTY, [1, 1]),
    ],
    ids=["none", "shared", "own between", "own alone", "locks", "odd locks", "no room", "many", "heavy", "too heavy"],
)
def test_batches(steps, locks, expected):
    assert sizes(steps, locks) == expected


def test_batches_are_made_as_they_are_asked_for():
    asked = []
    first = next(batches((asked.append(number) or item for number, item in enumerate([OWNER] * 5)), PLENTY))
    assert (first, asked) == ([OWNER], [0, 1])


KEYS = [table().key, column().key, index("i", "a").key, constraint(Kind.UNIQUE, "a").key]
STEP = st.builds(
    lambda creates, statements, mode: step(*creates, sql=("SELECT 1",) * statements, mode=mode),
    st.lists(st.sampled_from(KEYS), min_size=1, max_size=6),
    st.integers(1, 400),
    st.sampled_from([Mode.SHARED, Mode.SHARED, Mode.SHARED, Mode.OWN, Mode.OUTSIDE]),
)


@given(st.lists(STEP, max_size=12), st.integers(1, 40))
def test_no_batch_takes_more_than_it_may(steps, locks):
    made = list(batches(steps, locks))
    assert [item for batch in made for item in batch] == steps
    for batch in made:
        assert batch
        assert len(batch) == 1 or sum(map(relations, batch)) <= locks
        assert len(batch) == 1 or sum(len(item.sql) for item in batch) <= BATCH_STATEMENTS
        assert len(batch) == 1 or all(item.shared for item in batch)


@given(st.lists(STEP, max_size=12), st.integers(1, 40))
def test_no_batch_is_cut_without_a_reason(steps, locks):
    for batch, following in pairwise(batches(steps, locks)):
        both = [*batch, following[0]]
        assert (
            sum(map(relations, both)) > locks
            or sum(len(item.sql) for item in both) > BATCH_STATEMENTS
            or not all(item.shared for item in both)
        )


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([table().key, column("a").key, column("b").key], 3),
        ([table().key, column("id").key, constraint(Kind.PRIMARY_KEY, "id").key], 4),
        ([table().key, constraint(Kind.UNIQUE, "a").key, constraint(Kind.EXCLUSION, name="x").key], 5),
        ([index("i", "a").key], 4),
        ([constraint(Kind.CHECK, name="c").key], 3),
    ],
    ids=["table", "key", "more keys", "index", "check"],
)
def test_relations(keys, expected):
    """A table with its TOAST table and that one's index, and an index for each key."""
    assert relations(step(*keys)) == expected


def test_a_step_with_one_action_of_its_own_is_not_shared():
    mixed = step(actions=[action(), action(mode=Mode.OUTSIDE)])
    assert sizes([*plain(2), mixed, *plain(1)]) == [2, 1, 1]


@pytest.fixture
def run(arena):
    """Run steps as a plan, and return what is told."""

    def run(*steps, capacity=PLENTY):
        with session() as means:
            return list(execute(steps, means, lock_capacity=capacity))

    run.arena = arena
    return run


def make(name, *, sql=None, **facts):
    key = table(name).key
    return step(key, name=name, sql=(sql or f'CREATE TABLE "{name}" ("n" int)',), **facts)


def tables(arena):
    return sorted(arena.fingerprint())


def test_steps_that_share_a_transaction(run):
    steps = [make("a"), make("b"), make("c")]
    made = run(*steps)
    assert [(item.step, item.result) for item in made] == [(item, Result.DONE) for item in steps]
    assert all(item.seconds > 0 for item in made)
    assert len(run.arena.rows("SELECT DISTINCT xmin::text FROM pg_class WHERE relname IN ('a', 'b', 'c')")) == 1
    assert tables(run.arena) == ["a", "b", "c"]


def test_one_of_them_fails_and_the_others_are_made(run):
    broken = make("b", sql='CREATE TABLE "b" ("n" no_such_type)')
    needs = make("c", requires=frozenset({table("b").key}))
    made = run(make("a"), broken, needs, make("d"))
    assert [(item.step.name, item.result) for item in made] == [
        ("a", Result.DONE),
        ("b", Result.FAILED),
        ("c", Result.SKIPPED),
        ("d", Result.DONE),
    ]
    assert made[1].failure.sqlstate == "42704"
    assert tables(run.arena) == ["a", "d"]


def test_a_step_that_needs_a_failed_one_is_not_tried(run):
    broken = make("b", sql='CREATE TABLE "b" ("n" no_such_type)', mode=Mode.OWN)
    needs = make("c", requires=frozenset({table("b").key, table("x").key}))
    _, skipped = run(broken, needs)
    assert skipped == Outcome(step=needs, result=Result.SKIPPED, failure=Failure(message="needs b"))
    chain = [broken, needs, make("d", requires=frozenset({table("c").key}))]
    assert [item.result for item in run(*chain)] == [Result.FAILED, Result.SKIPPED, Result.SKIPPED]


def test_a_step_that_fails_in_its_second_action_keeps_the_first(run):
    """The next run finds it and goes on from there."""
    made = run(
        make("a"), step(actions=[action('CREATE TABLE "b" ()', mode=Mode.OWN), action("SELECT 1/0", mode=Mode.OWN)])
    )
    assert [item.result for item in made] == [Result.DONE, Result.FAILED]
    assert made[1].failure.sqlstate == "22012"
    assert tables(run.arena) == ["a", "b"]


def test_the_connection_is_left_in_autocommit(run):
    run(make("a"), make("b", sql="SELECT 1/0"), make("c"))
    assert connection.get_autocommit()
    assert not connection.in_atomic_block
