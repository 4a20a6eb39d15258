"""What the database has beyond the models: what breaks INSERTs in every run, and all of it in a thorough look."""

import psycopg
import pytest
from django.core.checks import ERROR, INFO, WARNING
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from pgvector.django import VectorField

from agentsql.conf import Settings
from agentsql.report import Status
from agentsql.survey import Wishes, look
from tests import live
from tests.arena import Registry

QUICK = Settings(lock_timeout=0.5, lock_wait=1)
AI = "extra_ai"
TRIGGER = """
CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.late := 1; RETURN NEW; END';
CREATE TRIGGER fill {when} ON plug_thing FOR EACH ROW EXECUTE FUNCTION fill()
"""


def plugin_of(*, meta=None, **fields):
    registry = Registry()
    own = {"n": models.IntegerField(db_index=True), "word": models.TextField(null=True)}
    registry.model("Thing", meta=meta or {}, **(own | fields))
    return registry.plugin(connection)


@pytest.fixture
def made(arena):
    plugin = plugin_of()
    assert arena.automigrate(plugin).findings == ()
    return plugin


def ids(arena, plugin, *, thorough=True):
    report = arena.automigrate(plugin, plan_only=thorough)
    return [finding.id.removeprefix("agentsql.") for finding in report.findings]


def only(arena, plugin):
    (finding,) = arena.automigrate(plugin, plan_only=True).findings
    return finding


def test_a_column_that_no_model_fills(arena, made):
    arena.sql("ALTER TABLE plug_thing ADD late int NOT NULL")
    report = arena.automigrate(made)
    (finding,) = report.findings
    assert (finding.id, finding.level, finding.obj) == ("agentsql.D121", ERROR, "plug_thing.late")
    assert finding.msg.startswith("Column plug_thing.late is NOT NULL without a default, and no model has it: INSERTs ")
    assert 'ALTER TABLE "plug_thing" ALTER COLUMN "late" DROP NOT NULL;' in finding.hint
    assert (report.status, report.complete) == (Status.BLOCKED, True)
    with pytest.raises(psycopg.errors.NotNullViolation):
        connection.connection.execute("INSERT INTO plug_thing (n) VALUES (1)")


@pytest.mark.parametrize(
    "definition",
    [
        "int",
        "int NOT NULL DEFAULT 1",
        "int NOT NULL GENERATED ALWAYS AS IDENTITY",
        "int NOT NULL GENERATED ALWAYS AS (1) STORED",
        "serial NOT NULL",
    ],
)
def test_a_column_that_fills_itself(arena, made, definition):
    arena.sql(f"ALTER TABLE plug_thing ADD late {definition}")
    assert ids(arena, made, thorough=False) == []
    finding = only(arena, made)
    assert (finding.id, finding.level, finding.obj) == ("agentsql.D122", INFO, "plug_thing.late")
    assert finding.hint == 'If nobody needs it: ALTER TABLE "plug_thing" DROP COLUMN "late";'


def test_a_domain_may_fill_it(arena, made):
    arena.sql("CREATE DOMAIN one AS int DEFAULT 1", "ALTER TABLE plug_thing ADD late one NOT NULL")
    assert ids(arena, made) == ["D122"]


DOMAINS = """
CREATE DOMAIN must AS int NOT NULL;
CREATE DOMAIN nested AS must;
CREATE DOMAIN checked AS int CHECK (VALUE IS NOT NULL);
CREATE DOMAIN said AS nested CHECK (coalesce(VALUE, 1) > 0);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN filled AS must DEFAULT 1
"""


