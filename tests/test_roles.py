"""Roles with settings of their own: their limits break no run, and no run leaves others behind."""

import threading
from dataclasses import replace

import pytest
from django.db import connection
from psycopg import IsolationLevel

from agentsql import lock
from agentsql.report import Notice
from tests import live

HASTY = {
    "statement_timeout": "50ms",
    "idle_in_transaction_session_timeout": "50ms",
    "transaction_timeout": "100ms",
    "lock_timeout": "1ms",
}
SINCE = {"transaction_timeout": 170000}
ODD = [
    *({name: value} for name, value in HASTY.items()),
    {"default_transaction_isolation": "serializable"},
    {"default_transaction_isolation": "repeatable read"},
    {"default_transaction_deferrable": "on", "default_transaction_isolation": "serializable"},
    {"idle_session_timeout": "200ms"},
]


@pytest.fixture
def login(arena):
    with live.Login(arena) as login:
        yield login


def has(setting):
    connection.ensure_connection()
    return connection.connection.info.server_version >= SINCE.get(setting, 0)


@pytest.mark.parametrize("settings", ODD, ids=lambda settings: " ".join(map("=".join, settings.items())))
def test_a_run_in_spite_of_the_roles_settings(arena, login, settings):
    if not all(map(has, settings)):
        pytest.skip("this server has no such setting")
    login.gets(**settings)

    assert live.wrong(arena, arena.automigrate(live.plugin(), settings=live.SOON)) == []


@pytest.mark.parametrize("settings", ODD, ids=lambda settings: " ".join(map("=".join, settings.items())))
def test_a_table_in_use_in_spite_of_the_roles_settings(arena, login, settings):
    """An index build waits long enough for every limit to strike."""
    if not all(map(has, settings)):
        pytest.skip("this server has no such setting")
    arena.sql(*live.BEFORE)
    checksum = arena.rows(live.CHECKSUM)
    login.gets(**settings)

    with live.in_the_way(until=live.build_waits(0.4), user=login.owner):
        report = arena.automigrate(live.plugin(), settings=live.SOON)

    assert live.wrong(arena, report, checksum) == []


class TestIdleSessions:
    """A session may be ended for idling just while it waits for others."""

    @pytest.fixture
    def checksum(self, arena, login):
        arena.sql(*live.BEFORE)
        checksum = arena.rows(live.CHECKSUM)
        login.gets(idle_session_timeout="200ms")
        return checksum

    def test_while_another_run_holds_the_lock(self, arena, checksum, login):
        with live.session(user=login.owner) as other:
            other.execute("BEGIN")
            other.execute("SELECT pg_advisory_xact_lock(%s)", [lock.KEY])
            said = []

            def tell(event):
                if isinstance(event, Notice) and "holds the lock" in event.text:
                    said.append(event.text)
                    other.execute("ROLLBACK")

            report = arena.automigrate(live.plugin(), settings=live.SOON, tell=tell)

        assert live.wrong(arena, report, checksum) == []
        assert len(said) == 1

    def test_between_two_attempts(self, arena, checksum, login):
        """The pauses grow to more than the session may idle."""
        settings = replace(live.SOON, lock_timeout=0.05)
        with live.session(user=login.owner) as other:
            other.execute("BEGIN")
            other.execute(f"LOCK TABLE {arena.namespace}.plug_thing IN SHARE MODE")
            release = threading.Timer(2, other.execute, ["ROLLBACK"])
            release.start()
            try:
                report = arena.automigrate(live.plugin(), settings=settings)
            finally:
                release.join()

        assert live.wrong(arena, report, checksum) == []


@pytest.mark.parametrize("level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE], ids=lambda it: it.name)
def test_djangos_isolation_level(arena, monkeypatch, level):
    arena.sql(*live.BEFORE, f"ALTER ROLE CURRENT_USER SET search_path = {arena.namespace}, public")
    checksum = arena.rows(live.CHECKSUM)
    connection.close()
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "isolation_level", level)
    try:
        assert live.wrong(arena, arena.automigrate(live.plugin(), settings=live.SOON), checksum) == []
    finally:
        connection.close()
        monkeypatch.undo()
        arena.sql("ALTER ROLE CURRENT_USER RESET search_path")


def on_ctrl_c(events):
    """Return a listener that is interrupted once, at the second event."""

    def tell(event):
        events.append(event)
        if len(events) == 2:
            raise KeyboardInterrupt

    return tell


@pytest.mark.parametrize("by", ["role", "session"])
@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        (None, "converged"),
        ("UPDATE plug_thing SET n = 1 WHERE id < 3", "failed"),
        ("ALTER TABLE plug_thing DROP name", "blocked"),
        ("", "stopped"),
    ],
    ids=["success", "failure", "refusal", "Ctrl-C"],
)
def test_every_setting_is_what_it_was(arena, login, by, spoil, status):
    """Also those that the host itself had SET in the session."""
    arena.sql(*live.BEFORE, *([spoil] if spoil else []))
    limits = {name: "44s" for name in HASTY if has(name)}
    if by == "session":
        arena.sql(*(f"SET {name} = '{value}'" for name, value in limits.items()))
        arena.sql("SET idle_session_timeout = '55s'", "SET row_security = off")
    else:
        login.gets(**limits)
    before = live.settings_of(arena.rows)
    assert before["lock_timeout"] == "44000"

    tell = on_ctrl_c([]) if status == "stopped" else lambda _: None
    report = arena.automigrate(live.plugin(), settings=live.SOON, tell=tell)

    assert report.status == status
    assert live.settings_of(arena.rows) == before
