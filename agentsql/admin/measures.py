"""What only the page wants to know of a database: sizes, invalid indexes and versions, by a query each.

None counts rows or reads a table: the planner's estimate and the sizes of files are there without.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple

from agentsql.checks.versions import ASK
from agentsql.server import rows

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

# Of a partitioned table, its partitions at any depth together. No estimate (-1) where nobody has analysed one yet.
PARTS = """
  FROM unnest(%s::oid[]) AS t (oid)
 CROSS JOIN LATERAL (SELECT t.oid::regclass UNION SELECT relid FROM pg_partition_tree(t.oid::regclass)) AS part (relid)
"""
SIZES = f"""
SELECT t.oid::bigint, sum(pg_table_size(c.oid))::bigint, sum(pg_indexes_size(c.oid))::bigint,
       CASE WHEN bool_and(c.reltuples >= 0 OR c.relkind = 'p') THEN sum(c.reltuples) FILTER (WHERE c.relkind <> 'p') END
{PARTS}
  JOIN pg_class c ON c.oid = part.relid
 GROUP BY t.oid
"""
INVALID = f"""
SELECT i.indexrelid::regclass::text, i.indrelid::regclass::text, p.pid
{PARTS}
  JOIN pg_index i ON i.indrelid = part.relid AND NOT i.indisvalid
  LEFT JOIN pg_stat_progress_create_index p ON p.index_relid = i.indexrelid
 ORDER BY 2, 1
"""


class Size(NamedTuple):
    """Bytes of a table with its TOAST and of its indexes; about how many rows, None where that is not known."""

    table: int
    indexes: int
    rows: int | None


class InvalidIndex(NamedTuple):
    """An index that serves no query; `pid` is of the backend that builds it now, None where nobody does."""

    name: str
    table: str
    pid: int | None


class Versions(NamedTuple):
    """Of the server, of pgvector in this database and of pgvector on the server; "" where there is none."""

    server: str
    pgvector: str
    offered: str


def sizes(connection: BaseDatabaseWrapper, tables: Collection[int]) -> Mapping[int, Size]:
    """Return sizes by the oid of each table."""
    found = rows(connection, SIZES, [list(tables)])
    return {oid: Size(table, indexes, None if many is None else round(many)) for oid, table, indexes, many in found}


def invalid(connection: BaseDatabaseWrapper, tables: Collection[int]) -> tuple[InvalidIndex, ...]:
    """Return the invalid indexes of tables and of their partitions."""
    return tuple(InvalidIndex(*row) for row in rows(connection, INVALID, [list(tables)]))


def versions(connection: BaseDatabaseWrapper) -> Versions:
    """Return the versions; that of the server is known since it was connected to."""
    installed, offered = rows(connection, ASK)[0]
    server = connection.connection.info.parameter_status("server_version") or ""
    return Versions(server, installed or "", offered or "")
