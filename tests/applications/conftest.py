"""Published applications, each in a process and in databases of its own on the project's server."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.db import connection

from tests.oracle import fingerprint

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PACKAGES = {  # by application: its modules, and what pip calls them
    "wagtail": {"wagtail": "wagtail"},
    "oscar": {"oscar": "django-oscar"},
    "cms": {
        "cms": "django-cms",
        "djangocms_versioning": "djangocms-versioning",
        "djangocms_alias": "djangocms-alias",
        "filer": "django-filer",
    },
    "helpdesk": {"helpdesk": "django-helpdesk"},
    "allauth": {"allauth": "django-allauth[idp-oidc,mfa,socialaccount]", "oauth2_provider": "django-oauth-toolkit"},
}


class Session:
    """A running session.py: its answers are read when they are wanted, so that several can work at once."""

    def __init__(self, application, database):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.applications.session"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env=os.environ
            | {
                "APPLICATION_DATABASE": database,
                "DJANGO_SETTINGS_MODULE": f"tests.applications.{application}_settings",
                "PYTHONWARNINGS": "ignore",
            },
        )
        self.database = database

    def send(self, *arguments, database=None, from_models=False):
        order = {"arguments": arguments, "database": database or self.database, "from_models": from_models}
        print(json.dumps(order), file=self.process.stdin, flush=True)

    def answer(self):
        line = self.process.stdout.readline()
        assert line, "the process ended without a word"
        return json.loads(line)

    def automigrate(self, *options, database=None):
        """Run it and return its report."""
        self.send("automigrate", "--format=json", *options, database=database)
        return self.report()

    def report(self):
        """Return the report of an automigrate that was sent; it is printed before any complaint."""
        answer = self.answer()
        assert answer["output"], answer["error"]
        return json.loads(answer["output"])

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


class Application:
    """An application's databases.

    `direct` was made by Django from the models, `automigrated` by automigrate, and `migrated` by the
    application's own migrations, which take longest and run until somebody asks for them.
    """

    def __init__(self, name, stack):
        self.name = name
        self.stack = stack
        self.migrating = self.session("migrated")
        self.migrating.send("migrate", "--skip-checks", "--verbosity=0")
        self.migrating.send("automigrate", "--format=json", "--plan")
        self.direct = self.session("direct")
        self.direct.send("migrate", "--run-syncdb", "--skip-checks", "--verbosity=0", from_models=True)
        self.automigrated = self.session("automigrated")
        self.first = self.automigrated.automigrate()
        assert self.direct.answer()["error"] is None
        self.expected = look(self.direct.database)
        self.expected.pop("django_migrations", None)

    @cached_property
    def migrated(self):
        """The session, and what it plans for what the migrations made."""
        assert self.migrating.answer()["error"] is None
        return self.migrating, self.migrating.report()

    def session(self, how):
        database = self.stack.enter_context(new_database(f"apps_{self.name}_{how}"))
        session = Session(self.name, database)
        self.stack.callback(session.close)
        return session


@contextmanager
def new_database(purpose, template="template1"):
    """Create a database, and drop it in the end."""
    name = f"{purpose}_{os.getpid()}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield name
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def cursor_of(database):
    other = connection.copy()
    other.settings_dict["NAME"] = database
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


def look(database):
    with cursor_of(database) as cursor:
        return fingerprint(cursor)


@pytest.fixture(scope="module", params=PACKAGES)
def application(request, django_db_blocker):
    lacking = [package for module, package in PACKAGES[request.param].items() if find_spec(module) is None]
    if lacking:
        pytest.skip(f"not installed: {', '.join(lacking)}")
    with django_db_blocker.unblock(), ExitStack() as stack:
        yield Application(request.param, stack)
