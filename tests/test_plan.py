"""What to make of what is missing, and in which order."""

from itertools import accumulate

import pytest
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Lower, Upper
from hypothesis import given
from hypothesis import strategies as st

from agentsql.names import TableName
from agentsql.plan import plan
from agentsql.schema import Extension, Key, Kind
from tests.arena import Registry
from tests.support import column_key, draft_of, situation, table_key

registry = Registry()
ROOM = registry.model(
    "Room",
    code=models.CharField(max_length=8, primary_key=True),
    last=models.ForeignKey("plug.Log", models.CASCADE, null=True, db_index=False),
)
LOG = registry.model(
    "Log",
    loud=models.GeneratedField(expression=Upper("body"), output_field=models.TextField(), db_persist=True),
    body=models.TextField(unique=True),
    rank=models.PositiveIntegerField(null=True),
    room=models.ForeignKey("plug.Room", models.CASCADE),
    meta={
        "indexes": [
            GinIndex(fields=["body"], name="log_gin", opclasses=["gin_trgm_ops"]),
            models.Index(Lower("body"), name="log_lower"),
        ],
        "constraints": [models.CheckConstraint(condition=models.Q(rank__lt=9), name="log_check")],
    },
)
FAR = registry.model("Far", log=models.ForeignKey(LOG, models.CASCADE), meta={"db_table": 'ai"."far'})
DESIRED = draft_of(ROOM, LOG, FAR)
AI = TableName("ai", "far")
ROOMS, LOGS = table_key("plug_room"), table_key("plug_log")
TRIGRAMS = Extension(name="pg_trgm").key
LOG_GIN = Key(LOGS.table, Kind.INDEX, ("log_gin",))
LOG_LOWER = Key(LOGS.table, Kind.INDEX, ("log_lower",))
LOG_CHECK = Key(LOGS.table, Kind.CHECK, ("log_check",))
ROOM_KEY = next(key for key in DESIRED.objects if key.kind is Kind.FOREIGN_KEY and key.identity[0] == "room_id")
BODY, LOUD, RANK = (column_key("plug_log", name) for name in ("body", "loud", "rank"))


def steps(*missing, actual=None, **conditions):
    found = DESIRED.objects.keys() - set(missing) if actual is None else actual
    return plan(situation(DESIRED, found, extensions={"pg_trgm": False}, **conditions)).steps


def test_nothing_is_missing():
    assert steps() == ()


def test_all_is_missing():
    made = steps(actual=[])
    assert [f"{step.key.kind.label} {step.name}" for step in made] == [
        "extension pg_trgm",
        "namespace ai",
        "table plug_room",
        "index plug_room_code_3fa9e699_like",
        "table plug_log",
        "index plug_log_body_25273b17_like",
        "index plug_log_room_id_bf748f94",
        "index plug_log_room_id_bf748f94_like",
        "index log_gin",
        "index log_lower",
        "table far",
        "index far_log_id_26e6b9db",
        "foreign key plug_room_last_id_da0dc391_fk_plug_log_id",
        "foreign key plug_log_room_id_bf748f94_fk_plug_room_code",
        "foreign key far_log_id_26e6b9db_fk_plug_log_id",
    ]
    assert {(action.lock, action.mode) for step in made for action in step.actions} == {("", "shared")}
    assert {step.model for step in made} == {"", "plug.Room", "plug.Log", "plug.Far"}
    assert {step.app for step in made} == {"plug"}
    assert made[1].sql == ('CREATE SCHEMA IF NOT EXISTS "ai"',)


def test_a_table_brings_what_is_written_into_it():
    (table,) = (step for step in steps(actual=[]) if step.key == LOGS)
    assert table.key == table.creates[0]
    assert [str(key) for key in table.creates[1:]] == [
        "plug_log.id",
        "plug_log.loud",
        "plug_log.body",
        "unique plug_log(body)",
        "plug_log.rank",
        "check plug_log(plug_log_rank_check)",
        "plug_log.room_id",
        "primary key plug_log",
        "check plug_log(log_check)",
    ]
    assert table.sql[0].startswith('CREATE TABLE "plug_log" (')


OWN, INSTANT, OUTSIDE = "own", "instant", "outside"
BRIEF, QUIET = ("ACCESS EXCLUSIVE", INSTANT), ("SHARE UPDATE EXCLUSIVE", OWN)  # for an instant; reads and writes go on
BUILD = ("SHARE UPDATE EXCLUSIVE", OUTSIDE)
IN_USE = {
    RANK: [BRIEF],
    Key(LOGS.table, Kind.PRIMARY_KEY): [BUILD, BRIEF],
    Key(LOGS.table, Kind.UNIQUE, ("body", "", "", "")): [BUILD, BRIEF],
    LOG_LOWER: [BUILD],
    LOG_CHECK: [BRIEF, QUIET],
    ROOM_KEY: [("SHARE ROW EXCLUSIVE", INSTANT), QUIET],
}


