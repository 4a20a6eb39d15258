"""Who and where we are: the facts of the session and the server that decisions need."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentsql.editor import quote
from agentsql.facts import Dialect

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

SERVER = """
SELECT current_setting('server_version_num')::int,
       pg_backend_pid(),
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
       (SELECT setting::float8 / 1000 FROM pg_settings WHERE name = 'deadlock_timeout'),
       (SELECT jsonb_object_agg(o.oid, jsonb_build_array(a.amname, o.opcname, o.opcdefault))
          FROM pg_opclass o JOIN pg_am a ON a.oid = o.opcmethod)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Facts of the session and the server that decisions need.

    pooled: a pooler stands between, and each transaction may have another server connection. deadlock_timeout: seconds.
    """

    version: int
    pooled: bool
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
    deadlock_timeout: float
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
        pooled=row[1] != connection.connection.info.backend_pid,
        database=row[2],
        user=row[3],
        current_schema=row[4],
        search_path=tuple(row[5]),
        in_recovery=row[6],
        read_only=row[7],
        may_create_tables=row[8],
        may_create_in_database=row[9],
        superuser=row[10],
        lock_capacity=row[11],
        extensions=frozenset(row[12]),
        namespaces=frozenset(row[13]),
        collations=frozenset(row[14]),
        deadlock_timeout=row[15],
        opclasses={int(oid): tuple(facts) for oid, facts in parsed(row[16]).items()},
    )


INVALID = """
SELECT FROM pg_index i
 WHERE i.indexrelid = to_regclass(%s) AND NOT i.indisvalid
   AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
"""


def is_invalid(name: str, connection: BaseDatabaseWrapper) -> bool:
    """Tell whether an index is there, invalid, and not in the making; nothing else may ever be dropped."""
    return bool(rows(connection, INVALID, [name]))


THERE = "SELECT to_regclass(t.name) IS NOT NULL FROM unnest(%s::text[]) WITH ORDINALITY AS t (name, n) ORDER BY t.n"


def exist(connection: BaseDatabaseWrapper, tables: Iterable[str]) -> list[bool]:
    """Tell of each table, named as a model's `db_table`, whether it is there."""
    return [there for (there,) in rows(connection, THERE, [[quote(name) for name in tables]])]


def rows(connection: BaseDatabaseWrapper, sql: str, params: list[Any] | dict[str, Any] | None = None) -> list[Any]:
    """Return all rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def parsed(value: Any) -> dict[str, Any]:
    """Read a jsonb object, which Django's psycopg connection leaves as text."""
    return value if isinstance(value, dict) else dict(json.loads(value or "{}"))
