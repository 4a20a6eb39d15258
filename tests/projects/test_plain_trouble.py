"""The host "plain", where not everything can be made."""

import os

import pytest

from tests.projects.conftest import server

pytestmark = [
    pytest.mark.parametrize("project", [("plain", "default")], indirect=True),
    pytest.mark.extension("vector"),
]


@pytest.fixture
def guest(project):
    """A role that may log in, and make nothing."""
    name = f"host_plain_guest_{os.getpid()}"
    password = server().get("PGPASSWORD", "").replace("'", "''")
    project.sql(f"DROP ROLE IF EXISTS {name}")
    project.sql(f"CREATE ROLE {name} LOGIN" + (f" PASSWORD '{password}'" if password else ""))
    project.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    yield name
    project.sql(f"DROP ROLE {name}")


def test_a_plugin_that_fails_keeps_migrate_from_nothing(project):
    project.sql("CREATE VIEW weather_forecast AS SELECT 1 AS id")
    migrated = project.manage("migrate", code=1)
    assert "Applying sessions.0001_initial... OK" in migrated.stdout
    assert "(agentsql.D002) weather_forecast is a view in the database" in migrated.stdout
    assert migrated.stderr.startswith("CommandError: Migrations are done, but")
    assert project.sql("SELECT count(*) FROM notes_note, desk_ticket") == [(0,)]

    project.sql("DROP VIEW weather_forecast")
    assert "1 table, 4 columns, 1 index, 1 foreign key" in project.manage("migrate").stdout


def test_a_role_without_rights_is_told_before_django_stumbles(project, guest):
    words = f"The role '{guest}' may not create tables"
    remedy = f'GRANT CREATE ON SCHEMA "public" TO "{guest}";'
    first = project.manage("migrate", code=1, PGUSER=guest).stderr.splitlines()[0]
    assert first.startswith(f"automigrate could not run before the migrations: {words}")
    (line,) = project.manage("automigrate", code=1, PGUSER=guest).stderr.splitlines()
    assert line.startswith(f"CommandError: {words}")
    assert line.endswith(remedy)
