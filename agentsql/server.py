"""Who and where we are: the facts of the session and the server that decisions need."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentsql.facts import Dialect

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

LONGEST_WAIT_MS = 2**31 - 1  # the server's limit
SERVER = """
SELECT current_setting('server_version_num')::int,
       current_database()::text,
       current_user::text,
       current_schema()::text,
       current_schemas(false)::text[],
       pg_is_in_recovery(),
       current_setting('default_transaction_read_only')::bool,
       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
       has_database_privilege(current_database(), 'CREATE'),
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
       current_setting('max_locks_per_transaction')::int
         * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int),
       ARRAY(SELECT extname::text FROM pg_extension),
       ARRAY(SELECT nspname::text FROM pg_namespace),
       ARRAY(SELECT collname::text FROM pg_collation WHERE NOT collisdeterministic),
       (SELECT jsonb_object_agg(o.oid, jsonb_build_array(a.amname, o.opcname, o.opcdefault))
          FROM pg_opclass o JOIN pg_am a ON a.oid = o.opcmethod)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Facts of the session and the server that decisions need."""

    version: int
    database: str
    user: str
    current_schema: str | None
    search_path: tuple[str, ...]
    in_recovery: bool
    read_only: bool
    may_create_tables: bool
    may_create_in_database: bool
    superuser: bool
    lock_capacity: int
    extensions: frozenset[str]
    namespaces: frozenset[str]
    collations: frozenset[str]
    opclasses: Mapping[int, tuple[str, str, bool]]

    @property
    def dialect(self) -> Dialect:
        """What models must know of the server to be stated as facts."""
        defaults = {(method, name) for method, name, default in self.opclasses.values() if default}
        return Dialect(nondeterministic_collations=self.collations, default_opclasses=frozenset(defaults))


def ask(connection: BaseDatabaseWrapper) -> Server:
    """Ask who and where we are: one query."""
    row = rows(connection, SERVER)[0]
    return Server(
        version=row[0],
        database=row[1],
        user=row[2],
        current_schema=row[3],
        search_path=tuple(row[4]),
        in_recovery=row[5],
        read_only=row[6],
        may_create_tables=row[7],
        may_create_in_database=row[8],
        superuser=row[9],
        lock_capacity=row[10],
        extensions=frozenset(row[11]),
        namespaces=frozenset(row[12]),
        collations=frozenset(row[13]),
        opclasses={int(oid): tuple(facts) for oid, facts in _parsed(row[14]).items()},
    )


def available_extensions(connection: BaseDatabaseWrapper, names: Collection[str]) -> dict[str, bool]:
    """Return which extensions the server could install, and whether only a superuser may."""
    sql = """
        SELECT v.name::text, v.superuser AND NOT v.trusted
          FROM pg_available_extension_versions v JOIN pg_available_extensions e
            ON e.name = v.name AND e.default_version = v.version
         WHERE v.name = ANY(%s)
    """
    return dict(rows(connection, sql, [list(names)])) if names else {}


def limit_lock_wait(connection: BaseDatabaseWrapper, seconds: float) -> None:
    """Let the statements of this transaction wait so long for a lock; 0 would be no limit to the server."""
    milliseconds = min(max(1, round(seconds * 1000)), LONGEST_WAIT_MS)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {milliseconds}")


def rows(connection: BaseDatabaseWrapper, sql: str, params: list[Any] | None = None) -> list[Any]:
    """Return all rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _parsed(value: Any) -> dict[str, Any]:
    """Read a jsonb value, which Django's psycopg connection leaves as text."""
    return value if isinstance(value, dict) else dict(json.loads(value))
