"""A new column whose rows get different values: nullable and marked first, filled in batches, then NOT NULL.

The mark is a check that always holds, `agentsql_fill_<column>`. It says that older rows have no value yet, so a run
that finds it goes on where another was killed. A strict check before the rows are filled would break UPDATEs of other
programs. Turning it strict, validating it, and only then SET NOT NULL spares the scan under ACCESS EXCLUSIVE:
PostgreSQL 12 and newer see that the check implies it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agentsql.names import TableName, fill_name, quoted
from agentsql.step import ALTERING, VALIDATING, Action, Mode

BATCH_PAGES = 32  # of 8 KiB: some thousand rows, locked for less than a tenth of a second
FILL = """\
DO {tag}
<<agentsql>>
DECLARE
    page bigint := 0;
    pages bigint := pg_relation_size({regclass}) / current_setting('block_size')::int;
BEGIN
    WHILE agentsql.page <= agentsql.pages LOOP
        PERFORM set_config('row_security', 'off', true);  -- a hidden row is an error
        UPDATE {table} AS filled SET {column} = DEFAULT
         WHERE filled.{column} IS NULL AND filled.ctid = ANY (ARRAY(
            SELECT open.ctid FROM {table} AS open
             WHERE open.ctid >= format('(%s,0)', agentsql.page)::tid
               AND open.ctid < format('(%s,0)', agentsql.page + {batch})::tid
               AND open.{column} IS NULL
               FOR NO KEY UPDATE SKIP LOCKED));
        COMMIT;
        agentsql.page := agentsql.page + {batch};
        RAISE NOTICE 'agentsql: % of % pages', least(agentsql.page, agentsql.pages), agentsql.pages;
    END LOOP;
    PERFORM set_config('row_security', 'off', true);
    IF EXISTS (SELECT FROM {table} AS open WHERE open.{column} IS NULL) THEN
        RAISE EXCEPTION 'others hold locks on rows of this table' USING ERRCODE = 'lock_not_available';
    END IF;
END {tag}"""


def add_filled(table: TableName, column: str, definition: str, default: str, comments: Iterable[str]) -> Action:
    """Add the column with its default for new rows, marked as unfinished; nothing is rewritten."""
    mark = f"ADD CONSTRAINT {quoted(fill_name(column))} CHECK ({_holds(column)}) NOT VALID"
    alter = f"ALTER COLUMN {quoted(column)} SET DEFAULT {default}"
    sql = f"ALTER TABLE {table.quoted} ADD COLUMN {definition}, {alter}, {mark}"
    return Action(sql=(sql, *comments), mode=Mode.INSTANT, lock=ALTERING)


def fill(table: TableName, leaves: Iterable[TableName], column: str, *, not_null: bool) -> Iterator[Action]:
    """Give the older rows their values, then take the mark away; it can be done over again at any point."""
    mark = quoted(fill_name(column))
    for leaf in leaves:
        yield Action(sql=(_batches(leaf, column),), mode=Mode.OUTSIDE, lock="ROW EXCLUSIVE")
    if not_null:
        yield from require_values(table, mark, [column], after=_holds(column))
    else:
        yield Action(sql=(f"ALTER TABLE {table.quoted} DROP CONSTRAINT {mark}",), mode=Mode.INSTANT, lock=ALTERING)


def require_values(table: TableName, name: str, columns: Iterable[str], after: str = "") -> Iterator[Action]:
    """Make columns NOT NULL by way of a check of this quoted name; one that is there gives way.

    `after` is the condition the check goes back to where rows hold NULL; "" drops it.
    """
    columns = [quoted(column) for column in columns]
    alter, drop = f"ALTER TABLE {table.quoted}", f"DROP CONSTRAINT IF EXISTS {name}"
    strict = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    undo = f"{alter} {drop}, ADD CONSTRAINT {name} CHECK ({after}) NOT VALID" if after else f"{alter} {drop}"
    yield Action(
        sql=(f"{alter} {drop}, ADD CONSTRAINT {name} CHECK ({strict}) NOT VALID",), mode=Mode.INSTANT, lock=ALTERING
    )
    yield Action(sql=(f"{alter} VALIDATE CONSTRAINT {name}",), mode=Mode.OWN, lock=VALIDATING, undo=undo)
    required = ", ".join(f"ALTER COLUMN {column} SET NOT NULL" for column in columns)
    yield Action(sql=(f"{alter} {required}", f"{alter} DROP CONSTRAINT {name}"), mode=Mode.INSTANT, lock=ALTERING)


def fill_at_once(table: TableName, column: str, *, not_null: bool) -> Iterator[str]:
    """Yield what finishes a column in one transaction, its table locked all the while."""
    name = quoted(column)
    yield f"UPDATE {table.quoted} SET {name} = DEFAULT WHERE {name} IS NULL"
    if not_null:
        yield f"ALTER TABLE {table.quoted} ALTER COLUMN {name} SET NOT NULL"
    yield f"ALTER TABLE {table.quoted} DROP CONSTRAINT {quoted(fill_name(column))}"


def _holds(column: str) -> str:
    return f"{quoted(column)} IS NULL OR {quoted(column)} IS NOT NULL"


def _batches(table: TableName, column: str) -> str:
    regclass = "'" + table.quoted.replace("'", "''") + "'"
    parts = {"regclass": regclass, "table": table.quoted, "column": quoted(column), "batch": BATCH_PAGES}
    tag = "$agentsql$"
    while tag in table.quoted + quoted(column):
        tag = tag[:-1] + "_$"
    return FILL.format(tag=tag, **parts)
