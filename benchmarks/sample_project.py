"""A Django project of N models to measure: plugin apps of 50 models, each model a table of ten columns.

Nothing but agentsql and the plugins is installed: `manage.py check`, the baseline, is as cheap as it can be.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODELS_PER_APP = 50

MANAGE = """
import os
import sys

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "sample_settings"
    if "WIRE_LOG" in os.environ:
        import wire_log
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
"""

SETTINGS = """
import json
import os

SECRET_KEY = "never used: nothing is served"
DATABASES = {{"default": json.loads(os.environ["SAMPLE_DATABASE"])}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
INSTALLED_APPS = ["agentsql", {apps}]
"""

# libpq's own trace of the protocol: what is sent is counted where it leaves, whoever sent it.
WIRE_LOG = """
import os

import psycopg

connect = psycopg.Connection.connect


def traced(*args, **options):
    connection = connect(*args, **options)
    log = os.open(os.environ["WIRE_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    connection.pgconn.trace(log)
    return connection


psycopg.connect = psycopg.Connection.connect = traced
"""

APP = """
from django.apps import AppConfig


class Config(AppConfig):
    name = "{app}"
    automigrate = True
"""

# Ten columns, two foreign keys, two indexes: one of a foreign key's own, one declared.
MODEL = """

class {name}(models.Model):
    owner = models.ForeignKey("{owner}", models.CASCADE, related_name="+")
    parent = models.ForeignKey("{parent}", models.SET_NULL, null=True, related_name="+", db_index=False)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True, default="")
    details = models.JSONField(default=dict)
    position = models.IntegerField(default=0)
    weight = models.FloatField(null=True)
    visible = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["parent", "created_at"], name="{index}")]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A generated project and what it takes to run it."""

    directory: Path
    models: int

    def environment(self, database: Mapping[str, Any], **more: str) -> dict[str, str]:
        """Return the environment in which `manage.py` uses a database, given as a DATABASES entry.

        Compiled files are kept, as they are wherever Django is installed.
        """
        path = str(Path(__file__).resolve().parent.parent)
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {**kept, "PYTHONPATH": path, "SAMPLE_DATABASE": json.dumps(database), **more}


def generate(directory: Path, models: int, model: str = MODEL) -> Project:
    """Write a project of so many models, each from one text."""
    apps = [f"plugin_{number:03}" for number in range(-(-models // MODELS_PER_APP))]
    settings = SETTINGS.format(apps=", ".join(f'"{app}"' for app in apps))
    files = {"manage.py": MANAGE, "sample_settings.py": settings, "wire_log.py": WIRE_LOG}
    for number, app in enumerate(apps):
        first = number * MODELS_PER_APP
        own = range(first, min(first + MODELS_PER_APP, models))
        files[f"{app}/__init__.py"] = ""
        files[f"{app}/apps.py"] = APP.format(app=app)
        classes = "".join(_model(model, place, apps, first) for place in own)
        files[f"{app}/models.py"] = f"from django.db import models\n{classes}"
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip())
    return Project(directory=directory, models=models)


def _model(text: str, place: int, apps: list[str], first: int) -> str:
    """Return a model that is owned by its app's first model and hangs from the model before it, in any app."""
    return text.format(
        name=f"Model{place:04}",
        owner=_reference(first, apps),
        parent=_reference(max(place - 1, 0), apps),
        index=f"model{place:04}_parent_created",
    )


def _reference(place: int, apps: list[str]) -> str:
    return f"{apps[place // MODELS_PER_APP]}.Model{place:04}"
