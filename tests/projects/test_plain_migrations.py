"""Who works on the host "plain" writes migrations for its apps as ever, and none for its plugins."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.projects.conftest import HERE
from tests.projects.several import several

pytestmark = [
    pytest.mark.parametrize("project", [("plain", "default")], indirect=True),
    pytest.mark.extension("vector"),
]
SETTINGS = "helpdesk.settings"


@pytest.fixture
def work(project, tmp_path):
    """A copy with a new field in desk; the plugins have the empty packages that startapp makes."""
    work = tmp_path / "plain"
    shutil.copytree(HERE / "plain", work, ignore=shutil.ignore_patterns("__pycache__"))
    models = work / "desk/models.py"
    field = "    is_open = models.BooleanField(default=True)\n"
    models.write_text(models.read_text().replace(field, f"{field}    urgency = models.IntegerField(default=0)\n"))
    for plugin in ("notes", "weather"):
        (work / plugin / "migrations").mkdir()
        (work / plugin / "migrations/__init__.py").touch()
    return replace(project, name=str(work))


def migrations(project) -> set[str]:
    return {str(path.relative_to(project.name)) for path in Path(project.name).glob("*/migrations/*.py")}


def test_migrations_are_written_for_apps_alone(work):
    before = migrations(work)
    missing = work.manage("makemigrations", "--check", code=1)
    assert "Add field urgency to ticket" in missing.stdout
    assert "weather" not in missing.stdout

    refused = work.manage("makemigrations", "weather", "notes", code=1)
    assert refused.stderr.count("\n") == refused.stderr.count("CommandError: ") == 1
    assert "automigrate notes weather" in refused.stderr
    assert migrations(work) == before

    several(work, SETTINGS, "makemigrations", "makemigrations --check", "makemigrations desk")
    assert migrations(work) - before == {"desk/migrations/0003_ticket_urgency.py"}


def test_squashed_migrations_make_a_database(work):
    several(work, SETTINGS, "makemigrations", "squashmigrations desk 0003 --noinput")
    squashed = (Path(work.name) / "desk/migrations/0001_squashed_0003_ticket_urgency.py").read_text()
    assert "('core_tables', '__first__')" in squashed

    first, second, check, again = several(
        work, SETTINGS, "migrate", "migrate", "automigrate --check", "makemigrations --check"
    )
    assert "not yet reflected in a migration" not in first + second
    assert "Nothing to do" in check
    assert again == "No changes detected\n"
    assert work.sql("SELECT count(urgency) FROM desk_ticket JOIN notes_note ON pinned_id = notes_note.id") == [(0,)]
