"""A project with three databases: a plugin's table is where the routers say, whatever runs in whatever order."""

import json
import sqlite3

import pytest

from tests.projects.conftest import Project

pytestmark = pytest.mark.parametrize("project", [("multi", "default", "agents")], indirect=True)

LEFT_OUT = "automigrate is left out: the database 'metrics' is SQLite."
PLACES = {
    "default": {"auth_user", "shop_order", "recall_opinion"},
    "agents": {"agents", "memories", "recall_note", "recall_note_rooms"},
    "metrics": {"metrics_visit"},
}
CONTENT_TYPES = {"core_tables.agent", "recall.note", "recall.opinion", "shop.order"}  # all on `default`
ROWS = """
from core_tables.models import Agent, Room
from django.contrib.auth.models import User
from recall.models import Note, Opinion
user = User.objects.create_user("ada")
note = Note.objects.create(agent=Agent.objects.create(name="Eliza"), user=user, text="likes tea")
note.rooms.add(Room.objects.create(source="shop", type="chat"))
Opinion.objects.create(user=user, likes="tea")
"""
COUNTS = {"agents": "SELECT count(*) FROM recall_note_rooms", "default": "SELECT count(*) FROM recall_opinion"}


@pytest.fixture(autouse=True)
def _metrics(project, tmp_path) -> None:
    project.environment["PROJECT_METRICS"] = str(tmp_path / "metrics.sqlite3")


def places(project: Project) -> dict[str, set[str]]:
    """Return where each of the tables above is."""
    listed = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    found = {alias: {name for (name,) in project.sql(listed, alias)} for alias in project.databases}
    with sqlite3.connect(project.environment["PROJECT_METRICS"]) as metrics:
        found["metrics"] = {name for (name,) in metrics.execute("SELECT name FROM sqlite_schema")}
    metrics.close()
    return {alias: names & set().union(*PLACES.values()) for alias, names in found.items()}


def counts(project: Project) -> dict[str, int]:
    return {alias: project.sql(query, alias)[0][0] for alias, query in COUNTS.items()}


def targets(project: Project, table: str) -> list[str]:
    """Return the tables that the keys of a table on `agents` point to."""
    keys = "SELECT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND conrelid = "
    return [target for (target,) in project.sql(f"{keys} '{table}'::regclass", "agents")]


def content_types(project: Project) -> set[str]:
    return {label for (label,) in project.sql("SELECT app_label || '.' || model FROM django_content_type")}


def test_migrate_of_each_database_twice(project):
    first = {alias: project.manage("migrate", "--database", alias).stdout for alias in PLACES}
    assert places(project) == PLACES
    assert content_types(project) >= CONTENT_TYPES
    assert first["metrics"].count(LEFT_OUT) == 1
    assert "Automigrate:" not in first["metrics"]
    again = {alias: project.manage("migrate", "--database", alias).stdout for alias in PLACES}
    assert all(printed.endswith("No migrations to apply.\n") for printed in again.values())
    assert not any("Automigrate:" in printed for printed in again.values())
    checked = [word for alias in ("replica", *PLACES) for word in ("--database", alias)]
    assert "no issues" in project.manage("check", "--fail-level", "WARNING", *checked).stdout


def test_the_other_way_round_and_automigrate_in_between(project):
    assert project.manage("migrate", "--database", "metrics", "-v0").stdout == ""
    assert "15 tables" in project.manage("automigrate", "--database", "agents").stdout
    waiting = project.manage("automigrate", code=1)
    assert "agentsql.D003" in waiting.stdout
    assert "recall_opinion(user_id) for auth_user" in waiting.stdout
    assert "Automigrate:" not in project.manage("migrate", "--database", "agents").stdout
    assert project.sql("SELECT to_regclass('django_content_type')", "agents") == [(None,)]
    assert "1 foreign key in" in project.manage("migrate").stdout
    assert places(project) == PLACES
    assert content_types(project) >= CONTENT_TYPES
    for alias, plugins in {"default": "1 plugin's", "agents": "2 plugins'"}.items():
        done = project.manage("automigrate", "--database", alias)
        assert done.stdout.strip() == f"Nothing to do: the schema holds all of {plugins} models."


def test_databases_that_hold_no_plugin(project):
    refused = project.manage("automigrate", "--database", "metrics", code=1)
    assert "The database 'metrics' is SQLite; automigrate needs PostgreSQL." in refused.stderr
    assert "no plugin has models on this database" in project.manage("automigrate", "--database", "replica").stdout
    project.manage("migrate", "--database", "replica", "-v0")
    assert places(project) == {"default": set(), "agents": set(), "metrics": set()}


def test_a_key_across_databases_is_one_finding(project):
    project.manage("migrate", "-v0")
    key = "The foreign key recall_claim(order_id) can't be made: its target shop_order (shop.Order)"
    done = project.manage("automigrate", "--database", "agents", code=1, PROJECT_STRICT="1")
    assert f"(agentsql.D020) {key} is not on the database 'agents'" in done.stdout
    assert "db_constraint=False" in done.stdout
    assert targets(project, "recall_claim") == ["recall_note"]
    assert targets(project, "recall_note") == ["agents"]  # and not the user
    done = project.manage("migrate", "--database", "agents", code=1, PROJECT_STRICT="1")
    assert "Applying shop.0001_initial... OK" in done.stdout
    assert key in done.stdout
    assert "Migrations are done" in done.stderr
    assert "recall.claim" not in content_types(project)
    project.manage("automigrate", PROJECT_STRICT="1")  # `default` lacks no table
    assert "recall.claim" in content_types(project)


def test_a_router_that_raises_is_shown_as_it_is(project):
    for command in ("automigrate", "automigrate --all-databases", "migrate --skip-checks"):
        done = project.manage(*command.split(), code=1, PROJECT_ROUTERS="broken")
        assert done.stderr.splitlines()[-1].startswith("LookupError: no home for ")
        assert 'config/routers.py", line' in done.stderr


def test_data_out_of_one_database_and_back(project, tmp_path):
    dump = tmp_path / "agents.json"
    for alias in project.databases:
        project.manage("migrate", "--database", alias, "-v0")
    project.manage("shell", "-c", ROWS)
    project.manage("dumpdata", "--database", "agents", "--output", str(dump))
    kept = {row["model"] for row in json.loads(dump.read_text())}
    assert kept == {"core_tables.agent", "core_tables.room", "recall.note"}
    project.manage("flush", "--database", "agents", "--no-input")
    assert counts(project) == {"agents": 0, "default": 1}
    assert "Installed 3 object(s)" in project.manage("loaddata", "--database", "agents", str(dump)).stdout
    assert counts(project) == {"agents": 1, "default": 1}
