"""A database that another program has made, on the project's server, in the place of Django's default one."""

import json
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from agentsql.conf import Settings
from agentsql.engine import converge
from agentsql.survey import Wishes
from tests.adoption.portrait import Portrait
from tests.applications.conftest import new_database

HERE = Path(__file__).resolve().parent
WIPE = """
DROP SCHEMA public CASCADE;
DROP SCHEMA IF EXISTS migrations CASCADE;
DROP FOREIGN DATA WRAPPER IF EXISTS w CASCADE;
CREATE SCHEMA public;
ALTER SCHEMA public OWNER TO pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""


class House:
    """The database to take over."""

    def sql(self, *statements):
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def load(self, name):
        """Run a file of this directory, as psql would: every statement in it."""
        self.sql((HERE / name).read_text(encoding="utf-8"))

    def rows(self, sql, *params):
        with connection.cursor() as cursor:
            cursor.execute(sql, params or None)
            return cursor.fetchall()

    def portrait(self):
        with connection.cursor() as cursor:
            return Portrait.of(cursor)

    def lost(self, before):
        with connection.cursor() as cursor:
            return before.lost(cursor)

    def converge(self, *plugins, **wishes):
        """Run for plugins of the test's own, and return the report itself."""
        return converge(connection, plugins, Settings(), Wishes(**wishes))

    def automigrate(self, *options):
        """Run the command; return its report, with the exit code under `code`."""
        output, code = StringIO(), 0
        try:
            call_command("automigrate", *options, format="json", stdout=output)
        except CommandError as error:
            code = error.returncode
        return json.loads(output.getvalue()) | {"code": code}


@contextmanager
def moved_to(name):
    """Let Django's default connection lead to another database of the server."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


@pytest.fixture(scope="session")
def database_to_adopt(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), new_database("adoption") as name:
        yield name


@pytest.fixture
def house(database_to_adopt, django_db_blocker):
    """The database, empty: to wipe one is cheaper than to make one."""
    with django_db_blocker.unblock(), moved_to(database_to_adopt):
        house = House()
        house.sql(WIPE)
        connection.close()  # it knows the types of what was there
        yield house
