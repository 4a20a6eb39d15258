"""Helpdesk with all it can keep, which has not heard of agentsql."""

from tests.applications.common_settings import *  # noqa: F403 a settings module

DEFAULT_AUTO_FIELD = "django.db.models.AutoField"  # as in its migrations
HELPDESK_TEAMS_MODE_ENABLED = False  # its teams are an application of their own

INSTALLED_APPS = [
    "agentsql",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sites",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "helpdesk",
]

AGENTSQL = {
    "RUN_WITH_MIGRATE": False,  # migrations are looked at as they leave things
    "PLUGINS": [
        "admin",
        "auth",
        "contenttypes",
        "sessions",
        "messages",
        "sites",
        "humanize",
        "staticfiles",
        "helpdesk",
    ],
}
