"""What is told of one object or one table: how it is found by name, and what both sides say of it."""

import pytest
from django.apps import apps
from django.core.checks import Error, Warning  # noqa: A004 Django's name for it
from django.db import connection, models

from agentsql import engine
from agentsql.details import ColumnDetail
from agentsql.examination import Examination
from agentsql.exceptions import AgentSQLError
from agentsql.explain import Fact, State, explanation
from agentsql.names import TableName
from agentsql.plan import plan
from agentsql.schema import Key, Kind, Namespace, TypeId
from tests.arena import Registry
from tests.support import column, column_key, constraint, draft_of, index, situation, table, table_key

registry = Registry()
ROOM = registry.model("Room", meta={"db_table": 'ai"."rooms'})
LOG = registry.model(
    "Log",
    body=models.TextField(db_column="text"),
    room=models.ForeignKey(ROOM, models.CASCADE, db_index=False),
    meta={
        "db_table": "logs",
        "indexes": [models.Index(fields=["body"], name="Log_Body")],
        "constraints": [models.UniqueConstraint(fields=["room", "body"], name="log_once")],
    },
)
DRAFT = draft_of(ROOM, LOG)
LOGS, ROOMS, TEXT = table_key("logs"), Key(TableName("ai", "rooms"), Kind.TABLE), column_key("logs", "text")
BODY_INDEX = Key(LOGS.table, Kind.INDEX, ("Log_Body",))
UNIQUE, FOREIGN = (next(key for key in DRAFT.objects if key.kind is kind) for kind in (Kind.UNIQUE, Kind.FOREIGN_KEY))
OLD, FINE = column("old", "integer"), constraint(Kind.CHECK, name="fine", expression="(old > 0)")
FOUND_UNIQUE = constraint(Kind.UNIQUE, "room_id", "text", name="log_elsewhere")
KNOWN = [key for key in DRAFT.objects if key not in {TEXT, BODY_INDEX, UNIQUE}]
NARROW = TypeId(1043, 24)


def detail(kind, **facts):
    default = {"type_id": TypeId(25, -1), "not_null": True}
    texts = dict.fromkeys(("default", "generated", "identity", "collation", "comment"), "")
    return ColumnDetail(type=kind, **(default | texts | facts))


def tell(name, *actual, wanted=(), found=(), failed=(), findings=()):
    now = situation(DRAFT, [*KNOWN, *actual])
    seen = Examination(wanted=dict(wanted), found=dict(found), failed=dict(failed), outdated={}, strangers={})
    return explanation(name, now, seen, plan(now), findings)


def keys(told):
    return [subject.key for subject in told.subjects]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("logs.text", TEXT),
        ("LOGS.Text", TEXT),
        ('"logs"."text"', TEXT),
        ("plug.Log.body", TEXT),
        ("plug.log.body", TEXT),
        ("Log_Body", BODY_INDEX),
        ("log_body", BODY_INDEX),
        ("logs.log_body", BODY_INDEX),
        ("index logs(log_body)", BODY_INDEX),
        ("log_once", UNIQUE),
        ("unique logs (room_id,text)", UNIQUE),
        ("foreign key logs(room_id)", FOREIGN),
        ("ai.rooms.id", Key(ROOMS.table, Kind.COLUMN, ("id",))),
        ("rooms.id", Key(ROOMS.table, Kind.COLUMN, ("id",))),
        ("schema ai", None),
        ("namespace ai", Namespace(name="ai").key),
    ],
)
def test_names(name, key):
    if key is None:
        with pytest.raises(AgentSQLError):
            tell(name)
    else:
        assert keys(tell(name)) == [key]


def test_a_foreign_key_goes_by_the_name_that_it_would_get():
    now = situation(DRAFT, [])
    assert keys(tell(now.name(DRAFT.objects[FOREIGN]))) == [FOREIGN]


def test_an_object_goes_by_the_name_that_it_has():
    assert keys(tell("log_elsewhere", FOUND_UNIQUE)) == [UNIQUE]
    assert keys(tell("unique logs(log_elsewhere)", FOUND_UNIQUE)) == [UNIQUE]


