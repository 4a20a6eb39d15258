"""A thorough look: what is wanted and found, and what else only such a look asks."""

import pytest
from django.db import connection, models
from pgvector.django import VectorField

from agentsql.conf import Settings
from agentsql.exceptions import CatalogLocked
from agentsql.names import TableName
from agentsql.schema import Key, Kind
from agentsql.survey import Wishes, look
from tests import live
from tests.arena import Registry
from tests.support import column_key, transaction_of_another

QUICK = Settings(lock_timeout=0.5, lock_wait=1)
THING = TableName("", "plug_thing")
AI = "examined_ai"


def plugin_of(**fields):
    registry = Registry()
    registry.model("Thing", **({"n": models.IntegerField(db_default=5)} | fields))
    return registry.plugin(connection)


def examined(plugin):
    survey = look(connection, [plugin], QUICK, Wishes(plan_only=True))
    return survey.examination, survey.situation


def facts(plugin):
    examination, situation = examined(plugin)
    return {(str(one.key), one.fact) for one in examination.differences(situation)}


@pytest.fixture
def schema(arena):
    arena.sql(f"CREATE SCHEMA {AI}")
    yield AI
    arena.sql(f"DROP SCHEMA {AI} CASCADE")


def test_only_a_run_that_plans_examines(arena):
    plugin = plugin_of()
    assert look(connection, [plugin], QUICK, Wishes()).examination is None
    assert examined(plugin)[0] is not None


def test_both_sides(arena):
    plugin = plugin_of()
    arena.automigrate(plugin)
    arena.sql("ALTER TABLE plug_thing ALTER n SET DEFAULT 6")
    examination, situation = examined(plugin)
    assert examination.wanted[column_key("plug_thing", "n")].default == "5"
    assert examination.found[THING, Kind.COLUMN, "n"].default == "6"
    assert examination.wanted.keys() == situation.draft.objects.keys()
    assert facts(plugin) == {("plug_thing.n", "default")}


def test_a_table_that_is_missing_is_not_looked_at(arena):
    examination, _ = examined(plugin_of())
    assert (examination.wanted, examination.found, examination.failed) == ({}, {}, {})


def test_a_foreign_key_is_read_from_its_statement(arena):
    registry = Registry()
    registry.model("Room")
    registry.model("Thing", room=models.ForeignKey("Room", models.CASCADE))
    plugin = registry.plugin(connection)
    arena.automigrate(plugin)
    examination, situation = examined(plugin)
    (key,) = (key for key in situation.draft.objects if key.kind is Kind.FOREIGN_KEY)
    assert (examination.wanted[key].on_delete, examination.wanted[key].deferred) == ("a", True)


@pytest.mark.parametrize(
    ("field", "told"),
    [
        (models.IntegerField(default=7), set()),
        (models.IntegerField(), {("plug_thing.n", "default")}),
        (models.IntegerField(db_default=8), {("plug_thing.n", "default")}),
    ],
    ids=["one in Python, which a run left", "none", "another"],
)
def test_a_default_that_the_database_has(arena, field, told):
    plugin = plugin_of(n=field)
    arena.automigrate(plugin)
    arena.sql("ALTER TABLE plug_thing ALTER n SET DEFAULT 7")
    assert facts(plugin) == told


def test_what_cannot_be_rehearsed_is_compared_as_in_every_run(arena):
    """A glance sees less, but nothing that a run tells may be lost in a thorough look."""
    with live.Login(arena) as login:
        plugin = plugin_of(n=models.IntegerField(db_default=5, db_index=True))
        arena.automigrate(plugin)
        arena.sql("ALTER TABLE plug_thing ALTER n TYPE numeric, ALTER n DROP NOT NULL, ALTER n SET DEFAULT 6")
        login.gets(default_transaction_read_only="on")
        examination, _ = examined(plugin)
        told = facts(plugin)
    assert list(examination.failed) == [THING]
    assert told == {("plug_thing.n", "type"), ("plug_thing.n", "not_null")}


@pytest.mark.extension("vector")
def test_versions_of_extensions(arena):
    arena.sql("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")
    ((version,),) = arena.rows("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
    plugin = plugin_of(v=VectorField(dimensions=3, null=True))
    arena.automigrate(plugin)
    assert examined(plugin)[0].outdated == {}
    for old, outdated in (("0.8.0", {"vector": ("0.8.0", version)}), ("99", {})):
        arena.sql(f"UPDATE pg_extension SET extversion = '{old}' WHERE extname = 'vector'")
        try:
            assert examined(plugin)[0].outdated == outdated
            assert examined(plugin_of())[0].outdated == {}
        finally:
            arena.sql(f"UPDATE pg_extension SET extversion = '{version}' WHERE extname = 'vector'")


def test_tables_of_no_model(arena, schema):
    registry = Registry()
    registry.model("Note", meta={"db_table": f'{schema}"."notes'})
    registry.model("Here", meta={"db_table": "here"})
    plugin = registry.plugin(connection)
    arena.automigrate(plugin)
    arena.sql(
        f"CREATE TABLE {schema}.b (n int)",
        f"CREATE TABLE {schema}.a (n int) PARTITION BY LIST (n)",
        f"CREATE TABLE {schema}.a_1 PARTITION OF {schema}.a FOR VALUES IN (1)",
        f"CREATE TABLE {schema}.heir () INHERITS ({schema}.notes)",
        f"CREATE VIEW {schema}.seen AS SELECT 1",
        f"CREATE TABLE {schema}.auth_user (n int)",
        f"CREATE TABLE {schema}.django_migrations (n int)",
        "CREATE TABLE elsewhere (n int)",
    )
    assert examined(plugin)[0].strangers == {schema: ["a", "b"]}
    assert examined(plugin_of())[0].strangers == {}


def test_a_table_that_search_path_finds_in_that_schema(arena, schema):
    registry = Registry()
    registry.model("Note", meta={"db_table": f'{schema}"."notes'})
    registry.model("Bare", meta={"db_table": "bare"})
    arena.sql(f"SET search_path TO {arena.namespace}, {schema}, public", f"CREATE TABLE {schema}.bare (id int)")
    assert examined(registry.plugin(connection))[0].strangers == {}


@pytest.mark.parametrize("count", [3, 300])
def test_a_look_at_many_tables(arena, count, django_assert_max_num_queries):
    registry = Registry()
    for number in range(count):
        registry.model(f"T{number}", n=models.PositiveIntegerField(db_index=True))
    plugin = registry.plugin(connection)
    arena.automigrate(plugin)
    with django_assert_max_num_queries(60):
        survey = look(connection, [plugin], Settings(), Wishes(plan_only=True))
    assert survey.findings == ()
    assert Key(TableName("", f"plug_t{count - 1}"), Kind.TABLE) in survey.examination.wanted


def test_a_locked_table_is_not_waited_for_without_end(arena):
    """Printing an index takes a lock, too; a table without a check shows it only here."""
    registry = Registry()
    registry.model("Plain", n=models.IntegerField())
    plugin = registry.plugin(connection)
    arena.automigrate(plugin)
    with transaction_of_another(arena, "LOCK TABLE plug_plain"), pytest.raises(CatalogLocked):
        arena.automigrate(plugin, plan_only=True, settings=Settings(lock_timeout=0.3, lock_wait=0.3))
