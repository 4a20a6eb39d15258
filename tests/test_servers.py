"""Servers that do more than hold tables: replication, event triggers, few locks, a replica, a table that is locked."""

import re
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models

from agentsql import engine
from agentsql.exceptions import CatalogLocked, DatabaseReadOnly
from tests import live
from tests.arena import Arena, Registry
from tests.servers import connected_to, own_server, replica_of

EVENT_TRIGGERS = """
CREATE TABLE seen (event text, tag text, object text);
CREATE FUNCTION note_command() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO seen SELECT tg_event, command_tag, object_identity FROM pg_event_trigger_ddl_commands();
END $$;
CREATE FUNCTION note_drop() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO seen SELECT tg_event, tg_tag, object_identity FROM pg_event_trigger_dropped_objects();
END $$;
CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects() WHERE object_type = 'table constraint') THEN
        RAISE EXCEPTION 'no constraint is dropped here';
    END IF;
END $$
"""


def thing(**fields):
    registry = Registry()
    registry.model("Thing", id=models.BigAutoField(primary_key=True), **fields)
    return registry.plugin(connection)


@contextmanager
def event_trigger(arena, event, function):
    """An event trigger that fires in this session's schema alone: the database may have other tests in it."""
    name = f"{arena.namespace}_{function}"
    arena.sql(f"CREATE EVENT TRIGGER {name} ON {event} EXECUTE FUNCTION {arena.namespace}.{function}()")
    try:
        yield
    finally:
        arena.sql(f"DROP EVENT TRIGGER {name}")


class TestEventTriggers:
    @pytest.fixture(autouse=True)
    def _functions(self, arena):
        arena.sql(EVENT_TRIGGERS, *live.BEFORE)

    def test_those_that_write_a_log(self, arena):
        checksum = arena.rows(live.CHECKSUM)
        with event_trigger(arena, "ddl_command_end", "note_command"), event_trigger(arena, "sql_drop", "note_drop"):
            report = arena.automigrate(live.plugin(), settings=live.SOON)

        assert live.wrong(arena, report, checksum) == []
        assert {"ddl_command_end", "sql_drop"} == {event for (event,) in arena.rows("SELECT event FROM seen")}

    def test_one_that_forbids_a_drop(self, arena):
        """A backfill's mark can't be taken away: that column's step fails, and goes on when it can."""
        checksum = arena.rows(live.CHECKSUM)
        with event_trigger(arena, "sql_drop", "forbid"):
            report = arena.automigrate(live.plugin(), settings=live.SOON)
        failed = [outcome for outcome in report.outcomes if outcome.result == "failed"]
        assert [outcome.step.name for outcome in failed] == ["token"]
        assert "no constraint is dropped here" in failed[0].failure.message
        assert failed[0].failure.hint

        report = arena.automigrate(live.plugin(), settings=live.SOON)

        assert live.wrong(arena, report, checksum) == []


@pytest.fixture(params=["replica", "logical"])
def publisher(request, django_db_blocker):
    """The session's server, whose publications already ask for a replica identity, and one that decodes its log."""
    if request.param == "replica":
        yield request.getfixturevalue("arena")
        return
    with own_server(wal_level="logical") as server, connected_to(server), django_db_blocker.unblock(), Arena() as arena:
        arena.rows("SELECT pg_create_logical_replication_slot('tests', 'pgoutput')")
        yield arena
        arena.rows("SELECT pg_drop_replication_slot('tests')")


@contextmanager
def publication(arena, what):
    arena.sql(f"CREATE PUBLICATION {arena.namespace} FOR {what}")
    try:
        yield
    finally:
        arena.sql(f"DROP PUBLICATION {arena.namespace}")


