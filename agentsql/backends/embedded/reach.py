"""From a DATABASES entry to a server that runs and has the database: the parameters to connect with."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import errors, sql

from agentsql.backends.embedded.options import read_options
from agentsql.backends.embedded.server import shared_server

SUPERUSER = "postgres"
MAINTENANCE = "postgres"

# Said outright, so that no PG* variable of the environment leads elsewhere. An empty hostaddr means none.
STEADFAST = {
    "hostaddr": "",
    "target_session_attrs": "any",
    "channel_binding": "prefer",
    "gssencmode": "disable",
    "sslmode": "disable",
}

# (socket directory, postmaster's process id, database): those known to exist.
_known: set[tuple[str, int, str]] = set()


def reach(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Start the server and make the database, each when missing."""
    running = shared_server(read_options(settings)).join()
    address = {"host": running.socket_dir, "port": running.port, **STEADFAST}
    name = settings.get("NAME")
    if name:
        known = (running.socket_dir, running.pid, str(name))
        if known not in _known:
            _ensure_database(address, str(name), settings.get("USER") or SUPERUSER)
            _known.add(known)
    return address | {"user": settings.get("USER") or SUPERUSER}


def _ensure_database(address: dict[str, Any], name: str, owner: str) -> None:
    with psycopg.connect(**address, user=SUPERUSER, dbname=MAINTENANCE, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None:
            return
        # Another process may be making it at this moment; the catalog's own index then decides.
        with suppress(errors.DuplicateDatabase, errors.UniqueViolation):
            statement = sql.SQL("CREATE DATABASE {} OWNER {}")
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(owner)))
