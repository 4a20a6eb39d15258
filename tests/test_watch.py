"""What a second connection sees: whom a statement waits for, how far it is, and whether the lock is held."""

from contextlib import closing

import pytest
from django.db import connection

from agentsql.exceptions import LockLost
from agentsql.lock import exclusive
from agentsql.statement import running
from agentsql.watch import Blocker, Watch
from tests.support import transaction_of_another, until

LONG = "SELECT pg_sleep(60)"


@pytest.fixture
def watch(arena):
    """A look from within the transaction that holds the lock, which lasts as long as a run."""
    with exclusive(connection, wait=5) as watch:
        yield watch


@pytest.fixture
def thing(arena):
    arena.sql("CREATE TABLE t (n int)", "INSERT INTO t SELECT generate_series(1, 3)")


def asked(sql, answer):
    """Run a statement until something can be said of it, which is returned; then it is cancelled."""
    with closing(running(sql, connection.connection, 0.02)) as ticks:
        for _ in ticks:
            if found := answer():
                return found
    return None


@pytest.mark.usefixtures("thing")
def test_those_in_the_way_are_named(arena, watch):
    sql = 'ALTER TABLE "t" ADD COLUMN "x" int'
    with transaction_of_another(arena, "SELECT 1 AS one,\n\t 2 AS two FROM t") as other:
        pid = other.connection.info.backend_pid
        (blocker,) = asked(sql, lambda: watch.blockers(sql))
    assert blocker == Blocker(pid, arena.rows("SELECT current_user::text")[0][0], *blocker[2:])
    assert (blocker.state, blocker.query) == ("idle in transaction", "SELECT")
    assert 0 <= blocker.seconds < 60


@pytest.mark.usefixtures("thing")
def test_each_of_several_is_named_once(arena, watch):
    sql = 'ALTER TABLE "t" ADD COLUMN "x" int'
    with transaction_of_another(arena, "TABLE t") as first, transaction_of_another(arena, "TABLE t") as second:
        pids = {other.connection.info.backend_pid for other in (first, second)}
        found = asked(sql, lambda: watch.blockers(sql))
    assert len(found) == 2
    assert {blocker.pid for blocker in found} == pids


def test_a_statement_that_only_works_waits_for_nobody(watch):
    looks = []
    asked(LONG, lambda: looks.append(watch.blockers(LONG)) or len(looks) > 3)
    assert looks == [[]] * 4


@pytest.mark.usefixtures("thing")
def test_other_statements_are_not_ours(arena, watch):
    """Known by their text, as far as the server keeps it: a pooler gives no pid."""
    sql = 'ALTER TABLE "t" ADD COLUMN "x" int'
    with transaction_of_another(arena, "TABLE t"):
        assert asked(sql, lambda: watch.blockers(sql))
        found = []
        asked(sql, lambda: found.append(watch.blockers('ALTER TABLE "t" ADD COLUMN "y" int')) or len(found) > 3)
    assert found == [[]] * 4


@pytest.mark.usefixtures("thing")
def test_a_statement_longer_than_the_server_keeps(arena, watch):
    size = int(arena.rows("SELECT setting FROM pg_settings WHERE name = 'track_activity_query_size'")[0][0])
    sql = f'ALTER TABLE "t" ADD COLUMN "x" text DEFAULT \'{"é" * size}\''
    with transaction_of_another(arena, "TABLE t"):
        assert asked(sql, lambda: watch.blockers(sql))


@pytest.mark.usefixtures("thing")
def test_a_build_tells_how_far_it_is(arena, watch):
    sql = 'CREATE INDEX CONCURRENTLY "i" ON "t" ("n")'
    with transaction_of_another(arena, "INSERT INTO t VALUES (7)"):
        phase, done, total = asked(sql, lambda: watch.build(sql))
        assert asked(sql.replace('"i"', '"j"'), lambda: watch.blockers(sql.replace('"i"', '"j"')))
    assert phase.startswith("waiting for")
    assert 0 <= done <= total


def test_what_builds_nothing_has_no_progress(watch):
    assert watch.build(LONG) is None


@pytest.mark.parametrize(
    ("blocker", "words"),
    [
        (Blocker(7, "ann", "active", 3, ""), "backend 7, role ann, active for 3 s"),
        (
            Blocker(7, "ann", "active", 3, "LOCK TABLE", application="psql"),
            "backend 7, role ann (psql), active for 3 s: LOCK TABLE ...",
        ),
        (Blocker(None, "", "", 0, ""), "a prepared transaction (see pg_prepared_xacts)"),
    ],
)
def test_words(blocker, words):
    assert str(blocker) == words


def kill(looker, pid):
    with looker.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        until(lambda: not _lives(looker, pid))


def _lives(looker, pid):
    with looker.cursor() as cursor:
        cursor.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [pid])
        return cursor.fetchone()


@pytest.mark.parametrize(
    "look", [Watch.confirm, lambda watch: watch.blockers(LONG), lambda watch: watch.build(LONG)], ids=["", "w", "b"]
)
def test_a_lock_whose_connection_died_is_lost(database, look):
    connection.ensure_connection()
    with exclusive(connection, wait=5) as watch:
        look(watch)
        kill(connection, watch.keeper.connection.info.backend_pid)
        with pytest.raises(LockLost):
            look(watch)
        with pytest.raises(LockLost):
            watch.confirm()