@pytest.mark.parametrize("name", ["logs", '"logs"', "plug.Log", "PLUG.LOG"])
def test_a_table_comes_with_all_that_is_its_own(name):
    told = tell(name, OLD, FINE)
    assert [(str(one.key), one.state) for one in told.subjects] == [
        ("logs", State.SHARED),
        ("logs.id", State.SHARED),
        ("logs.text", State.MISSING),
        ("logs.room_id", State.SHARED),
        ("logs.old", State.EXTRA),
        ("primary key logs", State.SHARED),
        ("unique logs(room_id, text)", State.MISSING),
        ("index logs(Log_Body)", State.MISSING),
        ("check logs(fine)", State.EXTRA),
        ("foreign key logs(room_id)", State.SHARED),
    ]
    assert [one.model for one in told.subjects] == ["plug.Log"] * 4 + [""] + ["plug.Log"] * 3 + ["", "plug.Log"]


def test_what_an_interrupted_run_left():
    told = tell("log_body", DRAFT.objects[TEXT], index("Log_Body", "text", valid=False))
    assert [one.state for one in told.subjects] == [State.UNFINISHED]


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("lgos", "Did you mean 'logs'?"),
        ("text", "Did you mean 'logs.text'?"),
        ("room_id", "Did you mean 'logs.room_id'?"),
        ("log_bdoy", "Did you mean 'Log_Body'?"),
        ("id", "Did you mean 'ai.rooms.id' or 'logs.id'?"),
        ("zzz", "Name a table, a column (table.column), an index, a constraint or a model (app.Model)."),
    ],
)
def test_nothing_has_that_name(name, advice):
    with pytest.raises(AgentSQLError) as caught:
        tell(name)
    assert str(caught.value) == f"Nothing of the plugins' schema is called {name!r}. {advice}"


def test_what_others_have_in_tables_that_keys_point_to_is_not_told():
    far = registry.model("Far", log=models.ForeignKey(LOG, models.CASCADE), meta={"db_table": "far"})
    now = situation(draft_of(far), [table(), OLD])
    seen = Examination(wanted={}, found={}, failed={}, outdated={}, strangers={})
    with pytest.raises(AgentSQLError):
        explanation("logs.old", now, seen, plan(now), ())


def test_facts_of_both_sides():
    told = tell(
        "logs.text",
        column("text"),
        wanted={TEXT: detail("text", default="'a'::text")},
        found={(LOGS.table, Kind.COLUMN, "text"): detail("varchar(20)", type_id=NARROW, comment="c")},
    )
    (subject,) = told.subjects
    assert subject.facts == (
        Fact("type", "text", "varchar(20)", differs=True),
        Fact("null", "NOT NULL", "NOT NULL", differs=False),
        Fact("default", "'a'::text", "", differs=True),
        Fact("comment", "", "c", differs=True),
    )


def test_what_is_put_up_with_is_not_marked():
    """A wider integer holds all that the model needs."""
    told = tell(
        "logs.text",
        column("text"),
        wanted={TEXT: detail("integer", type_id=TypeId(23, -1))},
        found={(LOGS.table, Kind.COLUMN, "text"): detail("bigint", type_id=TypeId(20, -1))},
    )
    assert told.subjects[0].facts[0] == Fact("type", "integer", "bigint", differs=False)


def test_facts_without_details_are_those_of_the_schema():
    told = tell("logs.text", failed={LOGS.table: "no right", ROOMS.table: "none either"})
    assert told.subjects[0].facts == (Fact("type", "text", "", False), Fact("null", "NOT NULL", "", False))
    assert told.uncompared == {LOGS.table: "no right"}


def test_another_name_is_told_and_no_difference():
    told = tell("log_once", DRAFT.objects[TEXT], FOUND_UNIQUE)
    (subject,) = told.subjects
    assert subject.name == "log_elsewhere"
    assert subject.facts[0] == Fact("name", "log_once", "log_elsewhere", differs=False)


def test_steps_are_those_that_make_it():
    assert [step.key for step in tell("logs").steps] == [TEXT, UNIQUE, BODY_INDEX]
    assert [step.key for step in tell("log_body").steps] == [BODY_INDEX]
    assert tell("logs.id").steps == ()


def test_a_column_of_a_missing_table_comes_with_that_table():
    now = situation(DRAFT, [])
    seen = Examination(wanted={}, found={}, failed={}, outdated={}, strangers={})
    (step,) = explanation("logs.text", now, seen, plan(now), ()).steps
    assert (step.key, step.sql[0][:19]) == (LOGS, 'CREATE TABLE "logs"')


