"""Why a missing object can't be made, and what is left out with it."""

import itertools

import pytest
from django.contrib.postgres.fields import HStoreField
from django.db import connection, models
from django.test import override_settings

from agentsql import hazards
from agentsql.names import TableName
from agentsql.plan import plan
from agentsql.schema import Extension, Key, Kind, Table
from tests.arena import Registry
from tests.support import column, column_key, constraint, draft_of, index, situation, table_key

counter = itertools.count()
registry = Registry()
ROOM = registry.model("Room")
LOG = registry.model(
    "Log",
    room=models.ForeignKey(ROOM, models.CASCADE),
    plain=models.TextField(),
    given=models.TextField(default="x"),
    moody=models.IntegerField(default=lambda: next(counter)),
    free=models.TextField(null=True),
    served=models.TextField(db_default="x"),
    tags=HStoreField(null=True),
    meta={"indexes": [models.Index(fields=["plain"], name="log_plain")]},
)
DESIRED = draft_of(LOG, ROOM)
LOGS, ROOMS, HSTORE = table_key("plug_log"), table_key("plug_room"), Extension(name="hstore").key
PLAIN_INDEX = Key(LOGS.table, Kind.INDEX, ("log_plain",))
LOG_OWN = set(DESIRED.contents[LOGS.table])
ROOM_KEY = next(key for key in LOG_OWN if key.kind is Kind.FOREIGN_KEY)


@pytest.fixture(autouse=True)
def _open(database):
    """Open the connection, as in a run: that asks the server for its types, and a default may ask nothing."""
    connection.ensure_connection()


def lacking(*missing, **conditions):
    return situation(DESIRED, DESIRED.objects.keys() - set(missing), **conditions)


def refused(now):
    return {str(key): finding.id for key, finding in hazards.refusals(now)}


def test_nothing_is_missing():
    assert refused(lacking()) == {}


def test_all_is_missing_from_an_empty_database():
    assert refused(situation(DESIRED, [], extensions={"hstore": False})) == {}


def replaced(*others, **conditions):
    """What plan sees where these stand in the place of the objects of their identity."""
    gone = {item.key for item in others}
    found = [DESIRED.objects[key] for key in DESIRED.objects.keys() - gone]
    return situation(DESIRED, [*found, *others], **conditions)


@pytest.mark.parametrize("relkind", ["v", "m", "f", "S"])
def test_a_relation_that_is_no_table(relkind):
    others = [key for key in DESIRED.objects if key not in LOG_OWN]
    found = [*(DESIRED.objects[key] for key in others), Table(table=LOGS.table, relkind=relkind)]
    now = situation(DESIRED, found)
    assert refused(now) == {"plug_log": "agentsql.D002"}
    assert plan(now).steps == ()


def test_a_partitioned_table_is_a_table():
    assert refused(replaced(Table(table=LOGS.table, relkind="p"))) == {}


def test_another_primary_key():
    theirs = constraint(Kind.PRIMARY_KEY, "uuid", table=LOGS.table)
    assert refused(replaced(theirs)) == {"plug_log": "agentsql.D001"}


def test_a_primary_key_in_another_order_is_the_same():
    model = Registry().model(
        "Pair", pk=models.CompositePrimaryKey("a", "b"), a=models.IntegerField(), b=models.IntegerField()
    )
    desired = draft_of(model)
    key = next(item for item in desired.objects.values() if item.key.kind is Kind.PRIMARY_KEY)
    found = {**desired.objects, key.key: constraint(Kind.PRIMARY_KEY, "b", "a", table=key.table)}
    assert refused(situation(desired, found.values())) == {}


def test_a_table_of_another_owner():
    theirs = Table(table=LOGS.table, owned=False)
    assert refused(replaced(theirs)) == {}
    found = [DESIRED.objects[key] for key in DESIRED.objects.keys() - {LOGS, PLAIN_INDEX}]
    now = situation(DESIRED, [*found, theirs])
    assert refused(now) == {"index plug_log(log_plain)": "agentsql.D010"}
    assert plan(now).steps == ()


