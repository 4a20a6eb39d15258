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
    place tid;
    done bigint;
BEGIN
    WHILE agentsql.page <= agentsql.pages LOOP
        PERFORM set_config('row_security', 'off', true);  -- a hidden row is an error
        UPDATE ONLY {table} AS filled SET {column} = DEFAULT
         WHERE filled.{column} IS NULL AND filled.ctid = ANY (ARRAY(
            SELECT open.ctid FROM ONLY {table} AS open
             WHERE open.ctid >= format('(%s,0)', agentsql.page)::tid
               AND open.ctid < format('(%s,0)', agentsql.page + {batch})::tid
               AND open.{column} IS NULL
               FOR NO KEY UPDATE SKIP LOCKED));
        COMMIT;
        agentsql.page := agentsql.page + {batch};
        RAISE NOTICE 'agentsql: % of % pages', least(agentsql.page, agentsql.pages), agentsql.pages;
    END LOOP;
    PERFORM set_config('row_security', 'off', true);
    IF EXISTS (SELECT FROM ONLY {table} AS open WHERE open.{column} IS NULL) THEN
        SELECT open.ctid INTO agentsql.place FROM ONLY {table} AS open
         WHERE open.{column} IS NULL LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
        UPDATE ONLY {table} AS filled SET {column} = DEFAULT WHERE filled.ctid = agentsql.place;
        GET DIAGNOSTICS agentsql.done = ROW_COUNT;
        IF agentsql.place IS NOT NULL AND agentsql.done = 0 THEN
            RAISE EXCEPTION 'a trigger or rule keeps rows of this table from being filled'
                USING ERRCODE = 'triggered_action_exception';
        END IF;
        RAISE EXCEPTION 'others hold locks on rows of this table' USING ERRCODE = 'lock_not_available';
    END IF;
END {tag}"""


def add_filled(table: TableName, column: str, definition: str, default: str, comments: Iterable[str]) -> Action:
    """Add the column with its default for new rows, marked as unfinished; nothing is rewritten."""
    name = quoted(fill_name(column))  # there already, if somebody has renamed the column meanwhile
    mark = f"DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} CHECK ({_holds(column)}) NOT VALID"
    alter = f"ALTER COLUMN {quoted(column)} SET DEFAULT {default}"
    sql = f"ALTER TABLE {table.quoted} ADD COLUMN {definition}, {alter}, {mark}"
    return Action(sql=(sql, *comments), mode=Mode.INSTANT, lock=ALTERING)


def fill(table: TableName, leaves: Iterable[TableName], column: str, *, required: bool) -> Iterator[Action]:
    """Give the older rows their values, then take the mark away; it can be done over again at any point."""
    mark = quoted(fill_name(column))
    for leaf in leaves:
        yield Action(sql=(_batches(leaf, column),), mode=Mode.OUTSIDE, lock="ROW EXCLUSIVE")
    if required:
        yield from require_values(table, mark, [column], after=_holds(column))
        yield Action(sql=not_null(table, mark, [column]), mode=Mode.INSTANT, lock=ALTERING)
    else:
        yield Action(sql=(f"ALTER TABLE {table.quoted} DROP CONSTRAINT {mark}",), mode=Mode.INSTANT, lock=ALTERING)


def require_values(table: TableName, name: str, columns: Iterable[str], after: str = "") -> Iterator[Action]:
    """Let a check of this quoted name prove that columns hold no NULL; one that is there gives way.

    `after` is the condition the check goes back to where rows hold NULL; "" drops it.
    """
    alter, drop = f"ALTER TABLE {table.quoted}", f"DROP CONSTRAINT IF EXISTS {name}"
    strict = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in columns)
    undo = f"{alter} {drop}, ADD CONSTRAINT {name} CHECK ({after}) NOT VALID" if after else f"{alter} {drop}"
    yield Action(
        sql=(f"{alter} {drop}, ADD CONSTRAINT {name} CHECK ({strict}) NOT VALID",), mode=Mode.INSTANT, lock=ALTERING
    )
    yield Action(sql=(f"{alter} VALIDATE CONSTRAINT {name}",), mode=Mode.OWN, lock=VALIDATING, undo=(undo,))


def not_null(table: TableName, name: str, columns: Iterable[str]) -> tuple[str, ...]:
    """Return the statements for NOT NULL, without a scan, once that check proves it."""
    required = ", ".join(f"ALTER COLUMN {quoted(column)} SET NOT NULL" for column in columns)
    return f"ALTER TABLE {table.quoted} {required}", f"ALTER TABLE {table.quoted} DROP CONSTRAINT {name}"


def fill_at_once(table: TableName, column: str, *, required: bool) -> Iterator[str]:
    """Yield what finishes a column in one transaction, its table locked all the while."""
    name = quoted(column)
    yield f"UPDATE {table.quoted} SET {name} = DEFAULT WHERE {name} IS NULL"
    if required:
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
