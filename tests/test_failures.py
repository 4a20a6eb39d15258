"""Why a step failed, in words that tell the next step."""

import time

import psycopg
import pytest
from django.db import connection

from agentsql.failures import HINTS, failure
from agentsql.report import Failure
from agentsql.schema import Kind
from agentsql.statement import Work
from agentsql.step import Mode
from agentsql.watch import Blocker
from tests.support import action, constraint, session, step

OTHERWISE = "Mend what the server names, then run automigrate again."


@pytest.fixture
def explain(arena):
    with session() as means:
        yield lambda error, **facts: failure(error, Work(step(**facts), means))


@pytest.mark.parametrize(
    ("error", "expected"),
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
            Failure(message="no such function", hint=OTHERWISE, sqlstate="42883"),
        ),
        (psycopg.OperationalError("gone"), Failure(message="gone", hint=OTHERWISE)),
    ],
    ids=["duplicates", "lock", "another", "no state"],
)
def test_words(explain, error, expected):
    assert explain(error) == expected


def test_who_was_in_the_way(arena):
    blockers = [Blocker(7, "ann", "active", 3, "SELECT"), Blocker(None, "", "", 0, "")]
    with session() as means:
        work = Work(step(), means, blockers=blockers)
        found = failure(psycopg.errors.LockNotAvailable("canceling statement"), work)
        other = failure(psycopg.errors.DivisionByZero("division by zero"), work)
    assert found.message == (
        "canceling statement; it waited for backend 7, role ann, active for 3 s: SELECT ...; "
        "a prepared transaction (see pg_prepared_xacts)"
    )
    assert other.message == "division by zero"


def error_of(sql):
    with connection.cursor() as cursor, pytest.raises(psycopg.Error) as caught:
        cursor.connection.execute(sql)
    return caught.value


def test_the_servers_own_words(arena, explain):
    """Detail and hint are kept where we know no better."""
    arena.sql("CREATE TABLE t (n int)", "INSERT INTO t VALUES (1), (1)")
    assert explain(error_of("CREATE UNIQUE INDEX ON t (n)")) == Failure(
        message='could not create unique index "t_n_idx": Key (n)=(1) is duplicated.',
        hint=HINTS["23505"],
        sqlstate="23505",
    )
    assert explain(error_of("SELECT nn FROM t")).hint == 'Perhaps you meant to reference the column "t.n".'


def test_rows_in_the_way_are_counted_and_some_are_named(arena, explain):
    arena.sql("CREATE TABLE t (n int)", "INSERT INTO t SELECT g / 2 FROM generate_series(2, 15) g")
    query = "SELECT n, count(*) FROM t GROUP BY n HAVING count(*) > 1 ORDER BY n"
    key = constraint(Kind.UNIQUE, "n").key
    found = explain(error_of("CREATE UNIQUE INDEX ON t (n)"), key=key, offenders=query)
    assert found.finding.id == "agentsql.D015"
    some = "; ".join(f'{{"n": {n}}} 2 times' for n in range(1, 6))
    assert f"7 keys are in more than one row, for example {some}." in found.finding.msg
    assert found.finding.hint.endswith(f"All of them: {query};")


def test_other_errors_ask_for_no_rows(arena, explain):
    assert explain(error_of("SELECT 1/0"), offenders="SELECT 1").finding is None


@pytest.mark.parametrize("query", ["SELECT no_such_column FROM t", "SELECT pg_sleep(60), pg_terminate()"])
def test_a_query_that_fails_costs_only_the_count(arena, explain, query):
    arena.sql("CREATE TABLE t (n int)", "INSERT INTO t VALUES (1), (1)")
    found = explain(error_of("CREATE UNIQUE INDEX ON t (n)"), offenders=query)
    assert found.finding.hint.endswith(f"All of them: {query};")
    assert connection.is_usable()
    assert not connection.in_atomic_block


def test_counting_is_given_up_in_time(arena, explain, monkeypatch):
    monkeypatch.setattr("agentsql.failures.PATIENCE_SECONDS", 1)
    arena.sql("CREATE TABLE t (n int)", "INSERT INTO t VALUES (1), (1)")
    started = time.monotonic()
    found = explain(error_of("CREATE UNIQUE INDEX ON t (n)"), offenders="SELECT pg_sleep(60)")
    assert time.monotonic() - started < 20
    assert "rows break it" in found.finding.msg
    assert arena.rows("SHOW statement_timeout") == [("0",)]


def test_an_invalid_index_that_stays_is_named(arena):
    """Another session kept it from being dropped."""
    arena.sql("CREATE TABLE t (n int)", "INSERT INTO t VALUES (1), (1)")
    build = action("CREATE UNIQUE INDEX CONCURRENTLY t_n ON t (n)", mode=Mode.OUTSIDE, builds="t_n")
    error = error_of(build.sql[0])
    with session() as means:
        work = Work(step(actions=[build]), means, sql=build.sql[0])
        found = failure(error, work)
        arena.sql("DROP INDEX t_n")
        gone = failure(error, work)
    assert "the invalid index t_n could not be dropped for a lock of others" in found.message
    assert found.statement == build.sql[0]
    assert "invalid" not in gone.message
