"""Which types are wider, in which words they are made so, and that nothing else may ever be said."""

import pytest
from django.db import connection, models
from hypothesis import given
from hypothesis import strategies as st

from agentsql.names import TableName
from agentsql.plan import plan
from agentsql.schema import Key, Kind
from agentsql.situation import Ground
from agentsql.step import ALTERING, VALIDATING, Mode, Step
from agentsql.widening import alteration, candidates, in_utc, widenings
from agentsql.wider import Form, form, is_wider
from tests.allowed import is_allowed, skeleton
from tests.arena import Registry
from tests.support import column, column_key, draft_of, situation, table

LONG, LONGER = "character varying(20)", "varchar(40)"
LOCAL, ZONED = "timestamp without time zone", "timestamp with time zone"
NOTE = Registry().model("Note", title=models.CharField(max_length=40), at=models.DateTimeField())
DESIRED = draft_of(NOTE)
NOTES = TableName("", "plug_note")
TITLE, AT = column_key("plug_note", "title"), column_key("plug_note", "at")
HOSTILE = column('x"; DROP', "text", table=TableName("a i", 'lo"gs $agentsql$'))


@pytest.fixture(autouse=True)
def _open(database):
    connection.ensure_connection()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("varchar(20)", Form("character varying", 20)),
        ("VARCHAR ( 20 )", Form("character varying", 20)),
        ("character varying", Form("character varying")),
        ("numeric(6, 2)", Form("numeric", 6, 2)),
        ("decimal(6)", Form("numeric", 6, 0)),
        ("numeric(5,-2)", Form("numeric", 5, -2)),
        ("varbit(5)", Form("bit varying", 5)),
        ("timestamptz", Form(ZONED)),
        ("timestamp", Form(LOCAL)),
        ("text", Form("text")),
        ("timestamp(3) with time zone", None),
        ("varchar(20)[]", None),
        ("character(9)", None),
        ("bit(9)", None),
        ("bigint", None),
        ("my_text", None),
        ('public."text"', None),
        ("varchar(20) COLLATE x", None),
        ("", None),
    ],
)
def test_types_as_models_and_servers_write_them(text, expected):
    assert form(text) == expected


@pytest.mark.parametrize(
    ("one", "sql"),
    [
        (Form("character varying", 40), "character varying(40)"),
        (Form("numeric", 5, -2), "numeric(5,-2)"),
        (Form("numeric"), "numeric"),
        (Form("text"), "text"),
    ],
)
def test_types_as_sql(one, sql):
    assert str(one) == sql
    assert form(sql) == one


@pytest.mark.parametrize(
    ("found", "wanted", "wider"),
    [
        (LONG, LONGER, True),
        (LONG, "varchar(20)", False),
        (LONG, "varchar(19)", False),
        (LONG, "varchar", True),
        (LONG, "text", True),
        ("character varying", "text", True),
        ("character varying", LONGER, False),
        ("text", "varchar", False),
        ("text", "text", False),
        ("character(9)", LONGER, False),
        ("bit varying(9)", "varbit(10)", True),
        ("bit varying(9)", "varbit", True),
        ("bit varying(9)", "varbit(8)", False),
        ("bit(9)", "varbit", False),
        ("numeric(6,2)", "numeric(7, 2)", True),
        ("numeric(6,2)", "numeric(7, 3)", False),
        ("numeric(6,2)", "numeric(7, 1)", False),
        ("numeric(6,2)", "numeric(6, 2)", False),
        ("numeric(6,2)", "numeric", True),
        ("numeric", "numeric", False),
        ("numeric", "numeric(6, 2)", False),
        (LOCAL, ZONED, True),
        (ZONED, "timestamp", False),
        (LOCAL, "text", False),
        (LONG, "numeric", False),
        ("integer", "bigint", False),
    ],
)
def test_what_is_wider(found, wanted, wider):
    assert is_wider(found, wanted) is wider


@given(st.sampled_from(["character varying", "bit varying"]), st.integers(1, 50), st.integers(1, 50))
def test_of_two_lengths_one_is_wider(family, one, other):
    here, there = f"{family}({one})", f"{family}({other})"
    assert (is_wider(here, there), is_wider(there, here)) == (one < other, other < one)


@pytest.mark.parametrize("zoned", [False, True])
def test_hostile_names_stay_names(zoned):
    kind = ZONED if zoned else "text"
    sql = alteration(column(HOSTILE.name, kind, table=HOSTILE.table), Ground(collation='"p"."C""x"' * (not zoned)))
    assert sql.startswith('ALTER TABLE "a i"."lo""gs $agentsql$" ALTER COLUMN "x""; DROP" TYPE ')
    said = in_utc(sql) if zoned else sql
    assert is_allowed(said, widen=True), skeleton(said)
    assert not is_allowed(said)


def test_a_block_in_utc():
    assert in_utc("X $agentsql$") == (
        "DO $agentsql_$ DECLARE zone text := current_setting('TimeZone'); BEGIN SET LOCAL TimeZone TO 'UTC'; "
        "X $agentsql$; PERFORM set_config('TimeZone', zone, true); END $agentsql_$"
    )