@pytest.mark.parametrize(("key", "actions"), IN_USE.items(), ids=str)
def test_a_table_in_use_is_locked_for_an_instant_or_not_noticeably(key, actions):
    (step,) = steps(key, populated={LOGS.table})
    assert (step.key, step.creates) == (key, (key,))
    assert [(action.lock, action.mode) for action in step.actions] == actions


LOCKS = dict.fromkeys(IN_USE, "ACCESS EXCLUSIVE") | {LOG_LOWER: "SHARE", ROOM_KEY: "SHARE ROW EXCLUSIVE"}


@pytest.mark.parametrize("key", LOCKS.keys() - {ROOM_KEY}, ids=str)
def test_an_empty_table_keeps_nobody_waiting(key):
    ((action,),) = (step.actions for step in steps(key))
    assert (action.lock, action.mode) == (LOCKS[key], "shared")


@pytest.mark.parametrize("key", LOCKS, ids=str)
def test_all_or_nothing_takes_the_plain_locks(key):
    ((first, action),) = (step.actions for step in steps(key, populated={LOGS.table}, atomic=True))
    assert (first.lock, first.mode) == (action.lock, action.mode) == (LOCKS[key], "shared")
    assert f'LOCK TABLE "plug_log" IN {LOCKS[key]} MODE' in first.sql


def test_a_foreign_key_to_a_table_in_use_is_alone():
    assert [[action.mode for action in step.actions] for step in steps(ROOM_KEY)] == [[INSTANT]]


@pytest.mark.parametrize(
    ("missing", "required"),
    [
        ([LOG_GIN], []),
        ([LOG_GIN, TRIGRAMS], [TRIGRAMS]),
        ([LOG_GIN, BODY, RANK], [BODY]),
        ([LOG_LOWER, BODY, RANK], [BODY]),
        ([LOG_CHECK, RANK, BODY], [RANK]),
        ([ROOM_KEY, column_key("plug_log", "room_id")], [column_key("plug_log", "room_id")]),
        ([ROOM_KEY, Key(ROOMS.table, Kind.PRIMARY_KEY)], [Key(ROOMS.table, Kind.PRIMARY_KEY)]),
        ([ROOM_KEY, column_key("plug_room", "code")], [column_key("plug_room", "code")]),
        ([ROOM_KEY, RANK, LOG_LOWER], []),
    ],
    ids=[
        "nothing",
        "extension",
        "its column",
        "column of an expression",
        "column of a check",
        "own column",
        "target's key",
        "target's column",
        "nothing of others",
    ],
)
def test_requires(missing, required):
    (step,) = (step for step in steps(*missing) if step.key == missing[0])
    assert step.requires == frozenset(required)


def test_generated_columns_follow_those_they_are_made_of():
    assert [step.key for step in steps(BODY, LOUD, RANK)] == [BODY, RANK, LOUD]


def test_what_depends_on_a_refused_object_is_left_out():
    """Rows exist and `body` has no default: neither it nor what is made of it can come; the rest can."""
    now = situation(
        DESIRED, DESIRED.objects.keys() - {BODY, LOG_GIN, LOUD, RANK}, populated={LOGS.table}, allow_rewrite=True
    )
    planned = plan(now)
    assert [step.key for step in planned.steps] == [RANK]
    assert [finding.id for finding in planned.findings] == ["agentsql.D004"]


MISSING = st.sets(st.sampled_from(list(DESIRED.objects)))
POPULATED = st.sets(st.sampled_from(list(DESIRED.contents)))


@given(MISSING, POPULATED)
def test_what_a_step_requires_comes_before_it(missing, populated):
    # A table that is missing takes all that is its own with it.
    missing |= {key for key in DESIRED.objects if Key(key.table, Kind.TABLE) in missing}
    populated = {table for table in populated if Key(table, Kind.TABLE) not in missing}
    made = steps(*missing, populated=populated)
    created = [set(step.creates) for step in made]
    before = accumulate(created, set.union, initial=set())
    for step, known in zip(made, before, strict=False):  # the last sum comes before nothing
        assert step.requires <= known | set(step.creates)
        assert not known & set(step.creates)
    assert set().union(*created) <= missing
    assert populated or set().union(*created) == missing
