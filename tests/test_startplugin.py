"""manage.py startplugin: what it writes works at once, in a project of its own."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from agentsql.management.commands.startplugin import TEMPLATE
from tests.applications.conftest import new_database
from tests.crowd import environment

ROOT = Path(__file__).resolve().parent.parent
FILES = {"__init__.py", "admin.py", "apps.py", "models.py", "tests/__init__.py", "tests/test_note.py"}
NEXT = """\
1. Add it to INSTALLED_APPS, with "core_tables":  "weather",
2. Make its tables:  manage.py migrate
"""
TEST = """
def test_by_the_fixture(assert_schema_current):
    assert_schema_current()
"""


@pytest.fixture
def project(tmp_path, database):
    """Return a function that runs Django or pytest in a project with a database and these apps more than ours."""
    with new_database("startplugin") as name:
        environ = environment(connection.get_connection_params() | {"dbname": name})
        environ |= {"DJANGO_SETTINGS_MODULE": "project_settings", "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}

        def run(*words, apps=("weather",)):
            (tmp_path / "project_settings.py").write_text(
                f"from settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, *{apps!r}]\n"
            )
            words = [sys.executable, "-W", "error::RuntimeWarning", "-m", *words]
            done = subprocess.run(words, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout + done.stderr

        yield run


@pytest.mark.extension("vector")
def test_a_new_plugin_works_at_once(project, tmp_path):
    assert project("django", "startplugin", "weather", apps=()) == NEXT
    made = {str(path.relative_to(tmp_path / "weather")) for path in (tmp_path / "weather").rglob("*.py")}
    assert made == FILES
    assert "no issues" in project("django", "check", "--fail-level", "WARNING")
    assert "index weather_note_created" in project("django", "automigrate")
    assert "No changes detected" in project("django", "makemigrations", "--check", "--dry-run")
    assert "Ran 2 tests" in project("django", "test", "--noinput", "weather")

    # The plugin is found by its entry point and by name, once: a second registration would be an error.
    metadata = tmp_path / "django_agentsql-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: django-agentsql\nVersion: 0\n")
    (metadata / "entry_points.txt").write_text("[pytest11]\nagentsql.pytest_plugin = agentsql.pytest_plugin\n")
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["agentsql.pytest_plugin"]\n')
    (tmp_path / "weather" / "tests" / "test_fixture.py").write_text(TEST)
    assert "3 passed" in project("pytest", "-q", "-p", "no:cacheprovider", "weather")


def test_startapp_takes_the_template_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call_command("startapp", "rain_gauge", template=str(TEMPLATE))
    assert "class RainGaugeConfig(AppConfig)" in (tmp_path / "rain_gauge" / "apps.py").read_text()


def test_the_options_of_startapp(tmp_path, monkeypatch):
    (tmp_path / "template").mkdir()
    (tmp_path / "template" / "note.txt").write_text("{{ app_name }}")
    (tmp_path / "sun").mkdir()
    monkeypatch.chdir(tmp_path)
    output = StringIO()
    call_command("startplugin", "sun", "sun", "-e", "txt", "--template", "template", verbosity=0, stdout=output)
    assert [path.read_text() for path in (tmp_path / "sun").iterdir()] == ["sun"]
    assert output.getvalue() == ""


def test_a_long_name_keeps_the_index_within_what_django_allows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call_command("startplugin", "w" * 40, verbosity=0)
    models = (tmp_path / ("w" * 40) / "models.py").read_text()
    assert f'name="{"w" * 17}_note_created")' in models


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["no-name"], "'no-name' is not a valid app name. Please make sure the name is a valid identifier."),
        (["json"], "'json' conflicts with the name of an existing Python module"),
        ([], "You must provide a plugin name."),
    ],
)
def test_bad_names_get_djangos_errors(tmp_path, monkeypatch, words, error):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError, match=error) as raised:
        call_command("startplugin", *words)
    assert error in str(raised.value)
