"""allauth with all its apps that keep something, and OAuth Toolkit, none of which has heard of agentsql."""

from tests.applications.common_settings import *  # noqa: F403 a settings module
from tests.applications.common_settings import MIDDLEWARE

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIDDLEWARE = [*MIDDLEWARE, "allauth.account.middleware.AccountMiddleware"]

INSTALLED_APPS = [
    "agentsql",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sites",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.idp.oidc",
    "oauth2_provider",
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
        "staticfiles",
        "allauth",
        "account",
        "socialaccount",
        "mfa",
        "usersessions",
        "allauth_idp_oidc",
        "oauth2_provider",
    ],
}