@pytest.mark.parametrize(
    ("available", "superuser", "may_create", "expected"),
    [
        ({}, True, True, "agentsql.D006"),
        ({}, False, True, "agentsql.D006"),
        ({"hstore": False}, False, True, None),
        ({"hstore": False}, False, False, "agentsql.D007"),
        ({"hstore": True}, False, True, "agentsql.D007"),
        ({"hstore": True}, True, True, None),
        ({"hstore": True}, True, False, None),
    ],
    ids=["absent", "absent, not super", "trusted", "no right", "untrusted", "superuser", "superuser without right"],
)
def test_extensions(available, superuser, may_create, expected):
    tags = column_key("plug_log", "tags")
    now = lacking(HSTORE, tags, extensions=available, superuser=superuser, may_create_in_database=may_create)
    assert refused(now) == ({"extension hstore": expected} if expected else {})
    assert [step.key for step in plan(now).steps] == ([] if expected else [HSTORE, tags])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain", "agentsql.D004"),
        ("room_id", "agentsql.D004"),
        ("moody", "agentsql.D005"),
        ("free", None),
        ("served", None),
        ("tags", None),
        ("id", "agentsql.D016"),
    ],
)
def test_columns_of_a_table_with_rows(name, expected):
    key = column_key("plug_log", name)
    assert refused(lacking(key)) == {}
    assert refused(lacking(key, populated={ROOMS.table})) == {}
    assert refused(lacking(key, populated={LOGS.table})) == ({f"plug_log.{name}": expected} if expected else {})


def test_a_default_fills_rows():
    now = lacking(column_key("plug_log", "given"), populated={LOGS.table})
    assert refused(now) == {}
    (step,) = plan(now).steps
    assert step.sql == ('ALTER TABLE "plug_log" ADD COLUMN "given" text NOT NULL DEFAULT \'x\'',)


def test_a_target_that_nobody_makes():
    desired = draft_of(LOG)
    found = [item for key, item in desired.objects.items() if key != ROOM_KEY]
    (finding,) = (finding for _, finding in hazards.refusals(situation(desired, found)))
    assert (finding.id, finding.hint[:23]) == ("agentsql.D003", "Run `manage.py migrate`")
    assert refused(situation(desired, [*found, Table(table=ROOMS.table)])) == {}
    assert refused(lacking(ROOM_KEY)) == {}


class RoomsElsewhere:
    def allow_migrate(self, *_, model=None, **_hints):
        return model is not ROOM


def test_a_target_that_the_routers_keep_elsewhere():
    desired = draft_of(LOG)
    found = [item for key, item in desired.objects.items() if key != ROOM_KEY]
    with override_settings(DATABASE_ROUTERS=[RoomsElsewhere()]):
        (finding,) = (finding for _, finding in hazards.refusals(situation(desired, found)))
    assert (finding.id, "db_constraint=False" in finding.hint) == ("agentsql.D020", True)


@pytest.mark.parametrize(
    ("taken", "expected"),
    [({}, {}), ({"other": "an index of table x"}, {}), ({"log_plain": "an index of table x"}, "agentsql.D009")],
)
def test_names_in_use(taken, expected):
    found = refused(lacking(PLAIN_INDEX, taken=taken))
    assert found == ({"index plug_log(log_plain)": expected} if expected else {})


@pytest.mark.parametrize(
    ("name", "there", "expected"),
    [("room_once", False, "agentsql.D009"), ("room_once", True, "agentsql.D009"), ("plug_room_pkey", False, None)],
)
def test_names_in_use_of_constraints(name, there, expected):
    """Only those that we give: the table comes without that one."""
    once = models.UniqueConstraint(fields=["floor"], name="room_once")
    desired = draft_of(Registry().model("Room", floor=models.IntegerField(), meta={"constraints": [once]}))
    others = [key for key in desired.objects if there and key.kind is not Kind.UNIQUE]
    planned = plan(situation(desired, others, taken={name: "a sequence"}))
    assert [finding.id for finding in planned.findings] == ([expected] if expected else [])
    assert [step.key.kind for step in planned.steps] == ([] if there else [Kind.TABLE])
    for step in planned.steps:
        assert ("room_once" in step.sql[0]) is (expected is None)
        assert (Kind.UNIQUE in {key.kind for key in step.creates}) is (expected is None)


