"""The admin at work on a database that `migrate` made, with people of several rights."""

import os

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import transaction
from django.test import Client

from core_tables.models import Agent, Entity, Memory, Room
from core_tables.search import estimate
from tests.core_tables import store as stores
from tests.core_tables.vectors import vector


@pytest.fixture(scope="session")
def _admin_database(django_db_setup, django_db_blocker):
    with (
        django_db_blocker.unblock(),
        stores.made(f"admin_{os.getpid()}", lambda: call_command("migrate", verbosity=0)) as name,
    ):
        yield name


@pytest.fixture(autouse=True)
def _no_estimates_of_others():
    estimate._remembered.cache_clear()


@pytest.fixture
def site(_admin_database, django_db_blocker):
    """The database of a whole site, empty, in a transaction that is rolled back."""
    with django_db_blocker.unblock(), stores.entered(_admin_database), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def committed_site(_admin_database, django_db_blocker):
    """The same for a browser, whose requests come on connections of their own."""
    with django_db_blocker.unblock(), stores.entered(_admin_database):
        stores.empty()
        yield
        stores.empty()
        User.objects.all().delete()


@pytest.fixture
def superuser(site):
    return User.objects.create_superuser("root")  # without a password, whose hash takes long


@pytest.fixture
def staff(site):
    """Make somebody with the named permissions, such as `core_tables.view_memory`."""

    def make(*permissions):
        user = User.objects.create_user(f"staff-{len(permissions)}-{User.objects.count()}", is_staff=True)
        for permission in permissions:
            label, codename = permission.split(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=label, codename=codename))
        return user

    return make


@pytest.fixture
def browse():
    """Return a client that is logged in as somebody."""

    def login(user):
        client = Client(raise_request_exception=True)
        client.force_login(user)
        return client

    return login


@pytest.fixture
def client(superuser, browse):
    return browse(superuser)


@pytest.fixture
def agent(site):
    return Agent.objects.create(name="Ada")


@pytest.fixture
def room(agent):
    return Room.objects.create(agent=agent, source="discord", type="GROUP", name="lab")


@pytest.fixture
def entity(agent):
    return Entity.objects.create(agent=agent, names=["Grace"])


@pytest.fixture
def memory(agent, room, entity):
    return Memory.objects.add(
        "The engine hums.", agent=agent, room=room, entity=entity, type="facts", vector=vector(1), model="arc"
    )


@pytest.fixture
def embedder(settings):
    settings.AGENTSQL = {"EMBEDDER": "tests.core_tables.embedding.embed"}


@pytest.fixture
def viewer(staff, browse):
    """A client of somebody who may see memories, and nothing else."""
    return browse(staff("core_tables.view_memory"))
