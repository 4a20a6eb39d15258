"""A site as `wagtail start` makes it, which then took in a plugin.

PROJECT_DEFAULT  the database, on the server that libpq's own variables name
HOST_BEFORE      the release before: no plugin, and `home` without its last migration
APART            migrate does not run automigrate
TEST_TEMPLATE    a database to copy for the site's own tests, instead of migrating an empty one
"""

import os

BEFORE = bool(os.environ.get("HOST_BEFORE"))
PLUGINS = [] if BEFORE else ["agentsql", "core_tables", "notes"]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PROJECT_DEFAULT"],
        "TEST": {"TEMPLATE": os.environ.get("TEST_TEMPLATE", "template1")},
    }
}

INSTALLED_APPS = [
    "home",
    *PLUGINS,
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
]
AGENTSQL = {"RUN_WITH_MIGRATE": not os.environ.get("APART")}
MIGRATION_MODULES = {"home": "home.before.migrations"} if BEFORE else {}

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
]

ROOT_URLCONF = "config.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

SECRET_KEY = "the site serves nobody"
ALLOWED_HOSTS = ["*"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
USE_TZ = True
WAGTAIL_SITE_NAME = "Notes"
WAGTAILADMIN_BASE_URL = "http://localhost"
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
