"""A new column whose rows get different values: names hostile to SQL, every half state, others' locks and writes."""

import psycopg
import pytest
from django.db import connection

from agentsql.attempt import attempt
from agentsql.backfill import add_filled, fill, fill_at_once, not_null, require_values
from agentsql.names import TableName, fill_name, quoted
from agentsql.statement import Work, send
from agentsql.step import Mode
from tests.support import action, session, step, transaction_of_another

PLAIN = ("plug_thing", "token")
HOSTILE = (
    ("we\"ird $agentsql$ tab'le", 'to"k$agentsql$en'),
    ("100%s %(x)s; --", "%s"),
    ("page", "pages"),
    ("filled", "open"),
    ("größe_" + "日" * 18, "c" * 63),
)
ROWS = 3000  # in more pages than one batch takes


@pytest.fixture(params=[PLAIN, *HOSTILE], ids=["plain", "quotes", "percent", "variables", "aliases", "long"])
def names(request, arena):
    arena.sql(f"CREATE TABLE {quoted(request.param[0])} (id int PRIMARY KEY, body text NOT NULL)")
    populate(arena, request.param[0])
    return TableName("", request.param[0]), request.param[1]


@pytest.fixture
def thing(arena):
    arena.sql("CREATE TABLE plug_thing (id int PRIMARY KEY, body text NOT NULL)")
    populate(arena, "plug_thing")
    return TableName("", "plug_thing")


def populate(arena, table):
    arena.sql(f"INSERT INTO {quoted(table)} SELECT g, repeat('x', 150) FROM generate_series(1, {ROWS}) g")


def added(table, column):
    definition = f"{quoted(column)} uuid"
    return add_filled(table, column, definition, "gen_random_uuid()", [])


def run(*actions, **settings):
    """Run actions as the executor does, and return what is told."""
    with session(**settings) as means:
        work = Work(step(), means)
        return [event for action in actions for event in attempt(action, work)]


def checksum(arena, table):
    return arena.rows(f"SELECT count(*), md5(string_agg(id || body, ',' ORDER BY id)) FROM {table.quoted}")


def values(arena, table, column):
    """Return how many rows there are, how many have a value, and how many values."""
    return arena.rows(
        f"SELECT count(*), count({quoted(column)}), count(DISTINCT {quoted(column)}) FROM {table.quoted}"
    )[0]


def state(arena, table, column):
    """Return whether the column is NOT NULL, and the constraints that are left of the work."""
    facts = arena.fingerprint()[table.name]
    checks = [name for name, item in facts["constraints"].items() if item["kind"] == "c"]
    return facts["columns"][column]["not_null"], checks


@pytest.mark.parametrize("required", [True, False], ids=["NOT NULL", "NULL"])
def test_every_row_gets_a_value_of_its_own(arena, names, required):
    table, column = names
    before = checksum(arena, table)

    run(added(table, column), *fill(table, [table], column, required=required))

    assert values(arena, table, column) == (ROWS, ROWS, ROWS)
    assert state(arena, table, column) == (required, [])
    assert checksum(arena, table) == before


def test_at_once(arena, names):
    table, column = names
    run(added(table, column))
    for sql in fill_at_once(table, column, required=True):
        arena.sql(sql)
    assert values(arena, table, column) == (ROWS, ROWS, ROWS)
    assert state(arena, table, column) == (True, [])


def test_adding_the_column_rewrites_nothing_and_marks_it(arena, names):
    table, column = names
    place = f"SELECT pg_relation_filenode('{table.quoted.replace(chr(39), chr(39) * 2)}')"
    before = arena.rows(place)
    run(added(table, column))
    assert arena.rows(place) == before
    assert values(arena, table, column) == (ROWS, 0, 0)
    assert state(arena, table, column) == (False, [fill_name(column)])


def test_rows_that_others_write_meanwhile_keep_their_values(arena, thing):
    run(added(thing, "token"))
    arena.sql(
        "INSERT INTO plug_thing (id, body) VALUES (0, 'old code')", "UPDATE plug_thing SET body = '' WHERE id = 1"
    )
    arena.sql("UPDATE plug_thing SET token = '00000000-0000-0000-0000-000000000007' WHERE id = 2")
    run(*fill(thing, [thing], "token", required=True))
    assert values(arena, thing, "token") == (ROWS + 1, ROWS + 1, ROWS + 1)
    assert arena.rows("SELECT token::text FROM plug_thing WHERE id = 2")[0][0].endswith("7")


