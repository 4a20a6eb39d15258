"""A database that holds the core tables, made by the engine, once a session and apart from everybody else's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.db import connection, connections

from agentsql import automigrate
from tests.crowd import KEYS, environment

LABELS = ("core_tables", "example_plugin")


def automigrated() -> None:
    """Make the tables in the database that is entered."""
    report = automigrate(plugins=LABELS)
    assert report.exit_code() == 0, report


@contextmanager
def made(name: str, fill: Callable[[], None] = automigrated) -> Iterator[str]:
    """Make a database with the tables, or skip the test where the server has no vectors; drop it at the end."""
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT FROM pg_available_extensions WHERE name = 'vector'")
        if not cursor.rowcount:
            pytest.skip("this server has no extension vector")
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}"')
        cursor.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    try:
        with entered(name):
            fill()
        yield name
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def entered(name: str) -> Iterator[None]:
    """Lead the default connection there, that of this thread and of all that start meanwhile."""
    connection.close()
    before, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], name
    try:
        yield
    finally:
        connections.close_all()
        connection.settings_dict["NAME"] = before


def empty() -> None:
    """Delete all rows; truncate where the vector indexes have held any, as they keep the dead."""
    tables = [model._meta.db_table for label in LABELS for model in apps.get_app_config(label).get_models()]
    names = list(map(connection.ops.quote_name, tables))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('embeddings') > 0 OR pg_relation_size('memories') > 100000")
        if cursor.fetchone()[0]:
            cursor.execute(f"TRUNCATE {', '.join(names)} CASCADE")
        else:
            cursor.execute("; ".join(f"DELETE FROM {name}" for name in names))


def variables() -> dict[str, str]:
    """Return the environment that leads another process to the database that is entered."""
    params = connection.get_connection_params()
    return environment({key: params.get(key) for key in KEYS})
