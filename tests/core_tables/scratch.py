"""The tables of an app, made by Django's own schema editor in a schema that nothing else uses."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.db import connection

SCHEMA = "scratch"


@contextmanager
def tables_of(*labels: str) -> Iterator[None]:
    """Make the tables; the transaction that the test runs in takes them away again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_available_extensions WHERE name = 'vector'")
        if not cursor.rowcount:
            pytest.skip("this server has no extension vector")
        cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        cursor.execute(f"SET LOCAL search_path TO {SCHEMA}, public")
    with connection.schema_editor() as editor:
        for label in labels:
            for model in apps.get_app_config(label).get_models():
                editor.create_model(model)
    yield


def rows(sql: str, *params: object, **named: object) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or named or None)
        return cursor.fetchall() if cursor.description else []


def columns() -> dict[str, dict[str, str]]:
    """{table: {column: "type[!] [default]"}}, `!` being NOT NULL and `tz` timestamptz."""
    found: dict[str, dict[str, str]] = {}
    for table, column, text in rows(
        """
        SELECT c.relname, a.attname,
               replace(format_type(a.atttypid, a.atttypmod), 'timestamp with time zone', 'tz')
               || CASE WHEN a.attnotnull THEN '!' ELSE '' END
               || coalesce(' ' || pg_get_expr(d.adbin, d.adrelid), '')
          FROM pg_class c
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
         WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind = 'r'
        """,
        SCHEMA,
    ):
        found.setdefault(table, {})[column] = text
    return found


def indexes() -> dict[str, dict[str, str]]:
    """{table: {index: definition from the method on}}, those of constraints left out."""
    found: dict[str, dict[str, str]] = {}
    for table, name, unique, definition in rows(
        """
        SELECT c.relname, i.relname, x.indisunique, pg_get_indexdef(i.oid)
          FROM pg_index x
          JOIN pg_class c ON c.oid = x.indrelid
          JOIN pg_class i ON i.oid = x.indexrelid
         WHERE c.relnamespace = to_regnamespace(%s)
           AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.oid AND contype IN ('p', 'u'))
        """,
        SCHEMA,
    ):
        text = definition.partition(" USING ")[2]
        found.setdefault(table, {})[name] = f"unique {text}" if unique else text
    return found


def constraints(kind: str) -> dict[str, set[str]]:
    """{table: definitions} of one kind of constraint: p, u, c or f, as in pg_constraint."""
    found: dict[str, set[str]] = {}
    for table, definition in rows(
        """
        SELECT c.relname, pg_get_constraintdef(k.oid)
          FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
         WHERE c.relnamespace = to_regnamespace(%s) AND k.contype = %s
        """,
        SCHEMA,
        kind,
    ):
        found.setdefault(table, set()).add(definition)
    return found
