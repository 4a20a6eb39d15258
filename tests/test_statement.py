"""One statement while it runs: what is told of it, and that it ends with whoever asks."""

import time
from contextlib import closing

import psycopg
import pytest
from django.db import connection

from agentsql import statement
from agentsql.exceptions import DatabaseUnavailable, LockLost
from agentsql.report import Notice, Progress
from agentsql.statement import Work, running, send, watched
from tests.support import action, session, step, transaction_of_another, until

LONG = "SELECT pg_sleep(60)"
NAP = "SELECT pg_sleep(0.3)"
ALTER = 'ALTER TABLE "t" ADD COLUMN "x" int'


@pytest.fixture
def means(arena, monkeypatch):
    """What statements run with, where nothing is too short for a word."""
    monkeypatch.setattr(statement, "QUIET_SECONDS", 0)
    monkeypatch.setattr(statement, "TICK_SECONDS", 0.02)
    arena.sql("CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)")
    with session() as means:
        yield means


def ask(means, sql):
    """Return the backends that run a statement now."""
    with means.watch.keeper.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query = %s", [sql])
        return [pid for (pid,) in cursor.fetchall() if pid != means.watch.keeper.connection.info.backend_pid]


def test_it_says_when_it_is_time_to_look(means):
    assert len(list(running(NAP, means.wire, 0.02))) > 1
    assert list(running("SELECT 1", means.wire, 10)) == []


def test_it_raises_what_the_server_says(means):
    with pytest.raises(psycopg.errors.DivisionByZero):
        list(running("SELECT 1/0", means.wire, 0.02))
    assert connection.is_usable()


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, ZeroDivisionError])
def test_who_stops_asking_stops_the_statement(means, error):
    ticks = running(LONG, means.wire, 0.02)
    next(ticks)
    until(lambda: ask(means, LONG))
    started = time.monotonic()
    if error is None:
        ticks.close()
    else:
        with pytest.raises(error):
            ticks.throw(error)
    assert time.monotonic() - started < 20
    assert ask(means, LONG) == []
    assert connection.is_usable()


def test_closing_what_is_told_stops_the_statement(means):
    told = watched(LONG, Work(step(), means))
    next(told)
    told.close()
    assert ask(means, LONG) == []
    assert connection.is_usable()


def test_a_short_statement_needs_no_words(arena, monkeypatch):
    monkeypatch.setattr(statement, "QUIET_SECONDS", 1000)
    with session(lock_timeout=0.03) as means:
        assert list(watched(NAP, Work(step(), means))) == []


def test_those_in_the_way_are_told_once(arena, means):
    work = Work(step(), means)
    notices = []
    with transaction_of_another(arena, "TABLE t") as other:
        pid = other.connection.info.backend_pid
        for count, event in enumerate(watched(ALTER, work)):
            notices += [event.text] if isinstance(event, Notice) else []
            if count == 8:
                other.rollback()
    (notice,) = notices
    assert notice.startswith(f"logs waits for backend {pid}, role ")
    assert notice.endswith(" s: TABLE t ...")
    assert [blocker.pid for blocker in work.blockers] == [pid]


def test_the_next_attempt_does_not_tell_them_again(arena, means):
    work = Work(step(), means)
    with transaction_of_another(arena, "TABLE t"):
        for place in range(2):
            with closing(watched(ALTER, work)) as told:
                events = [next(told) for _ in range(4)]
            assert sum(isinstance(event, Notice) for event in events) == (1 if place == 0 else 0)


def test_while_it_waits_it_says_so(arena, means):
    with transaction_of_another(arena, "TABLE t"), closing(watched(ALTER, Work(step(), means))) as told:
        progress = until(lambda: next((event for event in told if isinstance(event, Progress)), None))
    assert (progress.doing, progress.done, progress.total) == ("waiting for a lock", 0, 0)
    assert progress.seconds > 0


NOTICES = """DO $$ BEGIN
    RAISE NOTICE 'something else';
    RAISE NOTICE 'agentsql: 32 of 64 pages';
    PERFORM pg_sleep(0.5);
    RAISE NOTICE 'agentsql: 64 of 64 pages';
END $$"""


def test_a_backfill_tells_how_far_it_is(means, monkeypatch):
    monkeypatch.setattr(statement, "send", lambda sql, wire: psycopg.Cursor(wire).execute(sql))
    found = {(event.doing, event.done, event.total) for event in watched(NOTICES, Work(step(), means))}
    assert ("filling older rows", 32, 64) in found


def test_nobody_listens_afterwards(means):
    before = list(means.wire._notice_handlers)
    list(watched("SELECT 1", Work(step(), means)))
    with pytest.raises(psycopg.errors.DivisionByZero):
        list(watched("SELECT 1/0", Work(step(), means)))
    watched(LONG, Work(step(), means)).close()
    assert list(means.wire._notice_handlers) == before


def test_a_build_tells_how_far_it_is(arena, means):
    sql = 'CREATE INDEX CONCURRENTLY "i" ON "t" ("n")'
    with transaction_of_another(arena, "INSERT INTO t VALUES (7)") as other:
        for event in watched(sql, Work(step(), means)):
            if isinstance(event, Notice):
                pid = other.connection.info.backend_pid
                assert event.text.startswith(f"logs waits for backend {pid}")
                other.rollback()
    assert arena.fingerprint()["t"]["indexes"]["i"]["valid"]


def test_it_tells_the_time_since_the_step_began(means):
    work = Work(step(), means)
    work.started -= 100
    assert all(event.seconds > 100 for event in watched(NAP, work))


def test_send_prepares_nothing_and_takes_percent_signs(means):
    means.wire.prepare_threshold = 0
    for _ in range(3):
        assert send("SELECT '100%s %(x)s'", means.wire).fetchone() == ("100%s %(x)s",)
    assert send("SELECT count(*) FROM pg_prepared_statements", means.wire).fetchone() == (0,)


def test_many_are_sent_at_once(means):
    with means.wire.pipeline():
        answers = [send(f"SELECT {number}", means.wire) for number in range(3)]
    assert [answer.fetchone() for answer in answers] == [(0,), (1,), (2,)]


def test_a_session_that_was_lost_is_not_gone_on_with(arena):
    """Django would make a new one, with another search_path."""
    with session() as means:
        means.confirm()
        assert not means.lost
        connection.close()
        connection.ensure_connection()
        assert means.lost
        with pytest.raises(DatabaseUnavailable, match="was lost"):
            means.confirm()
    arena.enter()


def test_nor_without_the_lock(means):
    means.watch.keeper.connection.close()
    with pytest.raises(LockLost):
        means.confirm()


def test_nothing_goes_on_when_the_lock_is_lost_meanwhile(means):
    told = watched(LONG, Work(step(actions=[action(LONG)]), means))
    next(told)
    means.watch.keeper.connection.close()
    with pytest.raises(LockLost):
        list(told)
    assert connection.is_usable()
