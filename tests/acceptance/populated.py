"""Tables that hold rows: filled by the columns' types, and judged by what a run may not change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection, models

from agentsql.discover import Plugin
from tests.arena import Arena, Registry, oracle
from tests.losses import quoted
from tests.oracle import Fingerprint, differences

ROWS = 40
NOTHING: Mapping[tuple[str, str], str] = {}
# A value for the row number g. Every table has the rows 1 to ROWS, so a key that holds g has its target.
VALUES = {
    r"smallint|integer|bigint|numeric.*|double precision": "g",
    r"boolean": "g % 2 = 0",
    r"text|character varying.*": "'v' || g",
    r"uuid": "md5(g::text)::uuid",
    r"date": "date '2020-01-01' + g",
    r"timestamp.*": "timestamptz '2020-01-01 00:00Z' + g * interval '1 day'",
    r"time .*": "time '00:00' + g * interval '1 minute'",
    r"interval": "g * interval '1 hour'",
    r"jsonb": "jsonb_build_object('n', g)",
    r"bytea": "int4send(g)",
    r"inet": "inet '10.0.0.0' + g",
    r"integer\[\]": "ARRAY[[g, 1, 2], [g, 3, 4], [g, 5, 6]]",
    r"character varying.*\[\]": "ARRAY['v' || g, 'it''s']",
    r"int4range": "int4range(g, g + 1)",
    r"int8range": "int8range(g, g + 1)",
    r"numrange": "numrange(g, g + 1)",
    r"daterange": "daterange(date '2020-01-01' + g, date '2020-01-02' + g)",
    r"tstzrange": "tstzrange(to_timestamp(g * 86400), to_timestamp(g * 86400 + 86400))",
    r"tsvector": "to_tsvector('simple', 'v' || g)",
    r"hstore": "hstore('n', g::text)",
    r"vector.*": "('[' || g || ',1,2]')::vector",
    r"halfvec.*": "array_fill(g::real, ARRAY[4000])::halfvec",
    r"sparsevec.*": "('{1:' || g || '}/9')::sparsevec",
    r"bit.*": "g::bit(8)",
}
# A key to a partitioned table has a twin for each of its partitions, which no server before 18 ever marks as valid.
INVALID = """
SELECT conname::text FROM pg_constraint k
 WHERE connamespace = %s::regnamespace AND (NOT convalidated OR conname LIKE 'agentsql%%')
   AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid)
UNION ALL
SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indrelid
 WHERE relnamespace = %s::regnamespace AND NOT (indisvalid AND indisready)
"""
TIMEOUTS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")


def fill(arena: Arena, *, special: Mapping[tuple[str, str], str] = NOTHING, rows: int = ROWS) -> None:
    """Put rows into every table, in one transaction: Django's keys are looked at when it ends.

    The fifth row holds NULL wherever it may. `special` gives SQL for (table, column) where a constraint wants more.
    """
    statements = ["BEGIN"]
    for table, facts in arena.fingerprint().items():
        names, values = [], []
        for name, column in facts["columns"].items():
            if not (column["generated"] or column["identity"]):
                sql = special.get((table, name)) or value(column["type"])
                names.append(quoted(name))
                values.append(sql if column["not_null"] else f"CASE WHEN g <> 5 THEN {sql} END")
        columns = f"({', '.join(names)})" if names else ""
        series = f"generate_series(1, {rows}) AS g"
        statements.append(f"INSERT INTO {quoted(table)} {columns} SELECT {', '.join(values)} FROM {series}")
    arena.sql(*statements, "COMMIT")


def value(column_type: str) -> str:
    """Return SQL for the value of a type in row g."""
    return next(sql for pattern, sql in reversed(VALUES.items()) if re.fullmatch(pattern, column_type))


def contents(arena: Arena, tables: Fingerprint) -> dict[str, tuple[int, str]]:
    """Count and checksum the rows of these tables, looking at these columns only."""
    return {table: checksum(arena, table, facts["columns"]) for table, facts in tables.items()}


def checksum(arena: Arena, table: str, columns: Any) -> tuple[int, str]:
    row = f"ROW({', '.join(map(quoted, sorted(columns)))})::text"
    return arena.rows(f"SELECT count(*), md5(string_agg({row}, ',' ORDER BY {row})) FROM {quoted(table)}")[0]


def files(arena: Arena) -> dict[str, int]:
    """Return the file of each table: rewriting gives it another."""
    query = "SELECT relname, pg_relation_filenode(oid) FROM pg_class WHERE relnamespace = %s::regnamespace"
    return dict(arena.rows(f"{query} AND relkind = 'r'", arena.namespace))


def half_made(arena: Arena) -> list[str]:
    """Return the names of what no run may leave: invalid indexes, unvalidated constraints, helpers."""
    return [name for (name,) in arena.rows(INVALID, arena.namespace, arena.namespace)]


def timeouts(arena: Arena) -> list[Any]:
    return arena.rows("SELECT name, setting FROM pg_settings WHERE name = ANY(%s) ORDER BY 1", list(TIMEOUTS))


@contextmanager
def timeouts_of_a_strict_role(arena: Arena) -> Iterator[None]:
    """Give the session limits of its own, and prove that the block leaves them as they are."""
    known = [name for name, _ in timeouts(arena)]
    arena.sql(*(f"SET {name} = '{9000 + place}ms'" for place, name in enumerate(known)))
    before = timeouts(arena)
    yield
    assert timeouts(arena) == before
    arena.sql(*(f"RESET {name}" for name in known))


def as_added(expected: Fingerprint, found: Fingerprint, before: Fingerprint) -> Fingerprint:
    """Return `expected` with the defaults that columns keep which a run has added to tables with rows."""
    for table, facts in expected.items():
        for name, column in facts["columns"].items():
            added = table in before and name not in before[table]["columns"]
            if added and column["default"] is None and name in found[table]["columns"]:
                column["default"] = found[table]["columns"][name]["default"]
    return expected


def unlike_django(arena: Arena, plugin: Plugin, left: Fingerprint) -> list[str]:
    """Return how the schema differs from Django's own, but for the defaults of columns that `left` lacks."""
    expected = oracle(plugin)
    arena.enter()
    found = arena.fingerprint()
    return differences(as_added(expected, found, left), found)


def thing(meta: dict[str, Any] | None = None, **more: Any) -> Plugin:
    """Return a plugin of one model with these fields and some for anything to build on; None takes one away."""
    fields: dict[str, Any] = {
        "n": models.IntegerField(),
        "name": models.TextField(),
        "flag": models.BooleanField(),
        "maybe": models.BigIntegerField(null=True),
    }
    registry = Registry()
    registry.model("Thing", id=models.BigAutoField(primary_key=True), meta=meta, **fields | more)
    return registry.plugin(connection)


def declaring(*items: Any, **more: Any) -> Plugin:
    """Return a plugin whose one model has these indexes and constraints in its Meta."""
    indexes = [item.clone() for item in items if isinstance(item, models.Index)]
    constraints = [item.clone() for item in items if not isinstance(item, models.Index)]
    return thing({"indexes": indexes, "constraints": constraints}, **more)
