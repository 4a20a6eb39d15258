"""What a schema holds, as plain data: the judge of every test that says two databases are alike.

It shares nothing with `agentsql.catalog`, so that neither hides the other's mistakes. Column order is left
out: a column that is added later stands last. A NOT NULL is a fact of its column, whether or not the server
also names it as a constraint (PostgreSQL 18 does).
"""

from collections.abc import Iterator
from typing import Any

Fingerprint = dict[str, dict[str, Any]]

# Names outside search_path are printed in full, so a schema is read from its own point of view.
ENTER = """
SELECT current_setting('search_path'), set_config('search_path', quote_ident(%s) || ', public', false)
"""
LEAVE = "SELECT set_config('search_path', %s, false)"

TABLES = """
SELECT c.relname::text, c.relkind::text, c.relpersistence::text, obj_description(c.oid, 'pg_class')
  FROM pg_class c
 WHERE c.relnamespace = quote_ident(%s)::regnamespace AND c.relkind IN ('r', 'p')
 ORDER BY c.relname::text COLLATE "C"
"""

COLUMNS = """
SELECT c.relname::text, a.attname::text,
       format_type(a.atttypid, a.atttypmod) AS type,
       a.attnotnull AND NOT EXISTS (
         SELECT FROM pg_constraint n
          WHERE n.conrelid = c.oid AND n.contype = 'n' AND n.conkey[1] = a.attnum AND NOT n.convalidated
       ) AS not_null,
       CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS "default",
       a.attidentity::text AS identity,
       CASE WHEN a.attgenerated <> '' THEN a.attgenerated::text || ': ' || pg_get_expr(d.adbin, d.adrelid) END
         AS generated,
       (SELECT l.collname::text FROM pg_collation l JOIN pg_type t ON t.oid = a.atttypid
         WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation) AS collation,
       ARRAY(SELECT concat_ws(' ', e.deptype::text, s.seqrelid::regclass, format_type(s.seqtypid, NULL),
                              s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle)
               FROM pg_depend e JOIN pg_sequence s ON s.seqrelid = e.objid
              WHERE e.classid = 'pg_class'::regclass AND e.deptype IN ('a', 'i')
                AND e.refclassid = 'pg_class'::regclass AND e.refobjid = c.oid AND e.refobjsubid = a.attnum
              ORDER BY 1) AS sequences,
       col_description(c.oid, a.attnum) AS comment
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE c.relnamespace = quote_ident(%s)::regnamespace AND c.relkind IN ('r', 'p')
   AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY c.relname::text COLLATE "C", a.attname::text COLLATE "C"
"""

CONSTRAINTS = """
SELECT c.relname::text, k.conname::text, k.contype::text AS kind,
       pg_get_constraintdef(k.oid, true) AS definition,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, place)
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attnum ORDER BY u.place) AS columns,
       obj_description(k.oid, 'pg_constraint') AS comment
  FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
 WHERE c.relnamespace = quote_ident(%s)::regnamespace AND c.relkind IN ('r', 'p') AND k.contype <> 'n'
 ORDER BY c.relname::text COLLATE "C", k.conname::text COLLATE "C"
"""

INDEXES = """
SELECT c.relname::text, x.relname::text, pg_get_indexdef(i.indexrelid, 0, true) AS definition,
       i.indisvalid AND i.indisready AS valid, obj_description(x.oid, 'pg_class') AS comment
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_class x ON x.oid = i.indexrelid
 WHERE c.relnamespace = quote_ident(%s)::regnamespace AND c.relkind IN ('r', 'p')
 ORDER BY c.relname::text COLLATE "C", x.relname::text COLLATE "C"
"""

PARTS = {"columns": COLUMNS, "constraints": CONSTRAINTS, "indexes": INDEXES}


def fingerprint(cursor: Any, namespace: str = "public") -> Fingerprint:
    """Return all that a schema's tables hold, by table: six queries, whatever there is.

    {"blog_post": {"kind": "r", "persistence": "p", "comment": None,
                   "columns": {"id": {"type": "bigint", "not_null": True, ...}},
                   "constraints": {name: {"kind": "f", "columns": ["by_id"], "definition": "FOREIGN..."}},
                   "indexes": {name: {"definition": "CREATE INDEX ...", "valid": True, "comment": None}}}}

    Args:
        cursor: Django's or psycopg's, of a transaction that has not failed.
        namespace: the PostgreSQL schema.
    """
    search_path = _rows(cursor, ENTER, namespace)[0][0]
    try:
        tables = {
            table: {"kind": kind, "persistence": persistence, "comment": comment} | {part: {} for part in PARTS}
            for table, kind, persistence, comment in _rows(cursor, TABLES, namespace)
        }
        for part, sql in PARTS.items():
            rows = _rows(cursor, sql, namespace)
            facts = [column[0] for column in cursor.description[2:]]
            for table, name, *values in rows:
                tables[table][part][name] = dict(zip(facts, values, strict=True))
    finally:
        cursor.execute(LEAVE, [search_path])
    return tables


def differences(expected: Fingerprint, found: Fingerprint) -> list[str]:
    """Return what differs, a line for each fact: `- ` is expected only, `+ ` is found only."""
    left, right = dict(_flat(expected)), dict(_flat(found))
    lines = []
    for path in sorted(left.keys() | right.keys()):
        if left.get(path) != right.get(path):
            lines += [
                f"{sign} {' '.join(path)}: {side[path]!r}" for sign, side in (("-", left), ("+", right)) if path in side
            ]
    return lines


def _flat(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, (*path, key))
    else:
        yield path, value


def _rows(cursor: Any, sql: str, *parameters: str) -> list[Any]:
    cursor.execute(sql, parameters)
    return list(cursor.fetchall())
