"""The models' tables, made as temporary ones and undone; what can't be made, and why."""

from dataclasses import replace

import pytest
from django.db import connection, models
from django.db.models.expressions import RawSQL

from agentsql import rehearsal
from agentsql.desired import draft
from agentsql.details import ColumnDetail
from agentsql.editor import dry_run
from agentsql.names import TableName
from agentsql.rehearsal import rehearse
from agentsql.schema import Key, Kind
from agentsql.server import ask
from tests import live
from tests.arena import Registry

LEFT = "SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()"


class Unknown(models.IntegerField):
    def db_type(self, connection):  # noqa: ARG002 Django's signature
        return "no_such_type"


def drafted(registry):
    return draft([registry.plugin(connection)], dry_run(connection), ask(connection).dialect)


def thing_of(**fields):
    registry = Registry()
    registry.model("Thing", n=models.IntegerField(db_default=5, db_index=True), **fields)
    return registry


def thing(**fields):
    return drafted(thing_of(**fields))


def rehearsed(wanted, server=None):
    return rehearse(connection, wanted, list(wanted.contents), server or ask(connection), patience=2.0)


def test_what_it_gives_and_leaves(arena):
    wanted = thing()
    made = rehearsed(wanted)
    assert made.failed == {}
    assert made.objects.keys() == wanted.objects.keys()
    detail = made.details[TableName("", "plug_thing"), Kind.COLUMN, "n"]
    assert isinstance(detail, ColumnDetail)
    assert (detail.default, detail.not_null) == ("5", True)
    assert arena.rows(LEFT) == [(0,)]
    assert arena.fingerprint() == {}
    assert arena.rows("SHOW search_path") == [(f"{arena.namespace}, public",)]


def test_a_table_of_that_name_is_not_in_the_way(arena):
    arena.sql("CREATE TABLE plug_thing (other int)")
    made = rehearsed(thing())
    assert Key(TableName("", "plug_thing"), Kind.COLUMN, ("n",)) in made.objects
    assert list(arena.fingerprint()["plug_thing"]["columns"]) == ["other"]


def test_foreign_keys_are_left_out(arena):
    registry = Registry()
    registry.model("Room")
    registry.model("Log", room=models.ForeignKey("Room", models.CASCADE))
    wanted = drafted(registry)
    made = rehearsed(wanted)
    assert {key.kind for key in wanted.objects.keys() - made.objects.keys()} == {Kind.FOREIGN_KEY}


def test_two_schemas_with_one_bare_name(arena):
    registry = Registry()
    registry.model("First", a=models.TextField(), meta={"db_table": 'one"."notes'})
    registry.model("Second", b=models.TextField(), meta={"db_table": 'two"."notes'})
    registry.model("Third", c=models.TextField(), meta={"db_table": "notes"})
    made = rehearsed(drafted(registry))
    columns = {(str(key.table), *key.identity) for key in made.objects if key.kind is Kind.COLUMN}
    assert (made.failed, columns) == (
        {},
        {
            (table, name)
            for table, own in (("one.notes", "a"), ("two.notes", "b"), ("notes", "c"))
            for name in ("id", own)
        },
    )


@pytest.mark.parametrize("place", [0, 4, 8])
def test_one_table_that_cannot_be_made(arena, place):
    registry = Registry()
    for number in range(9):
        field = Unknown() if number == place else models.IntegerField()
        registry.model(f"T{number}", n=field)
    made = rehearsed(drafted(registry))
    assert made.failed == {TableName("", f"plug_t{place}"): 'type "no_such_type" does not exist'}
    assert sum(key.kind is Kind.TABLE for key in made.objects) == 8
    assert arena.rows(LEFT) == [(0,)]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"in_recovery": True}, "the server is a replica, where no temporary table can be made"),
        ({"read_only": True}, "transactions are read-only, so no temporary table can be made"),
    ],
)
def test_a_server_that_takes_no_temporary_table(arena, facts, reason):
    made = rehearsed(thing(), replace(ask(connection), **facts))
    assert (made.failed, made.objects) == ({TableName("", "plug_thing"): reason}, {})


def test_a_role_that_may_make_none(arena):
    with live.Login(arena) as login:
        login.gets()
        name = connection.settings_dict["NAME"]
        with live.session(user=login.owner) as owner:
            owner.execute(f'REVOKE TEMPORARY ON DATABASE "{name}" FROM PUBLIC')
        try:
            made = rehearsed(thing())
        finally:
            with live.session(user=login.owner) as owner:
                owner.execute(f'GRANT TEMPORARY ON DATABASE "{name}" TO PUBLIC')
    (reason,) = made.failed.values()
    assert reason == f"the role {login.name!r} may not make temporary tables (GRANT TEMPORARY ON DATABASE)"


def test_a_read_only_role(arena):
    with live.Login(arena) as login:
        login.gets(default_transaction_read_only="on")
        made = rehearsed(thing())
    assert list(made.failed.values()) == ["transactions are read-only, so no temporary table can be made"]


def test_nothing_to_rehearse(arena):
    assert rehearse(connection, thing(), [], ask(connection), patience=2.0) == rehearsal.Rehearsal()


def many(count):
    registry = Registry()
    for number in range(count):
        registry.model(f"T{number}", n=models.IntegerField())
    return drafted(registry)


