"""A helpdesk's settings.

HOST_BEFORE: the project as it was before it had plugins.
HOST_ALONE: `migrate` keeps to migrations.
HOST_TEST_MIGRATE: whether test databases are made by migrations (1) or from the models (0).
"""

import os

BEFORE = "HOST_BEFORE" in os.environ

SECRET_KEY = "only-for-tests"
DEBUG = False
ALLOWED_HOSTS = ["localhost"]
USE_TZ = True
ROOT_URLCONF = "helpdesk.urls"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"

SERVER = {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PROJECT_DEFAULT"]}
DATABASES = {
    "default": SERVER | {"TEST": {"MIGRATE": os.environ.get("HOST_TEST_MIGRATE", "1") == "1"}},
    "replica": SERVER | {"TEST": {"MIRROR": "default"}},
}
TEST_NON_SERIALIZED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "helpdesk_cache"}}

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "accounts",
    "desk",
]
if BEFORE:
    MIGRATION_MODULES = {"desk": "desk.before.migrations"}
else:
    INSTALLED_APPS += ["agentsql", "core_tables", "notes", "weather"]
    AGENTSQL = {"RUN_WITH_MIGRATE": "HOST_ALONE" not in os.environ}

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
