"""The host "plain": a helpdesk with migrations of its own, on a new database.

desk (migrations) and notes (a plugin) point to one another, and both to the agents and to the team's own user model.
"""

import json

import pytest

from tests.projects.several import several

pytestmark = [
    pytest.mark.parametrize("project", [("plain", "default")], indirect=True),
    pytest.mark.extension("vector"),
]
KEYS_OF_MODELS = """
import json
from django.apps import apps
models = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
keys = [(model._meta.db_table, field.column, field.remote_field.model._meta.db_table)
        for model in models for field in model._meta.local_fields if field.remote_field]
print(json.dumps(keys))
"""
KEYS = """
SELECT k.conrelid::regclass::text, a.attname, k.confrelid::regclass::text
FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ALL (k.conkey)
WHERE k.contype = 'f' AND k.convalidated
"""
CYCLE = {("notes_note", "ticket_id", "desk_ticket"), ("desk_ticket", "pinned_id", "notes_note")}


def models_keys(printed):
    return {tuple(key) for key in json.loads(printed)}


def test_migrate_alone_is_enough(project):
    first = project.manage("migrate").stdout
    assert first.index("1 extension, 17 tables") < first.index("Applying contenttypes.0001_initial")
    assert first.index("Applying sessions.0001_initial") < first.index("3 foreign keys")

    second, check, keys = several(
        project,
        "helpdesk.settings",
        "migrate",
        "automigrate --check",
        ["shell", "-v", "0", "-c", KEYS_OF_MODELS],
    )
    assert "No migrations to apply" in second
    assert "Automigrate" not in second
    assert "Nothing to do" in check
    assert set(project.sql(KEYS)) == models_keys(keys) > CYCLE


def test_automigrate_before_migrate_names_what_to_run(project):
    refused = project.manage("automigrate", "--format=json", code=1)
    (finding,) = json.loads(refused.stdout)["findings"]
    assert finding["id"] == "agentsql.D003"
    assert "manage.py migrate" in finding["hint"]
    assert project.sql("SELECT name FROM weather_place ORDER BY name") == [("Graz",), ("Linz",), ("Vienna",)]

    migrated, automigrated, again = several(
        project, "helpdesk.settings", "migrate", "automigrate --format=json", "migrate"
    )
    assert "3 foreign keys" in migrated
    assert (json.loads(automigrated)["status"], json.loads(automigrated)["steps"]) == ("converged", [])
    assert "Automigrate" not in again
    assert set(project.sql(KEYS)) > CYCLE
