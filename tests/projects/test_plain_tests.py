"""The host "plain" runs its own tests, by Django's runner and by pytest-django, with nothing added for plugins."""

from dataclasses import replace
from importlib.util import find_spec

import pytest

from tests.projects.conftest import Project

pytestmark = [
    pytest.mark.parametrize("project", [("plain", "default")], indirect=True),
    pytest.mark.extension("vector"),
]
NUMBER = 15
DATABASES = "SELECT datname FROM pg_database WHERE datname LIKE 'test_{}%' ORDER BY datname"


def of_tests(project: Project) -> list[str]:
    return [name for (name,) in project.sql(DATABASES.format(project.databases["default"]))]


@pytest.fixture(autouse=True)
def _no_test_database_stays(project):
    yield
    for name in of_tests(project):
        project.sql(f"DROP DATABASE {name} WITH (FORCE)")


def ran(done, *, skipped: int = 0) -> bool:
    """Tell whether all of Django's tests passed but for some that were skipped."""
    return f"Ran {NUMBER} tests" in done.stderr and f"\nOK{f' (skipped={skipped})' if skipped else ''}\n" in done.stderr


def test_djangos_runner(project):
    assert ran(project.manage("test", "--noinput"))
    assert of_tests(project) == []


def test_djangos_runner_in_parallel(project):
    done = project.manage("test", "--noinput", "--parallel", "2")
    assert ran(done)
    assert done.stderr.count("Cloning test database") == 2
    assert of_tests(project) == []


def test_djangos_runner_without_migrations(project):
    """TEST = {"MIGRATE": False}: one test is about what a migration delivers."""
    assert ran(project.manage("test", "--noinput", HOST_TEST_MIGRATE="0"), skipped=1)


def test_a_kept_database_follows_the_models(project):
    project.manage("test", "--keepdb", "weather.tests.ForecastTests")
    (kept,) = of_tests(project)
    other = replace(project, databases={"default": kept})
    other.sql("DROP INDEX note_ticket_written; ALTER TABLE weather_forecast DROP COLUMN details")

    assert "OK" in project.manage("test", "--keepdb", "weather.tests.ForecastTests").stderr
    assert other.sql("SELECT to_regclass('note_ticket_written') IS NOT NULL") == [(True,)]


def test_pytest_where_warnings_are_errors(project):
    assert f"{NUMBER} passed" in project.pytest("-W", "error").stdout
    assert of_tests(project) == []


def test_pytest_without_migrations(project):
    done = project.pytest("-W", "error", "--nomigrations")
    assert f"{NUMBER - 1} passed, 1 skipped" in done.stdout


def test_pytest_on_a_database_that_is_kept_and_made_anew(project):
    project.pytest("-W", "error", "--reuse-db", "weather/tests.py::ForecastTests")
    (kept,) = of_tests(project)
    other = replace(project, databases={"default": kept})
    other.sql("CREATE TABLE mark (); ALTER TABLE weather_forecast DROP COLUMN details")

    project.pytest("-W", "error", "--reuse-db", "weather/tests.py::ForecastTests")
    assert other.sql("SELECT to_regclass('mark') IS NULL") == [(False,)]

    project.pytest("-W", "error", "--reuse-db", "--create-db", "weather/tests.py::ForecastTests")
    assert other.sql("SELECT to_regclass('mark') IS NULL") == [(True,)]


@pytest.mark.skipif(find_spec("xdist") is None, reason="pytest-xdist is not installed")
def test_pytest_in_two_processes(project):
    assert f"{NUMBER} passed" in project.pytest("-W", "error", "-n", "2").stdout
    assert of_tests(project) == []