OF_TEXT = Warning("w", obj="logs.text", id="x")
OF_TABLE = Error("e", obj="logs", id="x")
OF_MODEL = Error("e", obj="plug.Log", id="x")
OF_MANY = Error("Keys wait: foreign key logs(room_id); foreign key a(b).", obj="foreign keys", id="x")
OF_OTHERS = Error("Column logs.text is read by ai.rooms.", obj="ai.rooms", id="x")


@pytest.mark.parametrize(
    ("name", "findings"),
    [
        ("logs.text", (OF_TEXT,)),
        ("foreign key logs(room_id)", (OF_MANY,)),
        ("logs", (OF_TEXT, OF_TABLE, OF_MODEL, OF_MANY)),
        ("rooms", (OF_OTHERS,)),
        ("log_body", ()),
    ],
)
def test_findings_are_those_on_it(name, findings):
    assert tell(name, findings=(OF_TEXT, OF_TABLE, OF_MODEL, OF_MANY, OF_OTHERS)).findings == findings


def test_on_a_database(arena, monkeypatch):
    """What the server prints of both sides, and nothing is changed."""
    models_of = Registry()
    models_of.model(
        "Note",
        body=models.CharField(max_length=20, db_default="x"),
        rank=models.IntegerField(),
        meta={"indexes": [models.Index(fields=["-rank"], name="note_rank")]},
    )
    monkeypatch.setattr(engine, "discover", lambda *_, **__: (models_of.plugin(connection),))
    arena.sql(
        "CREATE TABLE plug_note (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, body varchar(10), x int)"
    )
    before = arena.fingerprint()
    facts = {str(one.key): (one.state, one.facts) for one in engine.explain("plug.Note").subjects}
    assert arena.fingerprint() == before
    assert facts["plug_note.body"] == (
        State.SHARED,
        (
            Fact("type", "character varying(20)", "character varying(10)", differs=True),
            Fact("null", "NOT NULL", "NULL", differs=True),
            Fact("default", "'x'::character varying", "", differs=True),
        ),
    )
    assert facts["plug_note.rank"][0] is facts["index plug_note(note_rank)"][0] is State.MISSING
    assert facts["plug_note.x"][0] is State.EXTRA
    told = engine.explain("note_rank")
    assert [step.sql for step in told.steps] == [('CREATE INDEX "note_rank" ON "plug_note" ("rank" DESC)',)]
    assert {finding.obj for finding in engine.explain("plug_note.body").findings} == {"plug_note.body"}
    with pytest.raises(AgentSQLError, match="Did you mean 'note_rank'"):
        engine.explain("note_rnak")


def test_an_installed_plugin(arena):
    """All of it is missing here: its tables, and what it would take to make them."""
    told = engine.explain("core_tables.Room", plugins=["core_tables"])
    assert {one.state for one in told.subjects} == {State.MISSING}
    assert told.steps[0].sql[0].startswith(f'CREATE TABLE "{apps.get_model("core_tables.Room")._meta.db_table}"')


@pytest.mark.parametrize("name", ["home.logs.text", '"home"."logs"."text"', "index home.logs(log_body)"])
def test_an_object_goes_by_the_schema_that_it_was_found_in(name):
    home = table(schema="home")
    now = situation(DRAFT, [home, *(key for key in DRAFT.objects if key != LOGS)])
    seen = Examination(wanted={}, found={}, failed={}, outdated={}, strangers={})
    assert keys(explanation(name, now, seen, plan(now), ())) in ([TEXT], [BODY_INDEX])


def test_a_table_that_is_missing_is_told_in_full(arena, monkeypatch):
    plain = Registry()
    plain.model("Log", n=models.IntegerField(db_default=5))
    monkeypatch.setattr(engine, "discover", lambda *_, **__: (plain.plugin(connection),))
    arena.sql("CREATE VIEW plug_log AS SELECT 1 AS id")
    told = {
        (subject.name, fact.name): fact.wanted
        for subject in engine.explain("plug_log").subjects
        for fact in subject.facts
    }
    assert (told["n", "default"], told["n", "null"]) == ("5", "NOT NULL")
    assert told["id", "identity"] == "GENERATED BY DEFAULT AS IDENTITY"
