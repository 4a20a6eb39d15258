"""The model behind the page, which no other part of Django may stumble over."""

import os
import subprocess
import sys

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection

from agentsql import automigrate
from agentsql.checks import check_project
from agentsql.models import Schema
from tests.applications.conftest import new_database
from tests.projects.conftest import server

pytestmark = pytest.mark.extension("vector")
BARE = """
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="only for this test",
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": %r}},
    INSTALLED_APPS=["django.contrib.postgres", "agentsql", "core_tables", *%r],
)
django.setup()
from django.core.management import call_command
call_command("migrate")
call_command("check", databases=["default"])
call_command("automigrate", check=True)
call_command("makemigrations", check_changes=True)
"""


def test_the_model_has_no_table_and_no_rows(place, capsys):
    assert not list(Schema.objects.all())
    call_command("dumpdata", "agentsql")
    call_command("dumpdata", "agentsql", use_base_manager=True)
    assert capsys.readouterr().out.replace("\n", "") == "[][]"
    assert check_project() == []
    with pytest.raises(CommandError, match="agentsql has no tables"):
        call_command("makemigrations", "agentsql", dry_run=True)
    call_command("makemigrations", dry_run=True, check_changes=True)
    assert "agentsql_schema" not in connection.introspection.table_names()


def test_migrate_and_automigrate_make_its_permission(place):
    def codenames():
        return [one.codename for one in Permission.objects.filter(content_type__app_label="agentsql")]

    assert codenames() == ["view_schema"]
    ContentType.objects.get(app_label="agentsql").delete()
    ContentType.objects.clear_cache()
    assert automigrate().exit_code() == 0
    assert codenames() == ["view_schema"]


@pytest.mark.parametrize("more", [[], ["django.contrib.contenttypes"]])
def test_a_project_without_an_admin(django_db_setup, django_db_blocker, more):
    with django_db_blocker.unblock(), new_database("bare") as name:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", BARE % (name, more)],
            check=False,
            env=os.environ | server(),
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Nothing to do: the schema holds all of 1 plugin's models." in done.stdout
