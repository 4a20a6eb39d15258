"""All that a database holds, structure and rows, so that a test can say that nothing of it was lost or altered."""

from dataclasses import dataclass

from tests.oracle import fingerprint

SCHEMAS = """
SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1
"""
# Everything else with a name and an owner: views, sequences, types, functions, triggers, policies, grants.
OTHERS = """
SELECT 'relation ' || c.oid::regclass, concat_ws(' ', c.relkind::text, c.relowner::regrole, c.relacl::text,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
  FROM pg_class c WHERE c.relnamespace = quote_ident(%s)::regnamespace
UNION ALL
SELECT 'type ' || t.oid::regtype, concat_ws(' ', t.typtype::text, t.typowner::regrole,
       ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder)::text)
  FROM pg_type t WHERE t.typnamespace = quote_ident(%s)::regnamespace
UNION ALL
SELECT 'function ' || p.oid::regprocedure, md5(p.prosrc)
  FROM pg_proc p WHERE p.pronamespace = quote_ident(%s)::regnamespace
UNION ALL
SELECT 'trigger ' || g.tgname || ' on ' || g.tgrelid::regclass, pg_get_triggerdef(g.oid)
  FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
 WHERE NOT g.tgisinternal AND c.relnamespace = quote_ident(%s)::regnamespace
"""


@dataclass(frozen=True, slots=True)
class Portrait:
    """facts: everything that can be said of the structure, a path to a value. rows: a hash a table, of `columns`."""

    facts: dict
    rows: dict
    columns: dict

    @classmethod
    def of(cls, cursor, columns=None):
        """Draw the database; only some columns of some tables, where they are given."""
        facts, found = {}, {}
        for schema in [row[0] for row in _rows(cursor, SCHEMAS)]:
            tables = fingerprint(cursor, schema)
            facts |= {(schema, *path): value for path, value in _leaves(tables)}
            facts |= {(schema, name): value for name, value in _rows(cursor, OTHERS, *[schema] * 4)}
            found |= {(schema, name): sorted(table["columns"]) for name, table in tables.items()}
        columns = columns or found
        return cls(facts, {table: _hash(cursor, table, names) for table, names in columns.items()}, columns)

    def lost(self, cursor):
        """Return what is not there any more as it is in this portrait, by the same columns of the same tables."""
        now = Portrait.of(cursor, self.columns)
        gone = [f"{' '.join(path)}: {value!r}" for path, value in self.facts.items() if now.facts.get(path) != value]
        return gone + [f"rows of {table}" for table, digest in self.rows.items() if now.rows[table] != digest]


def _hash(cursor, table, columns):
    place = ".".join(f'"{part}"' for part in table)
    names = ", ".join(f'"{column}"' for column in columns)
    row = f"md5(ROW({names})::text)"
    return _rows(cursor, f"SELECT count(*), md5(string_agg({row}, '' ORDER BY {row})) FROM {place}")[0]


def _leaves(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    else:
        yield path, value


def _rows(cursor, sql, *params):
    cursor.execute(sql, params or None)
    return cursor.fetchall()
