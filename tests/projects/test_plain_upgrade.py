"""The host "plain", in use for a while, takes up plugins."""

import pytest

from tests.applications.conftest import new_database
from tests.projects.conftest import Project
from tests.projects.several import several

pytestmark = pytest.mark.extension("vector")
IN_USE = """
INSERT INTO accounts_user (id, username, password, first_name, last_name, email, signature,
                           is_superuser, is_staff, is_active, date_joined)
SELECT n, 'user ' || n, '', '', '', '', '', false, true, true, now() FROM generate_series(1, 20) n;
INSERT INTO desk_queue (id, name, team_id) SELECT 1, 'Hardware', id FROM accounts_team WHERE name = 'Support';
INSERT INTO desk_ticket (title, is_open, opened_at, opened_by_id, queue_id)
SELECT 'ticket ' || n, true, now(), n % 20 + 1, 1 FROM generate_series(1, 1000) n;
"""
CHECKSUM = """
SELECT (SELECT md5(string_agg(u::text, ',' ORDER BY id)) FROM accounts_user u),
       (SELECT md5(string_agg((id, title, is_open, opened_at, opened_by_id, queue_id)::text, ',' ORDER BY id))
        FROM desk_ticket)
"""
PLUGINS_TABLES = "SELECT count(*) FROM pg_tables WHERE tablename ~ '^(notes_|weather_|agents$)'"
GIVE_RIGHTS = """
from accounts.models import User
from django.contrib.auth.models import Permission
User.objects.get(pk=1).user_permissions.add(Permission.objects.get(codename="view_note"))
print([User.objects.get(pk=pk).has_perm("notes.view_note") for pk in (1, 2)])
"""


@pytest.fixture(scope="module")
def before(django_db_blocker):
    """The database as it was before there were plugins."""
    with django_db_blocker.unblock(), new_database("host_plain_before") as name:
        project = Project(name="plain", databases={"default": name})
        project.manage("migrate", "-v0", HOST_BEFORE="1")
        project.sql(IN_USE)
        yield name


@pytest.fixture
def project(before, django_db_blocker):
    with django_db_blocker.unblock(), new_database("host_plain_upgraded", template=before) as name:
        yield Project(name="plain", databases={"default": name})


def test_migrate_once(project):
    rows = project.sql(CHECKSUM)
    migrated, check = several(project, "helpdesk.settings", "migrate", "automigrate --check")
    assert migrated.index("17 tables") < migrated.index("Applying desk.0002_ties")
    assert "Nothing to do" in check
    assert project.sql(CHECKSUM) == rows


def test_automigrate_first_and_staff_get_rights(project):
    rows = project.sql(CHECKSUM)
    automigrated, rights = several(project, "helpdesk.settings", "automigrate", ["shell", "-v", "0", "-c", GIVE_RIGHTS])
    assert "17 tables" in automigrated
    assert rights == "[True, False]\n"

    migrated, check = several(project, "helpdesk.settings", "migrate", "automigrate --check")
    assert "Automigrate" not in migrated
    assert "Applying desk.0002_ties... OK" in migrated
    assert "Nothing to do" in check
    assert project.sql(CHECKSUM) == rows


def test_migrate_alone_leaves_plugins_to_automigrate(project):
    """RUN_WITH_MIGRATE = False: it fails as Django does where a table is missing, and works where it is not."""
    failed = project.manage("migrate", code=1, HOST_ALONE="1")
    assert failed.stderr.endswith('ProgrammingError: relation "agents" does not exist\n')
    assert "utomigrate" not in failed.stdout + failed.stderr
    assert project.sql(PLUGINS_TABLES) == [(0,)]

    _, migrated = several(project, "helpdesk.settings", "automigrate", "migrate", HOST_ALONE="1")
    assert "Applying desk.0002_ties... OK" in migrated
    assert "utomigrate" not in migrated
