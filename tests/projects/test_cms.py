"""A Wagtail site takes in a plugin: from nothing, or with content in its database, by its own commands and tests."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.applications.conftest import look, new_database
from tests.projects.conftest import Project

pytest.importorskip("wagtail", reason="wagtail is not installed")

NOTHING = "Nothing to do: the schema holds all of 2 plugins' models."
WRITE = """
from django.contrib.auth import get_user_model
from home.models import HomePage
author = get_user_model().objects.create_user("ada")
page = HomePage.objects.get()
page.title, page.owner = "Bridges", author
page.save_revision(user=author).publish()
"""
READ = """
from django.test import Client
from home.models import HomePage
from notes.models import Note
page = HomePage.objects.get()
page.pinned = Note.objects.create(page=page, author=page.owner, text="Mind the gap")
page.save()
answer = Client().get("/")
print(answer.status_code, " ".join(answer.content.decode().split()))
"""
READABLE = "200 <h1>Bridges</h1> <blockquote>Mind the gap</blockquote> <ul><li>ada: Mind the gap (/)</li></ul>"


@contextmanager
def site(template: str, **environment: str) -> Iterator[Project]:
    with new_database("host_cms_default", template=template) as name:
        yield Project("cms", {"default": name}, environment)


@pytest.fixture(scope="module")
def before(django_db_blocker) -> Iterator[Project]:
    """The site of the release before, with content."""
    with django_db_blocker.unblock(), new_database("host_cms_before") as name:
        project = Project("cms", {"default": name}, {"HOST_BEFORE": "1"})
        project.manage("migrate", "-v0")
        project.manage("shell", "-c", WRITE)
        yield project


@pytest.fixture(scope="module")
def from_nothing(django_db_blocker) -> Iterator[tuple[Project, str]]:
    """The site with its plugin, and what the one `migrate` printed that made it."""
    with django_db_blocker.unblock(), new_database("host_cms_migrated") as name:
        project = Project("cms", {"default": name})
        yield project, project.manage("migrate").stdout


@pytest.fixture(scope="module")
def migrated(from_nothing) -> Project:
    return from_nothing[0]


@pytest.fixture
def upgrading(before) -> Iterator[Project]:
    """The database of the release before under the code of this one."""
    with site(before.databases["default"]) as project:
        yield project


def keys(project: Project) -> dict[str, set[str]]:
    """Return the tables that the keys of the plugin and of the page model point to, by table."""
    rows = project.sql(
        "SELECT conrelid::regclass::text, array_agg(confrelid::regclass::text) FROM pg_constraint"
        " WHERE contype = 'f' AND convalidated AND conrelid::regclass::text IN ('notes_note', 'home_homepage')"
        " GROUP BY conrelid"
    )
    return {table: set(targets) for table, targets in rows}


def test_one_migrate_makes_all_from_nothing(from_nothing):
    migrated, printed = from_nothing
    first, _, then = printed.partition("Running migrations:")
    assert "14 tables" in first
    assert "Applying home.0003_pinned... OK" in then
    assert "2 foreign keys in" in then  # to the user and to the page
    assert keys(migrated) == {
        "notes_note": {"wagtailcore_page", "auth_user", "agents"},
        "home_homepage": {"wagtailcore_page", "notes_note"},
    }
    assert migrated.manage("automigrate").stdout.strip() == NOTHING


def test_neither_migrations_nor_checks_have_anything_to_say(before, migrated):
    checked = [one.manage("check", "--database", "default", "--fail-level", "WARNING") for one in (before, migrated)]
    assert checked[0].stdout == checked[1].stdout == "System check identified no issues (0 silenced).\n"
    assert migrated.manage("makemigrations", "--check").stdout == "No changes detected\n"


def test_an_upgrade_by_migrate_alone(upgrading, migrated):
    assert "Applying home.0003_pinned... OK" in upgrading.manage("migrate").stdout
    assert upgrading.manage("automigrate").stdout.strip() == NOTHING
    assert look(upgrading.databases["default"]) == look(migrated.databases["default"])
    assert READABLE in upgrading.manage("shell", "-c", READ).stdout
    again = upgrading.manage("migrate").stdout
    assert again.endswith("No migrations to apply.\n")
    assert "Automigrate" not in again


def test_an_upgrade_by_automigrate_first(upgrading, migrated):
    assert "foreign key notes_note_page_id" in upgrading.manage("automigrate").stdout
    assert "Automigrate" not in upgrading.manage("migrate").stdout
    assert upgrading.manage("automigrate").stdout.strip() == NOTHING
    assert look(upgrading.databases["default"]) == look(migrated.databases["default"])


def test_an_upgrade_that_migrates_without_automigrate_says_what_is_missing(upgrading, migrated):
    """RUN_WITH_MIGRATE off, and the order wrong: nothing of the migration stays, and the way out works."""
    refused = upgrading.manage("migrate", code=1, APART="1")
    assert 'relation "notes_note" does not exist' in refused.stderr
    assert keys(upgrading) == {"home_homepage": {"wagtailcore_page"}}
    upgrading.manage("automigrate", APART="1")
    assert "Applying home.0003_pinned... OK" in upgrading.manage("migrate", APART="1").stdout
    assert look(upgrading.databases["default"]) == look(migrated.databases["default"])


def test_its_own_tests_by_djangos_runner(migrated):
    """In a copy of the migrated database, which the runner migrates once more."""
    with site("template1", TEST_TEMPLATE=migrated.databases["default"]) as project:
        done = project.manage("test")
    assert "Ran 7 tests" in done.stderr
    assert "OK" in done.stderr


def test_its_own_tests_by_pytest_without_migrations(migrated):
    done = migrated.pytest("--nomigrations")
    assert "7 passed" in done.stdout