@pytest.mark.parametrize(
    ("domain", "takes_null"),
    [
        ("must", False),
        ("nested", False),
        ("checked", False),
        ("said", False),
        ("positive", True),
        ("filled", True),
        ("positive[]", True),
    ],
)
def test_a_domain_may_refuse_null(arena, made, domain, takes_null):
    """Then no trigger can help: the domain is asked before."""
    arena.sql(*DOMAINS.split(";\n"), f"ALTER TABLE plug_thing ADD late {domain}")
    if not takes_null:
        arena.sql(*TRIGGER.format(when="BEFORE INSERT").split(";\n"))
    assert ids(arena, made, thorough=False) == ([] if takes_null else ["D121"])
    finding = only(arena, made)
    assert (finding.id, finding.level) == (("agentsql.D122", INFO) if takes_null else ("agentsql.D121", ERROR))
    if takes_null:
        connection.connection.execute("INSERT INTO plug_thing (n) VALUES (1)")
    else:
        assert f"is NOT NULL by its domain {domain} without a default" in finding.msg
        assert finding.hint.endswith('By hand: ALTER TABLE "plug_thing" ALTER COLUMN "late" SET DEFAULT ...;')
        with pytest.raises((psycopg.errors.NotNullViolation, psycopg.errors.CheckViolation)):
            connection.connection.execute("INSERT INTO plug_thing (n) VALUES (1)")


def test_a_domain_that_does_not_say(arena, made):
    arena.sql("CREATE FUNCTION moody(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$no$$; END'")
    arena.sql("CREATE DOMAIN odd AS int CHECK (moody(VALUE))", "ALTER TABLE plug_thing ADD late odd")
    finding = only(arena, made)
    assert (finding.id, finding.level) == ("agentsql.D122", WARNING)
    assert finding.msg.endswith("INSERTs leave it out, and whether its type takes NULL could not be told.")


def test_a_column_that_may_have_been_renamed_is_not_to_be_dropped(arena, made):
    arena.sql("ALTER TABLE plug_thing ADD late text", "INSERT INTO plug_thing (n, late) VALUES (1, 'a')")
    assert ids(arena, plugin_of(new=models.TextField(null=True))) == ["D131"]


@pytest.mark.parametrize(
    ("when", "level"),
    [
        ("BEFORE INSERT", WARNING),
        ("BEFORE INSERT OR UPDATE", WARNING),
        ("BEFORE UPDATE", ERROR),
        ("AFTER INSERT", ERROR),
    ],
)
def test_a_trigger_may_fill_it(arena, made, when, level):
    arena.sql("ALTER TABLE plug_thing ADD late int NOT NULL", *TRIGGER.format(when=when).split(";\n"))
    (finding,) = arena.automigrate(made).findings
    assert (finding.id, finding.level) == ("agentsql.D121", level)
    assert ("unless its trigger fills it" in finding.msg) is (level == WARNING)


def test_a_disabled_trigger_fills_nothing(arena, made):
    arena.sql("ALTER TABLE plug_thing ADD late int NOT NULL")
    arena.sql(*TRIGGER.format(when="BEFORE INSERT").split(";\n"), "ALTER TABLE plug_thing DISABLE TRIGGER fill")
    assert arena.automigrate(made).findings[0].level == ERROR


def test_the_rest_is_for_those_who_look(arena, made):
    arena.sql(
        "ALTER TABLE plug_thing ADD late int, ADD CONSTRAINT late CHECK (n > 0)", "CREATE INDEX x ON plug_thing (late)"
    )
    assert ids(arena, made, thorough=False) == []
    assert ids(arena, made) == ["D122", "D123", "D124"]
    assert arena.automigrate(made, plan_only=True).status is Status.CONVERGED


def test_tables_of_others_are_not_looked_at(arena):
    registry = Registry()
    registry.model("Room")
    registry.model("Thing", room=models.ForeignKey("Room", models.CASCADE))
    rooms, things = (model for model in registry.plugin(connection).models)
    arena.automigrate(registry.plugin(connection))
    arena.sql("ALTER TABLE plug_room ADD late int NOT NULL, ADD more int", "CREATE INDEX late ON plug_room (more)")
    only_things = type(registry.plugin(connection))(label="plug", models=(things,))
    assert ids(arena, only_things) == []
    assert ids(arena, registry.plugin(connection)) == ["D121", "D122", "D124"]
    assert rooms is not things


