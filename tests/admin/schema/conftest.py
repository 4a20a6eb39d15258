"""People on a database outside of a transaction, in which a look and a run are refused."""

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection, connections
from django.db.backends.base.base import RAN_DB_VERSION_CHECK

from tests.core_tables import store as stores


@pytest.fixture
def own_site(_admin_database, django_db_blocker):
    """A copy of the site's database, to do anything with."""
    name = f"{_admin_database}_schema"
    drop = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'

    def administer(*statements):
        with connection._nodb_cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    with django_db_blocker.unblock():
        administer(drop, f'CREATE DATABASE "{name}" TEMPLATE "{_admin_database}"')
        try:
            with stores.entered(name):
                yield
        finally:
            administer(drop)


@pytest.fixture
def place(request):
    """A database outside of a transaction, where a look and a run are refused: a test's own if it wrecks that."""
    request.getfixturevalue("own_site" if "own_site" in request.fixturenames else "committed_site")


@pytest.fixture
def client(place, browse):
    return browse(User.objects.create_superuser("root"))  # without a password, whose hash takes long


@pytest.fixture
def viewer(place, browse):
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_schema"))
    return browse(user)


@pytest.fixture
def other_database(place, monkeypatch):
    """Return a function that adds the alias "other"."""

    def add(**facts):
        monkeypatch.setitem(connections.settings, "other", connection.settings_dict | facts)

    yield add
    if hasattr(connections._connections, "other"):
        connections["other"].close()
        del connections["other"]
    RAN_DB_VERSION_CHECK.discard("other")
