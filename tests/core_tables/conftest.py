import os

import pytest
from django.db import transaction

from core_tables.models import Agent, Entity, Room
from tests.core_tables import store as stores
from tests.core_tables.scratch import tables_of


@pytest.fixture
def core_tables(db):
    with tables_of("core_tables"):
        yield


@pytest.fixture
def installed_tables(db):
    """Deleting goes through every installed model that points to a row."""
    with tables_of("core_tables", "example_plugin"):
        yield


@pytest.fixture(scope="session")
def _store_database(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), stores.made(f"store_{os.getpid()}") as name:
        yield name


@pytest.fixture
def committed_store(_store_database, django_db_blocker):
    """The core tables, empty, for a test that commits, as several threads or processes do.

    Emptied before as well: what other tests rolled back is still in the vector indexes, and in the way of a walk.
    """
    with django_db_blocker.unblock(), stores.entered(_store_database):
        stores.empty()
        yield
        stores.empty()


@pytest.fixture
def store(_store_database, django_db_blocker):
    """The core tables, empty, in a transaction that is rolled back."""
    with django_db_blocker.unblock(), stores.entered(_store_database), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def agent(request):
    """An agent in the store that the test uses: the one that is rolled back, unless it names the other."""
    if "committed_store" not in request.fixturenames:
        request.getfixturevalue("store")
    return Agent.objects.create(name="Ada")


@pytest.fixture
def room(agent):
    return Room.objects.create(agent=agent, source="discord", type="GROUP", name="lab")


@pytest.fixture
def entity(agent):
    return Entity.objects.create(agent=agent, names=["Grace"])
