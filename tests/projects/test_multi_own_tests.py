"""A project with three databases runs its own tests: three test databases, with plugins' tables where they belong."""

from collections.abc import Iterator

import pytest

from tests.projects.conftest import Project

pytestmark = pytest.mark.parametrize("project", [("multi", "default", "agents")], indirect=True)


@pytest.fixture(autouse=True)
def _databases(project, tmp_path) -> Iterator[None]:
    """Give SQLite its file, and take away in the end what `--keepdb` kept."""
    project.environment["PROJECT_METRICS"] = str(tmp_path / "metrics.sqlite3")
    yield
    for name in project.databases.values():
        project.sql(f"DROP DATABASE IF EXISTS test_{name} WITH (FORCE)")


def left_behind(project: Project) -> int:
    names = ", ".join(f"'test_{name}'" for name in project.databases.values())
    return project.sql(f"SELECT count(*) FROM pg_database WHERE datname IN ({names})")[0][0]


def test_djangos_runner_keeps_takes_up_and_makes_anew(project):
    for options, kept in ((["--keepdb"], 2), (["--keepdb"], 2), (["--no-input", "--parallel", "2"], 0)):
        done = project.manage("test", *options)
        assert "Ran 9 tests" in done.stderr
        assert "\nOK\n" in done.stderr
        assert left_behind(project) == kept


def test_pytest_with_migrations_and_without(project):
    for options in ([], ["--nomigrations"]):
        assert "9 passed" in project.pytest(*options).stdout
        assert left_behind(project) == 0


def test_sqlite_takes_what_it_can_where_there_are_no_routers(project):
    done = project.manage("test", "metrics", PROJECT_ROUTERS="none")
    assert "Ran 2 tests" in done.stderr
    assert left_behind(project) == 0
