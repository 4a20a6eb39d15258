"""What hangs below tables: partitions at any depth with their indexes and keys, and tables that inherit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from agentsql.names import TableName
from agentsql.schema import PartIndex, Partition
from agentsql.server import parsed, rows

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

TREE = """
WITH RECURSIVE tree AS (
    SELECT root.name AS root, to_regclass(root.name)::oid AS oid, 0 AS depth, 0::oid AS parent
      FROM unnest(%s::text[]) AS root (name)
    UNION ALL
    SELECT tree.root, i.inhrelid, tree.depth + 1, i.inhparent FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid
)
"""
PARTITION_KEYS = f"""{TREE}
SELECT tree.root, array_agg(DISTINCT coalesce(a.attname::text, ''))
  FROM tree JOIN pg_partitioned_table p ON p.partrelid = tree.oid
  CROSS JOIN unnest(p.partattrs::int2[]) AS k (attnum)
  LEFT JOIN pg_attribute a ON a.attrelid = tree.oid AND a.attnum = k.attnum
 GROUP BY tree.root
"""
PARTITIONS = f"""{TREE}
SELECT tree.root, n.nspname::text, c.relname::text, c.relkind::text, pn.nspname::text, p.relname::text,
       (SELECT jsonb_object_agg(x.relname, jsonb_build_array(
                   i.indisvalid, x.relispartition,
                   EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.oid AND k.contype IN ('p', 'u'))))
          FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid),
       (SELECT jsonb_object_agg(k.conname, k.convalidated)
          FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f')
  FROM tree
  JOIN pg_class c ON c.oid = tree.oid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class p ON p.oid = tree.parent JOIN pg_namespace pn ON pn.oid = p.relnamespace
 WHERE tree.depth > 0
 ORDER BY tree.depth, n.nspname, c.relname
"""


def partitions(
    connection: BaseDatabaseWrapper, roots: Mapping[str, TableName]
) -> dict[TableName, tuple[Partition, ...]]:
    """Return the partitions of each of these tables, given by quoted name; parents first."""
    if not roots:
        return {}
    found: dict[TableName, list[Partition]] = {root: [] for root in roots.values()}
    for root, namespace, name, relkind, above_in, above, indexes, keys in rows(connection, PARTITIONS, [list(roots)]):
        found[roots[root]].append(
            Partition(
                table=TableName(namespace, name),
                parent=TableName(above_in, above),
                leaf=relkind != "p",
                relkind=relkind,
                indexes={index: PartIndex(*facts) for index, facts in parsed(indexes).items()},
                foreign_keys=parsed(keys),
            )
        )
    return {root: tuple(parts) for root, parts in found.items()}


def heirs(connection: BaseDatabaseWrapper, roots: Mapping[str, TableName]) -> dict[TableName, list[TableName]]:
    """Return the tables that inherit from each of these, given by quoted name."""
    return {root: [part.table for part in parts] for root, parts in partitions(connection, roots).items()}


def key_columns(connection: BaseDatabaseWrapper, roots: Mapping[str, TableName]) -> dict[TableName, frozenset[str]]:
    """Return the columns of the partition keys at all depths; "" stands for an expression."""
    if not roots:
        return {}
    return {roots[root]: frozenset(columns) for root, columns in rows(connection, PARTITION_KEYS, [list(roots)])}
