"""Installed plugins: what INSTALLED_APPS gets of them, and that a broken one harms nothing but itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from agentsql.installed import broken, installed_plugins, installed_plugins_work
from tests.crowd import environment
from tests.distributions import app, install

ROOT = Path(__file__).resolve().parent.parent
MODEL = """
from django.db import models

class {name}(models.Model):
    of = models.ForeignKey("{of}", models.CASCADE, related_name="{name}s")
    rooms = models.ManyToManyField("core_tables.Room", related_name="{name}s")
"""
LAZY = """
from django.db.models.signals import post_save

def heard(**_):
    pass

post_save.connect(heard, sender="nowhere.Thing", weak=False)
raise SystemExit
"""
HOST = ("agentsql.", "admin.", "auth.", "contenttypes.", "sessions.", "core_tables.", "example_plugin.")
# Each by itself would end `django.setup()` or fail `manage.py check`.
BROKEN = {
    "gone": {},
    "no_import": app("no_import") | {"no_import/__init__.py": "import nothing_of_that_name"},
    "no_syntax": app("no_syntax") | {"no_syntax/apps.py": "def"},
    "exits": app("exits") | {"exits/__init__.py": "raise SystemExit(3)"},
    "panics": app("panics") | {"panics/__init__.py": "class Panic(BaseException): pass\nraise Panic"},
    "half": app("half", MODEL.format(name="Half", of="core_tables.Agent") + "\n1 / 0\n"),
    "half_lazy": app("half_lazy", MODEL.format(name="Lazy", of="nowhere.Thing") + LAZY),
    "a_dependent": app("a_dependent", MODEL.format(name="Early", of="half.Half")),
    "its_dependent": app("its_dependent", MODEL.format(name="Late", of="a_dependent.Early")),
    "lonely": app("lonely", MODEL.format(name="Lonely", of="not_installed.Thing")),
}
FATES = """
import json, django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
django.setup()
from agentsql.installed import broken
from django.contrib import admin
call_command("check")
print(json.dumps({
    "broken": {name: [fault.error, fault.left_out] for name, fault in broken.items()},
    "labels": [config.label for config in apps.get_app_configs()],
    "models": sorted(model._meta.label for model in apps.get_models(include_auto_created=True)),
    "relations": sorted(field.name for field in apps.get_model("core_tables.Agent")._meta.related_objects),
    "admin": sorted(model._meta.label for model in admin.site._registry),
}))
"""
SERVE = """
from django.core.wsgi import get_wsgi_application
from django.test import Client
get_wsgi_application()
print(Client(headers={"host": "localhost"}).get("/admin/login/").status_code)
"""


@pytest.fixture
def site(tmp_path):
    """Return a function that runs a program in a site whose settings add the installed plugins."""
    (tmp_path / "site_settings.py").write_text(
        "from settings import *\nfrom agentsql.installed import installed_plugins\n"
        "INSTALLED_APPS = [*INSTALLED_APPS, *installed_plugins(exclude=INSTALLED_APPS)]\n"
    )

    def run(*words, **environ):
        environ = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"} | environ
        return subprocess.run(
            [sys.executable, "-W", "error", *words],
            cwd=ROOT,
            env=environ | {"DJANGO_SETTINGS_MODULE": "site_settings"},
            capture_output=True,
            text=True,
            check=False,
        )

    run.path = tmp_path
    return run


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    broken.clear()


def admin_of(name, model):
    return {
        f"{name}/admin.py": f"from django.contrib import admin\nfrom .models import {model}\n"
        f"admin.site.register({model})\n"
    }


def test_broken_plugins_take_nothing_down_and_no_trace_of_them_is_left(site):
    works = app("works", MODEL.format(name="Works", of="core_tables.Agent")) | admin_of("works", "Works")
    install(site.path, "works-plugin", {"works": "works.apps:Config"}, works)
    unready = app("unready", MODEL.format(name="Unready", of="works.Works"), ready="raise KeyError('key')")
    install(site.path, "unready-plugin", {"unready": "unready"}, unready)
    for name, files in BROKEN.items():
        install(site.path, f"{name}-plugin", {name: name}, files | admin_of(name, "Any") if files else files)

    done = site("-c", FATES)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert {name for name, (_, left_out) in seen["broken"].items() if left_out} == {*BROKEN}
    error, left_out = seen["broken"]["unready"]
    assert (error.startswith("KeyError: 'key' ("), error.endswith("unready/apps.py:9)"), left_out) == (
        True,
        True,
        False,
    )
    assert seen["broken"]["half"][0].startswith("ZeroDivisionError: division by zero (")
    assert "refers to half.Half" in seen["broken"]["a_dependent"][0]
    assert seen["labels"][-2:] == ["unready", "works"]
    ours = [label for label in seen["models"] if not label.startswith(HOST)]
    assert ours == ["unready.Unready", "unready.Unready_rooms", "works.Works", "works.Works_rooms"]
    assert "Workss" in seen["relations"]
    assert "Halfs" not in seen["relations"]
    assert "works.Works" in seen["admin"]
    logged = done.stderr.splitlines()
    assert len([line for line in logged if line.startswith("The plugin ")]) == len(BROKEN) + 1
    assert "The plugin 'exits' (exits-plugin 1.0) is left out: SystemExit: 3 (" in done.stderr
    assert "exits/__init__.py:1). Mend, update or uninstall it, or name it in installed_plugins(" in done.stderr

    served = site("-c", SERVE)
    assert (served.returncode, served.stdout.split()[-1:]) == (0, ["200"]), served.stderr


def test_migrate_passes_over_a_plugin_whose_models_break(site, database):
    install(site.path, "half-plugin", {"half": "half"}, BROKEN["half"])
    environ = environment(connection.get_connection_params())
    environ["PYTHONPATH"] = f"{site.path}{os.pathsep}{ROOT}"
    done = site("manage.py", "migrate", "--plan", **environ)
    assert done.returncode == 0, done.stderr
    assert "auth.0001_initial" in done.stdout
    assert "The plugin 'half' (half-plugin 1.0) is left out" in done.stderr


def test_entry_points_as_lines_of_installed_apps(path):
    install(path, "b-plugin", {"one": "plugin_b"}, app("plugin_b"))
    install(path, "a-plugin", {"two": "plugin_a.apps:Config", "zwei": "plugin_a.apps : Config"}, app("plugin_a"))
    assert installed_plugins() == ["plugin_b", "plugin_a.apps.Config"]
    assert installed_plugins_work(app_configs=None) == []


@pytest.mark.parametrize("name", ["harm", "plugin_harm", "plugin_harm.apps.Config"])
def test_an_excluded_plugin_is_never_imported(path, name):
    install(path, "harm-plugin", {"harm": "plugin_harm"}, {"plugin_harm/__init__.py": "raise SystemExit"})
    assert installed_plugins(exclude=[name]) == []
    assert broken == {}


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("plugin_c.apps:Missing", "Module 'plugin_c.apps' does not contain a 'Missing' class. Choices are: 'Config'."),
        ("plugin_c.apps:AppConfig.name", "is malformed"),
        ("plugin_c.apps:number", "issubclass() arg 1 must be a class"),
        ("plugin_c.apps:Other", "'plugin_c.apps.Other' isn't a subclass of AppConfig."),
        ("plugin_c.plain", "plugin_c.plain.apps has no AppConfig"),
        ("plugin_c.", "is malformed"),
        ("plugin-c", "is malformed"),
        ("", "is malformed"),
    ],
)
def test_what_is_no_app_config(path, caplog, value, error):
    files = app("plugin_c") | {"plugin_c/plain.py": ""}
    files["plugin_c/apps.py"] += "\nnumber = 1\n\nclass Other:\n    pass\n"
    install(path, "c-plugin", {"c": value}, files)
    assert installed_plugins() == []
    assert error in broken["c"].error
    [warning] = installed_plugins_work(app_configs=None)
    assert (warning.id, "c-plugin 1.0" in warning.msg) == ("agentsql.W008", True)
    assert warning.hint == "Mend, update or uninstall it, or name it in installed_plugins(exclude=['c'])."
    assert caplog.messages == [f"{warning.msg} {warning.hint}"]


def test_two_plugins_with_one_label(path):
    install(path, "first-plugin", {"first": "plugin_d"}, app("plugin_d"))
    install(path, "second-plugin", {"second": "other.plugin_d"}, app("other.plugin_d"))
    assert installed_plugins() == ["plugin_d"]


@pytest.mark.parametrize("listed", ["host.weather", "host.weather.apps.WeatherConfig", "weather"])
def test_a_label_that_an_app_of_the_project_has(path, caplog, listed):
    files = app("late")
    files["late/apps.py"] += '    label = "weather"\n'
    install(path, "late-plugin", {"late": "late"}, files)
    assert installed_plugins(exclude=["host.other"]) == ["late"]
    assert installed_plugins(exclude=["host.other", listed]) == []
    assert "its app label 'weather' is that of an app of the project" in caplog.text


def test_metadata_that_cannot_be_read_hides_no_other_plugin(path):
    install(path, "e-plugin", {"e": "plugin_e"}, app("plugin_e"))
    install(path, "odd-plugin", "[agentsql.plugins]\nno value\n")
    (path / "e_plugin-1.0.dist-info" / "METADATA").unlink()
    assert installed_plugins() == ["plugin_e"]
    assert "odd-plugin 1.0" in broken["entry_points.txt"].message


def test_no_settings_are_read(path):
    install(path, "f-plugin", {"f": "plugin_f"}, app("plugin_f"))
    program = (
        "from agentsql.installed import installed_plugins\nfrom django.conf import settings\n"
        "print(*installed_plugins(), settings.configured)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": f"{path}{os.pathsep}{ROOT}"},
    )
    assert done.stdout.split() == ["plugin_f", "False"]
