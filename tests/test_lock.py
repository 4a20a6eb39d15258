"""One run at a time for a database."""

import time
from contextlib import ExitStack

import pytest
from django.db import connection

from agentsql import lock
from agentsql.exceptions import LockUnavailable

pytestmark = pytest.mark.usefixtures("database")
NAMED = r"^Another automigrate run holds the lock: backend \d+, role \w+.*, for \d+ s\."


def rows(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def held():
    return rows(
        "SELECT classid::bigint << 32 | objid::bigint FROM pg_locks JOIN pg_database d ON d.oid = database "
        "WHERE locktype = 'advisory' AND granted AND datname = current_database()"
    )


def test_it_is_held_as_long_as_the_block_lasts():
    assert held() == []
    with lock.exclusive(connection, wait=1):
        assert held() == [(int.from_bytes(b"agentsql"),)]
    assert held() == []


def test_the_connection_stays_as_it_was():
    with lock.exclusive(connection, wait=1):
        assert connection.get_autocommit()
        assert not connection.in_atomic_block
        assert rows("SELECT pg_backend_pid() IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')") == [(False,)]


def test_it_holds_no_snapshot():
    """Not even an idle one, which would make CREATE INDEX CONCURRENTLY wait for ever."""
    with lock.exclusive(connection, wait=1):
        holder = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
        assert rows(
            f"SELECT state, backend_xmin, backend_xid FROM pg_stat_activity WHERE pid IN ({holder})"
            " AND datname = current_database()"
        ) == [("idle in transaction", None, None)]


def test_a_failure_frees_it():
    with pytest.raises(ZeroDivisionError), lock.exclusive(connection, wait=1):
        raise ZeroDivisionError
    assert held() == []


def test_a_second_run_is_told_who_holds_it_and_gives_up(monkeypatch):
    monkeypatch.setattr(lock, "QUIET_SECONDS", 0)
    said = []
    started = time.monotonic()
    with (
        lock.exclusive(connection, wait=1),
        pytest.raises(LockUnavailable, match=NAMED + r" Waited 0\.1 s; run automigrate again later\.$"),
        lock.exclusive(connection, wait=0.1, waiting=said.append),
    ):
        pytest.fail("two runs at once")
    assert 0.1 <= time.monotonic() - started < 5
    assert len(said) == 1
    assert held() == []


def test_a_second_run_goes_on_when_the_first_ends(monkeypatch):
    monkeypatch.setattr(lock, "QUIET_SECONDS", 0)
    said = []
    with ExitStack() as first:
        first.enter_context(lock.exclusive(connection, wait=1))

        def waiting(sentence):
            said.append(sentence)
            first.close()

        with lock.exclusive(connection, wait=10, waiting=waiting):
            assert len(held()) == 1
    assert len(said) == 1


def test_those_who_wait_keep_no_server_of_a_pooler_busy(monkeypatch):
    """They ask in transactions that end at once; only the holder's stays open."""
    monkeypatch.setattr(lock, "QUIET_SECONDS", 0)
    seen = []

    def waiting(_):
        state = "datname = current_database() AND state LIKE 'idle in transaction%'"
        seen.extend(rows(f"SELECT count(*) FROM pg_stat_activity WHERE {state}"))

    with (
        lock.exclusive(connection, wait=1),
        pytest.raises(LockUnavailable),
        lock.exclusive(connection, wait=0.2, waiting=waiting),
    ):
        pytest.fail("two runs at once")
    assert seen == [(1,)]


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_the_sessions_own_isolation_makes_no_snapshot_of_it(level):
    """It would be one for the whole transaction, and a concurrent build would wait for it."""
    options = connection.settings_dict["OPTIONS"]
    escaped = level.replace(" ", "\\ ")
    connection.settings_dict["OPTIONS"] = options | {"options": f"-c default_transaction_isolation={escaped}"}
    try:
        connection.close()
        with lock.exclusive(connection, wait=1) as watch:
            pid = watch.keeper.connection.info.backend_pid
            assert rows(f"SELECT backend_xmin FROM pg_stat_activity WHERE pid = {pid}") == [(None,)]
            assert rows("SHOW default_transaction_isolation") == [(level,)]
    finally:
        connection.settings_dict["OPTIONS"] = options
        connection.close()


def kill_holder():
    rows(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks JOIN pg_database d ON d.oid = database "
        "WHERE locktype = 'advisory' AND datname = current_database()"
    )


def test_a_holder_that_dies_frees_it():
    with lock.exclusive(connection, wait=1):
        kill_holder()
        with lock.exclusive(connection, wait=5):
            assert len(held()) == 1


@pytest.mark.parametrize(
    ("holder", "sentence"),
    [
        (None, "Another automigrate run holds the lock."),
        ((12, "ann", "", 3), "Another automigrate run holds the lock: backend 12, role ann, for 3 s."),
        ((12, "ann", "web", 0), "Another automigrate run holds the lock: backend 12, role ann web, for 0 s."),
    ],
    ids=["already gone", "no application", "application"],
)
def test_sentence(holder, sentence):
    assert lock._sentence(holder) == sentence
