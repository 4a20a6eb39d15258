"""Django settings: what differs between installations comes from the environment, or from ``.env``.

=================== =======================================================================================
DATABASE_URL        postgres://USER:PASSWORD@HOST:PORT/NAME; unset means a PostgreSQL that starts itself
DEBUG               on when unset; whatever follows is required, and refused when weak, once it is off
SECRET_KEY          unset means a random one for each process
ALLOWED_HOSTS       separated by commas; unset means this machine only
SECURE_SSL_REDIRECT on when DEBUG is off
=================== =======================================================================================
"""

from pathlib import Path

import environ  # type: ignore[import-untyped]

from settings.database import database
from settings.security import allowed_hosts, secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=True)
# Read without django-environ, which takes a leading $ for the name of another variable.
SECRET_KEY = secret_key(env.ENVIRON.get("SECRET_KEY", ""), debug=DEBUG)
ALLOWED_HOSTS = allowed_hosts(env.list("ALLOWED_HOSTS", default=[]), debug=DEBUG)

DATABASES = {"default": database(env.ENVIRON.get("DATABASE_URL", ""), data_dir=BASE_DIR / ".postgres")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "agentsql",
    "core_tables",
    "example_plugin",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "settings.urls"

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

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "build" / "static"

SESSION_COOKIE_SECURE = not DEBUG
CSRF_COOKIE_SECURE = not DEBUG
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=not DEBUG)
# An hour: long enough to count, short enough to take back. Subdomains and preloading are the owner's to
# promise.
SECURE_HSTS_SECONDS = 0 if DEBUG else 3600
