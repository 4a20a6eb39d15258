"""What is asked of a database where something is missing: rows, names, builds, functions, partitions."""

from contextlib import closing

import pytest
from django.contrib.postgres.fields import HStoreField
from django.contrib.postgres.functions import RandomUUID
from django.db import connection, models
from django.db.models import Func

from agentsql.conditions import PROBED_AT_ONCE, populated
from agentsql.conf import Settings
from agentsql.names import TableName
from agentsql.schema import PartIndex
from agentsql.statement import running
from agentsql.survey import Wishes, look
from tests.arena import Registry
from tests.support import transaction_of_another

LOGS = TableName("", "plug_log")
TABLE = "CREATE TABLE plug_log (id bigint PRIMARY KEY, n int)"


def conditions(arena, **fields):
    """Return what a look at a model with more than the table holds finds out."""
    registry = Registry()
    meta = {"indexes": [models.Index(fields=["n"], name="log_n")], **fields.pop("meta", {})}
    fields = {"id": models.BigIntegerField(primary_key=True), "n": models.IntegerField(null=True)} | fields
    registry.model("Log", meta=meta, **fields)
    settings = Settings(lock_timeout=0.2, lock_wait=5)
    return look(arena.connection, [registry.plugin(connection)], settings, Wishes()).situation.conditions


def names(*tables):
    return [TableName("", table) for table in tables]


@pytest.mark.parametrize(
    ("before", "size"),
    [
        ([], None),
        (["INSERT INTO plug_log VALUES (1, 1)"], "of unknown size"),
        (["INSERT INTO plug_log SELECT generate_series(1, 1234)", "ANALYZE plug_log"], "about 1,234 rows"),
        (["INSERT INTO plug_log VALUES (1, 1)", "ANALYZE plug_log", "DELETE FROM plug_log"], None),
    ],
    ids=["empty", "never analysed", "analysed", "emptied"],
)
def test_rows(arena, before, size):
    arena.sql(TABLE, *before)
    assert conditions(arena).populated == ({LOGS: size} if size else {})


def test_many_tables_are_asked_at_once(arena):
    """A query for each hundred, whatever holds rows."""
    tables = names(*(f"t{number}" for number in range(PROBED_AT_ONCE + 5)))
    arena.sql("; ".join(f"CREATE TABLE {table.quoted} ()" for table in tables))
    arena.sql("INSERT INTO t7 DEFAULT VALUES", f"INSERT INTO t{PROBED_AT_ONCE + 1} DEFAULT VALUES")
    asked = []

    def look(execute, sql, params, many, context):
        asked.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        found = populated(connection, tables, 1)
    assert set(found) == {TableName("", "t7"), TableName("", f"t{PROBED_AT_ONCE + 1}")}
    assert sum("EXISTS" in sql for sql in asked) == 2


def test_a_locked_table_counts_as_populated_and_hides_no_other(arena):
    arena.sql("CREATE TABLE a ()", "CREATE TABLE b ()", "CREATE TABLE c ()", "INSERT INTO c DEFAULT VALUES")
    with transaction_of_another(arena, "LOCK TABLE b IN ACCESS EXCLUSIVE MODE"):
        found = populated(connection, names("a", "b", "c"), 0.1)
    assert found == dict.fromkeys(names("b", "c"), "of unknown size")


def test_a_table_that_shows_no_rows_to_this_role_counts_as_populated(arena):
    arena.sql("DROP ROLE IF EXISTS blind", "CREATE ROLE blind")
    try:
        arena.sql(
            "CREATE TABLE hidden ()",
            "CREATE TABLE forbidden ()",
            "CREATE TABLE plain ()",
            "ALTER TABLE hidden ENABLE ROW LEVEL SECURITY",
            f"GRANT USAGE ON SCHEMA {arena.namespace} TO blind",
            "GRANT SELECT ON hidden, plain TO blind",
            "SET ROLE blind",
        )
        found = populated(connection, names("hidden", "forbidden", "plain"), 1)
    finally:
        arena.sql("RESET ROLE", "DROP OWNED BY blind", "DROP ROLE blind")
    assert found == dict.fromkeys(names("hidden", "forbidden"), "of unknown size")


def test_names_in_use(arena):
    arena.sql(TABLE, "CREATE TABLE other (n int)", "CREATE INDEX log_n ON other (n)", "CREATE SEQUENCE once")
    meta = {"constraints": [models.UniqueConstraint(fields=["n"], name="once")]}
    indexes = [models.Index(fields=["n"], name="log_n"), models.Index(fields=["id"], name="free")]
    found = conditions(arena, meta=meta | {"indexes": indexes}).taken
    assert found == {
        TableName(arena.namespace, "log_n"): "an index of table other",
        TableName(arena.namespace, "once"): "a sequence",
    }


def test_names_in_use_in_the_schema_of_a_new_table(arena):
    arena.sql("CREATE SCHEMA conditions_ai", "CREATE SEQUENCE conditions_ai.log_n")
    try:
        found = conditions(arena, meta={"db_table": 'conditions_ai"."log'}).taken
    finally:
        arena.sql("DROP SCHEMA conditions_ai CASCADE")
    assert found == {TableName("conditions_ai", "log_n"): "a sequence"}


