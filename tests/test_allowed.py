"""The list itself: what a run says passes, and what could lose anything does not."""

import pytest
from django.db import connection

from agentsql import statement
from agentsql.backfill import add_filled, fill, fill_at_once
from agentsql.names import TableName
from tests.allowed import is_allowed, skeleton

HOSTILE = TableName("ai", 'x\'; DROP TABLE "y"; --$agentsql$')


@pytest.mark.parametrize(
    "sql",
    [
        'ALTER TABLE "t" DROP COLUMN "c"',
        'ALTER TABLE "t" ADD COLUMN "c" int, DROP COLUMN "d"',
        'ALTER TABLE "t" ALTER COLUMN "c" TYPE text',
        'ALTER TABLE "t" ALTER COLUMN "c" SET DATA TYPE text',
        'ALTER TABLE "t" ALTER COLUMN "c" DROP DEFAULT',
        'ALTER TABLE "t" RENAME TO "u"',
        'ALTER TABLE "t" DROP CONSTRAINT "c" CASCADE',
        'DROP TABLE "t"',
        'DROP INDEX "i" CASCADE',
        'DROP EXTENSION "vector"',
        'TRUNCATE "t"',
        'DELETE FROM "t"',
        'UPDATE "t" SET "c" = 1',
        'INSERT INTO "t" VALUES (1)',
        "DO $$ BEGIN DELETE FROM t; END $$",
        'CREATE TABLE "t" ("c" int); DROP TABLE "u"',
        "SELECT 1; TRUNCATE t",
        "SET lock_timeout = 0",
    ],
)
def test_what_could_lose_something_is_not_on_the_list(sql):
    assert not is_allowed(sql)


@pytest.mark.parametrize(
    "sql",
    [
        'CREATE TABLE "drop table" ("TRUNCATE" int)',
        "COMMENT ON TABLE \"t\" IS 'it''s to DELETE; DROP TABLE x'",
        'ALTER TABLE "t" ADD CONSTRAINT "c" FOREIGN KEY ("a") REFERENCES "b" ("c") ON DELETE CASCADE NOT VALID',
        r"""COMMENT ON TABLE "t" IS  E'it''s \\ to \'; DROP TABLE x; '""",
        add_filled(HOSTILE, "c", '"c" uuid', "gen_random_uuid()", ()).sql[0],
        'DROP INDEX CONCURRENTLY IF EXISTS "s"."i"',
        *(sql for action in fill(HOSTILE, [HOSTILE], "we$agentsql$ird\"'", required=True) for sql in action.sql),
        *fill_at_once(HOSTILE, "c", required=True),
    ],
)
def test_what_a_run_says_is(sql):
    assert is_allowed(sql), skeleton(sql)


def test_the_whole_suite_is_held_against_it(database):
    connection.ensure_connection()
    with pytest.raises(AssertionError, match=r"^agentsql\.statement sends what no run may: DROP TABLE x"):
        statement.send("DROP TABLE x", connection.connection)
