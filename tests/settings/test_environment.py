"""The settings as a process sees them: environment and .env in, Django's settings out."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = Path(__file__).resolve().parent.parent.parent / "settings"
NAMES = (
    "DATABASE_URL",
    "DEBUG",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "SECURE_SSL_REDIRECT",
    "DJANGO_SETTINGS_MODULE",
)
KEY = "$" + "k3y-".join("abcdefghijklmno")

PROGRAM = """
import json
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
try:
    settings.DEBUG
except ImproperlyConfigured as error:
    print(json.dumps({"error": str(error)}))
else:
    names = "DEBUG ALLOWED_HOSTS SECRET_KEY DATABASES SESSION_COOKIE_SECURE SECURE_SSL_REDIRECT".split()
    print(json.dumps({name: getattr(settings, name) for name in names}, default=str))
"""


@pytest.fixture
def load(tmp_path):
    """Load a copy of the settings, with a .env beside it, in a process of its own."""
    shutil.copytree(SETTINGS, tmp_path / "settings", ignore=shutil.ignore_patterns("__pycache__"))

    def load(dotenv=None, **environ):
        if dotenv is not None:
            (tmp_path / ".env").write_text(dotenv)
        kept = {name: value for name, value in os.environ.items() if name not in NAMES}
        result = subprocess.run(
            [sys.executable, "-W", "error", "-c", PROGRAM],
            check=True,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=kept | {"DJANGO_SETTINGS_MODULE": "settings"} | environ,
        )
        assert result.stderr == ""
        return json.loads(result.stdout)

    return load


def test_nothing_set(load, tmp_path):
    settings = load()
    assert settings["DEBUG"] is True
    assert settings["ALLOWED_HOSTS"] == []
    assert settings["SESSION_COOKIE_SECURE"] is False
    assert settings["DATABASES"]["default"]["DATA_DIR"] == str(tmp_path / ".postgres")
    assert not (tmp_path / ".postgres").exists()


def test_production(load):
    settings = load(
        DEBUG="false", SECRET_KEY=KEY, ALLOWED_HOSTS="a.example,b.example", DATABASE_URL="postgres://u:$p@h/n"
    )
    assert settings["SECRET_KEY"] == KEY
    assert settings["ALLOWED_HOSTS"] == ["a.example", "b.example"]
    assert settings["SESSION_COOKIE_SECURE"] is True
    assert settings["SECURE_SSL_REDIRECT"] is True
    assert settings["DATABASES"]["default"]["PASSWORD"] == "$p"


def test_the_file_yields_to_the_environment(load):
    settings = load("DATABASE_URL=postgres://filed/n\nALLOWED_HOSTS=filed\n", ALLOWED_HOSTS="given")
    assert settings["DATABASES"]["default"]["HOST"] == "filed"
    assert settings["ALLOWED_HOSTS"] == ["given"]


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"DEBUG": "false"}, "SECRET_KEY"),
        ({"DEBUG": "0", "SECRET_KEY": KEY}, "ALLOWED_HOSTS"),
        ({"DATABASE_URL": "mysql://user:secret@host/name"}, "DATABASE_URL"),
    ],
)
def test_refusals_name_the_variable(load, environ, name):
    error = load(**environ)["error"]
    assert error.startswith(name)
    assert "secret" not in error
