"""How a missing object is made where nobody is in the way, and when it is made in harmless actions instead."""

import uuid

import pytest
from django.db import connection, models

from agentsql.forms import actions, locks, plain
from agentsql.names import TableName
from agentsql.schema import Extension, Key, Kind, Namespace, Partition, Table
from agentsql.step import Mode
from tests.arena import Registry
from tests.support import column, column_key, constraint, draft_of, index, situation

registry = Registry()
ROOM = registry.model("Room")
LOG = registry.model(
    "Log",
    body=models.TextField(null=True, unique=True),
    token=models.UUIDField(default=uuid.uuid4),
    loose=models.UUIDField(default=uuid.uuid4, null=True),
    room=models.ForeignKey(ROOM, models.CASCADE, db_index=False),
    meta={
        "indexes": [models.Index(fields=["body"], name="log_body")],
        "constraints": [models.CheckConstraint(condition=models.Q(id__gt=0), name="log_check")],
    },
)
DESIRED = draft_of(LOG, ROOM)
LOGS, ROOMS = TableName("", "plug_log"), TableName("", "plug_room")
ROOM_KEY = next(key for key in DESIRED.objects if key.kind is Kind.FOREIGN_KEY)
UNIQUE = next(key for key in DESIRED.objects if key.kind is Kind.UNIQUE)
OBJECTS = {
    "column": column_key("plug_log", "body"),
    "filled column": column_key("plug_log", "token"),
    "filled nullable": column_key("plug_log", "loose"),
    "primary key": Key(LOGS, Kind.PRIMARY_KEY),
    "unique": UNIQUE,
    "index": Key(LOGS, Kind.INDEX, ("log_body",)),
    "check": Key(LOGS, Kind.CHECK, ("log_check",)),
    "foreign key": ROOM_KEY,
}
PLAIN = {
    "column": ('ALTER TABLE "plug_log" ADD COLUMN "body" text NULL', "ACCESS EXCLUSIVE"),
    "filled column": ('ALTER TABLE "plug_log" ADD COLUMN "token" uuid NOT NULL', "ACCESS EXCLUSIVE"),
    "filled nullable": ('ALTER TABLE "plug_log" ADD COLUMN "loose" uuid NULL', "ACCESS EXCLUSIVE"),
    "primary key": ('ALTER TABLE "plug_log" ADD PRIMARY KEY ("id")', "ACCESS EXCLUSIVE"),
    "unique": ('ALTER TABLE "plug_log" ADD UNIQUE ("body")', "ACCESS EXCLUSIVE"),
    "index": ('CREATE INDEX "log_body" ON "plug_log" ("body")', "SHARE"),
    "check": ('ALTER TABLE "plug_log" ADD CONSTRAINT "log_check" CHECK ("id" > 0)', "ACCESS EXCLUSIVE"),
    "foreign key": (
        (
            'ALTER TABLE "plug_log" ADD CONSTRAINT "plug_log_room_id_bf748f94_fk_plug_room_id" FOREIGN KEY ("room_id") '
            'REFERENCES "plug_room" ("id") DEFERRABLE INITIALLY DEFERRED'
        ),
        "SHARE ROW EXCLUSIVE",
    ),
}


@pytest.fixture(autouse=True)
def _open(database):
    """Open the connection, as in a run: that asks the server for its types, and a default may ask nothing."""
    connection.ensure_connection()


def lacking(name, begun=None, **conditions):
    """Return the missing object, and a situation that has all else, and maybe a half of it."""
    key = OBJECTS[name]
    found = [item for other, item in DESIRED.objects.items() if other != key]
    return DESIRED.objects[key], situation(DESIRED, [*found, *([begun] if begun else [])], **conditions)


@pytest.mark.parametrize("name", OBJECTS)
def test_on_an_empty_table(name):
    (action,) = actions(*lacking(name))
    sql, lock = PLAIN[name]
    mode = Mode.INSTANT if name == "foreign key" else Mode.SHARED  # its target is in use, as far as anybody knows
    assert (action.sql, action.lock, action.mode) == ((sql,), lock, mode)


@pytest.mark.parametrize("name", OBJECTS)
def test_a_table_in_use_is_another_matter(name):
    made = actions(*lacking(name, populated={LOGS}))
    assert made != actions(*lacking(name))
    assert Mode.SHARED not in {action.mode for action in made}


@pytest.mark.parametrize("name", OBJECTS)
def test_all_or_nothing_is_plain_on_a_table_in_use_too(name):
    (action,) = actions(*lacking(name, populated={LOGS, ROOMS}, atomic=True))
    sql, lock = PLAIN[name]
    assert action.sql[0].startswith(sql)
    assert (action.lock, action.mode) == (lock, Mode.SHARED)


@pytest.mark.parametrize("name", ["table", "extension", "namespace"])
def test_what_nobody_can_be_waiting_for(name):
    far = Registry().model("Far", meta={"db_table": 'a i"."far'})
    desired = draft_of(far)
    items = {
        "table": desired.objects[Key(TableName("a i", "far"), Kind.TABLE)],
        "extension": Extension(name="uuid-ossp"),
        "namespace": Namespace(name="a i"),
    }
    expected = {
        "table": 'CREATE TABLE "a i"."far" (',
        "extension": 'CREATE EXTENSION IF NOT EXISTS "uuid-ossp"',
        "namespace": 'CREATE SCHEMA IF NOT EXISTS "a i"',
    }
    (action,) = actions(items[name], situation(desired, []))
    assert action.sql[0].startswith(expected[name])
    assert (action.lock, action.mode) == ("", Mode.SHARED)


