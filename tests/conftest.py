"""One empty test database a session; what a test needs in it, it makes in a schema of its own."""

import os
from collections.abc import Iterator

import pytest
from django.db import connection

from tests.allowed import audited
from tests.arena import Arena


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker) -> Iterator[None]:
    """Make an empty database: these tests are about who makes the tables, so nobody else may."""
    name = f"test_{connection.settings_dict['NAME']}_{os.getpid()}"  # two sessions may share a server
    with django_db_blocker.unblock():
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{name}"')
            # Nothing in it has to outlive the server; tests that kill one make databases of their own.
            cursor.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
        connection.close()
        connection.settings_dict["NAME"], before = name, connection.settings_dict["NAME"]
        yield
        connection.close()
        connection.settings_dict["NAME"] = before
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session", autouse=True)
def _nothing_can_be_lost() -> Iterator[None]:
    """Hold every statement that the engine sends in any test against the list of what it may."""
    with audited():
        yield


@pytest.fixture
def database(django_db_setup, django_db_blocker) -> Iterator[None]:
    """Open the database to a test that commits; it cleans up after itself."""
    with django_db_blocker.unblock():
        yield
        connection.close()


@pytest.fixture
def arena(database) -> Iterator[Arena]:
    """An empty schema that is first on search_path."""
    with Arena(connection) as arena:
        yield arena


@pytest.fixture(autouse=True)
def _server_has(request) -> None:
    """Skip a test marked `extension(name)` where the server lacks that extension."""
    for marker in request.node.iter_markers("extension"):
        request.getfixturevalue("database")
        for name in marker.args:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = %s", [name])
                if cursor.fetchone() is None:
                    pytest.skip(f"this server has no extension {name}")