def test_a_table_of_something_else_is_told_of_once(arena):
    arena.sql(
        "CREATE TABLE plug_thing (code text PRIMARY KEY, id bigint NOT NULL, n int, word text, late int NOT NULL)"
    )
    found = ids(arena, plugin_of())
    assert "D001" in found
    assert not {"D121", "D122", "D123", "D124"} & set(found)


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ("CHECK (n > 0)", "has the check constraint late, which is in no model: CHECK (n > 0). It may refuse rows"),
        ("CHECK (n > 0) NOT VALID", "CHECK (n > 0) NOT VALID. It may refuse rows"),
        ("UNIQUE (n)", "has the unique constraint late, which is in no model: UNIQUE (n). It may refuse rows"),
        ("EXCLUDE USING hash (n WITH =)", "has the exclusion constraint late, which is in no model: EXCLUDE"),
        ("FOREIGN KEY (n) REFERENCES plug_thing", "has the foreign key constraint late, which is in no model"),
    ],
)
def test_a_constraint(arena, made, definition, words):
    arena.sql("ALTER TABLE plug_thing ALTER n TYPE bigint", f"ALTER TABLE plug_thing ADD CONSTRAINT late {definition}")
    finding = only(arena, made)
    assert (finding.id, finding.level) == ("agentsql.D123", WARNING)
    assert words in finding.msg
    assert (
        finding.hint == 'If nobody needs it, other programs included: ALTER TABLE "plug_thing" DROP CONSTRAINT "late";'
    )


@pytest.mark.parametrize(
    ("action", "level", "words"),
    [
        (
            "ON DELETE CASCADE",
            WARNING,
            "It deletes rows when those they point to are deleted, whatever the models say.",
        ),
        ("ON DELETE SET NULL", WARNING, "It writes NULL into rows when those they point to are deleted"),
        ("ON DELETE SET DEFAULT", WARNING, "It writes defaults into rows when those"),
        ("ON UPDATE SET NULL", WARNING, "It writes NULL into rows when the keys they point to change."),
        ("ON UPDATE CASCADE", INFO, "ON UPDATE CASCADE. It may refuse rows"),
        ("ON DELETE RESTRICT", INFO, "ON DELETE RESTRICT. It may refuse rows"),
    ],
)
def test_a_foreign_key_that_changes_rows(arena, action, level, words):
    registry = Registry()
    registry.model("Room")
    registry.model("Thing", room=models.ForeignKey("Room", models.CASCADE, null=True))
    plugin = registry.plugin(connection)
    arena.automigrate(plugin)
    arena.sql(f"ALTER TABLE plug_thing ADD CONSTRAINT late FOREIGN KEY (room_id) REFERENCES plug_room {action}")
    finding = only(arena, plugin)
    assert (finding.id, finding.level) == ("agentsql.D123", level)
    assert words in finding.msg
    assert finding.msg.endswith("It may refuse rows that the models allow.")


def test_no_definition_is_told_in_full(arena, made):
    many = " OR ".join(f"n = {number}" for number in range(200))
    arena.sql(
        f"ALTER TABLE plug_thing ADD CONSTRAINT late CHECK ({many})", f"CREATE INDEX x ON plug_thing (n) WHERE {many}"
    )
    for finding in arena.automigrate(made, plan_only=True).findings:
        assert (len(finding.msg) < 400, "…" in finding.msg) == (True, True)


def test_a_constraint_that_is_not_enforced_refuses_nothing(arena, made):
    if connection.pg_version < 180000:
        pytest.skip("NOT ENFORCED is new in PostgreSQL 18")
    arena.sql("ALTER TABLE plug_thing ADD CONSTRAINT late CHECK (n > 0) NOT ENFORCED")
    assert only(arena, made).msg.endswith("NOT ENFORCED. It refuses nothing.")


