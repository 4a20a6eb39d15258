"""`automigrate --all-databases`: each alias in its turn, none of them in another's way."""

import json
import socket

import pytest

pytestmark = pytest.mark.parametrize("project", [("multi", "default", "agents")], indirect=True)

SQLITE = "The database 'metrics' is SQLite: left alone."
ALL_DONE = """\
Database 'default':
Nothing to do: the schema holds all of 1 plugin's models.
Database 'agents':
Nothing to do: the schema holds all of 2 plugins' models.
Database 'replica':
Nothing to do: no plugin has models on this database.
"""


@pytest.fixture(autouse=True)
def _metrics(project, tmp_path) -> None:
    project.environment["PROJECT_METRICS"] = str(tmp_path / "metrics.sqlite3")


@pytest.fixture
def nobody() -> str:
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


def statuses(printed: str) -> dict[str, str]:
    return {report["alias"]: report["status"] for report in json.loads(printed)}


def test_one_exit_code_for_all(project):
    """A key of the first database waits for `migrate`; the second is done all the same."""
    done = project.manage("automigrate", "--all-databases", "-v0", code=1)
    assert done.stdout.startswith("Database 'default':\n")
    assert "recall_opinion(user_id) for auth_user" in done.stdout
    assert "'agents'" not in done.stdout
    assert project.sql("SELECT count(*) FROM recall_note", "agents") == [(0,)]
    project.manage("migrate", "-v0")
    done = project.manage("automigrate", "--all-databases")
    assert done.stdout.replace(f"{SQLITE}\n", "") == ALL_DONE
    assert SQLITE in done.stdout + done.stderr
    assert project.manage("automigrate", "--all-databases", "-v0").stdout == ""


def test_check_for_programs(project):
    done = project.manage("automigrate", "--all-databases", "--check", "--format", "json", code=1)
    assert statuses(done.stdout) == {"default": "pending", "agents": "pending", "replica": "converged"}
    assert project.sql("SELECT to_regclass('agents'), to_regclass('recall_note')", "agents") == [(None, None)]


def test_a_plan_without_one_of_them_is_no_success(project, nobody):
    done = project.manage("automigrate", "--all-databases", "--plan", "--format", "sql", code=1, PROJECT_DOWN=nobody)
    assert "-- agentsql.D022 Nothing could be done on the database 'down'" in done.stdout
    assert 'CREATE TABLE "memories"' in done.stdout
    assert SQLITE not in done.stdout  # it goes to psql


def test_a_label_that_is_wrong_is_wrong_everywhere(project):
    done = project.manage("automigrate", "--all-databases", "recal", code=1)
    assert (done.stdout + done.stderr).count("No installed app has the label 'recal'") == 1


def test_a_server_that_is_down_is_in_nobodys_way(project, nobody):
    """Its alias comes first; after it, everything is made, and the exit code tells."""
    done = project.manage("automigrate", "--all-databases", code=1, PROJECT_DOWN=nobody)
    first, _, others = done.stdout.partition("Database 'default':")
    assert "Nothing could be done on the database 'down'" in first
    assert nobody in first
    assert "15 tables" in others
    project.manage("migrate", "-v0", PROJECT_DOWN=nobody)
    done = project.manage("automigrate", "--all-databases", "--format", "json", code=1, PROJECT_DOWN=nobody)
    assert statuses(done.stdout).pop("down") == "blocked"
    assert set(statuses(done.stdout).values()) == {"blocked", "converged"}
    assert "Traceback" not in done.stderr


def test_without_routers_every_postgresql_has_all_of_it(project):
    for alias in ("metrics", "agents", "default"):
        project.manage("migrate", "--database", alias, "-v0", PROJECT_ROUTERS="none")
    done = project.manage("automigrate", "--all-databases", PROJECT_ROUTERS="none")
    assert done.stdout.count("Nothing to do: the schema holds all of 2 plugins' models.") == 3  # the replica, too
    for alias in project.databases:
        assert project.sql("SELECT count(*) FROM recall_note, recall_opinion, auth_user", alias) == [(0,)]