class TestPublications:
    @pytest.mark.parametrize("what", ["ALL TABLES", "TABLE plug_thing, plug_author"], ids=["all", "these"])
    def test_tables_with_a_primary_key(self, publisher, what):
        publisher.sql(*live.BEFORE)
        checksum = publisher.rows(live.CHECKSUM)
        with publication(publisher, what):
            report = publisher.automigrate(live.plugin(), settings=live.SOON)

            assert live.wrong(publisher, report, checksum) == []

    def test_a_table_without_replica_identity(self, publisher):
        """Its rows can't be filled; what to do is said, and once it was done nothing hinders."""
        publisher.sql(*live.BEFORE, "ALTER TABLE plug_thing REPLICA IDENTITY NOTHING")
        checksum = publisher.rows(live.CHECKSUM)
        with publication(publisher, "TABLE plug_thing"):
            report = publisher.automigrate(live.plugin(), settings=live.SOON)
            (failed,) = [outcome for outcome in report.outcomes if outcome.result == "failed"]
            assert failed.step.name == "token"
            assert "replica identity" in failed.failure.message
            assert "replica identity" in failed.failure.hint.lower()
            assert publisher.rows(live.CHECKSUM) == checksum
            publisher.sql("INSERT INTO plug_thing (n, name, by_id) VALUES (4000, 'old code', 1)")
            publisher.sql("DELETE FROM plug_author WHERE id = 9", "ALTER TABLE plug_thing REPLICA IDENTITY FULL")
            checksum = publisher.rows(live.CHECKSUM)

            report = publisher.automigrate(live.plugin(), settings=live.SOON)

            assert live.wrong(publisher, report, checksum) == []


class TestAServerOfOurOwn:
    @pytest.fixture(autouse=True)
    def _unblocked(self, django_db_blocker):
        with django_db_blocker.unblock():
            yield

    def test_few_locks(self):
        """The smallest lock table there can be: transactions are cut to fit."""
        registry = Registry()
        for number in range(300):
            registry.model(f"Many{number}", n=models.IntegerField(db_index=True), m=models.TextField(unique=True))
        plugin = registry.plugin(connection)
        with own_server(max_locks_per_transaction="10", max_connections="10") as server, connected_to(server):
            arena = Arena()
            arena.__enter__()  # and never left: one transaction can't drop it all, and the server goes anyway
            report = arena.automigrate(plugin)
            again = arena.automigrate(plugin)
            log = (server.place / "log").read_text()

        assert "out of shared memory" not in log  # nor was anything tried in vain
        assert [outcome.failure for outcome in report.outcomes if outcome.failure] == []
        assert (report.status, again.outcomes) == ("converged", ())

    def test_a_replica(self, monkeypatch):
        with own_server() as primary, replica_of(primary) as replica, connected_to(replica):
            monkeypatch.setattr(engine, "discover", lambda *_, **__: (thing(),))
            with pytest.raises(CommandError, match="is a replica: run automigrate on its primary") as stopped:
                call_command("automigrate")
            assert stopped.value.returncode == 1
            assert isinstance(stopped.value.__cause__, DatabaseReadOnly)
            call_command("automigrate", plan=True)  # looking needs no right to write


class TestALockedTable:
    """Reading the catalog prints expressions, for which the server opens the table."""

    @pytest.fixture(autouse=True)
    def _table(self, arena):
        arena.sql(*live.BEFORE, "ALTER TABLE plug_thing ADD CHECK (n > 0), ADD flag bool DEFAULT true NOT NULL")

    @contextmanager
    def locked(self, arena):
        with live.session() as other:
            other.execute("BEGIN")
            other.execute(f"LOCK TABLE {arena.namespace}.plug_thing IN ACCESS EXCLUSIVE MODE")
            yield other
            other.execute("ROLLBACK")

    def test_the_run_gives_up_in_the_end(self, arena):
        before = arena.fingerprint()
        settings = replace(live.SOON, lock_wait=0.3)
        with self.locked(arena), pytest.raises(CatalogLocked, match=r"plug_thing|ACCESS EXCLUSIVE") as stopped:
            arena.automigrate(live.plugin(), settings=settings)

        assert re.search(r"0\.3 s", str(stopped.value))
        assert "run automigrate again" in str(stopped.value)
        assert arena.fingerprint() == before

    def test_the_run_goes_on_when_it_is_free(self, arena):
        checksum = arena.rows(live.CHECKSUM)
        waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = to_regclass('%s.plug_thing')"
        with live.in_the_way(
            until=waiting % arena.namespace, first=f"LOCK TABLE {arena.namespace}.plug_thing IN ACCESS EXCLUSIVE MODE"
        ):
            report = arena.automigrate(live.plugin(), settings=live.SOON)

        assert live.wrong(arena, report, checksum) == []
