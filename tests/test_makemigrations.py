"""makemigrations: as ever, but nothing is written into plugins."""

from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.core.management.commands import makemigrations as django_own
from django.db import models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.state import ModelState, ProjectState
from django.test import override_settings

from agentsql.management.commands.makemigrations import apart_from, next_command


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        (["core_tables"], "core_tables"),
        (["example_plugin", "auth", "core_tables"], "core_tables, example_plugin"),
        (["core_tables", "--empty"], "core_tables"),
        (["core_tables", "--merge"], "core_tables"),
        (["core_tables", "--check"], "core_tables"),
    ],
)
def test_a_plugin_is_refused_by_name(labels, named):
    with pytest.raises(CommandError) as caught:
        call_command("makemigrations", *labels)
    assert f"for plugins ({named})" in str(caught.value)
    assert f"manage.py automigrate {named.replace(',', '')}`" in str(caught.value)


def test_an_app_that_the_project_names_is_refused(database):
    with override_settings(AGENTSQL={"PLUGINS": ["sessions"]}), pytest.raises(CommandError, match="sessions"):
        call_command("makemigrations", "sessions")


def test_bad_settings_are_told():
    with override_settings(AGENTSQL={"PLUGIN": []}), pytest.raises(CommandError, match="Did you mean 'PLUGINS'"):
        call_command("makemigrations")


def test_nothing_is_written_for_the_others_that_have_not_changed(database, capsys):
    call_command("makemigrations", "--check", "--dry-run")
    assert capsys.readouterr().out == "No changes detected\n"


def state(label, *fields):
    found = ProjectState()
    found.add_model(ModelState(label, "Page", [("id", models.AutoField(primary_key=True)), *fields]))
    return found


def test_changes_of_plugins_are_not_seen_and_not_asked_about():
    """A NOT NULL field without a default would make Django ask for one."""
    before, after = state("blog"), state("blog", ("body", models.TextField()))
    detector = apart_from({"blog"}, MigrationAutodetector)(before, after)
    assert detector.changes(graph=MigrationGraph()) == {}
    assert detector.to_state.models == before.models


def test_changes_of_others_are():
    before, after = state("shop"), state("shop", ("body", models.TextField(default="")))
    graph = MigrationGraph()
    graph.add_node(("shop", "0001_initial"), None)
    assert set(apart_from({"blog"}, MigrationAutodetector)(before, after).changes(graph=graph)) == {"shop"}


def test_the_next_command_is_djangos_own():
    assert next_command("makemigrations") is django_own.Command


def test_the_next_command_is_that_of_an_app_listed_later(monkeypatch, tmp_path):
    commands = tmp_path / "later_app" / "management" / "commands"
    commands.mkdir(parents=True)
    (commands / "makemigrations.py").write_text("class Command:\n    theirs = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    later = SimpleNamespace(name="later_app", path=str(tmp_path / "later_app"))
    configs = [later, apps.get_app_config("agentsql"), later]
    monkeypatch.setattr(apps, "get_app_configs", lambda: configs)
    assert next_command("makemigrations").theirs
    monkeypatch.setattr(apps, "get_app_configs", lambda: configs[:2])
    assert next_command("makemigrations") is django_own.Command
