"""assert_schema_current: what a plugin's own tests would notice."""

import pytest
from django.db import connection, connections, models, transaction
from django.test import override_settings

from agentsql import engine
from agentsql.exceptions import UnknownDatabase
from agentsql.testing import assert_schema_current
from tests.arena import Registry


@pytest.fixture
def plugin(arena, monkeypatch):
    """A plugin with a table, in a schema that new connections use, too."""
    registry = Registry()
    registry.model("Log", body=models.TextField(), meta={"indexes": [models.Index(fields=["body"], name="log_body")]})
    plugin = registry.plugin(connection)
    monkeypatch.setattr(engine, "discover", lambda *_, **__: (plugin,))
    options = connection.settings_dict["OPTIONS"] | {"options": f"-c search_path={arena.namespace},public"}
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)
    arena.automigrate(plugin)
    return plugin


def test_in_a_transaction_it_is_silent_and_leaves_the_transaction_alone(arena, plugin):
    before = connections["default"]
    with transaction.atomic():
        arena.sql("INSERT INTO plug_log (body) VALUES ('uncommitted')")
        assert_schema_current()
        assert connections["default"] is before
        assert arena.rows("SELECT body FROM plug_log") == [("uncommitted",)]
        transaction.set_rollback(True)
    assert arena.rows("SELECT body FROM plug_log") == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DROP INDEX log_body", "+ index log_body"),
        ("DROP TABLE plug_log", "+ table, 2 columns"),
        ("ALTER TABLE plug_log ALTER body TYPE varchar(9)", "agentsql.D101"),
        ("ALTER TABLE plug_log ALTER body DROP NOT NULL", "agentsql.D102"),
        ("ALTER TABLE plug_log DROP id, ADD PRIMARY KEY (body)", "agentsql.D001"),
    ],
)
def test_what_is_missing_or_differs_is_told_and_left(arena, plugin, change, told):
    arena.sql(change)
    for _ in range(2):
        with pytest.raises(AssertionError) as raised, transaction.atomic():
            assert_schema_current()
        assert told in str(raised.value)


def test_the_connection_comes_back_after_a_failure(plugin, monkeypatch):
    before = connections["default"]
    monkeypatch.setattr(engine, "discover", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        assert_schema_current()
    assert connections["default"] is before


class Nowhere:
    def allow_migrate(self, *_, **_hints):
        return False


def test_where_no_table_could_be_looked_at(database):
    with override_settings(DATABASE_ROUTERS=[Nowhere()]):
        with pytest.raises(AssertionError, match="No table of core_tables is on the database 'default'; `using` names"):
            assert_schema_current(plugins="core_tables")
        with pytest.raises(AssertionError, match="No table of any plugin is on"):
            assert_schema_current()


def test_an_unknown_alias():
    with pytest.raises(UnknownDatabase, match="There is no database alias 'nope'"):
        assert_schema_current(using="nope")