@pytest.mark.parametrize(
    "sql",
    [
        'ALTER TABLE "t" ALTER COLUMN "c" TYPE bigint',
        'ALTER TABLE "t" ALTER COLUMN "c" TYPE varchar(3)',
        'ALTER TABLE "t" ALTER COLUMN "c" TYPE character(3)',
        'ALTER TABLE "t" ALTER COLUMN "c" TYPE text USING \'x\'',
        'ALTER TABLE "t" ALTER COLUMN "c" TYPE text, DROP COLUMN "d"',
        'ALTER TABLE "t" ALTER COLUMN "c" TYPE timestamp with time zone',
        "DO $$ BEGIN SET LOCAL TimeZone TO 'UTC'; DROP TABLE x; END $$",
        'ANALYZE "t" ("c"); DROP TABLE "t"',
    ],
)
def test_what_no_run_may_say_with_the_wish_either(sql):
    assert not is_allowed(sql, widen=True)


def facing(title=LONG, at=ZONED, *, grounds=None, more=(), **conditions):
    """Return what plan sees where title and at have these types."""
    theirs = [column("title", title, table=NOTES), column("at", at, table=NOTES), *more]
    gone = {item.key for item in theirs}
    found = [item for key, item in DESIRED.objects.items() if key not in gone]
    known = {TITLE: Ground(), AT: Ground()} if grounds is None else grounds
    return situation(DESIRED, [*found, *theirs], grounds=known, **{"widen": True} | conditions)


def test_candidates():
    assert [wanted.name for wanted, _ in candidates(facing(at=LOCAL).diff)] == ["title", "at"]
    assert list(candidates(facing(title="character varying(40)").diff)) == []


def test_a_step():
    (step,) = widenings(facing(), ())
    assert (step.key, step.creates, step.name) == (TITLE, (), f"title {LONG} -> varchar(40)")
    assert (step.app, step.model) == ("plug", "plug.Note")
    alter, analyze = step.actions
    sql = 'ALTER TABLE "plug_note" ALTER COLUMN "title" TYPE character varying(40)'
    assert (alter.sql, alter.mode, alter.lock) == ((sql,), Mode.INSTANT, ALTERING)
    assert (analyze.sql, analyze.mode, analyze.lock) == (('ANALYZE "plug_note" ("title")',), Mode.OWN, VALIDATING)


def test_a_plan_in_one_transaction_locks_its_table_first():
    (step,) = plan(facing(atomic=True)).steps
    assert step.sql[0] == 'LOCK TABLE "plug_note" IN ACCESS EXCLUSIVE MODE'
    assert step.shared


@pytest.mark.parametrize(
    "conditions",
    [{"widen": False}, {"grounds": {}}, {"more": [table("plug_note", relkind="v")]}],
    ids=["not asked for", "nothing known", "no table"],
)
def test_what_gives_no_step(conditions):
    assert plan(facing(**conditions)).steps == ()


def told(now):
    return [(one.id, one.obj) for one in widenings(now, ()) if not isinstance(one, Step)]


def test_a_table_of_others():
    now = facing(more=[table("plug_note", owned=False)])
    assert told(now) == [("agentsql.D010", "plug_note")]


def test_a_table_that_is_refused():
    assert list(widenings(facing(), {Key(NOTES, Kind.TABLE)})) == []


def test_obstacles():
    stands = Ground(obstacles=("index i", "check constraint c"), indexes=("index plain",))
    (finding,) = widenings(facing(grounds={TITLE: stands}), ())
    assert (finding.id, finding.obj) == ("agentsql.D134", "plug_note.title")
    assert finding.msg.endswith("index i, check constraint c.")
    assert len(list(widenings(facing(grounds={TITLE: Ground(indexes=("index plain",))}), ()))) == 1


def test_what_the_server_refuses():
    stands = Ground(dependents=("view v",), obstacles=("index i",))
    (finding,) = widenings(facing(grounds={TITLE: stands}), ())
    assert (finding.id, finding.obj) == ("agentsql.D134", "plug_note.title")
    assert "refuses that, because of view v; it would scan or rebuild" in finding.msg


def test_columns_of_one_statistic_are_analyzed_together():
    (step,) = widenings(facing(grounds={TITLE: Ground(companions=("at", 'a"t'))}), ())
    assert step.actions[1].sql == ('ANALYZE "plug_note" ("title", "at", "a""t")',)
    assert is_allowed(step.actions[1].sql[0], widen=True)


@pytest.mark.parametrize(
    ("zone", "indexes", "expected"),
    [
        ("", (), []),
        ("UTC", (), None),
        ("etc/utc", (), None),
        ("GMT", (), None),
        ("Zulu", (), None),
        ("Europe/London", (), [("agentsql.D133", "plug_note.at")]),
        ("UTC+1", (), [("agentsql.D133", "plug_note.at")]),
        ("UTC", ("index plain",), [("agentsql.D134", "plug_note.at")]),
    ],
)
def test_time_zones(zone, indexes, expected):
    now = facing(title="character varying(40)", at=LOCAL, zone=zone, grounds={AT: Ground(indexes=indexes)})
    made = [one for one in widenings(now, ()) if isinstance(one, Step)]
    assert (told(now), len(made)) == (expected or [], expected is None)


def test_only_its_own_collation_is_said():
    now = facing(grounds={TITLE: Ground(collation='"pg_catalog"."C"')})
    (step,) = plan(now).steps
    assert step.actions[0].sql[0].endswith(' TYPE character varying(40) COLLATE "pg_catalog"."C"')
