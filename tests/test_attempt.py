"""One action, tried until it has its lock, and what is left of it when it fails."""

import threading
import time
from contextlib import closing

import psycopg
import pytest
from django.db import connection, transaction

from agentsql import attempt as module
from agentsql import statement
from agentsql.attempt import attempt, pauses, take_back
from agentsql.report import Notice
from agentsql.statement import Work
from agentsql.step import VALIDATING, Mode
from tests.support import action, session, step, table, transaction_of_another

ADD = action('ALTER TABLE "t" ADD COLUMN "x" int', mode=Mode.OWN)
ADD_CHECK = 'ALTER TABLE "t" ADD CONSTRAINT "c" CHECK ("n" > 1) NOT VALID'
VALIDATE = 'ALTER TABLE "t" VALIDATE CONSTRAINT "c"'
UNDO = ('ALTER TABLE "t" DROP CONSTRAINT "c"',)
BUILD = 'CREATE UNIQUE INDEX CONCURRENTLY "i" ON "t" ("n")'
READ, WRITE = "TABLE t", "INSERT INTO t VALUES (7)"


@pytest.fixture
def thing(arena, monkeypatch):
    monkeypatch.setattr(module, "PAUSE_SECONDS", (0.02, 0.1))
    monkeypatch.setattr(statement, "QUIET_SECONDS", 0)
    arena.sql("CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)")
    return arena


def run(item, of=None, **settings):
    with session(**settings) as means:
        return list(attempt(item, Work(of or step(), means)))


def columns(arena):
    return list(arena.fingerprint()["t"]["columns"])


def constraints(arena):
    return list(arena.fingerprint()["t"]["constraints"])


def indexes(arena):
    return {name: item["valid"] for name, item in arena.fingerprint()["t"]["indexes"].items()}


def build(sql=BUILD, name='"i"'):
    return action(sql, mode=Mode.OUTSIDE, lock=VALIDATING, builds=name)


def test_it_succeeds_once_the_one_in_the_way_leaves(thing):
    with session(lock_timeout=0.1, lock_wait=20) as means, transaction_of_another(thing, READ) as other:
        work, started = Work(step(), means), time.monotonic()
        for event in attempt(ADD, work):
            if isinstance(event, Notice):
                pid = other.connection.info.backend_pid
                assert f"waits for backend {pid}" in event.text
            if time.monotonic() - started > 0.5:  # several attempts later
                other.rollback()
    assert [blocker.pid for blocker in work.blockers] == [pid]
    assert "x" in columns(thing)


def test_it_gives_up_in_the_end_and_knows_for_whom(thing):
    with session(lock_timeout=0.1, lock_wait=0.6) as means, transaction_of_another(thing, READ) as other:
        work, started = Work(step(), means), time.monotonic()
        with pytest.raises(psycopg.errors.LockNotAvailable):
            list(attempt(ADD, work))
        waited = time.monotonic() - started
        assert [blocker.pid for blocker in work.blockers] == [other.connection.info.backend_pid]
    assert 0.4 < waited < 10
    assert columns(thing) == ["n"]


def test_others_pass_between_two_attempts(thing):
    """Who comes later waits behind us for a lock_timeout at most, however long we try."""
    stop, waits = threading.Event(), []

    def read():
        with closing(connection.copy()) as reader, reader.cursor() as cursor:
            while not stop.is_set():
                started = time.monotonic()
                cursor.execute(f"TABLE {thing.namespace}.t")
                waits.append(time.monotonic() - started)

    reading = threading.Thread(target=read)
    with transaction_of_another(thing, READ):
        reading.start()
        try:
            with pytest.raises(psycopg.errors.LockNotAvailable):
                run(ADD, lock_timeout=0.2, lock_wait=2)
        finally:
            stop.set()
            reading.join()
    assert 0.1 < max(waits) < 1.5


def test_pauses_grow_up_to_a_limit(monkeypatch):
    monkeypatch.setattr(module, "PAUSE_SECONDS", (0.1, 1.0))
    for _ in range(20):
        naps = pauses()
        for longest in (0.1, 0.2, 0.4, 0.8, 1.0, 1.0):
            assert longest / 2 <= next(naps) <= longest


def test_what_is_wrong_is_not_tried_again(thing):
    started = time.monotonic()
    with pytest.raises(psycopg.errors.UndefinedColumn):
        run(action('ALTER TABLE "t" ADD UNIQUE ("y")', mode=Mode.OWN), lock_wait=60)
    assert time.monotonic() - started < 10


def test_all_statements_of_an_action_or_none(thing):
    with pytest.raises(psycopg.errors.DivisionByZero):
        run(action(*ADD.sql, "SELECT 1/0", mode=Mode.OWN))
    assert columns(thing) == ["n"]


def test_a_deadlock_is_tried_again(thing):
    """The other holds u and wants t; the action holds t and wants u. The server ends one of them."""
    thing.sql("CREATE TABLE u (n int)")
    both = action('ALTER TABLE "t" ADD COLUMN "x" int', 'ALTER TABLE "u" ADD COLUMN "x" int', mode=Mode.OWN)
    asked = threading.Event()

    def want(wire):
        asked.wait(20)
        wire.execute("SET LOCAL deadlock_timeout = '1h'")  # so that it is the action that gives way
        wire.execute("TABLE t")
        wire.rollback()

    with session(lock_timeout=10, lock_wait=20) as means, transaction_of_another(thing, "TABLE u") as other:
        thread = threading.Thread(target=want, args=[other.connection])
        thread.start()
        for _ in attempt(both, Work(step(), means)):
            asked.set()
        thread.join()
    assert "x" in columns(thing)


