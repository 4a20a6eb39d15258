"""DATABASE_URL to a DATABASES entry.

libpq itself reads the URL, so that it means here what it means to psql: percent-encoding, sockets, several
hosts, and every connection option. What goes wrong is told without the URL, which may hold a password.
"""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

SCHEMES = ("postgres://", "postgresql://")
SHAPE = "postgres://USER:PASSWORD@HOST:PORT/NAME"
HIGHEST_PORT = 65535

# libpq's names for what Django keeps outside OPTIONS.
KEYS = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}


def database(url: str, *, data_dir: Path) -> dict[str, Any]:
    """Return the entry for a URL, or for the embedded server when there is none."""
    if not url.strip():
        return {"ENGINE": "agentsql.backends.embedded", "NAME": "agentsql", "DATA_DIR": data_dir}
    found = _parse(url.strip())
    entry = {key: found.pop(name, "") for name, key in KEYS.items()}
    return {"ENGINE": "django.db.backends.postgresql", **entry, "OPTIONS": found}


def _parse(url: str) -> dict[str, Any]:
    if not url.startswith(SCHEMES):
        raise ImproperlyConfigured(f"DATABASE_URL does not name a PostgreSQL database: write {SHAPE}.")
    try:
        found = dict(conninfo_to_dict(url))
    except ProgrammingError:
        # Without its cause, whose text repeats the URL.
        raise ImproperlyConfigured(
            f"DATABASE_URL is malformed: write {SHAPE}, special characters percent-encoded, and after it "
            "only options that PostgreSQL knows."
        ) from None
    if not found.get("dbname") and "service" not in found:
        raise ImproperlyConfigured("DATABASE_URL names no database: end its path with /NAME.")
    if "@" in str(found.get("host", "")).lstrip("@"):
        raise ImproperlyConfigured("DATABASE_URL has a second @: in a user name or a password write it as %40.")
    if not _are_ports(str(found.get("port", ""))):
        raise ImproperlyConfigured("DATABASE_URL has a port that is not a number from 1 to 65535.")
    return found


def _are_ports(ports: str) -> bool:
    """Check one port for each of the hosts, or for all; an empty one means the default."""
    return all(
        not port or (port.isascii() and port.isdigit() and 1 <= int(port) <= HIGHEST_PORT) for port in ports.split(",")
    )
