"""The superuser that `demo` makes."""

import re
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import modify_settings

from core_tables.models import Agent

pytestmark = pytest.mark.usefixtures("site")


@pytest.fixture(autouse=True)
def _no_world(monkeypatch):
    """Only the user matters here, and a world takes seconds."""
    monkeypatch.setattr("core_tables.demo.fill.PARTS", ())


def demo(**options):
    out = StringIO()
    call_command("demo", superuser="root", stdout=out, **options)
    return out.getvalue()


@pytest.mark.parametrize("verbosity", [0, 1])
def test_its_password_is_told_once(verbosity, monkeypatch):
    monkeypatch.delenv("DJANGO_SUPERUSER_PASSWORD", raising=False)
    said = demo(verbosity=verbosity)
    password = re.search(r"Made the superuser root with the password (\S{16}), told only now\.", said)[1]
    user = User.objects.get()
    assert (user.username, user.is_superuser, user.is_staff) == ("root", True, True)
    assert user.check_password(password)
    assert password not in demo()
    assert User.objects.get().password == user.password


def test_its_password_may_be_given(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "only for this test")
    said = demo()
    assert "only for this test" not in said
    assert "DJANGO_SUPERUSER_PASSWORD" in said
    assert User.objects.get().check_password("only for this test")


def test_there_is_none_without_a_table_for_users():
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE auth_user CASCADE")
    with pytest.raises(CommandError, match=r"no table for users: run `manage\.py migrate`"):
        demo()


@modify_settings(INSTALLED_APPS={"remove": ["django.contrib.auth", "django.contrib.admin"]})
def test_there_is_none_without_users():
    with pytest.raises(CommandError, match=r"django\.contrib\.auth is not installed"):
        demo()
    assert not Agent.objects.exists()
