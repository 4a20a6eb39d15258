"""Tables in use that somebody has made odd: other schemas, heirs, triggers, domains, keys that fail half way."""

import uuid

import pytest
from django.db import connection, models

from agentsql.conf import Settings
from tests.arena import Registry

SOON = Settings(lock_timeout=0.3, lock_wait=1)
THING = "CREATE TABLE plug_thing (id bigint PRIMARY KEY, n int NOT NULL)"
ROWS = "INSERT INTO plug_thing SELECT g, g FROM generate_series(1, 50) g"
INDEXES = """
SELECT n.nspname::text, i.indisvalid FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = 'thing_n'
 ORDER BY 1
"""
HELPERS = "SELECT count(*) FROM pg_constraint WHERE conname LIKE 'agentsql%%' AND connamespace = to_regnamespace(%s)"


def plugin_of(*, meta=None, **fields):
    registry = Registry()
    fields = {"id": models.BigIntegerField(primary_key=True), "n": models.IntegerField(), **fields}
    registry.model("Thing", meta=meta or {}, **fields)
    return registry.plugin(connection)


def ids(report):
    return [finding.id for finding in report.findings]


class Whole(models.IntegerField):
    def db_type(self, connection):  # noqa: ARG002 Django's signature
        return "whole"


@pytest.fixture
def elsewhere(arena):
    """Another schema, first on search_path; its tables are nobody's business."""
    name = f"{arena.namespace}_first"
    arena.sql(f"CREATE SCHEMA {name}", f"SET search_path TO {name}, {arena.namespace}, public")
    yield name
    arena.sql(f"DROP SCHEMA {name} CASCADE")
    arena.enter()


def test_an_index_of_that_name_in_another_schema_stays(arena, elsewhere):
    """Only the table's own is looked at, and only that is dropped when it is invalid."""
    arena.sql(
        f"CREATE TABLE {arena.namespace}.plug_thing (id bigint PRIMARY KEY, n int NOT NULL)",
        f"INSERT INTO {arena.namespace}.plug_thing VALUES (1, 5), (2, 5)",
        f"CREATE TABLE {elsewhere}.other (n int)",
        f"CREATE INDEX thing_n ON {elsewhere}.other (n)",
    )
    with pytest.raises(Exception, match="could not create unique index"):
        arena.sql(f"CREATE UNIQUE INDEX CONCURRENTLY thing_n ON {arena.namespace}.plug_thing (n)")

    report = arena.automigrate(plugin_of(meta={"indexes": [models.Index(fields=["n"], name="thing_n")]}))

    assert report.status == "converged"
    assert arena.rows(INDEXES) == [(arena.namespace, True), (elsewhere, True)]


@pytest.mark.parametrize("atomic", [False, True])
def test_tables_that_inherit_are_filled_too(arena, atomic):
    arena.sql(
        THING,
        ROWS,
        "CREATE TABLE heir (more text) INHERITS (plug_thing)",
        "INSERT INTO heir SELECT 1000 + g, g FROM generate_series(1, 5000) g",
    )
    plugin = plugin_of(token=models.UUIDField(default=uuid.uuid4))

    report = arena.automigrate(plugin, settings=SOON, atomic=atomic, allow_rewrite=atomic)

    assert report.status == "converged"
    assert arena.rows("SELECT count(*), count(DISTINCT token) FROM plug_thing") == [(5050, 5050)]
    assert arena.rows(HELPERS, arena.namespace) == [(0,)]