@pytest.mark.parametrize("name", ["agentsql_fill_word", "agentsql_key_plug_thing_pkey"])
def test_what_a_run_began_is_its_own_business(arena, made, name):
    arena.sql(f"ALTER TABLE plug_thing ADD CONSTRAINT {name} CHECK (word IS NULL OR word IS NOT NULL)")
    assert "D123" not in ids(arena, made)


@pytest.mark.parametrize("condition", ["true", "word IS NULL OR word > 'a'"])
def test_another_check_of_such_a_name_is_no_mark(arena, made, condition):
    arena.sql(f"ALTER TABLE plug_thing ADD CONSTRAINT agentsql_fill_word CHECK ({condition})")
    report = arena.automigrate(made, plan_only=True)
    assert ([finding.id for finding in report.findings], report.outcomes) == (["agentsql.D123"], ())


@pytest.mark.parametrize(
    ("definition", "level"),
    [
        ("UNIQUE (id, n)", INFO),
        ("UNIQUE (late)", INFO),
        ("UNIQUE (n, late)", WARNING),
        ("CHECK (late > 0)", INFO),
    ],
)
def test_a_constraint_that_may_refuse_what_models_write(arena, made, definition, level):
    arena.sql("ALTER TABLE plug_thing ADD late int", f"ALTER TABLE plug_thing ADD CONSTRAINT late {definition}")
    told = {finding.id: finding for finding in arena.automigrate(made, plan_only=True).findings}
    assert told["agentsql.D123"].level == level
    assert ("It refuses no row of the models." in told["agentsql.D123"].msg) is (level == INFO)


@pytest.mark.parametrize(
    ("sql", "level", "words"),
    [
        ("ALTER TABLE plug_thing ENABLE ROW LEVEL SECURITY", WARNING, "(enabled): a role that it holds for"),
        ("ALTER TABLE plug_thing ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY", WARNING, "no policy lets it"),
        (
            "ALTER TABLE plug_thing ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON plug_thing USING (n = 1)",
            INFO,
            "its policies (1) say which.",
        ),
        ("CREATE RULE nope AS ON INSERT TO plug_thing DO INSTEAD NOTHING", WARNING, "has the rule nope, which does"),
    ],
)
def test_what_keeps_rows_away(arena, made, sql, level, words):
    arena.sql(*sql.split("; "))
    finding = only(arena, made)
    assert (finding.id, finding.level, words in finding.msg) == ("agentsql.D126", level, True)
    arena.sql(finding.hint.partition(": ")[2])
    assert ids(arena, made) == []


def test_a_not_null_that_is_not_valid(arena, made):
    if connection.pg_version < 180000:
        pytest.skip("NOT NULL NOT VALID is new in PostgreSQL 18")
    arena.sql("ALTER TABLE plug_thing ALTER n DROP NOT NULL", "INSERT INTO plug_thing (n) VALUES (NULL)")
    arena.sql("ALTER TABLE plug_thing ADD CONSTRAINT nn NOT NULL n NOT VALID")
    finding = only(arena, made)
    assert (finding.id, finding.level, finding.obj) == ("agentsql.D104", WARNING, "plug_thing.n")
    assert 'ALTER TABLE "plug_thing" ALTER COLUMN "n" SET NOT NULL;' in finding.hint
    assert arena.rows(finding.hint.rpartition("finds rows: ")[2]) == [(None,)]
    arena.sql("UPDATE plug_thing SET n = 1", 'ALTER TABLE "plug_thing" ALTER COLUMN "n" SET NOT NULL')
    assert ids(arena, made) == []