HALVES = {
    "invalid index": (
        "index",
        index("log_body", "body", table=LOGS, valid=False),
        ['DROP INDEX "log_body"', 'CREATE INDEX "log_body" ON "plug_log" ("body")'],
    ),
    "check": (
        "check",
        constraint(Kind.CHECK, name="log_check", table=LOGS, validated=False),
        ['ALTER TABLE "plug_log" VALIDATE CONSTRAINT "log_check"'],
    ),
    "foreign key": (
        "foreign key",
        constraint(
            Kind.FOREIGN_KEY, "room_id", name="mine", table=LOGS, target=ROOMS, target_columns=("id",), validated=False
        ),
        ['ALTER TABLE "plug_log" VALIDATE CONSTRAINT "mine"'],
    ),
    "unique index": (
        "unique",
        index("plug_log_body_key", "body", table=LOGS, unique=True),
        [('ALTER TABLE "plug_log" ADD CONSTRAINT "plug_log_body_key" UNIQUE USING INDEX "plug_log_body_key"')],
    ),
    "invalid unique index": (
        "unique",
        index("plug_log_body_key", "body", table=LOGS, unique=True, valid=False),
        ['DROP INDEX "plug_log_body_key"', 'ALTER TABLE "plug_log" ADD UNIQUE ("body")'],
    ),
    "column": (
        "filled column",
        column("token", "uuid", table=LOGS, not_null=False, filled=False),
        [
            'UPDATE "plug_log" SET "token" = DEFAULT WHERE "token" IS NULL',
            'ALTER TABLE "plug_log" ALTER COLUMN "token" SET NOT NULL',
            'ALTER TABLE "plug_log" DROP CONSTRAINT "agentsql_fill_token"',
        ],
    ),
    "nullable column": (
        "filled nullable",
        column("loose", "uuid", table=LOGS, not_null=False, filled=False),
        [
            'UPDATE "plug_log" SET "loose" = DEFAULT WHERE "loose" IS NULL',
            'ALTER TABLE "plug_log" DROP CONSTRAINT "agentsql_fill_loose"',
        ],
    ),
}


@pytest.mark.parametrize(("name", "half", "statements"), HALVES.values(), ids=HALVES)
@pytest.mark.parametrize("wishes", [{}, {"populated": {LOGS}, "atomic": True}], ids=["empty", "atomic"])
def test_what_was_begun_is_finished(wishes, name, half, statements):
    (action,) = actions(*lacking(name, half, **wishes))
    assert list(action.sql) == statements


@pytest.mark.parametrize(
    ("missing", "statements"),
    [
        (["index"], ['LOCK TABLE "plug_log" IN SHARE MODE']),
        (["index", "check"], ['LOCK TABLE "plug_log" IN ACCESS EXCLUSIVE MODE']),
        (
            ["foreign key", "index"],
            [
                'LOCK TABLE "plug_log" IN SHARE ROW EXCLUSIVE MODE',
                'LOCK TABLE "plug_room" IN SHARE ROW EXCLUSIVE MODE',
            ],
        ),
    ],
)
def test_the_locks_of_all(missing, statements):
    """The strongest for each table, in one order."""
    keys = [OBJECTS[name] for name in missing]
    now = situation(DESIRED, DESIRED.objects.keys() - set(keys), populated={LOGS}, atomic=True)
    first = locks([DESIRED.objects[key] for key in keys], now)
    assert list(first.sql) == statements
    assert (first.mode, first.lock) == (Mode.SHARED, statements[0].split(" IN ")[1].removesuffix(" MODE"))


def test_a_new_table_and_one_of_another_owner_are_not_locked():
    theirs = Table(table=ROOMS, owned=False)
    now = situation(DESIRED, [theirs])
    assert locks(DESIRED.objects.values(), now).sql == ()


def test_a_column_by_rewrite_keeps_its_default():
    item, now = lacking("filled column", populated={LOGS}, atomic=True)
    assert list(plain(item, now)) == [
        'ALTER TABLE "plug_log" ADD COLUMN "token" uuid NOT NULL DEFAULT gen_random_uuid()'
    ]


@pytest.mark.parametrize("name", ["index", "unique", "foreign key"])
def test_a_partitioned_table_that_was_begun_is_finished_part_by_part_even_when_it_is_empty(name):
    leaf = Partition(table=TableName("", "p1"), parent=LOGS, leaf=True, indexes={}, foreign_keys={})
    halves = {
        "index": index("log_body", "body", table=LOGS, valid=False),
        "unique": constraint(Kind.UNIQUE, "body", table=LOGS, validated=False),
        "foreign key": HALVES["foreign key"][1],
    }
    made = actions(*lacking(name, halves[name], partitions={LOGS: (leaf,)}))
    assert Mode.SHARED not in {action.mode for action in made}
