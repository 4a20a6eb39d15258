"""What columns stand on that could be wider: one query for all of them.

Of what depends on a column, RememberAllDependentForRebuilding() in PostgreSQL's src/backend/commands/tablecmds.c
tells for what the server refuses another type; find_composite_type_dependencies() adds columns of its table's row type.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, cast

from agentsql.conversions import NOW
from agentsql.schema import Key, Kind, Table
from agentsql.server import rows
from agentsql.situation import Ground
from agentsql.widening import candidates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.backends.base.base import BaseDatabaseWrapper

    from agentsql.diff import Diff
    from agentsql.schema import SchemaObject

GROUNDS = """
WITH RECURSIVE asked AS (
    SELECT * FROM unnest(%s::oid[], %s::name[]) WITH ORDINALITY AS t (root, name, place)
), tree AS (
    SELECT root, root AS oid FROM asked UNION SELECT root, inhrelid FROM tree JOIN pg_inherits ON inhparent = oid
), columns AS (
    SELECT asked.place, asked.root, c.relkind, a.*
      FROM asked JOIN tree USING (root) JOIN pg_class c ON c.oid = tree.oid
      JOIN pg_attribute a ON a.attrelid = tree.oid AND a.attname = asked.name
)
SELECT c.place, 'collation', '"' || n.nspname || '"."' || replace(l.collname, '"', '""') || '"'
  FROM columns c JOIN pg_type t ON t.oid = c.atttypid
  JOIN pg_collation l ON l.oid = c.attcollation JOIN pg_namespace n ON n.oid = l.collnamespace
 WHERE c.attrelid = c.root AND c.attcollation <> t.typcollation
UNION
SELECT c.place, 'obstacle', 'its own storage or compression'
  FROM columns c JOIN pg_type t ON t.oid = c.atttypid WHERE c.attstorage <> t.typstorage OR c.attcompression <> ''
UNION
SELECT c.place, 'index', 'default ' || pg_get_expr(f.adbin, f.adrelid)
  FROM columns c JOIN pg_attrdef f ON f.adrelid = c.attrelid AND f.adnum = c.attnum
 WHERE c.atttypid = 'timestamp'::regtype AND pg_get_expr(f.adbin, f.adrelid) <> ALL (%s)
UNION
SELECT c.place, 'dependent',
       CASE WHEN r.rulename = '_RETURN' THEN pg_describe_object('pg_class'::regclass, r.ev_class, 0)
            WHEN f.oid IS NOT NULL THEN pg_describe_object('pg_class'::regclass, f.adrelid, f.adnum)
            ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END
  FROM columns c
  JOIN pg_depend d ON (d.refclassid, d.refobjid, d.refobjsubid) = ('pg_class'::regclass, c.attrelid, c.attnum)
  LEFT JOIN pg_rewrite r ON (d.classid, d.objid) = ('pg_rewrite'::regclass, r.oid)
  LEFT JOIN pg_attrdef f ON (d.classid, d.objid) = ('pg_attrdef'::regclass, f.oid)
 WHERE d.classid IN ('pg_rewrite'::regclass, 'pg_trigger'::regclass, 'pg_policy'::regclass, 'pg_proc'::regclass,
                     'pg_publication_rel'::regclass)
    OR (f.adrelid, f.adnum) <> (c.attrelid, c.attnum) OR (d.classid = 'pg_class'::regclass AND d.objsubid <> 0)
UNION
SELECT c.place, 'dependent', pg_describe_object(d.classid, d.objid, d.objsubid) || ', which is of its row type'
  FROM columns c JOIN pg_class s ON s.oid = c.attrelid JOIN pg_type t ON t.oid = s.reltype
  JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray)
  JOIN pg_class x ON (d.classid, d.objid) = ('pg_class'::regclass, x.oid) AND x.relkind IN ('r', 'p', 'm')
 WHERE d.objsubid <> 0
UNION
SELECT c.place, 'dependent', 'the partition key of ' || d.objid::regclass || ', which only a new table changes'
  FROM columns c
  JOIN pg_depend d ON (d.classid, d.objid, d.objsubid) = ('pg_class'::regclass, c.attrelid, c.attnum)
 WHERE (d.refclassid, d.refobjid, d.refobjsubid) = ('pg_class'::regclass, c.attrelid, 0) AND d.deptype = 'i'
UNION
SELECT c.place, 'dependent', 'its inheritance from ' || h.inhparent::regclass
  FROM columns c JOIN pg_inherits h ON h.inhrelid = c.attrelid
  JOIN pg_attribute p ON p.attrelid = h.inhparent AND p.attname = c.attname
 WHERE NOT EXISTS (SELECT FROM tree WHERE (tree.root, tree.oid) = (c.root, h.inhparent))
UNION
SELECT c.place, 'companion', a.attname::text
  FROM columns c
  JOIN pg_depend d ON (d.refclassid, d.refobjid, d.refobjsubid) = ('pg_class'::regclass, c.attrelid, c.attnum)
  JOIN pg_depend o ON (o.classid, o.objid, o.refclassid, o.refobjid) = (d.classid, d.objid, d.refclassid, d.refobjid)
  JOIN pg_attribute b ON (b.attrelid, b.attnum) = (o.refobjid, o.refobjsubid)
  JOIN pg_attribute a ON (a.attrelid, a.attname) = (c.root, b.attname)
 WHERE d.classid = 'pg_statistic_ext'::regclass AND a.attname <> c.attname
UNION
SELECT c.place, 'obstacle', 'check constraint ' || k.conname
  FROM columns c JOIN pg_constraint k ON k.conrelid = c.attrelid AND k.contype = 'c' AND c.attnum = ANY (k.conkey)
UNION
SELECT c.place,
       CASE WHEN i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid AND c.relkind = 'r' AND s.relkind <> 'p'
            THEN 'index' ELSE 'obstacle' END,
       'index ' || x.relname
  FROM columns c JOIN pg_class s ON s.oid = c.root
  JOIN pg_index i ON i.indrelid = c.attrelid JOIN pg_class x ON x.oid = i.indexrelid
 WHERE c.attnum = ANY (i.indkey)
    OR EXISTS (SELECT FROM pg_depend d
                WHERE (d.classid, d.objid) = ('pg_class'::regclass, i.indexrelid)
                  AND (d.refclassid, d.refobjid, d.refobjsubid) = ('pg_class'::regclass, c.attrelid, c.attnum))
ORDER BY 1, 2, 3
"""


def grounds(connection: BaseDatabaseWrapper, difference: Diff, actual: Mapping[Key, SchemaObject]) -> dict[Key, Ground]:
    """Ask what columns stand on that could be wider: one query, and none where there is no such column."""
    keys = [wanted.key for wanted, _ in candidates(difference)]
    if not keys:
        return {}
    oids = [cast("Table", actual[Key(key.table, Kind.TABLE)]).oid for key in keys]
    facts: dict[tuple[Key, str], list[str]] = defaultdict(list)
    for place, fact, value in rows(connection, GROUNDS, [oids, [key.identity[0] for key in keys], list(NOW)]):
        if value is not None:  # else it was dropped just now
            facts[keys[place - 1], fact].append(value)
    return {
        key: Ground(
            collation="".join(facts[key, "collation"]),
            obstacles=tuple(facts[key, "obstacle"]),
            indexes=tuple(facts[key, "index"]),
            dependents=tuple(facts[key, "dependent"]),
            companions=tuple(facts[key, "companion"]),
        )
        for key in keys
    }
