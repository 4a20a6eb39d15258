"""The server that the benchmarks measure against, and databases on it that live as long as a `with` block."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

MAINTENANCE = "postgres"


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is: libpq's parameters, all but the database."""

    address: Mapping[str, Any]

    @property
    def version(self) -> str:
        with self.session() as session:
            return str(session.info.parameter_status("server_version")).split(" ")[0]

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database, and drop it afterwards."""
        name = f"bench_{uuid.uuid4().hex[:12]}"
        with self.session() as session:
            session.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            yield name
        finally:
            with self.session() as session:
                session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def entry(self, name: str) -> dict[str, Any]:
        """Return the database as a DATABASES entry."""
        options = {"dbname": name, **self.address}
        return {"ENGINE": "django.db.backends.postgresql", "NAME": options.pop("dbname"), "OPTIONS": options}

    def conninfo(self, name: str) -> str:
        return make_conninfo("", **{**self.address, "dbname": name})

    def session(self, name: str = MAINTENANCE) -> psycopg.Connection:
        return psycopg.connect(self.conninfo(name), autocommit=True)


@contextmanager
def server(directory: Path) -> Iterator[Server]:
    """Yield the server that DATABASE_URL names, or one of our own that is up all the while."""
    url = os.environ.get("DATABASE_URL", "")
    if url:
        address = conninfo_to_dict(url)
        address.pop("dbname", None)
        yield Server(address)
        return
    # Imported late: the wheel with its programs is an optional dependency.
    from agentsql.backends.embedded.options import read_options  # noqa: PLC0415
    from agentsql.backends.embedded.reach import reach  # noqa: PLC0415
    from agentsql.backends.embedded.server import shared_server  # noqa: PLC0415

    settings = {"DATA_DIR": directory / "postgres"}
    try:
        yield Server(reach(settings))
    finally:
        shared_server(read_options(settings)).leave()


def psql() -> str:
    """Return the psql on the PATH, or else the embedded server's."""
    found = shutil.which("psql")
    if found:
        return found
    from agentsql.backends.embedded.binaries import find_programs  # noqa: PLC0415 see above
    from agentsql.backends.embedded.options import NEWEST  # noqa: PLC0415

    return str(find_programs(NEWEST) / "psql")