def test_what_is_begun_is_no_extra(arena):
    arena.automigrate(plugin_of())
    arena.sql("ALTER TABLE plug_thing ADD CONSTRAINT above CHECK (n > 0) NOT VALID")
    meta = {"constraints": [models.CheckConstraint(condition=models.Q(n__gt=0), name="above")]}
    assert ids(arena, plugin_of(meta=meta)) == []


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ("INDEX late ON plug_thing (word)", "btree on (word text_ops). It costs every write."),
        ("UNIQUE INDEX late ON plug_thing (word)", "It costs every write, and may refuse rows that the models allow."),
        ("INDEX late ON plug_thing (n)", "It is a duplicate of plug_thing_n_"),
        ("INDEX late ON plug_thing (id)", "It is a duplicate of plug_thing_pkey, and costs every write again."),
        ("INDEX late ON plug_thing (n) WITH (fillfactor = 50)", "It is a duplicate of plug_thing_n_"),
        ("INDEX late ON plug_thing (n) WHERE n > 1", "It costs every write."),
        ("UNIQUE INDEX late ON plug_thing (n)", "and may refuse rows"),
    ],
)
def test_an_index(arena, made, definition, words):
    arena.sql(f"CREATE {definition}")
    finding = only(arena, made)
    level = WARNING if "refuse" in words else INFO
    assert (finding.id, finding.level, finding.obj) == ("agentsql.D124", level, "index plug_thing(late)")
    assert words in finding.msg
    assert (
        finding.hint
        == f'If nobody needs it, other programs included: DROP INDEX CONCURRENTLY "{arena.namespace}"."late";'
    )


def test_an_index_of_expressions_may_be_a_duplicate_too(arena):
    index = models.Index(models.functions.Lower("word"), name="lowered", condition=models.Q(n__gt=1))
    plugin = plugin_of(meta={"indexes": [index]})
    arena.automigrate(plugin)
    arena.sql("CREATE INDEX late ON plug_thing (lower(word)) WHERE n > 1")
    assert "It is a duplicate of lowered" in only(arena, plugin).msg


def test_an_invalid_index(arena, made):
    arena.sql("INSERT INTO plug_thing (n) VALUES (1), (1)")
    with pytest.raises(Exception, match="could not create unique index"):
        arena.sql("CREATE UNIQUE INDEX CONCURRENTLY late ON plug_thing (n)")
    finding = only(arena, made)
    assert finding.id == "agentsql.D124"
    assert "It is invalid: no query uses it" in finding.msg


def test_tables_of_no_model(arena):
    registry = Registry()
    registry.model("Note", meta={"db_table": f'{AI}"."notes'})
    plugin = registry.plugin(connection)
    arena.automigrate(plugin)
    try:
        for number in range(12):
            arena.sql(f"CREATE TABLE {AI}.t{number:02} ()")
        finding = only(arena, plugin)
        assert (finding.id, finding.level, finding.obj) == ("agentsql.D125", INFO, f"schema {AI}")
        assert "has 12 tables of no model: t00, t01, " in finding.msg
        assert ", t09 and 2 more. Code goes on." in finding.msg
        assert ids(arena, plugin, thorough=False) == []
    finally:
        arena.sql(f"DROP SCHEMA {AI} CASCADE")


