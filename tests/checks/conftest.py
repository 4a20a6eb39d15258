"""A project apart from the installed one: apps that are there as packages, models in a registry of their own."""

import importlib
import sys
from types import ModuleType

import pytest
from django.apps import AppConfig
from django.apps.registry import Apps
from django.db import connection, connections, models
from django.db.backends.base.base import RAN_DB_VERSION_CHECK

LABELS = {"shop": False, "blog": True, "wiki": True}  # and whether it says that it is a plugin
READERS = (
    "agentsql.checks.plugins.apps",
    "agentsql.checks.project.apps",
    "agentsql.discover.apps",
    "django.db.migrations.loader.apps",
)


class Project:
    def __init__(self, place):
        self.place = place
        self.apps = Apps([self._config(label, plugin=plugin) for label, plugin in LABELS.items()])

    def _config(self, label, *, plugin):
        package = self.place / label
        package.mkdir()
        (package / "__init__.py").touch()
        facts = {"path": str(package)} | ({"automigrate": True} if plugin else {})
        return type(f"{label.title()}Config", (AppConfig,), facts)(label, ModuleType(label))

    def config(self, label):
        return self.apps.get_app_config(label)

    def model(self, label, name, *, bases=(models.Model,), fields=None, **options):
        meta = type("Meta", (), {"apps": self.apps, "app_label": label, **options})
        return type(name, bases, {"__module__": __name__, "Meta": meta, **(fields or {})})

    def migrations(self, label, *names):
        package = self.place / label / "migrations"
        package.mkdir()
        for name in ("__init__", *names):
            (package / f"{name}.py").touch()
        importlib.invalidate_caches()


@pytest.fixture
def project(monkeypatch, tmp_path):
    project = Project(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(project.apps, "is_installed", lambda name: name == "django.contrib.postgres")
    for reader in READERS:
        monkeypatch.setattr(reader, project.apps)
    yield project
    for name in [name for name in sys.modules if name.partition(".")[0] in LABELS]:
        del sys.modules[name]


@pytest.fixture
def second_database(monkeypatch):
    """Return a function that adds the alias "other" to DATABASES; nothing connects to it."""

    def add(**facts):
        monkeypatch.setitem(connections.settings, "other", connection.settings_dict | facts)
        RAN_DB_VERSION_CHECK.discard("other")

    yield add
    if hasattr(connections._connections, "other"):
        connections["other"].close()
        del connections["other"]


class OnlyOn:
    """A router that keeps an app's models, or some of them, to these databases."""

    def __init__(self, label, *aliases, model_name=None):
        self.label, self.aliases, self.model_name = label, aliases, model_name

    def allow_migrate(self, db, app_label, model_name=None, **_hints):
        concerned = app_label == self.label and self.model_name in {None, model_name}
        return db in self.aliases if concerned else None


@pytest.fixture
def only_on():
    return OnlyOn
