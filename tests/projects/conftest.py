"""Host projects, each used as its team would: by `manage.py` and pytest in processes of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.db import connection

from tests.applications.conftest import cursor_of, new_database

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
CLEAN = ("DJANGO_SETTINGS_MODULE", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "DATABASE_URL")


@dataclass
class Project:
    """A host project with databases of its own. `run` and `pytest` return what became of the process.

    databases: by alias, the name on the server; the settings read them from PROJECT_<ALIAS>.
    """

    name: str
    databases: dict[str, str]
    environment: dict[str, str] = field(default_factory=dict)

    def manage(self, *arguments: str, code: int | None = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("manage.py", *arguments, code=code, **environment)

    def pytest(self, *arguments: str, code: int | None = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, code=code, **environment)

    def run(self, *arguments: str, code: int | None = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the project's directory, and expect an exit code unless that is None."""
        inherited = {key: value for key, value in os.environ.items() if key not in CLEAN}
        names = {f"PROJECT_{alias.upper()}": name for alias, name in self.databases.items()}
        done = subprocess.run(
            [sys.executable, "-W", "error::ResourceWarning", *arguments],
            check=False,
            cwd=HERE / self.name,
            env=inherited | server() | names | {"PYTHONPATH": str(REPOSITORY)} | self.environment | environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if code is not None:
            assert done.returncode == code, f"{arguments} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def sql(self, statement: str, alias: str = "default") -> list[tuple]:
        with cursor_of(self.databases[alias]) as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def server() -> dict[str, str]:
    """Return libpq's variables for the server that this session uses."""
    connection.ensure_connection()
    facts = connection.connection.info
    given = {"PGHOST": facts.host, "PGPORT": str(facts.port), "PGUSER": facts.user, "PGPASSWORD": facts.password}
    return {key: value for key, value in given.items() if value}


@pytest.fixture
def project(request, django_db_blocker) -> Iterator[Project]:
    """A project with new, empty databases; `parametrize("project", [(name, *aliases)], indirect=True)` names them."""
    name, *aliases = request.param
    with django_db_blocker.unblock(), ExitStack() as stack:
        made = {alias: stack.enter_context(new_database(f"host_{name}_{alias}")) for alias in aliases or ["default"]}
        yield Project(name=name, databases=made)
