"""Django CMS with aliases, versions and filer's files, none of which has heard of agentsql."""

from tests.applications.common_settings import *  # noqa: F403 a settings module
from tests.applications.common_settings import TEMPLATES

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "German")]
X_FRAME_OPTIONS = "SAMEORIGIN"
CMS_CONFIRM_VERSION4 = True
CMS_TEMPLATES = [("page.html", "Page")]
TEMPLATES[0]["OPTIONS"]["context_processors"] += [
    "cms.context_processors.cms_settings",
    "sekizai.context_processors.sekizai",
]

INSTALLED_APPS = [
    "agentsql",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sites",
    "django.contrib.staticfiles",
    "cms",
    "menus",
    "sekizai",
    "treebeard",
    "parler",
    "easy_thumbnails",
    "filer",
    "djangocms_alias",
    "djangocms_versioning",
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
        "cms",
        "menus",
        "sekizai",
        "treebeard",
        "parler",
        "easy_thumbnails",
        "filer",
        "djangocms_alias",
        "djangocms_versioning",
    ],
}