@pytest.mark.parametrize(("capacity", "batches"), [(10_000, 1), (200, 3), (4, 20)])
def test_a_batch_holds_no_more_locks_than_its_share(arena, monkeypatch, capacity, batches):
    wanted, sizes = many(20), []
    make = rehearsal._Stage.make

    def counted(self, batch):
        sizes.append(len(batch))
        return make(self, batch)

    monkeypatch.setattr(rehearsal._Stage, "make", counted)
    made = rehearsed(wanted, replace(ask(connection), lock_capacity=capacity))
    assert made.objects.keys() == wanted.objects.keys()
    assert (len(sizes), sum(sizes)) == (batches, 20)


def test_queries_grow_with_batches_not_with_tables(arena, django_assert_max_num_queries):
    wanted, server = many(300), ask(connection)
    with django_assert_max_num_queries(150):
        assert len(rehearsed(wanted, server).objects) == len(wanted.objects)


class Typed(models.TextField):
    def __init__(self, kind="text", **options):
        self.kind = kind
        super().__init__(**options)

    def deconstruct(self):
        name, path, args, options = super().deconstruct()
        return name, path, args, options | {"kind": self.kind}

    def db_type(self, connection):  # noqa: ARG002 Django's signature
        return self.kind


def raw_check(name, sql):
    condition = RawSQL(sql, (), output_field=models.BooleanField())
    return models.CheckConstraint(condition=condition, name=name)


def converged(arena, registry):
    plugin = registry.plugin(connection)
    assert [outcome.failure for outcome in arena.automigrate(plugin).outcomes if outcome.failure] == []
    return [(finding.id, finding.msg) for finding in arena.automigrate(plugin, plan_only=True).findings]


@pytest.mark.parametrize("order", [1, -1])
def test_the_type_of_another_tables_rows(arena, order):
    """It is the lasting table's, whichever of the temporary ones is made first."""
    arena.sql("CREATE TABLE place (id bigint)")
    registry = Registry()
    registry.model("Visit", at=Typed("place"), meta={"db_table": "visit"})
    registry.model("Place", meta={"db_table": "place"})
    wanted = drafted(registry)
    made = rehearse(connection, wanted, list(wanted.contents)[::order], ask(connection), patience=2.0)
    at = made.details[TableName("", "visit"), Kind.COLUMN, "at"]
    assert (at.type, at.type_id.oid) == ("place", arena.rows("SELECT 'place'::regtype::oid::bigint")[0][0])


def test_a_type_named_like_a_table_of_another_schema(arena):
    """Also in that table itself."""
    arena.sql("CREATE TYPE state AS ENUM ('on', 'off')", "CREATE DOMAIN mood AS state", "CREATE SCHEMA apart")
    registry = Registry()
    for name, table in (("State", 'apart"."state'), ("Lamp", "lamp")):
        checks = [raw_check(f"{name}_cast", "state <> 'off'::state"), raw_check(f"{name}_in", "length(mood::text) < 9")]
        fields = {"state": Typed("state", db_default="on"), "mood": Typed("mood", db_default="on")}
        registry.model(name, **fields, meta={"db_table": table, "constraints": checks})
    try:
        assert converged(arena, registry) == []
    finally:
        arena.sql("DROP SCHEMA apart CASCADE")


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("to_jsonb(plug_thing.*) IS NOT NULL", ""),
        ("n = label(plug_thing.*)", "its SQL gives whole rows to what takes only rows of plug_thing, "),
    ],
)
def test_a_check_of_whole_rows(arena, call, reason):
    arena.automigrate(thing_of().plugin(connection))
    arena.sql("CREATE FUNCTION label(plug_thing) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1.n'")
    told = converged(arena, thing_of(meta={"constraints": [raw_check("whole", call)]}))
    assert [name for name, _ in told] == (["agentsql.D190"] if reason else [])
    assert all(reason in words and "function label(pg_temp.plug_thing) does not exist" in words for _, words in told)


UNRENDERED = models.CheckConstraint(condition=models.Q(name__contains="x"), name="odd")


def test_what_django_can_not_render_is_told_and_the_rest_compared(arena):
    """A % in a column's name trips Django's own quoting of a condition's parameters."""
    registry = Registry()
    registry.model("Thing", n=models.IntegerField(db_default=5))
    name = models.CharField(max_length=9, db_column="Na me%")
    odd = registry.model("Odd", name=name, meta={"constraints": [UNRENDERED]})
    arena.sql('CREATE TABLE plug_odd (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, "Na me%" varchar(9))')
    arena.sql("CREATE TABLE plug_thing (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, n int NOT NULL)")
    report = arena.automigrate(registry.plugin(connection), plan_only=True)
    told = {finding.id.removeprefix("agentsql."): finding for finding in report.findings}
    assert told.keys() == {"D013", "D102", "D106", "D190"}
    assert (told["D013"].obj, told["D190"].obj) == (odd._meta.label, "plug_odd")
    assert "Why: Django can't render it (ValueError: " in told["D190"].msg


def test_a_constraint_whose_name_has_quotes(arena):
    check = models.CheckConstraint(condition=models.Q(n__gt=0), name='Chk "q"')
    wanted = thing(meta={"constraints": [check]})
    assert rehearsed(wanted).objects.keys() == wanted.objects.keys()