@pytest.mark.parametrize("waiting", ["in the queue for its lock", "for older transactions"])
def test_builds_of_others(arena, waiting):
    """Also of one whose client was killed: the server goes on."""
    arena.sql(TABLE, "INSERT INTO plug_log VALUES (1, 1)")
    hold = "LOCK TABLE plug_log IN SHARE MODE" if waiting.startswith("in") else "INSERT INTO plug_log VALUES (2, 2)"
    sql = f'CREATE INDEX CONCURRENTLY "log_n" ON {arena.namespace}.plug_log ("n")'
    with closing(connection.copy()) as builder, transaction_of_another(arena, hold):
        builder.ensure_connection()
        with closing(running(sql, builder.connection, 0.02)) as ticks:
            found = next(filter(None, (conditions(arena).building for _ in ticks)))
        assert found == {"log_n": builder.connection.info.backend_pid}
    assert conditions(arena).building == {}


def test_functions_that_answer_anew_for_each_row(arena):
    arena.sql(TABLE, "INSERT INTO plug_log VALUES (1, 1)")
    arena.sql(
        "CREATE FUNCTION moody() RETURNS int VOLATILE LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION steady() RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'",
    )
    defaults = {
        "a": models.IntegerField(db_default=Func(function="moody", output_field=models.IntegerField())),
        "b": models.IntegerField(db_default=Func(function="steady", output_field=models.IntegerField())),
        "c": models.UUIDField(db_default=RandomUUID()),
        "d": models.DateTimeField(auto_now_add=True),
        "e": models.IntegerField(default=lambda: arena.sql("SELECT 1")),
    }
    assert conditions(arena, **defaults).volatile == {"moody", "gen_random_uuid"}


def test_partitions(arena):
    arena.sql(
        "CREATE TABLE plug_log (id bigint, n int) PARTITION BY RANGE (id)",
        "CREATE TABLE low PARTITION OF plug_log FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE high PARTITION OF plug_log FOR VALUES FROM (10) TO (99) PARTITION BY LIST (n)",
        "CREATE TABLE one PARTITION OF high FOR VALUES IN (1)",
        "CREATE TABLE room (id int PRIMARY KEY)",
        "INSERT INTO plug_log VALUES (1, 1)",
        "CREATE INDEX whole ON ONLY plug_log (n)",
        "CREATE INDEX part ON low (n)",
        "ALTER INDEX whole ATTACH PARTITION part",
        "ALTER TABLE one ADD CONSTRAINT one_id UNIQUE (id)",
        "ALTER TABLE low ADD CONSTRAINT far FOREIGN KEY (n) REFERENCES room NOT VALID",
    )
    (tree,) = conditions(arena).partitions.values()
    namespace = arena.namespace
    assert [(part.table.name, part.parent.name, part.leaf, part.relkind) for part in tree] == [
        ("high", "plug_log", False, "p"),
        ("low", "plug_log", True, "r"),
        ("one", "high", True, "r"),
    ]
    assert {part.table.namespace for part in tree} == {namespace}
    high, low, one = tree
    assert low.indexes == {"part": PartIndex(valid=True, attached=True, of_constraint=False)}
    assert one.indexes == {"one_id": PartIndex(valid=True, attached=False, of_constraint=True)}
    assert low.foreign_keys == {"far": False}
    assert (high.indexes, high.foreign_keys) == ({}, {})


def test_a_partitioned_table_without_partitions(arena):
    arena.sql("CREATE TABLE plug_log (id bigint, n int) PARTITION BY RANGE (id)")
    assert conditions(arena).partitions == {LOGS: ()}


@pytest.mark.parametrize(("field", "known"), [(HStoreField(null=True), True), (models.TextField(null=True), False)])
def test_extensions(arena, field, known):
    arena.sql("DROP EXTENSION IF EXISTS hstore CASCADE", TABLE)
    available = arena.rows("SELECT 1 FROM pg_available_extensions WHERE name = 'hstore'")
    assert ("hstore" in conditions(arena, x=field).extensions) is bool(known and available)


def test_nothing_is_asked_where_nothing_is_missing(arena):
    arena.sql(TABLE, "INSERT INTO plug_log VALUES (1, 1)", "CREATE INDEX log_n ON plug_log (n)")
    found = conditions(arena)
    assert (found.populated, found.taken, found.extensions) == ({}, {}, {})


def test_a_name_of_the_servers_own_catalog(arena):
    registry = Registry()
    registry.model("Klass", meta={"db_table": "pg_class"})
    (finding,) = arena.automigrate(registry.plugin(connection)).findings
    assert (finding.id, finding.obj) == ("agentsql.D002", "pg_class")
    assert arena.fingerprint() == {}


def test_a_table_whose_name_looks_like_a_mark(arena):
    registry = Registry()
    registry.model("Mark", n=models.IntegerField(null=True), meta={"db_table": "agentsql_fill_x"})
    assert arena.automigrate(registry.plugin(connection)).status == "converged"
    assert arena.automigrate(registry.plugin(connection), plan_only=True).findings == ()
