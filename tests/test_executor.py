"""How a plan is cut into transactions, and what is said of a step that failed."""

from itertools import pairwise

import psycopg
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from agentsql.executor import BATCH_STATEMENTS, HINTS, _alone, _failure, _relations, _transaction, batches
from agentsql.plan import OWN, SHARED
from agentsql.report import Failure, Result
from agentsql.schema import Kind
from tests.support import column, constraint, index, step, table

PLENTY = 10**6


def plain(number=1, statements=1):
    return [step(sql=("SELECT 1",) * statements) for _ in range(number)]


def sizes(steps, locks=PLENTY):
    return [len(batch) for batch in batches(steps, locks)]


OWNER = step(transaction=OWN)


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
    lambda creates, statements, transaction: step(*creates, sql=("SELECT 1",) * statements, transaction=transaction),
    st.lists(st.sampled_from(KEYS), min_size=1, max_size=6),
    st.integers(1, 400),
    st.sampled_from([SHARED, SHARED, SHARED, OWN]),
)


@given(st.lists(STEP, max_size=12), st.integers(1, 40))
def test_no_batch_takes_more_than_it_may(steps, locks):
    made = list(batches(steps, locks))
    assert [item for batch in made for item in batch] == steps
    for batch in made:
        assert batch
        assert len(batch) == 1 or sum(map(_relations, batch)) <= locks
        assert len(batch) == 1 or sum(len(item.sql) for item in batch) <= BATCH_STATEMENTS
        assert len(batch) == 1 or all(item.transaction == SHARED for item in batch)


@given(st.lists(STEP, max_size=12), st.integers(1, 40))
def test_no_batch_is_cut_without_a_reason(steps, locks):
    for batch, following in pairwise(batches(steps, locks)):
        both = [*batch, following[0]]
        assert (
            sum(map(_relations, both)) > locks
            or sum(len(item.sql) for item in both) > BATCH_STATEMENTS
            or OWN in {item.transaction for item in both}
        )


@pytest.mark.parametrize(
    ("keys", "relations"),
    [
        ([table().key, column("a").key, column("b").key], 3),
        ([table().key, column("id").key, constraint(Kind.PRIMARY_KEY, "id").key], 4),
        ([table().key, constraint(Kind.UNIQUE, "a").key, constraint(Kind.EXCLUSION, name="x").key], 5),
        ([index("i", "a").key], 4),
        ([constraint(Kind.CHECK, name="c").key], 3),
    ],
    ids=["table", "key", "more keys", "index", "check"],
)
def test_relations(keys, relations):
    """A table with its TOAST table and that one's index, and an index for each key."""
    assert _relations(step(*keys)) == relations


def test_a_step_that_needs_a_failed_one_is_not_tried():
    waiting = step(index("i", "a").key, requires=frozenset({column("a").key, column("b").key, table().key}))
    outcome = _alone(waiting, connection, {column("b").key, column("a").key, column("other").key})
    assert (outcome.step, outcome.result, outcome.seconds) == (waiting, Result.SKIPPED, 0.0)
    assert outcome.failure == Failure(message="needs logs.a, logs.b")


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (
            psycopg.errors.UniqueViolation("could not create unique index\n"),
            Failure(message="could not create unique index", hint=HINTS["23505"], sqlstate="23505"),
        ),
        (
            psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"),
            Failure(message="canceling statement due to lock timeout", hint=HINTS["55P03"], sqlstate="55P03"),
        ),
        (
            psycopg.errors.UndefinedFunction("no such function"),
            Failure(
                message="no such function",
                hint="Mend what the server names, then run automigrate again.",
                sqlstate="42883",
            ),
        ),
        (
            psycopg.OperationalError("gone"),
            Failure(message="gone", hint="Mend what the server names, then run automigrate again."),
        ),
    ],
    ids=["duplicates", "lock", "another", "no state"],
)
def test_failure(error, failure):
    assert _failure(error) == failure


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (2.0, "2s"),
        (0.25, "250ms"),
        (0.0004, "1ms"),
    ],
)
def test_lock_timeout(database, seconds, shown):
    with _transaction(connection, seconds), connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == (shown,)


def test_the_servers_own_words(arena):
    """Detail and hint are kept where we know no better."""
    arena.sql("CREATE TABLE t (n int)", "INSERT INTO t VALUES (1), (1)")
    with connection.cursor() as cursor, pytest.raises(psycopg.Error) as caught:
        cursor.connection.execute("CREATE UNIQUE INDEX ON t (n)")
    assert _failure(caught.value) == Failure(
        message='could not create unique index "t_n_idx": Key (n)=(1) is duplicated.',
        hint=HINTS["23505"],
        sqlstate="23505",
    )
    with connection.cursor() as cursor, pytest.raises(psycopg.Error) as caught:
        cursor.connection.execute("SELECT nn FROM t")
    assert _failure(caught.value).hint == 'Perhaps you meant to reference the column "t.n".'