@pytest.mark.extension("vector")
def test_an_extension_that_could_be_newer(arena):
    arena.sql("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")
    ((version,),) = arena.rows("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
    plugin = plugin_of(v=VectorField(dimensions=3, null=True))
    arena.automigrate(plugin)
    arena.sql("UPDATE pg_extension SET extversion = '0.8.0' WHERE extname = 'vector'")
    try:
        finding = only(arena, plugin)
        assert ids(arena, plugin, thorough=False) == []
    finally:
        arena.sql(f"UPDATE pg_extension SET extversion = '{version}' WHERE extname = 'vector'")
    assert (finding.id, finding.level, finding.obj) == ("agentsql.D118", INFO, "extension vector")
    assert f"is at version 0.8.0; the server offers {version}." in finding.msg
    assert finding.hint.endswith('ALTER EXTENSION "vector" UPDATE;')


def test_tables_of_another_owner(arena, made):
    owner = arena.rows("SELECT current_user::text")[0][0]
    with live.Login(arena) as login:
        login.gets()
        finding = only(arena, made)
        lacking = ids(arena, plugin_of(late=models.IntegerField(null=True)))
    assert (finding.id, finding.level, finding.obj) == ("agentsql.D117", INFO, "plug_thing")
    assert finding.msg.startswith(f"The role {login.name!r} may not change what belongs to {owner!r}: plug_thing.")
    assert finding.hint.endswith(f'or hand it over: ALTER TABLE "plug_thing" OWNER TO "{login.name}";')
    assert lacking == ["D010"]


def test_what_was_not_compared(arena):
    registry = Registry()
    for number in range(7):
        registry.model(f"T{number}")
    with live.Login(arena) as login:
        arena.automigrate(registry.plugin(connection))
        login.gets(default_transaction_read_only="on")
        finding = only(arena, registry.plugin(connection))
    assert (finding.id, finding.level, finding.obj) == ("agentsql.D190", WARNING, "tables")
    assert finding.msg.startswith("7 tables were not compared in every detail: plug_t0, plug_t1, plug_t2, ")
    assert finding.msg.endswith(
        "plug_t4 and 2 more. Why: transactions are read-only, so no temporary table can be made."
    )


def test_one_table_that_was_not_compared(arena):
    """A type that is gone from search_path serves the table on, but makes no new one."""
    arena.sql("CREATE DOMAIN whole AS int")

    class Whole(models.IntegerField):
        def db_type(self, connection):  # noqa: ARG002 Django's signature
            return "whole"

    plugin = plugin_of(w=Whole(null=True))
    arena.automigrate(plugin)
    arena.sql("ALTER DOMAIN whole RENAME TO former")
    told = arena.automigrate(plugin, plan_only=True).findings
    (finding,) = (finding for finding in told if finding.id == "agentsql.D190")
    assert finding.obj == "plug_thing"
    assert finding.msg.endswith('Why: type "whole" does not exist.')


class Custom(models.Index):
    def create_sql(self, model, *_args, **_kwargs):
        return f'CREATE INDEX "{self.name}" ON "{model._meta.db_table}" ("id")'


def test_an_object_that_nobody_knows_how_the_server_would_make(arena):
    """Its SQL names the schema, so that a rehearsal of it would lock the table in use."""
    registry = Registry()
    meta = {"db_table": f'{AI}"."notes', "indexes": [Custom(fields=["id"], name="custom")]}
    registry.model("Note", meta=meta)
    arena.automigrate(registry.plugin(connection))
    try:
        finding = only(arena, registry.plugin(connection))
    finally:
        arena.sql(f"DROP SCHEMA {AI} CASCADE")
    assert (finding.id, finding.level, finding.obj) == ("agentsql.D190", INFO, f"index {AI}.notes(custom)")
    assert finding.msg.startswith(f"Not compared in every detail: index {AI}.notes(custom). Why:")


def test_triggers_are_asked_for_only_where_a_column_needs_one(arena, made):
    for change, asked in (("ADD late int", 0), ("ALTER late SET NOT NULL", 1)):
        arena.sql(f"ALTER TABLE plug_thing {change}")
        with CaptureQueriesContext(connection) as queries:
            look(connection, [made], QUICK, Wishes())
        assert sum("pg_trigger" in query["sql"] for query in queries) == asked


def test_a_default_of_its_own_fills_a_column_of_such_a_domain(arena, made):
    arena.sql("CREATE DOMAIN needed AS int NOT NULL", "ALTER TABLE plug_thing ADD late needed")
    assert ids(arena, made) == ["D121"]
    arena.sql("ALTER TABLE plug_thing ALTER late SET DEFAULT 1")
    assert arena.automigrate(made).findings == ()
