"""A report as text, JSON and SQL, to the letter."""

import pytest
from django.core.checks import Error, Warning  # noqa: A004 Django's name for it
from django.core.management.color import color_style

from agentsql.names import TableName
from agentsql.renderers import FORMATS, as_json, sql, text, text_progress, text_step, text_tail
from agentsql.report import Failure, Progress, Result
from agentsql.schema import Extension, Kind
from agentsql.step import Mode
from tests.support import action, column, constraint, index, outcome, report, step, table

AI = TableName("ai", "logs")
EXTENSION = step(
    Extension(name="hstore").key, name="hstore", sql=('CREATE EXTENSION IF NOT EXISTS "hstore"',), model=""
)
TABLE = step(
    table().key,
    column("id").key,
    column("größe").key,
    constraint(Kind.PRIMARY_KEY, "id").key,
    sql=('CREATE TABLE "logs" ("id" bigint, "größe" text)', "COMMENT ON TABLE \"logs\" IS 'it''s'"),
)
INDEX = step(
    index("logs_at", "at").key,
    name="logs_at",
    sql=('CREATE INDEX "logs_at" ON "logs" ("at")',),
    lock="SHARE",
    mode=Mode.OWN,
    requires=frozenset({column("at").key}),
)
CHECK = step(constraint(Kind.CHECK, name="c").key, name="c", sql=("ALTER TABLE ...",))
OTHER = step(column(table=AI).key, name="body", app="blog", model="blog.Log")
FAILURE = Failure(message='relation "logs" does not exist', hint="Make it.", sqlstate="42P01")
ERROR = Error("No default.", hint="Give one.", obj="logs.body", id="agentsql.D004")
WARNING = Warning("Another type.", obj="logs.n", id="agentsql.D101")
PLAN = report(
    *(outcome(Result.PENDING, of=planned) for planned in (EXTENSION, TABLE, INDEX, OTHER)),
    findings=(WARNING,),
    remaining=7,
)
TROUBLE = report(
    outcome(of=TABLE, seconds=0.0124),
    outcome(Result.FAILED, of=INDEX, failure=FAILURE, seconds=0.1),
    outcome(Result.SKIPPED, of=CHECK, failure=Failure(message="needs logs.at")),
    findings=(ERROR,),
    remaining=3,
)


def test_plan_as_text():
    assert text(PLAN) == (
        "plug\n"
        "  + extension hstore\n"
        "  logs\n"
        "    + table, 2 columns\n"
        "    + index logs_at\n"
        "blog\n"
        "  ai.logs\n"
        "    + column body\n"
        "To make: 1 extension, 1 table, 3 columns, 1 index.\n"
        "logs.n: (agentsql.D101) Another type."
    )


def test_trouble_as_text():
    done = "    + table, 2 columns"
    assert text(TROUBLE) == (
        "plug\n"
        "  logs\n"
        f"{done:66}OK 0.012 s\n"
        f"{'    ! index logs_at':66}FAILED\n"
        '      relation "logs" does not exist\n'
        '      CREATE INDEX "logs_at" ON "logs" ("at");\n'
        "      HINT: Make it.\n"
        f"{'    ! check c':66}SKIPPED\n"
        "      needs logs.at\n"
        "1 table, 2 columns in 0.50 s; 2 of 3 steps did not succeed; 3 objects still missing.\n"
        "logs.body: (agentsql.D004) No default.\n"
        "    HINT: Give one."
    )


@pytest.mark.parametrize(
    ("verbosity", "more"),
    [
        (0, ""),
        (1, ""),
        (2, '\n        CREATE INDEX "logs_at" ON "logs" ("at");'),
        (3, '\n        CREATE INDEX "logs_at" ON "logs" ("at");\n        lock: SHARE; transaction: own'),
    ],
)
def test_verbosity(verbosity, more):
    shown = outcome(Result.PENDING, of=INDEX)
    assert text_step(shown, verbosity=verbosity) == "plug\n  logs\n    + index logs_at" + more
    assert text_step(shown, shown, verbosity=verbosity) == "    + index logs_at" + more


def test_no_lock_is_told_too():
    assert text_step(outcome(Result.PENDING, of=CHECK), verbosity=3).endswith("lock: none; transaction: shared")


def test_a_step_of_several_actions_tells_the_lock_of_each():
    actions = [
        action("ALTER ... NOT VALID", mode=Mode.OWN, lock="ACCESS EXCLUSIVE"),
        action("ALTER ... VALIDATE", mode=Mode.OUTSIDE, lock="SHARE UPDATE EXCLUSIVE"),
    ]
    check = step(constraint(Kind.CHECK, name="c").key, name="c", actions=actions)
    assert text_step(outcome(Result.PENDING, of=check), verbosity=3).splitlines()[2:] == [
        "    + check c",
        "        ALTER ... NOT VALID;",
        "        lock: ACCESS EXCLUSIVE; transaction: own",
        "        ALTER ... VALIDATE;",
        "        lock: SHARE UPDATE EXCLUSIVE; transaction: outside",
    ]


def test_a_step_that_was_stopped():
    assert text_step(outcome(Result.STOPPED, of=INDEX)).splitlines()[-1] == f"{'    - index logs_at':66}NOT MADE"


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"doing": "validating"}, "    … index logs_at: validating, 3 s"),
        (
            {"doing": "building", "done": 1, "total": 4},
            "    … index logs_at: building [#####               ]  25%, 3 s",
        ),
        (
            {"doing": "building", "done": 0, "total": 4},
            "    … index logs_at: building [                    ]   0%, 3 s",
        ),
        (
            {"doing": "building", "done": 9, "total": 4},
            "    … index logs_at: building [####################] 100%, 3 s",
        ),
    ],
    ids=["unknown", "part", "none", "more than all"],
)
def test_progress(facts, line):
    assert text_progress(Progress(step=INDEX, seconds=3.2, **facts)) == line


def test_colors():
    style = color_style(force_color=True)
    assert style.ERROR("FAILED") in text(TROUBLE, style)
    assert style.MIGRATE_HEADING("plug") in text(TROUBLE, style)
    assert "\x1b" not in text(TROUBLE)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (report(plugins=("a", "b")), "Nothing to do: the schema holds all of 2 plugins' models."),
        (report(outcome(of=OTHER)), "1 column in 0.50 s."),
        (report(outcome(of=TABLE), outcome(of=INDEX)), "1 table, 2 columns, 1 index in 0.50 s."),
        (report(remaining=1), "1 object still missing, in 0.50 s."),
        (report(findings=(Error("e", obj="o", id="i"),)), "Nothing was made, in 0.50 s.\no: (i) e"),
        (
            report(outcome(Result.FAILED, of=INDEX, failure=FAILURE), remaining=2),
            "Nothing made in 0.50 s; 1 of 1 steps did not succeed; 2 objects still missing.",
        ),
        (
            report(outcome(of=OTHER), outcome(Result.STOPPED, of=INDEX), remaining=1),
            "1 column in 0.50 s; 1 of 2 steps did not succeed; 1 object still missing.",
        ),
    ],
    ids=["nothing to do", "column", "table", "left out", "blocked", "failed", "stopped"],
)
def test_summary(made, words):
    assert text_tail(made) == words


def test_summary_of_one_plugin():
    assert text_tail(report()) == "Nothing to do: the schema holds all of 1 plugin's models."


def test_summary_of_a_check():
    assert text_tail(report(outcome(Result.PENDING, of=CHECK), remaining=1)) == "To make: 1 check."


def test_formats():
    assert {"text": text, "json": as_json, "sql": sql} == FORMATS
    assert "größe" in as_json(PLAN)
