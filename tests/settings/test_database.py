"""DATABASE_URL to a DATABASES entry, as a table."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from settings.database import database

DATA_DIR = Path("/project/.postgres")
EMPTY = {"NAME": "", "USER": "", "PASSWORD": "", "HOST": "", "PORT": "", "OPTIONS": {}}


@pytest.mark.parametrize("url", ["", "  "])
def test_unset_means_embedded(url):
    assert database(url, data_dir=DATA_DIR) == {
        "ENGINE": "agentsql.backends.embedded",
        "NAME": "agentsql",
        "DATA_DIR": DATA_DIR,
    }


@pytest.mark.parametrize(
    ("url", "entry"),
    [
        (
            "postgres://user:pw@host:5433/name",
            {"NAME": "name", "USER": "user", "PASSWORD": "pw", "HOST": "host", "PORT": "5433"},
        ),
        ("postgresql://host/name", {"NAME": "name", "HOST": "host"}),
        (" postgres:///name\n", {"NAME": "name"}),
        ("postgres:///name?host=/var/run/postgresql", {"NAME": "name", "HOST": "/var/run/postgresql"}),
        ("postgres://%2Fvar%2FRun%2Fpg/name", {"NAME": "name", "HOST": "/var/Run/pg"}),
        (
            "postgres://u:p%40%3A%2F%23%25+@h/n",
            {"NAME": "n", "USER": "u", "PASSWORD": "p@:/#%+", "HOST": "h"},
        ),
        ("postgres://u:p#w$@h/n", {"NAME": "n", "USER": "u", "PASSWORD": "p#w$", "HOST": "h"}),
        ("postgres://[::1]:1/n", {"NAME": "n", "HOST": "::1", "PORT": "1"}),
        ("postgres://a:1,b:2/n", {"NAME": "n", "HOST": "a,b", "PORT": "1,2"}),
        ("postgres://h/d%C3%A9j%C3%A0", {"NAME": "déjà", "HOST": "h"}),
        (
            "postgres://h/n?sslmode=require&options=-csearch_path%3Dai",
            {"NAME": "n", "HOST": "h", "OPTIONS": {"sslmode": "require", "options": "-csearch_path=ai"}},
        ),
        ("postgres://?service=main", {"OPTIONS": {"service": "main"}}),
    ],
)
def test_urls_that_work(url, entry):
    found = database(url, data_dir=DATA_DIR)
    assert found == {"ENGINE": "django.db.backends.postgresql", **EMPTY, **entry}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://user:secret@host/name", "does not name a PostgreSQL database"),
        ("sqlite:///secret.db", "does not name a PostgreSQL database"),
        ("user:secret@host/name", "does not name a PostgreSQL database"),
        ("host=localhost password=secret", "does not name a PostgreSQL database"),
        ("postgres://user:secret%zz@host/name", "is malformed"),
        ("postgres://user:secret@[::1/name", "is malformed"),
        ("postgres://user:secret@host/name?secret=1", "is malformed"),
        ("postgres://user:secret@host", "names no database"),
        ("postgres://user:secret@host/", "names no database"),
        ("postgres://user:my@secret@host/name", "second @"),
        ("postgres://user:secret@host:secret/name", "port"),
        ("postgres://user:secret@host:65536/name", "port"),
    ],
)
def test_urls_that_do_not(url, words):
    with pytest.raises(ImproperlyConfigured) as caught:
        database(url, data_dir=DATA_DIR)
    message = str(caught.value)
    assert message.startswith("DATABASE_URL ")
    assert words in message
    assert "secret" not in message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
