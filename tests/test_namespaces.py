"""Plugins' tables in schemas of their own: Django's introspection lists them, so that it makes none again."""

import pytest
from django.core.management.color import no_style
from django.core.management.sql import sql_flush
from django.db import connection
from django.db.backends.postgresql.introspection import DatabaseIntrospection

from agentsql import namespaces

NOTES = 'elsewhere"."notes'


@pytest.fixture
def schema(arena, monkeypatch):
    monkeypatch.setattr(DatabaseIntrospection, "table_names", DatabaseIntrospection.table_names)
    arena.sql("CREATE SCHEMA elsewhere")
    yield arena
    arena.sql("DROP SCHEMA elsewhere CASCADE")


def test_a_table_is_listed_as_soon_as_it_is_there(schema, monkeypatch):
    monkeypatch.setattr(namespaces, "_names", lambda: [NOTES, 'elsewhere"."later'])
    namespaces.list_tables()
    assert connection.introspection.table_names() == []
    schema.sql("CREATE TABLE elsewhere.notes (id int)", "CREATE TABLE plain (id int)")
    assert connection.introspection.table_names() == [NOTES, "plain"]
    with connection.cursor() as cursor:
        assert connection.introspection.table_names(cursor, include_views=True) == [NOTES, "plain"]


def test_a_flush_empties_it(schema, monkeypatch):
    monkeypatch.setattr(namespaces, "_names", lambda: [NOTES])
    monkeypatch.setattr(
        connection.introspection, "django_table_names", lambda **_: connection.introspection.table_names()
    )
    namespaces.list_tables()
    schema.sql("CREATE TABLE elsewhere.notes (id int)")
    assert '"elsewhere"."notes"' in " ".join(sql_flush(no_style(), connection))


def test_nothing_is_changed_where_there_are_none(monkeypatch):
    before = DatabaseIntrospection.table_names
    namespaces.list_tables()
    assert DatabaseIntrospection.table_names is before
    assert namespaces._names() == []