def test_a_name_is_in_use_in_one_schema_only():
    meta = {"db_table": 'ai"."far', "indexes": [models.Index(fields=["id"], name="far_id")]}
    now = situation(draft_of(Registry().model("Far", meta=meta)), [], taken={"far_id": "an index of table x"})
    assert refused(now) == {}


def test_an_invalid_index_may_be_built_again_under_its_name():
    invalid = index("log_plain", "plain", table=LOGS.table, valid=False)
    now = replaced(invalid, taken={"log_plain": "an index of table plug_log"}, populated={LOGS.table})
    assert refused(now) == {}
    assert [str(step.key) for step in plan(now).steps] == ["index plug_log(log_plain)"]


def test_an_index_that_another_backend_builds():
    now = lacking(PLAIN_INDEX, building={"log_plain": 4711, "other": 4712}, populated={LOGS.table})
    (finding,) = (finding for _, finding in hazards.refusals(now))
    assert (finding.id, finding.obj) == ("agentsql.D011", "index plug_log(log_plain)")
    assert "backend 4711" in finding.msg


def test_one_table_for_two_models():
    rival = Registry().model("Rival", meta={"db_table": "plug_room"})
    desired = draft_of(ROOM, rival)
    planned = plan(situation(desired, []))
    assert [(finding.id, finding.obj) for finding in planned.findings] == [("agentsql.D008", "plug.Rival")]
    assert [step.model for step in planned.steps] == ["plug.Room"]


def test_what_a_refused_table_takes_along():
    """Its own objects and the keys that point to it; nothing else."""
    far = registry.model("Far", meta={"db_table": "far"})
    desired = draft_of(LOG, ROOM, far)
    now = situation(desired, [Table(table=ROOMS.table, relkind="v")], extensions={"hstore": False})
    made = plan(now).steps
    assert [step.key.table for step in made if step.key.kind is Kind.TABLE] == [LOGS.table, TableName("", "far")]
    assert ROOM_KEY not in {key for step in made for key in step.creates}


FREE, PLAIN = column_key("plug_log", "free"), column_key("plug_log", "plain")


@pytest.mark.parametrize("guess", [True, False])
def test_what_may_be_there_under_another_name(guess):
    """It waits with all that needs it; NOT NULL without a default alone would be told otherwise."""
    gone = PLAIN, PLAIN_INDEX, FREE
    now = lacking(*gone, populated={LOGS.table}, lookalikes={PLAIN: ("old", "older")}, rename_guess=guess)
    assert refused(now) == {"plug_log.plain": "agentsql.D131" if guess else "agentsql.D004"}
    assert [step.key for step in plan(now).steps] == [FREE]


def test_a_table_that_may_be_there_under_another_name():
    now = situation(DESIRED, [], extensions={"hstore": False}, lookalikes={LOGS: ("old",)})
    assert refused(now) == {"plug_log": "agentsql.D132"}
    assert {step.key.table for step in plan(now).steps if step.key.table.name} == {ROOMS.table}


def test_a_table_that_no_key_may_point_to():
    theirs = Table(table=ROOMS.table, owned=False, referable=False)
    found = [DESIRED.objects[key] for key in DESIRED.objects.keys() - {ROOMS, ROOM_KEY}]
    (finding,) = dict(hazards.refusals(situation(DESIRED, [*found, theirs]))).values()
    assert (finding.id, finding.obj) == ("agentsql.D024", str(ROOM_KEY))
    assert 'GRANT REFERENCES ON "plug_room" TO ' in finding.hint
    assert refused(replaced(theirs)) == {}  # the key is there


@pytest.mark.parametrize(("kind", "expected"), [("text", "agentsql.D023"), ("numeric", None), ("odd_domain", None)])
def test_a_key_between_types_that_are_never_equal(kind, expected):
    found = [DESIRED.objects[key] for key in DESIRED.objects.keys() - {column_key("plug_log", "room_id"), ROOM_KEY}]
    now = situation(DESIRED, [*found, column("room_id", kind, table=LOGS.table)])
    assert refused(now) == ({str(ROOM_KEY): expected} if expected else {})
    assert bool(plan(now).steps) is (expected is None)
