"""What the settings of every application share: the project's server, and the least Django they ask for."""

import os
from pathlib import Path

from settings.database import database

BASE_DIR = Path(__file__).resolve().parent.parent.parent

DATABASES = {
    "default": database(os.environ.get("DATABASE_URL", ""), data_dir=BASE_DIR / ".postgres")
    | {"NAME": os.environ["APPLICATION_DATABASE"]}
}

SECRET_KEY = "the applications serve nobody"
SITE_ID = 1
STATIC_URL = "static/"
USE_TZ = True

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
            ],
        },
    },
]