def test_it_commits_as_it_goes_and_tells_how_far_it_is(arena, thing):
    run(added(thing, "token"))
    (batches, *_) = fill(thing, [thing], "token", required=True)
    said = []
    connection.connection.add_notice_handler(lambda notice: said.append(notice.message_primary))
    send(batches.sql[0], connection.connection)
    pages = -(-arena.rows("SELECT pg_relation_size('plug_thing')")[0][0] // 8192)
    assert len(arena.rows("SELECT DISTINCT xmin::text FROM plug_thing")) > 1
    numbers = [[int(word) for word in notice.split() if word.isdigit()] for notice in said]
    assert [notice for notice in said if not notice.startswith("agentsql: ")] == []
    assert [done for done, _ in numbers] == sorted(done for done, _ in numbers)
    assert len(numbers) > 1
    assert numbers[-1][0] == numbers[-1][1] <= pages


HALVES = [*((True, done) for done in range(5)), *((False, done) for done in range(3))]


@pytest.mark.parametrize(("required", "done"), HALVES)
def test_it_goes_on_from_each_half_state(arena, thing, required, done):
    """Killed after so many actions, or in the midst of the batches: the next run does all but the first over."""
    actions = [added(thing, "token"), *fill(thing, [thing], "token", required=required)]
    before = checksum(arena, thing)
    run(*actions[: done + 1])
    if done == 0:
        arena.sql("UPDATE plug_thing SET token = DEFAULT WHERE id % 3 = 0")
    if fill_name("token") in state(arena, thing, "token")[1]:  # else it is finished, and no run would touch it
        run(*fill(thing, [thing], "token", required=required))
    assert values(arena, thing, "token") == (ROWS, ROWS, ROWS)
    assert state(arena, thing, "token") == (required, [])
    assert checksum(arena, thing) == before


def test_rows_that_others_lock_are_waited_for(arena, thing):
    run(added(thing, "token"))
    (batches, *rest) = fill(thing, [thing], "token", required=True)
    with transaction_of_another(arena, "SELECT FROM plug_thing WHERE id = 7 FOR UPDATE") as other:
        with pytest.raises(psycopg.errors.LockNotAvailable, match="others hold locks on rows of this table"):
            run(batches, lock_timeout=0.1, lock_wait=0.3)
        assert values(arena, thing, "token") == (ROWS, ROWS - 1, ROWS - 1)
        other.rollback()
    run(batches, *rest)
    assert state(arena, thing, "token") == (True, [])


def test_a_null_that_appears_at_the_last_moment_breaks_nobody(arena, thing):
    """The strict check gives way to the one that always holds: the old code must go on to write."""
    run(added(thing, "token"))
    arena.sql("ALTER TABLE plug_thing ALTER token DROP DEFAULT")
    _, strict, *rest = fill(thing, [thing], "token", required=True)
    with pytest.raises(psycopg.errors.CheckViolation):
        run(strict, *rest)
    assert state(arena, thing, "token") == (False, [fill_name("token")])
    arena.sql("INSERT INTO plug_thing (id, body) VALUES (0, 'old code')")


@pytest.mark.parametrize("there_already", [False, True], ids=["new", "left by another run"])
def test_require_values(arena, there_already):
    arena.sql('CREATE TABLE "a b" ("x y" int, z int)', 'INSERT INTO "a b" VALUES (1, 2)')
    table, name = TableName("", "a b"), '"he""lper"'
    first, second = require_values(table, name, ["x y", "z"])
    if there_already:
        run(first)
    run(first, second, action(*not_null(table, name, ["x y", "z"]), mode=Mode.INSTANT))
    facts = arena.fingerprint()["a b"]
    assert [column["not_null"] for column in facts["columns"].values()] == [True, True]
    assert facts["constraints"] == {}


def test_require_values_takes_its_check_away_where_rows_hold_null(arena):
    arena.sql("CREATE TABLE t (x int)", "INSERT INTO t VALUES (NULL)")
    with pytest.raises(psycopg.errors.CheckViolation):
        run(*require_values(TableName("", "t"), '"helper"', ["x"]))
    assert arena.fingerprint()["t"]["constraints"] == {}


def test_partitions_are_filled_one_by_one(arena):
    arena.sql(
        "CREATE TABLE plug_thing (id int, body text) PARTITION BY RANGE (id)",
        "CREATE TABLE p1 PARTITION OF plug_thing FOR VALUES FROM (0) TO (1000)",
        "CREATE TABLE p2 PARTITION OF plug_thing FOR VALUES FROM (1000) TO (9999)",
    )
    populate(arena, "plug_thing")
    table = TableName("", "plug_thing")
    run(added(table, "token"), *fill(table, [TableName("", "p1"), TableName("", "p2")], "token", required=True))
    assert values(arena, table, "token") == (ROWS, ROWS, ROWS)
    assert all(state(arena, TableName("", name), "token") == (True, []) for name in ("plug_thing", "p1", "p2"))
