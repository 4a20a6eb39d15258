"""The limits of our own statements, and the host's settings, which are as they were afterwards."""

from contextlib import suppress

import psycopg
import pytest
from django.db import connection, transaction
from psycopg import IsolationLevel

from agentsql.timeouts import LONGEST_WAIT_MS, limit, limited, unhurried

HOST = {
    "lock_timeout": "7s",
    "statement_timeout": "11s",
    "idle_in_transaction_session_timeout": "13s",
    "idle_session_timeout": "17min",
    "default_transaction_isolation": "repeatable read",
    "row_security": "on",
}
NEWER = {"transaction_timeout": "19s"}  # PostgreSQL 17
FREE = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}


@pytest.fixture
def host(database):
    """A session whose owner has set all of these by SET."""
    connection.ensure_connection()
    newer = connection.connection.info.server_version >= 170000
    wanted = HOST | (NEWER if newer else {})
    with connection.cursor() as cursor:
        for name, value in wanted.items():
            cursor.execute(f"SET {name} = '{value}'")
    return wanted


def settings(names):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(f'current_setting({name!r})' for name in names)}")
        return dict(zip(names, cursor.fetchone(), strict=True))


def ours(host, **values):
    free = FREE | ({"transaction_timeout": "0"} if "transaction_timeout" in host else {})
    return host | free | values


def test_within_a_transaction(host):
    with transaction.atomic():
        limit(connection, 0.25)
        assert settings(host) == ours(host, lock_timeout="250ms", row_security="off")
    assert settings(host) == host


def test_what_is_instant_has_one_limit_for_all_its_locks(host):
    """lock_timeout is for each of them."""
    with transaction.atomic():
        limit(connection, 0.25, statement_timeout=0.25)
        both = {"lock_timeout": "250ms", "statement_timeout": "250ms"}
        assert settings(host) == ours(host, row_security="off", **both)
    assert settings(host) == host


def test_a_transaction_that_fails_sets_back_too(host):
    with suppress(ZeroDivisionError), transaction.atomic():
        limit(connection, 0.25)
        raise ZeroDivisionError
    assert settings(host) == host


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (2.0, "2s"),
        (0.25, "250ms"),
        (0.0004, "1ms"),
        (3600, "1h"),
        (1e9, f"{LONGEST_WAIT_MS}ms"),
        (1e308, f"{LONGEST_WAIT_MS}ms"),
    ],
)
def test_lock_timeout(host, seconds, shown):
    """Never 0, which would be for ever."""
    with transaction.atomic():
        limit(connection, seconds)
        assert settings(["lock_timeout"]) == {"lock_timeout": shown}
    with limited(connection, seconds, pooled=False):
        assert settings(["lock_timeout"]) == {"lock_timeout": shown}


def test_outside_a_transaction(host):
    with limited(connection, 0.25, pooled=False):
        assert settings(host) == ours(host, lock_timeout="250ms")
    assert settings(host) == host


BLOCKS = {
    "limited": lambda: limited(connection, 0.25, pooled=False),
    "unhurried": lambda: unhurried(connection, pooled=False),
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, psycopg.OperationalError])
def test_an_error_sets_back_too(host, block, error):
    with pytest.raises(error), block():
        raise error
    assert settings(host) == host


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_statement_that_fails_sets_back_too(host, block):
    with pytest.raises(psycopg.errors.DivisionByZero), block():
        connection.connection.execute("SELECT 1/0")
    assert settings(host) == host


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_connection_that_is_lost_has_nothing_to_set_back(host, block):
    with suppress(ZeroDivisionError), block():
        connection.connection.close()
        raise ZeroDivisionError
    assert connection.connection.closed


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_another_connection_is_left_alone(host, block):
    """Django makes a new one where the first is lost: it has settings of its own."""
    with block():
        connection.close()
        connection.ensure_connection()
        before = settings(host)
    assert settings(host) == before


def test_behind_a_pooler_nothing_is_set_for_the_session(host):
    with limited(connection, 0.25, pooled=True), unhurried(connection, pooled=True):
        assert settings(host) == host


def test_a_whole_run_may_idle_and_sees_what_others_commit(host):
    with unhurried(connection, pooled=False):
        whole = {"idle_session_timeout": "0", "default_transaction_isolation": "read committed"}
        assert settings(host) == host | whole
    assert settings(host) == host


def test_the_isolation_level_of_the_client_is_set_back(database):
    connection.ensure_connection()
    wire = connection.connection
    wire.isolation_level = IsolationLevel.SERIALIZABLE
    with unhurried(connection, pooled=False), transaction.atomic():
        assert settings(["transaction_isolation"]) == {"transaction_isolation": "read committed"}
    assert wire.isolation_level is IsolationLevel.SERIALIZABLE
