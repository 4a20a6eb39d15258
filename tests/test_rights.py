"""Roles that may not do everything: one clear error before anything starts, or one finding."""

import uuid
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models

from agentsql import engine
from tests import live
from tests.arena import Registry


@pytest.fixture
def login(arena):
    with live.Login(arena) as login:
        yield login


@pytest.fixture
def automigrate(login, monkeypatch):
    """The command on the test's plugin: what it says and its exit code."""

    def automigrate(plugin):
        monkeypatch.setattr(engine, "discover", lambda *_, **__: (plugin,))
        with pytest.raises(CommandError) as stopped:
            call_command("automigrate", stdout=StringIO(), stderr=StringIO())
        return str(stopped.value), stopped.value.returncode

    return automigrate


def thing(**fields):
    registry = Registry()
    known = {"n": models.IntegerField(), "name": models.CharField(max_length=40), "by_id": models.BigIntegerField()}
    registry.model("Thing", id=models.BigAutoField(primary_key=True), **known, **fields)
    return registry.plugin(connection)


def test_a_read_only_role(arena, login, automigrate):
    arena.sql(*live.BEFORE)
    login.gets(default_transaction_read_only="on")

    message, code = automigrate(live.plugin())

    assert code == 1
    assert f"Transactions of role '{login.name}'" in message
    assert "default_transaction_read_only" in message
    assert sorted(arena.fingerprint()) == ["plug_author", "plug_thing"]


def test_a_role_that_may_not_create(arena, login, automigrate):
    arena.sql(*live.BEFORE)
    before = arena.fingerprint()
    login.gets()
    with live.session(user=login.owner) as owner:
        owner.execute(f"REVOKE CREATE ON SCHEMA {arena.namespace} FROM {login.name}")

    message, code = automigrate(live.plugin())

    assert code == 1
    assert f'GRANT CREATE ON SCHEMA "{arena.namespace}" TO "{login.name}"' in message
    assert arena.fingerprint() == before  # nothing was started


def test_a_table_of_another_owner(arena, login):
    with live.session(user=login.owner) as owner:
        owner.execute(f"SET search_path = {arena.namespace}")
        for sql in live.BEFORE:
            owner.execute(sql)

    report = arena.automigrate(thing(x=models.IntegerField(null=True)))

    assert [finding.id for finding in report.findings] == ["agentsql.D010"]
    assert (report.outcomes, report.exit_code()) == ((), 1)


class TestRowLevelSecurity:
    """A table whose owner sees no rows is still in use."""

    @pytest.fixture(autouse=True)
    def _hidden(self, login):
        login.arena.sql(
            *live.BEFORE,
            "ALTER TABLE plug_thing ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE plug_thing FORCE ROW LEVEL SECURITY",
        )
        assert login.arena.rows("SELECT count(*) FROM plug_thing") == [(0,)]

    def test_it_counts_as_populated(self, arena):
        report = arena.automigrate(thing(x=models.IntegerField()))

        assert [finding.id for finding in report.findings] == ["agentsql.D004"]

    def test_an_index_is_built_concurrently(self, arena):
        registry = Registry()
        meta = {"indexes": [models.Index(fields=["n"], name="thing_n")]}
        known = {"name": models.CharField(max_length=40), "by_id": models.BigIntegerField()}
        key = models.BigAutoField(primary_key=True)
        registry.model("Thing", id=key, n=models.IntegerField(), **known, meta=meta)

        report = arena.automigrate(registry.plugin(connection))

        assert ["CONCURRENTLY" in sql for outcome in report.outcomes for sql in outcome.step.sql] == [True]
        assert report.status == "converged"

    def test_hidden_rows_are_filled_or_the_step_fails(self, arena, login):
        """A value that differs by row must never be missing in a row that the owner can't see."""
        report = arena.automigrate(thing(x=models.UUIDField(default=uuid.uuid4, null=True)), settings=live.SOON)

        with live.session(user=login.owner) as owner:
            empty = f"SELECT count(*) FROM {arena.namespace}.plug_thing WHERE x IS NULL"
            assert report.status == "failed" or owner.execute(empty).fetchone() == (0,)