def test_a_trigger_that_keeps_rows_from_being_filled_is_told(arena):
    arena.sql(
        THING,
        ROWS,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER refuse BEFORE UPDATE ON plug_thing FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    plugin = plugin_of(token=models.UUIDField(default=uuid.uuid4))

    (outcome,) = arena.automigrate(plugin, settings=SOON).outcomes
    arena.sql("DROP TRIGGER refuse ON plug_thing")
    again = arena.automigrate(plugin)

    assert (outcome.failure.sqlstate, "trigger" in outcome.failure.hint) == ("09000", True)
    assert again.status == "converged"


@pytest.mark.parametrize("domain", ["int CHECK (VALUE > 0)", "int NOT NULL DEFAULT 1"])
def test_a_domain_that_must_be_looked_at_in_each_row_is_a_rewrite(arena, domain):
    arena.sql(THING, ROWS, f"CREATE DOMAIN whole AS {domain}")
    plugin = plugin_of(w=Whole(default=7))

    refused = arena.automigrate(plugin)
    made = arena.automigrate(plugin, allow_rewrite=True)
    again = arena.automigrate(plugin)

    assert (ids(refused), refused.outcomes) == (["agentsql.D016"], ())
    assert (made.status, ids(made), again.outcomes) == ("converged", [], ())


def test_a_function_of_mixed_case_is_asked_for_each_row(arena):
    arena.sql(
        THING, ROWS, """CREATE FUNCTION "GenId"() RETURNS uuid LANGUAGE sql VOLATILE AS 'SELECT gen_random_uuid()'"""
    )
    field = models.UUIDField(db_default=models.Func(function='"GenId"'))

    report = arena.automigrate(plugin_of(token=field))

    assert (report.status, len(report.outcomes[0].step.actions)) == ("converged", 5)
    assert arena.rows("SELECT count(DISTINCT token) FROM plug_thing") == [(50,)]


def test_a_primary_key_that_fails_leaves_its_columns_as_they_were(arena):
    arena.sql("CREATE TABLE plug_thing (id bigint, n int NOT NULL)", "INSERT INTO plug_thing VALUES (1, 1), (1, 2)")

    report = arena.automigrate(plugin_of())

    assert ids(report)[0] == "agentsql.D015"
    arena.sql("INSERT INTO plug_thing VALUES (NULL, 3)")
    assert arena.rows(HELPERS, arena.namespace) == [(0,)]
    assert arena.rows("SELECT count(*) FROM pg_index WHERE indrelid = 'plug_thing'::regclass") == [(0,)]


def test_a_column_that_was_renamed_while_it_was_filled(arena):
    arena.sql(
        THING,
        ROWS,
        "ALTER TABLE plug_thing ADD COLUMN told uuid",
        "ALTER TABLE plug_thing ADD CONSTRAINT agentsql_fill_token CHECK (told IS NULL OR true) NOT VALID",
    )

    report = arena.automigrate(plugin_of(token=models.UUIDField(default=uuid.uuid4)))

    assert report.status == "converged"
    assert arena.rows(HELPERS, arena.namespace) == [(0,)]


def test_a_constraint_that_is_not_enforced_is_somebodys_wish(arena):
    if connection.pg_version < 180000:
        pytest.skip("NOT ENFORCED is new in PostgreSQL 18")
    arena.sql(THING, ROWS, "ALTER TABLE plug_thing ADD CONSTRAINT small CHECK (n < 9) NOT ENFORCED")
    meta = {"constraints": [models.CheckConstraint(condition=models.Q(n__lt=9), name="small")]}

    report = arena.automigrate(plugin_of(meta=meta))

    assert (report.status, ids(report), report.outcomes) == ("converged", ["agentsql.D104"], ())


def test_notices_of_others_are_no_progress(arena):
    """A trigger may say anything while rows are filled."""
    arena.sql(
        THING,
        ROWS,
        "CREATE FUNCTION speak() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE NOTICE 'agentsql: hello'; PERFORM pg_sleep(0.03); RETURN NEW; END $$",
        "CREATE TRIGGER speak BEFORE UPDATE ON plug_thing FOR EACH ROW EXECUTE FUNCTION speak()",
    )
    events = []

    report = arena.automigrate(plugin_of(token=models.UUIDField(default=uuid.uuid4)), tell=events.append)

    assert report.status == "converged"
