"""A shop whose agents and measurements have databases of their own.

PROJECT_DEFAULT, PROJECT_AGENTS  databases on the server that libpq's own variables name
PROJECT_METRICS                  path of the SQLite file
PROJECT_ROUTERS                  "none" for a project without routers, "broken" for one whose router raises
PROJECT_DOWN                     a port where nobody listens, for an alias `down` that comes first
PROJECT_STRICT                   the plugin has a model with a key across databases
"""

import os


def server(alias: str, **more: object) -> dict[str, object]:
    return {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ[f"PROJECT_{alias.upper()}"], **more}


DATABASES: dict[str, dict] = {
    "default": server("default"),
    "agents": server("agents"),
    "metrics": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["PROJECT_METRICS"]},
    "replica": server("default", TEST={"MIRROR": "default"}),
}
if port := os.environ.get("PROJECT_DOWN"):
    DATABASES = {"down": server("agents", HOST="127.0.0.1", PORT=port), **DATABASES}

ROUTERS = {
    "none": [],
    "broken": ["config.routers.Broken"],
    "": ["config.routers.Replica", "config.routers.Agents", "config.routers.Rest"],
}
DATABASE_ROUTERS = ROUTERS[os.environ.get("PROJECT_ROUTERS", "")]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "shop",
    "metrics",
    "agentsql",
    "core_tables",
    "recall",
]

SECRET_KEY = "the shop serves nobody"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