def test_a_failed_validation_leaves_no_constraint(thing):
    thing.sql(ADD_CHECK)
    with pytest.raises(psycopg.errors.CheckViolation):
        run(action(VALIDATE, mode=Mode.OWN, undo=UNDO))
    assert constraints(thing) == []


def test_one_that_is_not_ours_stays(thing):
    thing.sql(ADD_CHECK)
    with pytest.raises(psycopg.errors.CheckViolation):
        run(action(VALIDATE, mode=Mode.OWN))
    assert constraints(thing) == ["c"]


def test_a_retry_does_not_take_back_what_it_still_needs(thing):
    thing.sql("UPDATE t SET n = 2", ADD_CHECK)
    validation = action(VALIDATE, mode=Mode.OWN, undo=UNDO)
    lock = "LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE"
    with session(lock_timeout=0.1, lock_wait=20) as means, transaction_of_another(thing, lock) as other:
        for count, _ in enumerate(attempt(validation, Work(step(), means))):
            if count == 10:
                other.rollback()
    assert thing.rows("SELECT convalidated FROM pg_constraint WHERE conname = 'c'") == [(True,)]


def test_what_cannot_be_taken_back_is_left_to_the_next_run(thing):
    with session(lock_timeout=0.1) as means, transaction_of_another(thing, READ):
        started = time.monotonic()
        take_back(action(VALIDATE, undo=UNDO), means, 0.1)
        assert time.monotonic() - started < 10
    assert not connection.in_atomic_block


def test_a_failed_build_leaves_no_index(thing):
    thing.sql("INSERT INTO t VALUES (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        run(build())
    assert indexes(thing) == {}


def test_a_valid_index_is_never_dropped(thing):
    thing.sql("CREATE INDEX i ON t (n)")
    run(build(), of=step(table("t").key))  # somebody else has made it meanwhile: that is as good
    assert indexes(thing) == {"i": True}


def test_an_index_of_that_name_on_another_table_is_not_taken_for_ours(thing):
    thing.sql("CREATE TABLE u (n int)", "CREATE INDEX i ON u (n)")
    with pytest.raises(psycopg.errors.DuplicateTable):
        run(build(), of=step(table("t").key))
    assert list(thing.fingerprint()["u"]["indexes"]) == ["i"]


def test_a_build_waits_longer_than_a_lock(thing):
    """Nobody queues behind it, so lock_timeout is not its limit."""
    waits = {"lock_timeout": 0.05, "lock_wait": 0.05, "build_wait": 20}
    with session(**waits) as means, transaction_of_another(thing, WRITE) as other:
        started = time.monotonic()
        for _ in attempt(build(), Work(step(), means)):
            if time.monotonic() - started > 0.5:
                other.rollback()
    assert indexes(thing) == {"i": True}


def test_a_build_that_waits_too_long_says_so(thing):
    """While the one in the way is there it can't be dropped either: then the next run does it."""
    with transaction_of_another(thing, WRITE), pytest.raises(psycopg.errors.LockNotAvailable):
        run(build(), build_wait=0.3, lock_wait=0.3)
    assert indexes(thing).get("i") in {None, False}


@pytest.mark.parametrize("stop", ["close", "Ctrl-C"])
def test_who_stops_asking_leaves_nothing_half_made(thing, stop):
    with session(build_wait=60) as means:
        with transaction_of_another(thing, WRITE) as other:
            told = attempt(build(), Work(step(), means))
            next(told)
            other.rollback()
        if stop == "close":
            told.close()
        else:
            with pytest.raises(KeyboardInterrupt):
                told.throw(KeyboardInterrupt)
        assert False not in indexes(thing).values()
        assert not connection.in_atomic_block
        assert connection.is_usable()


def test_a_transaction_is_rolled_back_when_nobody_asks_any_more(thing):
    with session(lock_timeout=20) as means, transaction_of_another(thing, READ):
        told = attempt(ADD, Work(step(), means))
        next(told)
        told.close()
    assert columns(thing) == ["n"]
    assert connection.get_autocommit()


def test_settings_are_back_after_each_kind_of_end(thing):
    thing.sql("SET lock_timeout = '7s'", "SET statement_timeout = '50min'")
    thing.sql("INSERT INTO t VALUES (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        run(build())
    run(ADD)
    run(build(BUILD.replace("UNIQUE ", "")))
    assert thing.rows("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')") == [
        ("7s", "50min")
    ]
    thing.sql("RESET lock_timeout", "RESET statement_timeout")


def test_a_statement_timeout_of_the_host_does_not_end_it(thing):
    thing.sql("SET statement_timeout = '100ms'")
    try:
        run(action("SELECT pg_sleep(0.3)", mode=Mode.OWN))
        run(action("SELECT pg_sleep(0.3)", mode=Mode.OUTSIDE))
    finally:
        thing.sql("RESET statement_timeout")


def test_inside_a_transaction_it_refuses(thing):
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        run(ADD)
