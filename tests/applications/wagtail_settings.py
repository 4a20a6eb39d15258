"""Wagtail with all its contributed apps, none of which has heard of agentsql."""

from tests.applications.common_settings import *  # noqa: F403 a settings module

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
WAGTAIL_SITE_NAME = "Published"
WAGTAILADMIN_BASE_URL = "http://localhost"

INSTALLED_APPS = [
    "agentsql",
    "wagtail.contrib.forms",
    "wagtail.contrib.frontend_cache",
    "wagtail.contrib.redirects",
    "wagtail.contrib.routable_page",
    "wagtail.contrib.search_promotions",
    "wagtail.contrib.settings",
    "wagtail.contrib.simple_translation",
    "wagtail.contrib.sitemaps",
    "wagtail.contrib.styleguide",
    "wagtail.contrib.table_block",
    "wagtail.contrib.typed_table_block",
    "wagtail.locales",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelsearch",
    "modelcluster",
    "taggit",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

AGENTSQL = {
    "RUN_WITH_MIGRATE": False,  # migrations are looked at as they leave things
    "PLUGINS": [
        "wagtailforms",
        "wagtailfrontendcache",
        "wagtailredirects",
        "wagtailroutablepage",
        "wagtailsearchpromotions",
        "wagtailsettings",
        "simple_translation",
        "wagtailsitemaps",
        "wagtailstyleguide",
        "wagtailtableblock",
        "typed_table_block",
        "wagtaillocales",
        "wagtailembeds",
        "wagtailsites",
        "wagtailusers",
        "wagtailsnippets",
        "wagtaildocs",
        "wagtailimages",
        "wagtailsearch",
        "wagtailadmin",
        "wagtailcore",
        "modelsearch",
        "modelcluster",
        "taggit",
        "admin",
        "auth",
        "contenttypes",
        "sessions",
        "messages",
        "staticfiles",
    ],
}
